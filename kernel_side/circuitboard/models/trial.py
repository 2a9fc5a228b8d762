"""One forward pass on a few tokens: what a model's hooks really show, whatever their names promise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import KINDS
from circuitboard.errors import ModelError
from circuitboard.models.foreign import foreign
from circuitboard.models.hook_points import attach, hook_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jaxtyping import Float, Int
    from torch import Tensor
    from transformer_lens.hook_points import HookPoint
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.models.shape import ModelShape, Place

_FEWEST = 3
"""Tokens, if the model reads so many."""

_ROUNDINGS = 64
"""How many units in the last place two ways of adding up the same numbers may differ by."""


@dataclass
class Trial:
    """What one forward pass showed.

    Parameters
    ----------
    tokens
        What was read, int64 [batch, pos]; in a trial `pos` is no number of heads, so that axes cannot be taken for each
        other.
    logits
        What came out.
    activations
        Each activation once; that of ("head.result", layer) is the output of W_O, before any norm of it. As edits find
        them: after hooks of the user's, but for that one and for resid_mid, whose edits come before.
    mixed
        z of each layer before hooks of the user's rewrote it.
    times, order
        How often each fired, and in which order.
    """

    tokens: Int[Tensor, "batch pos"]
    logits: Float[Tensor, "batch pos d_vocab"]
    activations: dict[Place, Tensor] = field(default_factory=dict)
    mixed: dict[int, Tensor] = field(default_factory=dict)
    times: dict[Place, int] = field(default_factory=dict)
    order: dict[Place, int] = field(default_factory=dict)


def trial_of(model: TransformerBridge, shape: ModelShape, device: torch.device, name: str) -> Trial:
    """Run the model on a few tokens and note what its hooks show.

    Raises
    ------
    ModelError
        `model_does_not_run`.
    """
    tokens = _tokens(shape)[None]

    def failed(clause: str) -> ModelError:
        return ModelError(
            f"{name} cannot be run on {tokens.shape[1]} tokens, as a board would have to: {clause}. "
            "Give the board a model whose model(tokens) works.",
            code="model_does_not_run",
        )

    with foreign(failed):
        return seen_in(model, shape, tokens.to(device))


def raw_attention_point(points: Mapping[str, HookPoint], layer: int) -> HookPoint:
    """Where the output of W_O passes, before any norm of it.

    Some attention modules add the residual stream themselves; there the hook after W_O is the one.
    """
    projected = points.get(f"blocks.{layer}.attn.o.hook_out")
    if points.get(hook_name("attn_out", layer)) is projected is not None:
        return projected
    return points[f"blocks.{layer}.attn.hook_out"]


def close(found: Tensor, expected: Tensor, *scale: Tensor) -> bool:
    """Whether two ways of adding up the same numbers agree but for rounding."""
    if found.shape != expected.shape:
        return False
    size = max(float(x.abs().nan_to_num().max()) for x in (found, expected, *scale))
    allowed = _ROUNDINGS * torch.finfo(expected.dtype).eps * size
    return torch.allclose(found.to(expected.dtype), expected, rtol=0, atol=allowed, equal_nan=True)


def _tokens(shape: ModelShape) -> Int[Tensor, " pos"]:
    taken = {shape.n_heads, shape.n_kv_heads}
    wanted = next(n for n in range(_FEWEST, _FEWEST + len(taken) + 1) if n not in taken)
    fewer = [n for n in range(min(wanted, shape.n_ctx), 0, -1) if n not in taken]
    n = fewer[0] if fewer else min(wanted, shape.n_ctx)
    return torch.arange(n) % shape.d_vocab


def seen_in(
    model: TransformerBridge, shape: ModelShape, tokens: Int[Tensor, "batch pos"], real: Tensor | None = None
) -> Trial:
    """One forward pass on any tokens; `real` as in `ModelAdapter`."""
    seen = Trial(tokens, torch.empty(*tokens.shape, 0))
    undo: list[Callable[[], None]] = []
    mask = {} if real is None else {"attention_mask": real.to(tokens.device).long()}
    try:
        for layer in range(shape.n_layers):
            undo += _watched(model.hook_dict, layer, seen)
        with torch.no_grad():
            seen.logits = model(tokens, return_type="logits", use_cache=False, **mask)
    finally:
        for remove in undo:
            remove()
    return seen


def _watched(points: Mapping[str, HookPoint], layer: int, seen: Trial) -> Iterator[Callable[[], None]]:
    """Have the hooks of one layer note what they show; what comes of it removes them."""

    def watch(place: Place) -> Any:
        def hook(activation: Tensor, *, hook: Any) -> None:  # noqa: ARG001
            seen.times[place] = seen.times.get(place, 0) + 1
            if isinstance(activation, torch.Tensor):
                seen.activations[place] = activation.detach().clone()
                seen.order[place] = len(seen.order)

        return hook

    def watch_mixed(z: Tensor, *, hook: Any) -> None:  # noqa: ARG001
        seen.mixed[layer] = z.detach().clone()

    for kind in KINDS:
        # A hook on results makes the model compute them all, so what they add up to is looked at instead.
        wanted = kind != "head.result" and (kind != "embed" or layer == 0)
        if wanted and (point := points.get(hook_name(kind, layer))) is not None:
            yield attach(point, watch((kind, layer)), first=kind == "resid_mid")
            if kind == "head":
                yield attach(point, watch_mixed, first=True)
    if f"blocks.{layer}.attn.hook_out" in points:
        yield attach(raw_attention_point(points, layer), watch(("head.result", layer)), first=True)
