"""Tiny random models of every family the numerics tests cover, built without a hub."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
import transformers
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

D_VOCAB = 60
N_LAYERS = 3
N_HEADS = 4
_COMMON = {"vocab_size": D_VOCAB, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
_LLAMA = {
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": N_HEADS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "max_position_embeddings": 32,
    **_COMMON,
}


def _hugging_face(config: transformers.PretrainedConfig) -> TransformerBridge:
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        # The usual initialisation is so small that every effect would hide below the tolerance.
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
    return build_bridge_from_module(model, type(model).__name__, hf_config=model.config)


def _native(**options: object) -> TransformerBridge:
    config = {
        "d_model": 32,
        "d_head": 8,
        "n_heads": N_HEADS,
        "n_layers": N_LAYERS,
        "n_ctx": 32,
        "d_vocab": D_VOCAB,
        "act_fn": "gelu_new",
        "normalization_type": "LN",
        "seed": 0,
        "init_weights": True,
        **options,
    }
    return TransformerBridge.boot_native(TransformerBridgeConfig(**config))


FAMILIES: dict[str, Callable[[], TransformerBridge]] = {
    "gpt2": lambda: _hugging_face(
        transformers.GPT2Config(n_layer=N_LAYERS, n_head=N_HEADS, n_embd=32, n_positions=32, **_COMMON)
    ),
    "llama_gqa": lambda: _hugging_face(transformers.LlamaConfig(num_key_value_heads=2, **_LLAMA)),
    "neox": lambda: _hugging_face(transformers.GPTNeoXConfig(**_LLAMA)),
    "gemma2": lambda: _hugging_face(
        transformers.Gemma2Config(
            num_key_value_heads=2, head_dim=8, sliding_window=4, query_pre_attn_scalar=8, **_LLAMA
        )
    ),
    "attention_only": lambda: _native(attn_only=True, positional_embedding_type="rotary"),
    "native": _native,
    "bloom": lambda: _hugging_face(
        transformers.BloomConfig(n_layer=N_LAYERS, n_head=N_HEADS, hidden_size=32, **_COMMON)
    ),
}


@cache
def tiny(family: str, *, compatibility: bool = False, double: bool = False) -> TransformerBridge:
    """A model of this family, with folded and centred weights (`compatibility`) or raw, in fp32 or fp64."""
    model = FAMILIES[family]()
    if compatibility:
        model.enable_compatibility_mode(disable_warnings=True)
    return (model.double() if double else model).eval()
