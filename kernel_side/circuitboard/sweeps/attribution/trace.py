"""One differentiable run, with the edits in force: activations, and gradients of a metric by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from circuitboard.boundary import ran_out_of_memory
from circuitboard.engine.edges import arrivals
from circuitboard.engine.passes import Arrived, Pass, When
from circuitboard.errors import MetricError, ModelError
from circuitboard.interventions import part_of
from circuitboard.metrics import columns_of, evaluate, select
from circuitboard.models.foreign import foreign

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Kind
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan, Write
    from circuitboard.metrics import Metric, Reading
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.shape import Place

Moment = tuple["Place", When]
"""An activation, as the model computed it or as it leaves the edits there."""

Gradients = Mapping[Moment, "Tensor"]
"""∂(Σ metric over prompts)/∂activation. Prompts do not see each other, so each row is that of its own prompt."""

CONTRIBUTIONS: tuple[Kind, ...] = ("attn_out", "mlp_out")
"""What a layer adds to the residual stream."""


@dataclass
class _Gate:
    """Which layer's contributions count as constants in the backward pass."""

    dropped: int | None = None


class Trace:
    """A run that can be differentiated, as often as wanted.

    Parameters
    ----------
    objective
        Σ metric over prompts, with its graph.
    kept
        The tensors that stand for each moment; two where the model computes an activation twice.
    gate
        What the hooks on the graph read.
    """

    def __init__(self, objective: Tensor, kept: Mapping[Moment, list[Tensor]], gate: _Gate) -> None:
        self._objective = objective
        self._kept = kept
        self._gate = gate

    def value(self, moment: Moment) -> Float[Tensor, "batch ..."]:
        """An activation of the run."""
        return self._kept[moment][-1].detach()

    def gradients(self, moments: Iterable[Moment]) -> Gradients:
        """One backward pass."""
        self._gate.dropped = None
        return self._backward(self._objective, None, moments)

    def gradients_without(self, layer: int, moments: Iterable[Moment], known: Gradients) -> Gradients:
        """One backward pass with a layer's attn_out and mlp_out held where they are: nothing flows through them.

        Parameters
        ----------
        moments
            Some before the end of the layer; later ones do not feel it.
        known
            Gradients without drops, that by `after(layer)` among them: the pass goes on from there.
        """
        self._gate.dropped = layer
        end = after(layer)
        return self._backward(self._kept[end][-1], known[end], moments)

    def _backward(self, of: Tensor, weights: Tensor | None, moments: Iterable[Moment]) -> Gradients:
        moments = list(moments)
        flat = [tensor for moment in moments for tensor in self._kept[moment]]
        if not flat:
            return {}
        with foreign(_no_way_back):
            gradients = torch.autograd.grad(
                of, flat, weights, retain_graph=True, allow_unused=True, materialize_grads=True
            )
        found = iter(gradients)
        return {moment: sum(next(found) for _ in self._kept[moment]) for moment in moments}  # type: ignore[misc]


def _no_way_back(clause: str) -> ModelError:
    return ModelError(
        f"The model cannot be differentiated, so nothing can be estimated by attribution patching: {clause}. "
        "Sweep without approximate=….",
        code="no_gradient",
    )


def after(layer: int) -> Moment:
    """The residual stream that leaves a layer: all that it does to later ones."""
    return ("resid_post", layer), When.LEAVING


def trace(
    adapter: ModelAdapter,
    plan: Plan,
    moments: Iterable[Moment],
    *,
    metric: Metric,
    reading: Reading,
    cancel: CancelToken,
    droppable: bool = False,
) -> Trace:
    """Run the base of a plan with its writes, keeping the graph.

    What an edge in force brings to its receiver is taken as it is: gradients do not follow it back to its sender, and
    pass the receiver with the slope that it has without the edge.

    Parameters
    ----------
    moments
        What will be asked for.
    droppable
        Whether single layers' contributions will be dropped; then `after` each layer is kept too.

    Raises
    ------
    MetricError
        `metric_not_differentiable`, and as `evaluate`.
    ModelError
        `no_gradient`.
    """
    plan.fetch()
    ends = [after(layer) for layer in range(adapter.shape.n_layers)] if droppable else []
    kept: dict[Moment, list[Tensor]] = {moment: [] for moment in (*moments, *ends)}
    gate = _Gate()
    arrived = arrivals(plan, adapter, cancel, _unmeasured) if plan.edges else Arrived()
    edits = Pass.of(plan, arrived, cancel)
    for place in {place for place, _ in arrived.parts}:
        parts = {index: part for (receiver, index), part in arrived.parts.items() if receiver == place}
        edits.skip(place, When.ARRIVING)
        edits.at(place, When.ARRIVING, partial(_arriving, place=place, parts=parts))
    for (place, when), tensors in kept.items():
        edits.at(place, when, partial(_keep, into=tensors))
    for layer in range(adapter.shape.n_layers) if droppable else ():
        for kind in CONTRIBUTIONS:
            if adapter.refusal(kind, layer) is None:
                edits.at((kind, layer), When.LEAVING, partial(_through, gate=gate, layer=layer))
    with adapter.rewriting(edits.rewrites(lambda: False)):
        logits = adapter.traced(plan.base.tokens, plan.base.real)
    with torch.enable_grad():
        return Trace(_objective(metric, logits, reading), kept, gate)


def _keep(activation: Tensor, into: list[Tensor]) -> Tensor:
    """Note an activation as a tensor of the graph; the model gets another, which it may write into."""
    # Where nothing before it is differentiated, the graph starts here.
    tensor = activation.clone() if activation.requires_grad else activation.detach().clone().requires_grad_()
    into.append(tensor)
    return tensor.clone()


def _through(activation: Tensor, gate: _Gate, layer: int) -> Tensor:
    """Let an activation pass, and its gradient too unless the layer is dropped."""
    passed = activation.clone()
    if passed.requires_grad:
        passed.register_hook(lambda gradient: torch.zeros_like(gradient) if gate.dropped == layer else gradient)
    return passed


def _arriving(activation: Tensor, place: Place, parts: Mapping[int | None, Tensor]) -> Tensor:
    """An activation with parts put in, whose gradient goes on to what was there."""
    result = activation.clone()
    for index, part in parts.items():
        own = part_of(activation, place, index)
        part_of(result, place, index).copy_(part + (own - own.detach()))
    return result


def _unmeasured(_write: Write, _before: Tensor, _after: Tensor) -> None:
    """Receipts are the engine's business."""


def _objective(metric: Metric, logits: Float[Tensor, "batch pos d_vocab"], reading: Reading) -> Float[Tensor, ""]:
    rows = logits if metric.reads == "all" else logits[:, -1:]
    evaluate(metric, rows.detach(), reading)
    advice = f"The metric {metric.name!r} cannot be differentiated, so its effects cannot be estimated: sweep without approximate=…, or write it with torch operations that keep gradients."
    try:
        values = metric.compute(select(rows, columns_of(metric, reading.prompts)), reading)
    except Exception as error:  # a user's function, which worked on logits without a graph
        if ran_out_of_memory(error) or getattr(error, "code", None) == "called_from_worker":
            raise
        raise MetricError(
            f"{advice} It raised {type(error).__name__}: {error}.", code="metric_not_differentiable"
        ) from error
    if not values.requires_grad:
        raise MetricError(advice, code="metric_not_differentiable")
    return values.to(torch.promote_types(values.dtype, torch.float32)).sum()
