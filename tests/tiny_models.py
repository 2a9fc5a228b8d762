"""Tiny random models of every family the numerics tests cover, built without a hub."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import torch
import transformers
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

D_VOCAB = 60
N_LAYERS = 3
N_HEADS = 4
_COMMON = {"vocab_size": D_VOCAB, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}


@dataclass(frozen=True)
class Size:
    """What a tiny model measures.

    Parameters
    ----------
    d_head
        Even where a family turns positions into pairs of dimensions.
    kv_heads
        Divides `heads`; families without grouped queries take no notice.
    d_model
        Families that derive the width of a head from it take heads × d_head instead.
    d_mlp
        None: what the family does by itself.
    """

    layers: int = N_LAYERS
    heads: int = N_HEADS
    kv_heads: int = 2
    d_head: int = 8
    d_model: int = 32
    d_mlp: int | None = None

    @property
    def d_heads(self) -> int:
        return self.heads * self.d_head


USUAL = Size()


def _rotated(size: Size, share: int) -> float:
    """About one `share`-th of a head, as an even number of dimensions."""
    return max(2, 2 * (size.d_head // (2 * share))) / size.d_head


def _wide(size: Size, *, d_model: int | None = None) -> dict[str, object]:
    """Llama's words, where a head may be of any width; `d_model` where it may not."""
    return {
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "hidden_size": d_model or size.d_model,
        "intermediate_size": size.d_mlp or 48,
        "max_position_embeddings": 32,
        **({} if d_model else {"head_dim": size.d_head}),
        **_COMMON,
    }


def _llama(size: Size) -> dict[str, object]:
    return _wide(size, d_model=size.d_heads)


def _gqa(size: Size) -> dict[str, object]:
    return {"num_key_value_heads": size.kv_heads, **_llama(size)}


def _wide_gqa(size: Size) -> dict[str, object]:
    return {"num_key_value_heads": size.kv_heads, **_wide(size)}


def _gpt(size: Size) -> dict[str, object]:
    return {
        "n_layer": size.layers,
        "n_head": size.heads,
        "n_embd": size.d_heads,
        "n_inner": size.d_mlp,
        "n_positions": 32,
        **_COMMON,
    }


def _opt(size: Size, **options: object) -> TransformerBridge:
    config = transformers.OPTConfig(
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        hidden_size=size.d_heads,
        ffn_dim=size.d_mlp or 48,
        max_position_embeddings=32,
        **options,
        **_COMMON,
    )
    return _hugging_face(config)


def _kinds_of_layers(size: Size) -> list[str]:
    return [("sliding_attention", "full_attention")[layer % 2] for layer in range(size.layers)]


def _hugging_face(config: transformers.PretrainedConfig) -> TransformerBridge:
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        # The usual initialisation is so small that every effect would hide below the tolerance.
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
    return build_bridge_from_module(model, type(model).__name__, hf_config=model.config)


def _native(size: Size, **options: object) -> TransformerBridge:
    config = {
        "d_model": size.d_heads,
        "d_head": size.d_head,
        "n_heads": size.heads,
        "n_layers": size.layers,
        "d_mlp": size.d_mlp,
        "n_ctx": 32,
        "d_vocab": D_VOCAB,
        "act_fn": "gelu_new",
        "normalization_type": "LN",
        "seed": 0,
        "init_weights": True,
        **options,
    }
    return TransformerBridge.boot_native(TransformerBridgeConfig(**config))


def _longrope(size: Size) -> TransformerBridge:
    pairs = range(size.d_head // 2)
    rope = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0 + 0.5 * pair for pair in pairs],
        "long_factor": [2.0 + pair for pair in pairs],
        "original_max_position_embeddings": 8,
    }
    return _hugging_face(
        transformers.Phi3Config(original_max_position_embeddings=8, rope_parameters=rope, **_gqa(size))
    )


def _llama3_rope(size: Size) -> TransformerBridge:
    rope = {
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8,
    }
    return _hugging_face(
        transformers.LlamaConfig(rope_parameters=rope, attention_bias=True, mlp_bias=True, **_gqa(size))
    )


def _gpt_neo(size: Size) -> TransformerBridge:
    kinds = [("global", "local")[layer % 2] for layer in range(size.layers)]
    config = transformers.GPTNeoConfig(
        num_layers=size.layers,
        num_heads=size.heads,
        hidden_size=size.d_heads,
        intermediate_size=size.d_mlp,
        attention_types=[[kinds, 1]],
        window_size=4,
        max_position_embeddings=32,
        **_COMMON,
    )
    return _hugging_face(config)


def _t5(size: Size) -> TransformerBridge:
    torch.manual_seed(0)
    config = transformers.T5Config(
        num_layers=2, num_heads=size.heads, d_model=32, d_kv=size.d_head, d_ff=48, decoder_start_token_id=0, **_COMMON
    )
    model = transformers.T5ForConditionalGeneration(config).eval()
    return build_bridge_from_module(model, type(model).__name__, hf_config=config)


def _experts(config: type[transformers.PretrainedConfig], size: Size, **options: object) -> TransformerBridge:
    return _hugging_face(config(num_local_experts=2, num_experts_per_tok=1, **options, **_wide_gqa(size)))


Family = Callable[..., TransformerBridge]
"""Builds a model of a size, or of the usual one."""

FAMILIES: dict[str, Family] = {
    "gpt2": lambda size=USUAL: _hugging_face(transformers.GPT2Config(**_gpt(size))),
    "llama_gqa": lambda size=USUAL: _hugging_face(transformers.LlamaConfig(**_wide_gqa(size))),
    "neox": lambda size=USUAL: _hugging_face(transformers.GPTNeoXConfig(rotary_pct=_rotated(size, 4), **_llama(size))),
    "gemma2": lambda size=USUAL: _hugging_face(
        transformers.Gemma2Config(sliding_window=4, query_pre_attn_scalar=8, **_wide_gqa(size))
    ),
    "attention_only": lambda size=USUAL: _native(size, attn_only=True, positional_embedding_type="rotary"),
    "native": lambda size=USUAL: _native(size),
    "bloom": lambda size=USUAL: _hugging_face(
        transformers.BloomConfig(n_layer=size.layers, n_head=size.heads, hidden_size=size.d_heads, **_COMMON)
    ),
}

MORE_FAMILIES: dict[str, Family] = {
    "gpt2_scaled": lambda size=USUAL: _hugging_face(
        transformers.GPT2Config(scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True, **_gpt(size))
    ),
    "native_gqa": lambda size=USUAL: _native(
        size,
        positional_embedding_type="rotary",
        rotary_dim=4,
        n_key_value_heads=size.kv_heads,
        normalization_type="RMS",
        act_fn="relu",
    ),
    "native_gated": lambda size=USUAL: _native(
        size, gated_mlp=True, act_fn="silu", normalization_type="RMS", final_rms=True
    ),
    "native_bare": lambda size=USUAL: _native(size, normalization_type=None, act_fn="relu"),
    "native_pre": lambda size=USUAL: _native(size, normalization_type="LNPre", act_fn="solu_ln"),
    "native_softcap": lambda size=USUAL: _native(
        size, attn_scores_soft_cap=2.0, output_logits_soft_cap=3.0, normalization_type="RMSPre", act_fn="gelu"
    ),
    "mistral": lambda size=USUAL: _hugging_face(transformers.MistralConfig(sliding_window=4, **_wide_gqa(size))),
    "qwen2": lambda size=USUAL: _hugging_face(
        transformers.Qwen2Config(use_sliding_window=True, sliding_window=4, max_window_layers=1, **_gqa(size))
    ),
    "qwen3": lambda size=USUAL: _hugging_face(transformers.Qwen3Config(**_wide_gqa(size))),
    "neox_sequential": lambda size=USUAL: _hugging_face(
        transformers.GPTNeoXConfig(use_parallel_residual=False, rotary_pct=_rotated(size, 4), **_llama(size))
    ),
    "gemma1": lambda size=USUAL: _hugging_face(transformers.GemmaConfig(**_wide_gqa(size))),
    "gemma3": lambda size=USUAL: _hugging_face(
        transformers.Gemma3TextConfig(
            sliding_window=4, query_pre_attn_scalar=8, layer_types=_kinds_of_layers(size), **_wide_gqa(size)
        )
    ),
    "gptj": lambda size=USUAL: _hugging_face(transformers.GPTJConfig(rotary_dim=4, **_gpt(size))),
    "gptneo": lambda size=USUAL: _gpt_neo(size),
    "opt": lambda size=USUAL: _opt(size),
    "phi": lambda size=USUAL: _hugging_face(
        transformers.PhiConfig(partial_rotary_factor=_rotated(size, 2), **_llama(size))
    ),
    "phi3": lambda size=USUAL: _hugging_face(transformers.Phi3Config(sliding_window=4, **_gqa(size))),
    "phi3_longrope": lambda size=USUAL: _longrope(size),
    "llama3_rope": lambda size=USUAL: _llama3_rope(size),
    "mixtral": lambda size=USUAL: _experts(transformers.MixtralConfig, size),
    "falcon": lambda size=USUAL: _hugging_face(
        transformers.FalconConfig(
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            hidden_size=size.d_heads,
            alibi=False,
            **_COMMON,
        )
    ),
    "granite": lambda size=USUAL: _hugging_face(transformers.GraniteConfig(residual_multiplier=0.5, **_gqa(size))),
    "cohere": lambda size=USUAL: _hugging_face(transformers.CohereConfig(**_gqa(size))),
    "gpt_oss": lambda size=USUAL: _experts(
        transformers.GptOssConfig, size, layer_types=_kinds_of_layers(size), sliding_window=4
    ),
    "mpt": lambda size=USUAL: _hugging_face(
        transformers.MptConfig(
            n_layers=size.layers, n_heads=size.heads, d_model=size.d_heads, max_seq_len=32, **_COMMON
        )
    ),
    "opt_post": lambda size=USUAL: _opt(size, do_layer_norm_before=False, word_embed_proj_dim=size.d_heads // 2),
    "native_bidirectional": lambda size=USUAL: _native(size, attention_dir="bidirectional"),
    "llama_dynamic_rope": lambda size=USUAL: _hugging_face(
        transformers.LlamaConfig(
            rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}, **_gqa(size)
        )
    ),
    "mamba": lambda size=USUAL: _hugging_face(
        transformers.MambaConfig(num_hidden_layers=size.layers, hidden_size=size.d_model, state_size=4, **_COMMON)
    ),
    "t5": lambda size=USUAL: _t5(size),
}
"""Families that the slower numerics tests do not go over."""

NOT_WAVEFRONT = (
    "bloom",
    "mixtral",
    "falcon",
    "granite",
    "cohere",
    "gpt_oss",
    "mpt",
    "opt_post",
    "native_bidirectional",
    "llama_dynamic_rope",
    "mamba",
    "t5",
)
"""Families that the incremental tier refuses."""

WAVEFRONT = tuple(name for name in (*FAMILIES, *MORE_FAMILIES) if name not in NOT_WAVEFRONT)
"""Families that the incremental tier takes apart."""


@cache
def tiny(family: str, *, compatibility: bool = False, double: bool = False) -> TransformerBridge:
    """A model of this family and the usual size: folded and centred weights (`compatibility`) or raw, fp32 or fp64."""
    return _built(family, USUAL, compatibility=compatibility, double=double)


@lru_cache(maxsize=8)
def tiny_of_size(family: str, size: Size, *, compatibility: bool = False, double: bool = False) -> TransformerBridge:
    """The same in any size; only the last few are kept."""
    return _built(family, size, compatibility=compatibility, double=double)


def _built(family: str, size: Size, *, compatibility: bool, double: bool) -> TransformerBridge:
    model = (FAMILIES | MORE_FAMILIES)[family](size)
    if compatibility:
        with warnings.catch_warnings():
            # Phi-3's joint projections and norms after a block keep their weights; it is a compatibility model all the same.
            warnings.filterwarnings("ignore", message="(Phi3|Opt)ArchitectureAdapter does not support")
            model.enable_compatibility_mode(disable_warnings=True)
    return (model.double() if double else model).eval()
