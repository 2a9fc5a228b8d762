"""The models that are measured, each with a pair of prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import transformers
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

import circuitboard as cb

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

N_POSITIONS = 15


@dataclass(frozen=True)
class Case:
    """A model and the prompts it is measured on."""

    model: TransformerBridge
    pair: cb.PromptPair


def _random_tokens(vocabulary: int) -> cb.PromptPair:
    """Fifteen random tokens, of which ten are shared by both prompts."""
    draw = torch.Generator().manual_seed(0)
    clean = torch.randint(1, vocabulary, (1, N_POSITIONS), generator=draw)
    corrupted = clean.clone()
    corrupted[:, 10] = (corrupted[:, 10] + 1) % vocabulary
    return cb.PromptPair(clean, corrupted, answer=1, wrong=2)


def _from_config(config: transformers.PretrainedConfig) -> TransformerBridge:
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    return build_bridge_from_module(model, type(model).__name__, hf_config=model.config).eval()


def _gpt2_small() -> Case:
    return Case(_from_config(transformers.GPT2Config()), _random_tokens(50257))


def _smollm2() -> Case:
    clean = "When John and Mary went to the shops, John gave the bag to"
    corrupted = "When John and Mary went to the shops, Mary gave the bag to"
    pair = cb.PromptPair(clean, corrupted, answer=" Mary", wrong=" John", prepend_bos=False)
    return Case(cb.load("smollm2-135m"), pair)


def _demo() -> Case:
    model = cb.load("demo")
    return Case(model, cb.tasks.ioi(1, seed=0, model=model))


SHAPES: dict[str, Callable[[], Case]] = {
    "demo": _demo,
    "GPT-2 small shape, random weights": _gpt2_small,
    "SmolLM2-135M": _smollm2,
}
