"""Which tokens a component speaks for: what it writes into the residual stream, read through the unembedding.

Everything is linear: the final norm is held at the scale that it has in the run, and so is a norm of the component's
own output, if the architecture has one. Logits are given minus their mean over the vocabulary, which softmax does not
see; so a model gives the same numbers with TransformerLens's centred weights and without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import HEAD_KINDS
from circuitboard.analysis.direct_effects import outlet_of
from circuitboard.analysis.frozen_norm import FrozenNorm
from circuitboard.errors import EngineError, there

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.address import Site
    from circuitboard.interventions import Plan
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.outlets import Outlet, Outlets
    from circuitboard.models.shape import Place


@dataclass(frozen=True, eq=False)
class Moved:
    """The tokens whose logits are raised and lowered most.

    Parameters
    ----------
    up_ids, up_logits
        Raised most, the most first; only what is above 0.
    down_ids, down_logits
        Lowered most, the most first; only what is below 0.
    """

    up_ids: Int[Tensor, " up"]
    up_logits: Float[Tensor, " up"]
    down_ids: Int[Tensor, " down"]
    down_logits: Float[Tensor, " down"]

    @classmethod
    def of(cls, logits: Float[Tensor, " d_vocab"], k: int) -> Moved:
        """The extremes of a change of all logits."""
        k = min(k, len(logits))
        up, down = logits.topk(k), (-logits).topk(k)
        rising, falling = up.values > 0, down.values > 0
        return cls(up.indices[rising], up.values[rising], down.indices[falling], -down.values[falling])


Kept = Mapping["Place", "Tensor"]
"""Activations at all positions."""


def needed_for(adapter: ModelAdapter, plan: Plan, site: Site) -> list[Place]:
    """What has to be kept of a run for `written` and, of a head, `copied`."""
    layer = site.layer
    places: list[Place] = [("resid_post", adapter.shape.n_layers - 1)]
    if site.kind not in HEAD_KINDS:
        return [*places, (site.kind, layer)]
    places += [("head", layer), ("head.v", layer)]
    results: Place = ("head.result", layer)
    if any(results in (write.place, write.receiver and write.receiver[0]) for write in plan.writes):
        places.append(results)
    return places


def written(
    adapter: ModelAdapter, outlets: Outlets, kept: Kept, site: Site, column: int, prompt: int
) -> Float[Tensor, " d_vocab"]:
    """What a component adds to the logits at one position of one prompt by itself; on the worker thread only.

    For a head z · W_O · W_U, the biases of W_O and of the norms left out (Elhage et al. 2021, "A Mathematical Framework
    for Transformer Circuits"; with the final norm held, its direct logit attribution for every token at once). For a
    neuron its activation times its row of W_out, for "attn_out" and "mlp_out" the whole output.

    Parameters
    ----------
    kept
        The activations of the run that `needed_for` names.
    site
        A head, "neuron", "attn_out" or "mlp_out".
    column
        Of the token tensor.

    Returns
    -------
    Tensor
        Float32, in logits before a soft-cap, minus their mean over the vocabulary.

    Raises
    ------
    EngineError
        `not_decomposed` if the output of the layer is not one projection of its heads or neurons.
    """
    layer, last = site.layer, adapter.shape.n_layers - 1
    stream = kept["resid_post", last][prompt, column]
    parts = kept[site.kind, layer][prompt, column]
    if site.kind in ("attn_out", "mlp_out"):
        return _logits(outlets, stream, parts)
    head = site.kind == "head"
    outlet = outlet_of(outlets.heads if head else outlets.neurons, layer, "heads" if head else "neurons", adapter)
    index = there(site.index)
    results = kept.get(("head.result", layer)) if head else None
    if results is None:
        one, whole = _projected(outlet, parts.double(), index)
    else:
        one, whole = results[prompt, column, index].double(), results[prompt, column].double().sum(0)
    return _logits(outlets, stream, _joined(outlet, one, whole))


def copied(
    adapter: ModelAdapter, outlets: Outlets, kept: Kept, site: Site, column: int, source: int, prompt: int
) -> Float[Tensor, " d_vocab"]:
    """What a head would add to the logits at `column` if it attended to `source` alone; on the worker thread only.

    v(source) · W_O · W_U, the OV circuit (Elhage et al. 2021) applied to what the head reads there in this run rather
    than to the token's embedding. What the head writes is the sum of these over sources, weighted by its attention.
    As `written` otherwise.
    """
    layer, shape = site.layer, adapter.shape
    head = there(site.index)
    outlet = outlet_of(outlets.heads, layer, "heads", adapter)
    value = kept["head.v", layer][prompt, source, head // (shape.n_heads // shape.n_kv_heads)].double()
    z = kept["head", layer][prompt, column].double()
    _, whole = _projected(outlet, z, head)
    own = outlet.project.weight.unflatten(-1, z.shape)[:, head].double() @ value
    return _logits(outlets, kept["resid_post", shape.n_layers - 1][prompt, column], _joined(outlet, own, whole))


def _projected(outlet: Outlet, parts: Tensor, index: int) -> tuple[Tensor, Tensor | None]:
    """What one head or neuron writes before a norm of the output, and all together where there is such a norm."""
    weight = outlet.project.weight
    if parts.ndim == 1:
        one = parts[index] * weight[:, index].double()
    else:
        one = weight.unflatten(-1, parts.shape)[:, index].double() @ parts[index]
    return one, None if outlet.post_norm is None else weight.double() @ parts.flatten()


def _joined(outlet: Outlet, one: Tensor, whole: Tensor | None) -> Tensor:
    """What reaches the residual stream."""
    if outlet.post_norm is not None:
        whole = there(whole)  # it was computed for this
        bias = outlet.project.bias
        held = FrozenNorm.at(outlet.post_norm, (whole if bias is None else whole + bias.double())[None])
        one = held.carried(one[None])[0]
    return one * outlet.scale


def _logits(
    outlets: Outlets, stream: Float[Tensor, " d_model"], vector: Float[Tensor, " d_model"]
) -> Float[Tensor, " d_vocab"]:
    normed = FrozenNorm.at(outlets.ln_final, stream[None]).carried(vector[None].double())[0]
    weight = outlets.unembed.weight
    if weight.dtype in (torch.float16, torch.bfloat16):
        weight = weight.float()
    logits = (weight @ normed.to(weight.dtype)).double() * outlets.logit_scale
    if not bool(logits.isfinite().all()):
        raise EngineError("What it writes is not finite here, so no token can be ranked by it.", code="not_finite")
    return (logits - logits.mean()).float().cpu()
