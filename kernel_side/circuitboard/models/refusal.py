"""Why a model cannot be taken apart, said in one clause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from circuitboard.errors import ModelError

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

_HARMLESS_HOOKS = ("transformer_lens.", "transformers.utils.output_capturing")
"""Modules whose torch hooks are known not to change what is computed: they only note activations down."""

_DTYPES = frozenset({torch.float64, torch.float32, torch.bfloat16, torch.float16})


def no_anatomy(model: TransformerBridge, reason: str) -> ModelError:
    """The error to raise; `reason` is a clause, e.g. "its blocks have experts"."""
    name = type(getattr(model, "original_model", model)).__name__
    return ModelError(
        f"{name} cannot be taken apart for the wavefront tier: {reason}. The replay and hooks tiers do without.",
        code="no_anatomy",
    )


def why_not(model: Any) -> str | None:
    """What speaks against a model as a whole, before its parts are looked at, or None."""
    if "blocks" not in model._modules or not len(model.blocks):  # noqa: SLF001  a bridge passes unknown names on
        return "it is no decoder-only stack of blocks"
    if (
        getattr(model.original_model, "hf_device_map", None)
        and len(set(model.original_model.hf_device_map.values())) > 1
    ):
        return "its weights lie on several devices"
    if getattr(model.cfg, "positional_embedding_type", None) == "alibi":
        return "its positions are ALiBi biases"
    return next((reason for block in model.blocks if (reason := _why_not_block(block)) is not None), None)


def _why_not_block(block: Any) -> str | None:
    attention = getattr(block.submodules.get("attn"), "original_component", None)
    if any("MoE" in type(part).__name__ for part in block.modules()):
        return "its blocks have experts"
    if attention is None:
        return f"its blocks are made of {', '.join(sorted(block.submodules))}, not of attention and an MLP"
    if isinstance(getattr(attention, "sinks", None), torch.Tensor):
        return "its attention has sinks"
    if type(block).__name__ == "ScaledResidualBlockBridge":
        return "what its blocks add to the residual stream is multiplied by a factor"
    return None


def readable(weight: torch.Tensor) -> bool:
    """Whether a weight's numbers can be computed with as they lie there."""
    plain = type(weight) in (torch.Tensor, torch.nn.Parameter) and weight.layout is torch.strided
    return plain and weight.dtype in _DTYPES and weight.device.type != "meta"


def unreadable_weights(model: Any) -> str | None:
    """Why weights cannot be computed with directly: quantized, spread over devices, of several dtypes, not loaded."""
    weights = list(model.parameters())
    devices, dtypes = {weight.device for weight in weights}, {weight.dtype for weight in weights}
    if len(devices) > 1:
        return "its weights lie on several devices"
    if any(device.type == "meta" for device in devices):
        return "its weights are not loaded"
    odd = sorted(str(dtype).removeprefix("torch.") for dtype in dtypes - _DTYPES)
    if odd or any(type(weight) not in (torch.Tensor, torch.nn.Parameter) for weight in weights):
        return f"its weights are quantized ({', '.join(odd) or 'a tensor class of their own'})"
    if any(weight.layout is not torch.strided for weight in weights):
        return "weights of it are sparse"
    return "its weights have several dtypes" if len(dtypes) > 1 else None


def refuse_foreign_parts(model: Any) -> None:
    """Refuse modules whose forward was replaced, or that carry torch hooks of somebody's own.

    Raises
    ------
    ModelError
        `no_anatomy`.
    """
    for name, module in model.named_modules():
        if "forward" in vars(module):
            raise no_anatomy(model, f"the forward method of {name or 'the model'} was replaced")
        for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values()):  # noqa: SLF001
            if not str(getattr(hook, "__module__", "")).startswith(_HARMLESS_HOOKS):
                raise no_anatomy(model, f"{name or 'the model'} carries a torch hook")
