"""The models that are measured, and the prompts they are measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
import transformers
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

import circuitboard as cb

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

Difference = Literal["dense", "prefix"]
"""Whether clean and corrupted prompts differ from the first token on, or share their first ten of fifteen."""

N_POSITIONS = 15
N_SHARED = 10
_VOCABULARY = 50257
_NAMES = [
    f" {name}"
    for name in "John Mary Tom Anna James Emma Paul Kate Mark Lisa David Sarah Peter Laura Adam Alice".split()
]


@dataclass(frozen=True, eq=False)
class Tokens:
    """Clean and corrupted prompts with their answers, as token ids.

    Parameters
    ----------
    clean, corrupted
        Int [batch, pos].
    answer, wrong
        Int [batch].
    """

    clean: Int[Tensor, "batch pos"]
    corrupted: Int[Tensor, "batch pos"]
    answer: Int[Tensor, " batch"]
    wrong: Int[Tensor, " batch"]

    @property
    def pair(self) -> cb.PromptPair:
        return cb.PromptPair(self.clean, self.corrupted, answer=self.answer.tolist(), wrong=self.wrong.tolist())

    def to(self, device: str) -> Tokens:
        return Tokens(*(part.to(device) for part in (self.clean, self.corrupted, self.answer, self.wrong)))


@dataclass(frozen=True, eq=False)
class Shape:
    """A model and how to make prompts for it.

    Parameters
    ----------
    name
        In words.
    model
        The bridge.
    tokens
        Number of prompts and kind of difference → prompts.
    """

    name: str
    model: TransformerBridge
    tokens: Callable[[int, Difference], Tokens]

    @property
    def has_mlp(self) -> bool:
        return not getattr(self.model.cfg, "attn_only", False)


def random_tokens(n: int, difference: Difference, *, n_positions: int = N_POSITIONS, vocabulary: int) -> Tokens:
    """Random prompts that differ in every token, or in all after the shared ones."""
    draw = torch.Generator().manual_seed(n)
    clean = torch.randint(1, vocabulary, (n, n_positions), generator=draw)
    corrupted = torch.randint(1, vocabulary, (n, n_positions), generator=draw)
    corrupted = torch.where(corrupted == clean, corrupted % (vocabulary - 1) + 1, corrupted)
    if difference == "prefix":
        corrupted[:, :N_SHARED] = clean[:, :N_SHARED]
    answer = torch.randint(1, vocabulary // 2, (n,), generator=draw)
    return Tokens(clean, corrupted, answer, answer + vocabulary // 2)


def hugging_face(config: transformers.PretrainedConfig) -> transformers.PreTrainedModel:
    """A model with random weights, large enough for every component to matter."""
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    widen(model)
    return model


def widen(model: torch.nn.Module) -> None:
    """Scale matrices up: the usual initialisation makes effects so small that an error could hide behind them."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(2.0)


def bridge(config: transformers.PretrainedConfig) -> TransformerBridge:
    """The same, as TransformerLens sees it."""
    model = hugging_face(config)
    return build_bridge_from_module(model, type(model).__name__, hf_config=model.config).eval()


def _random(name: str, model: TransformerBridge) -> Shape:
    return Shape(name, model, lambda n, difference: random_tokens(n, difference, vocabulary=int(model.cfg.d_vocab)))


def _gpt2() -> Shape:
    return _random("GPT-2 small shape", bridge(transformers.GPT2Config()))


def _pythia() -> Shape:
    config = transformers.GPTNeoXConfig(
        num_hidden_layers=12, num_attention_heads=12, hidden_size=768, intermediate_size=3072, vocab_size=50304
    )
    return _random("Pythia-160m shape", bridge(config))


def _attention_only() -> Shape:
    config = TransformerBridgeConfig(
        d_model=768,
        d_head=64,
        n_heads=12,
        n_layers=12,
        n_ctx=1024,
        d_vocab=_VOCABULARY,
        attn_only=True,
        normalization_type="LN",
        seed=0,
        init_weights=True,
    )
    return _random("attention-only, GPT-2 small's sizes", TransformerBridge.boot_native(config).eval())


def _smollm2() -> Shape:
    model = cb.load("smollm2-135m")

    def tokens(n: int, difference: Difference) -> Tokens:
        """ "Later when A and B …, A gave the bag to": B, against the same with B giving; dense: and another first word."""
        pairs = [(_NAMES[i % 16], _NAMES[(i + 1 + i // 16) % 16]) for i in range(n)]
        start = "Later" if difference == "prefix" else "Today"
        text = "{} when{} and{} went to the shops,{} gave the bag to"
        clean = [text.format("Later", a, b, a) for a, b in pairs]
        corrupted = [text.format(start, a, b, b) for a, b in pairs]
        ids = [model.to_tokens(words, prepend_bos=False).cpu() for words in (clean, corrupted)]
        names = [torch.tensor([model.to_single_token(name) for name in column]) for column in zip(*pairs, strict=True)]
        return Tokens(*ids, answer=names[1], wrong=names[0])

    return Shape("SmolLM2-135M, real", model, tokens)


def _demo() -> Shape:
    return _random("demo model", cb.load("demo"))


SHAPES: dict[str, Callable[[], Shape]] = {
    "gpt2": _gpt2,
    "smollm2": _smollm2,
    "pythia": _pythia,
    "attn-only": _attention_only,
    "demo": _demo,
}
