"""TransformerLens's hook points: their names for the activations that sites stand for, and one hook of ours on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circuitboard.address import Kind

_NAMES: dict[Kind, str] = {
    "embed": "hook_embed",
    "resid_pre": "blocks.{layer}.hook_resid_pre",
    "head.q": "blocks.{layer}.attn.hook_q",
    "head.k": "blocks.{layer}.attn.hook_k",
    "head.v": "blocks.{layer}.attn.hook_v",
    "head.pattern": "blocks.{layer}.attn.hook_pattern",
    "head": "blocks.{layer}.attn.hook_z",
    "head.result": "blocks.{layer}.attn.hook_result",
    "attn_out": "blocks.{layer}.hook_attn_out",
    "resid_mid": "blocks.{layer}.hook_resid_mid",
    "neuron": "blocks.{layer}.mlp.hook_post",
    "mlp_out": "blocks.{layer}.hook_mlp_out",
    "resid_post": "blocks.{layer}.hook_resid_post",
}

NAMES_FOR_PEOPLE: dict[Kind, str] = {
    "embed": "token embedding",
    "resid_pre": "residual stream",
    "head.q": "queries",
    "head.k": "keys",
    "head.v": "values",
    "head.pattern": "attention patterns",
    "head": "attention heads",
    "head.result": "head results",
    "attn_out": "attention output",
    "resid_mid": "residual stream between attention and MLP",
    "neuron": "neurons",
    "mlp_out": "MLP",
    "resid_post": "residual stream",
}


def hook_name(kind: Kind, layer: int) -> str:
    """TransformerLens's name for an activation, e.g. "blocks.9.attn.hook_z"."""
    return _NAMES[kind].format(layer=layer)


def attach(point: Any, hook: Callable[..., Any], *, first: bool = False) -> Callable[[], None]:
    """Add a hook to a hook point, after those that are there or before them; what is returned removes it."""
    # Older releases return nothing, but keep the handle where the newer ones do.
    handle = point.add_hook(hook, prepend=first) or point.fwd_hooks[0 if first else -1]

    def remove() -> None:
        handle.hook.remove()
        point.fwd_hooks.remove(handle)

    return remove
