"""What a model's hooks really do, found by running it once on a few tokens.

Some hook points exist and never fire; some fire with another activation than their name says. What sites are made of
is held here against arithmetic that must hold: z = pattern · v, attention output = z · W_O + b, and the residual
stream is the sum of what was added to it. Where it does not hold, the site is refused with that reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import KINDS
from circuitboard.errors import ModelError
from circuitboard.models.foreign import foreign
from circuitboard.models.hook_points import NAMES_FOR_PEOPLE, hook_name
from circuitboard.models.refusal import readable
from circuitboard.models.trial import close

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.hook_points import HookPoint
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Kind
    from circuitboard.models.shape import ModelShape, Place
    from circuitboard.models.trial import Trial


@dataclass(frozen=True)
class Survey:
    """What can be done where.

    Parameters
    ----------
    refusals
        Place → why it cannot be edited, one clause.
    late_patterns
        Layers whose pattern is only shown after the output of attention has been computed.
    joined
        Layers whose resid_post is the next layer's resid_pre.
    d_mlp
        Neurons of a layer, None where no activation holds them.
    """

    refusals: Mapping[Place, str]
    late_patterns: frozenset[int]
    joined: frozenset[int]
    d_mlp: int | None


def survey(model: TransformerBridge, shape: ModelShape, trial: Trial, name: str) -> Survey:
    """Find out what a model's hooks can do from what they showed.

    Raises
    ------
    ModelError
        `nothing_to_edit`.
    """
    units = next((found for (kind, _), found in trial.activations.items() if kind == "neuron"), None)
    shape = replace(shape, d_mlp=None if units is None or not units.ndim else int(units.shape[-1]))
    refusals: dict[Place, str] = {}
    places: list[Place] = [
        (kind, layer) for layer in range(shape.n_layers) for kind in KINDS if kind != "embed" or not layer
    ]
    for kind, layer in places:
        here = f"layer {layer} of {name}"
        try:
            with foreign(ModelError):
                reason = _refusal(kind, layer, model, shape, trial)
        except ModelError as error:
            refusals[kind, layer] = (
                f"what its {NAMES_FOR_PEOPLE[kind]} are made of cannot be read in {here} ({error.message})"
            )
        else:
            if reason is not None:
                refusals[kind, layer] = reason.format(layer=here, model=name)
    if len(refusals) == len(places):
        raise _nothing_to_edit(model, trial, name, refusals)
    layers = range(shape.n_layers)
    late = {
        layer
        for layer in layers
        if trial.order.get(("head.pattern", layer), -1) > trial.order.get(("head", layer), len(trial.order))
    }
    joined = {
        layer
        for layer in layers[:-1]
        if {("resid_post", layer), ("resid_pre", layer + 1)} <= trial.activations.keys()
        and torch.equal(trial.activations["resid_post", layer], trial.activations["resid_pre", layer + 1])
    }
    has_neurons = any(("neuron", layer) not in refusals for layer in range(shape.n_layers))
    return Survey(refusals, frozenset(late), frozenset(joined), shape.d_mlp if has_neurons else None)


def _nothing_to_edit(model: Any, trial: Trial, name: str, refusals: Mapping[Place, str]) -> ModelError:
    if not refusals:
        why = "it has no layers"
    elif trial.activations:
        why = next(iter(refusals.values()))
    elif any("forward" in vars(module) for module in model.modules()):
        why = (
            "its hooks show none of its activations, since the forward method of the model or of a part was replaced, as "
            "torch.compile does. Make the board on the model as it was before, and compile a copy"
        )
    else:
        why = "its hooks show none of its activations in a forward pass"
    return ModelError(f"{name} has no place that can be edited: {why}.", code="nothing_to_edit")


def output_weights(attention: Any) -> Float[Tensor, "head d_head d_model"] | None:
    """W_O head by head, or None where the output projection is not one matrix, or one that is not in memory."""
    from transformers.pytorch_utils import Conv1D

    projection = getattr(getattr(attention, "o", None), "original_component", None)
    if not isinstance(projection, (torch.nn.Linear, Conv1D)) or not readable(projection.weight):
        return None
    weights: Tensor = attention.W_O
    return weights.detach()


def spread(v: Float[Tensor, "batch pos kv d_head"], n_heads: int) -> Float[Tensor, "batch pos head d_head"]:
    """Values as the query heads read them: each key-value head once for every head of its group."""
    return v.repeat_interleave(n_heads // v.shape[2], 2)


def _refusal(kind: Kind, layer: int, model: TransformerBridge, shape: ModelShape, seen: Trial) -> str | None:
    """Why a place cannot be edited, with {layer} and {model} to be filled in, or None."""
    reason = _absent(kind, layer, model.hook_dict, shape, seen) or _unlike_its_name(kind, layer, shape, seen)
    if reason is None and kind == "head.pattern":
        return _not_mixed(layer, shape, seen)
    if reason is None and kind == "head.result":
        return _not_projected(layer, model.blocks[layer].attn, seen)
    if reason is None and kind == "resid_mid":
        return _not_a_sum(layer, seen)
    return reason


def _absent(kind: Kind, layer: int, points: Mapping[str, HookPoint], shape: ModelShape, seen: Trial) -> str | None:
    people, point = NAMES_FOR_PEOPLE[kind], points.get(hook_name(kind, layer))
    no_mlp = hook_name("mlp_out", layer) not in points
    # With experts, the hook on neurons is the one on the whole MLP under another name.
    whole = kind == "neuron" and point is points.get(f"blocks.{layer}.mlp.hook_out")
    reason = None
    if kind == "resid_mid" and shape.parallel:
        reason = "the blocks of {model} run attention and MLP side by side, with no residual stream between them"
    elif kind == "resid_mid" and no_mlp:
        reason = "{layer} has no MLP, so the stream after its attention is resid_post"
    elif kind in ("neuron", "mlp_out") and no_mlp:
        reason = "{layer} has no MLP"
    elif whole or (("head", layer) not in seen.activations if kind == "head.result" else point is None):
        reason = f"{{layer}} has no {people}"
    return reason


def _unlike_its_name(kind: Kind, layer: int, shape: ModelShape, seen: Trial) -> str | None:
    place, people = (kind, layer), NAMES_FOR_PEOPLE[kind]
    if place not in seen.activations:
        return f"{{layer}} never showed its {people} in a forward pass"
    if seen.times[place] != 1:
        return f"{{layer}} computes its {people} {seen.times[place]} times in a forward pass"
    found = tuple(seen.activations[place].shape)
    (batch, n), heads, kv = seen.tokens.shape, shape.n_heads, shape.n_kv_heads
    expected: dict[Kind, tuple[int | None, ...]] = {
        "head.q": (batch, n, heads, None),
        "head.k": (batch, n, kv, None),
        "head.v": (batch, n, kv, None),
        "head.pattern": (batch, heads, n, n),
        "head": (batch, n, heads, None),
        "neuron": (batch, n, shape.d_mlp),
    }
    wanted = expected.get(kind, (batch, n, shape.d_model))
    if len(found) == len(wanted) and all(want in (None, size) for want, size in zip(wanted, found, strict=True)):
        return None
    return f"{{layer}} computes its {people} in the unusual shape {list(found)}"


def _not_mixed(layer: int, shape: ModelShape, seen: Trial) -> str | None:
    """Hold z against pattern · v."""
    at = seen.activations
    if any(_unlike_its_name(kind, layer, shape, seen) for kind in ("head", "head.v")):
        return "{layer} shows no values that its patterns mix"
    z, v = seen.mixed[layer], at["head.v", layer]
    mixed = torch.einsum("bhds,bshe->bdhe", at["head.pattern", layer].to(z.dtype), spread(v, z.shape[2]))
    return None if close(mixed, z) else "z is not pattern · v in {layer}"


def _not_projected(layer: int, attention: Any, seen: Trial) -> str | None:
    """Hold the output of attention against z · W_O + b."""
    weights, z, out = output_weights(attention), seen.activations["head", layer], seen.activations["head.result", layer]
    if weights is None or weights.shape[:2] != z.shape[2:]:
        return "the output projection of {layer} is not one matrix W_O, or packed, or not in memory"
    rest = out - torch.einsum("bphe,hed->bpd", z, weights)
    bias = rest[:, :1].expand_as(rest)
    return None if close(rest, bias, out) else "attention in {layer} does more than z · W_O"


def _not_a_sum(layer: int, seen: Trial) -> str | None:
    """Hold the residual stream before the MLP against resid_pre + attn_out."""
    at = seen.activations
    if not {("resid_pre", layer), ("attn_out", layer)} <= at.keys():
        return "{layer} does not show what its attention adds"
    mid = at["resid_pre", layer] + at["attn_out", layer]
    return None if close(mid, at["resid_mid", layer]) else "in {layer} it is not the sum of resid_pre and attn_out"
