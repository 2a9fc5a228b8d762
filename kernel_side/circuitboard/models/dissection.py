"""Find the parts of a `TransformerBridge` that the wavefront tier computes with.

Works from TransformerLens's components, because what they wrap is what the forward pass uses now: split copies of
joint projections, weights folded and centred by compatibility mode. A model is taken apart only if every class on
the way is one whose arithmetic is known; all others are refused with the reason.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812

from circuitboard.models.anatomy import Anatomy, Attention, Block, Linear, Mlp, Norm, Rotary
from circuitboard.models.families import FAMILIES, Family, full_name
from circuitboard.models.foreign import foreign
from circuitboard.models.refusal import no_anatomy, refuse_foreign_parts, unreadable_weights, why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

_FLOAT32_RMS = {
    "transformers.models.llama.modeling_llama.LlamaRMSNorm": "variance_epsilon",
    "transformers.models.mistral.modeling_mistral.MistralRMSNorm": "variance_epsilon",
    "transformers.models.qwen2.modeling_qwen2.Qwen2RMSNorm": "variance_epsilon",
    "transformers.models.qwen3.modeling_qwen3.Qwen3RMSNorm": "variance_epsilon",
    "transformers.models.phi3.modeling_phi3.Phi3RMSNorm": "variance_epsilon",
    "transformer_lens.model_bridge.sources.native.model.NativeRMSNorm": "eps",
}
"""Norms that compute in float32 and multiply by their weight in the model's dtype → their name for epsilon."""

_OFFSET_RMS = frozenset(
    f"transformers.models.{module}.modeling_{module}.{name}RMSNorm"
    for module, name in (("gemma", "Gemma"), ("gemma2", "Gemma2"), ("gemma3", "Gemma3"))
)
"""Norms whose factor is 1 + weight, all in float32."""

_FUSED: dict[str, Callable[[Tensor], Tensor]] = {
    "transformers.activations.NewGELUActivation": partial(F.gelu, approximate="tanh"),
}
"""The same functions in one pass over memory instead of eight."""

_BARE_NORMS = {
    "transformer_lens.model_bridge.sources.native.model.NativeRMSNormPre": "rms",
    "transformer_lens.model_bridge.sources.native.model.NativeLayerNormPre": "layer",
}
"""Norms without a weight."""

_ROPE_TYPES = frozenset({"default", "linear", "llama3", "yarn", "longrope"})
"""Long-context scalings whose angles depend on the positions asked for and on nothing before."""


def dissect(model: TransformerBridge) -> Anatomy:
    """Take a model apart.

    Parameters
    ----------
    model
        The engine's twin, in any mode. Its tensors are shared, not copied, wherever their layout allows it.

    Raises
    ------
    ModelError
        `no_anatomy`, with the reason: a family, a part or a setting whose arithmetic is not known here, or that the
        library which made it keeps under another name by now.
    """
    with foreign(lambda clause: no_anatomy(model, f"its parts cannot be read ({clause})")):
        return _taken_apart(model)


def _taken_apart(model: TransformerBridge) -> Anatomy:
    reason = why_not(model)
    if reason is not None:
        raise no_anatomy(model, reason)
    whole, first = full_name(model.original_model), full_name(model.blocks[0].original_component)
    family = next((known for known in FAMILIES if (known.block, known.model) == (first, whole)), None)
    if family is None:
        raise no_anatomy(model, f"what its blocks ({first.rpartition('.')[2]}) compute is not described here")
    if reason := unreadable_weights(model):
        raise no_anatomy(model, reason)
    refuse_foreign_parts(model)
    config = model.original_model.config if hasattr(model.original_model, "config") else model.cfg
    blocks = tuple(_block(model, family, config, layer) for layer in range(len(model.blocks)))
    if "ln_final" not in model._modules or "project_out" in model._modules:  # noqa: SLF001  as in why_not
        raise no_anatomy(model, "its residual stream is not read by a norm and the unembedding")
    projected = "project_in" in model._modules or getattr(model.embed, "_output_contribution_scale", 1.0) != 1.0  # noqa: SLF001
    return Anatomy(
        blocks=blocks,
        ln_final=norm_of(model, model.ln_final),
        unembed=_linear(model, model.unembed),
        logit_softcap=_logit_softcap(model, config),
        embed_scale=None if projected else 1.0,
    )


def _block(model: Any, family: Family, config: Any, layer: int) -> Block:
    bridge = model.blocks[layer]
    inner = bridge.original_component
    if full_name(inner) != family.block:
        raise no_anatomy(model, f"layer {layer} is a {type(inner).__name__}, unlike the first")
    if not getattr(inner, "do_layer_norm_before", True):
        raise no_anatomy(model, "its norms come after attention and MLP, not before")
    parts = bridge.submodules
    unknown = parts.keys() - {"ln1", "ln2", "ln1_post", "ln2_post", "attn", "mlp"}
    if unknown or not {"ln1", "attn"} <= parts.keys():
        raise no_anatomy(model, f"its layers are made of {', '.join(parts)}")
    parallel = inner.use_parallel_residual if family.parallel is None else family.parallel
    ln1 = norm_of(model, parts["ln1"])
    mlp = _mlp(model, family, bridge) if "mlp" in parts else None
    if mlp is None:
        ln2 = None
    elif "ln2" in parts:
        ln2 = norm_of(model, parts["ln2"])
    elif parallel:
        ln2 = ln1
    else:
        raise no_anatomy(model, "its MLPs read the residual stream without a norm")
    return Block(ln1=ln1, attn=_attention(model, family, config, layer), ln2=ln2, mlp=mlp, parallel=bool(parallel))


def _attention(model: Any, family: Family, config: Any, layer: int) -> Attention:
    bridge = model.blocks[layer].attn
    inner = bridge.original_component
    if type(bridge).__name__ != family.attention:
        raise no_anatomy(model, f"its attention is computed by TransformerLens's {type(bridge).__name__}")
    unknown = bridge.submodules.keys() - {"q", "k", "v", "o", "qkv", "q_norm", "k_norm"}
    if unknown:
        raise no_anatomy(model, f"its attention has parts called {', '.join(sorted(unknown))}")
    _refuse_odd_attention(model, inner, config)
    q, k, v, o = (_linear(model, getattr(bridge, name)) for name in "qkvo")
    n_heads = int(model.cfg.n_heads)
    n_kv_heads = int(getattr(model.cfg, "n_key_value_heads", None) or n_heads)
    d_head = q.weight.shape[0] // n_heads
    told = int(getattr(inner, "head_dim", 0) or getattr(inner, "d_head", 0) or getattr(inner, "head_size", d_head))
    widths = (q.weight.shape[0], k.weight.shape[0], v.weight.shape[0], o.weight.shape[1])
    if told != d_head or widths != (n_heads * d_head, n_kv_heads * d_head, n_kv_heads * d_head, n_heads * d_head):
        raise no_anatomy(model, f"the heads of layer {layer} have not all the same size")
    post_norm = model.blocks[layer].submodules.get("ln1_post")
    eager = getattr(config, "_attn_implementation", "eager") == "eager"
    upcast = eager if family.float32_scores is None else family.float32_scores
    upcast = upcast or bool(getattr(inner, "reorder_and_upcast_attn", False))
    softmax = eager if family.float32_softmax is None else family.float32_softmax
    return Attention(
        q=q,
        k=k,
        v=v,
        o=o,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        d_head=d_head,
        scale=_scale(model, family, inner, d_head, layer),
        rotary=_rotary(model, family, inner, config, layer),
        q_norm=norm_of(model, bridge.q_norm) if "q_norm" in bridge.submodules else None,
        k_norm=norm_of(model, bridge.k_norm) if "k_norm" in bridge.submodules else None,
        softcap=_softcap(inner),
        window=_window(model, family, inner, config, layer),
        post_norm=None if post_norm is None else norm_of(model, post_norm),
        score_dtype=torch.float32 if upcast else None,
        softmax_dtype=torch.float32 if softmax else None,
    )


def _refuse_odd_attention(model: Any, inner: Any, config: Any) -> None:
    if not getattr(inner, "is_causal", True) or not getattr(inner, "causal", True):
        raise no_anatomy(model, "its attention is bidirectional")
    implementation = getattr(config, "_attn_implementation", None)
    if implementation not in (None, "eager", "sdpa"):
        raise no_anatomy(model, f"its attention is {implementation}, not eager or sdpa")
    if "llama_4_scaling_beta" in (getattr(config, "rope_parameters", None) or {}):
        raise no_anatomy(model, "its queries are scaled by their position")
    for flag in ("qk_norm_after_rope", "gated_q_proj", "rotary_adjacent_pairs", "rotary_interleaved_cos_sin"):
        if getattr(model.cfg, flag, False):
            raise no_anatomy(model, f"its configuration sets {flag}")


def _scale(model: Any, family: Family, inner: Any, d_head: int, layer: int) -> float:
    match family.scale:
        case "d_head":
            return float(d_head**-0.5)
        case "d_head_and_layer":
            by_layer = bool(getattr(model.cfg, "scale_attn_by_inverse_layer_idx", False))
            return float(d_head**-0.5) / (layer + 1 if by_layer else 1)
        case "scaling":
            return float(inner.scaling)
        case "one":
            return 1.0
        case "divisor":
            return float(inner.scaling) if hasattr(inner, "scaling") else 1.0 / float(inner.scale_attn)
        case "native":
            return 1.0 / float(inner.scale)


def _softcap(inner: Any) -> float | None:
    cap = getattr(inner, "attn_logit_softcapping", None) or getattr(inner, "attn_scores_soft_cap", None)
    return float(cap) if cap is not None and cap > 0 else None


def _logit_softcap(model: Any, config: Any) -> float | None:
    native = getattr(model.original_model, "output_logits_soft_cap", None)
    cap = getattr(config, "final_logit_softcapping", None) if native is None else native
    return float(cap) if cap is not None and cap > 0 else None


def _window(model: Any, family: Family, inner: Any, config: Any, layer: int) -> int | None:
    match family.window:
        case "none":
            windowed, width = False, None
        case "every_layer":
            windowed, width = config.sliding_window is not None, config.sliding_window
        case "layer_types":
            kind = config.layer_types[layer]
            if kind not in ("full_attention", "sliding_attention"):
                raise no_anatomy(model, f"layer {layer} has {kind}")
            windowed, width = kind == "sliding_attention", config.sliding_window
        case "attention_type":
            windowed, width = inner.attention_type == "local", config.window_size
    return int(width) if windowed and width is not None else None


def _rotary(model: Any, family: Family, inner: Any, config: Any, layer: int) -> Rotary | None:
    match family.rotary:
        case "none":
            return None
        case "native":
            return None if inner.rotary is None else _rotary_from_native(inner.rotary)
        case "table":
            if inner.rotary_dim is None:
                raise no_anatomy(model, "its rotary positions have no width")
            return _rotary_from_pairs(model, inner)
        case "model":
            return _rotary_from_module(model)
        case "layer_type":
            return _rotary_from_module(model, config.layer_types[layer])


def _rotary_from_module(model: Any, *layer_type: str) -> Rotary:
    module = model.rotary_emb.original_component
    if type(module).__module__ != type(model.original_model).__module__:
        raise no_anatomy(model, f"its rotary positions come from a {full_name(module)}")
    kinds = module.rope_type
    kind = kinds[layer_type[0]] if isinstance(kinds, dict) else kinds
    if kind not in _ROPE_TYPES:
        raise no_anatomy(model, f'its rotary positions are scaled by the rule "{kind}"')
    like = next(model.original_model.parameters()).detach()[:0]

    def tables(positions: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            cos, sin = module(like, positions, *layer_type)
        return cos, sin

    dims = tables(torch.zeros(1, 1, dtype=torch.long, device=like.device))[0].shape[-1]
    return Rotary(tables, dims=dims, interleaved=False)


def _rotary_from_native(module: Any) -> Rotary:
    def tables(positions: Tensor) -> tuple[Tensor, Tensor]:
        return module.cos_cached[positions], module.sin_cached[positions]

    return Rotary(tables, dims=int(module.rotary_dim), interleaved=True)


def _rotary_from_pairs(model: Any, attention: Any) -> Rotary:
    """GPT-J's: sine and cosine once a pair. Since transformers 5.24 one module of the model holds the table."""
    module = getattr(model.original_model.transformer, "rotary_emb", None)
    if module is not None and type(module).__module__ != type(model.original_model).__module__:
        raise no_anatomy(model, f"its rotary positions come from a {full_name(module)}")
    like = next(model.original_model.parameters()).detach()[:0]

    def tables(positions: Tensor) -> tuple[Tensor, Tensor]:
        if module is None:
            sin, cos = attention.embed_positions.to(positions.device)[positions].chunk(2, dim=-1)
        else:
            with torch.no_grad():
                sin, cos = module(like, positions)
        return cos.repeat_interleave(2, dim=-1), sin.repeat_interleave(2, dim=-1)

    return Rotary(tables, dims=int(attention.rotary_dim), interleaved=True)


def _mlp(model: Any, family: Family, block: Any) -> Mlp:
    bridge = block.mlp
    kind = type(bridge).__name__
    if kind not in ("MLPBridge", "GatedMLPBridge", "JointGateUpMLPBridge"):
        raise no_anatomy(model, f"its MLPs are computed by TransformerLens's {kind}")
    gated = kind != "MLPBridge"
    unknown = bridge.submodules.keys() - ({"in", "out", "ln"} | ({"gate", "gate_up"} if gated else set()))
    if unknown:
        raise no_anatomy(model, f"its MLPs have parts called {', '.join(sorted(unknown))}")
    post_norm = block.submodules.get("ln2_post")
    return Mlp(
        up=_linear(model, bridge.submodules["in"]),
        down=_linear(model, bridge.submodules["out"]),
        act=_activation(family, block),
        gate=_linear(model, bridge.gate) if gated else None,
        post_norm=None if post_norm is None else norm_of(model, post_norm),
    )


def _activation(family: Family, block: Any) -> Callable[[Tensor], Tensor]:
    bridge = block.mlp
    if getattr(bridge, "_use_processed_weights", False):
        # With processed weights a gated MLP is computed by TransformerLens from the name in its configuration.
        from transformer_lens.model_bridge.generalized_components.gated_mlp import resolve_activation_fn

        act: Callable[[Tensor], Tensor] = resolve_activation_fn(bridge.config)
        return act
    inner = block.original_component if bridge.name is None else bridge.original_component
    act = getattr(inner, family.activation)
    act = _FUSED.get(full_name(act), act)
    norm_inside = getattr(inner, "ln", None)
    if norm_inside is None:
        return act
    return lambda x: norm_inside(act(x))


def _linear(model: Any, bridge: Any) -> Linear:
    inner = bridge.original_component
    kind = full_name(inner)
    if kind not in ("torch.nn.modules.linear.Linear", "transformers.pytorch_utils.Conv1D"):
        raise no_anatomy(model, f"one of its projections is a {kind}")
    weight = inner.weight.detach()
    bias = None if inner.bias is None else inner.bias.detach()
    return Linear(weight.T if kind.endswith("Conv1D") else weight, bias)


def norm_of(model: Any, bridge: Any) -> Norm:
    """A norm as its bridge computes it: by calling what it wraps, or by its own formula on that one's weights."""
    inner = bridge.original_component
    kind = full_name(inner)
    if kind == "torch.nn.modules.linear.Identity":
        return Norm("none")
    known = kind in _FLOAT32_RMS or kind in _OFFSET_RMS or kind in _BARE_NORMS
    if not known and kind != "torch.nn.modules.normalization.LayerNorm":
        raise no_anatomy(model, f"one of its norms is a {kind}")
    weight = None if getattr(inner, "weight", None) is None else inner.weight.detach()
    bias = None if getattr(inner, "bias", None) is None else inner.bias.detach()
    if not (bridge.use_native_layernorm_autograd or getattr(bridge.config, "layer_norm_folding", False)):
        eps = float(getattr(bridge.config, "eps", 1e-5))
        if weight is not None and bridge.uses_weight_offset:
            weight = 1.0 + weight
        return Norm("rms" if bridge.uses_rms_norm else "layer", weight, bias, eps)
    if kind in _OFFSET_RMS:
        return Norm("rms", 1.0 + inner.weight.detach().float(), None, float(inner.eps), torch.float32)
    if kind in _FLOAT32_RMS:
        return Norm("rms", weight, None, float(getattr(inner, _FLOAT32_RMS[kind])), torch.float32)
    if kind in _BARE_NORMS:
        return Norm("rms" if _BARE_NORMS[kind] == "rms" else "layer", None, None, float(inner.eps), torch.float32)
    return Norm("layer", weight, bias, float(inner.eps))
