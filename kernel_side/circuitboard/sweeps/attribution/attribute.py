"""Estimates of all cells of a sweep, from one forward and a few backward passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import torch

from circuitboard.engine.passes import When
from circuitboard.engine.wavefront.sight import Sight
from circuitboard.errors import EngineError, InterventionError
from circuitboard.interventions import fetch
from circuitboard.sweeps.attribution.cancellation import without_cancelling
from circuitboard.sweeps.attribution.linear import Linear
from circuitboard.sweeps.attribution.parts import parts_of
from circuitboard.sweeps.attribution.saturation import QK, Saturated
from circuitboard.sweeps.attribution.trace import CONTRIBUTIONS, trace

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import CancelToken, EditedRun
    from circuitboard.interventions import Write
    from circuitboard.metrics import Metric, Reading
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.sweeps.attribution.cancellation import Estimator
    from circuitboard.sweeps.attribution.trace import Moment

Method = Literal["atp", "atp*"]


def attribute(
    adapter: ModelAdapter,
    current: EditedRun,
    cells: Sequence[Write],
    *,
    metric: Metric,
    reading: Reading,
    cancel: CancelToken,
    method: Method = "atp",
    anatomy: Anatomy | None = None,
) -> Float[Tensor, "cell batch"]:
    """Estimate metric(with the cell) − metric(current run) for every cell; on the worker thread only.

    Parameters
    ----------
    current
        The run that the cells are on top of; the estimate is the tangent there, with its edits in force. What its
        edges bring is taken as it is.
    cells
        Any kind of site and positions, zero, patch or scale.
    method
        "atp": Σ (after − before) · ∂metric/∂activation. "atp*" (Kramár et al. 2024, arXiv:2403.00745):
        queries and keys with the softmax computed again, and "GradDrop" against effects along different paths that
        cancel: one more backward pass per layer, with that layer's contributions to the residual stream held where
        they are. The paper's size is the mean of |estimate| over these drops, Σ_layer |·| / (L − 1), since the layer
        that a cell lies in gives 0 (mean over all L for residual streams and the embedding, which lie in none). In a
        shallow model that mean loses a component whose only path is cut, so the size here is the larger of that mean
        and of |estimate| without drops: of all cells but queries and keys none comes out smaller than by "atp". Its
        sign is that of the estimate without drops. With a single layer there is nothing to drop.
    anatomy
        How attention computes its scores; needed for "atp*".

    Returns
    -------
    Tensor
        Float32 at least, [cell, batch], on the CPU, in the metric's unit; NaN for an edge.

    Raises
    ------
    EngineError
        `no_atp_star` for a model that has no anatomy.
    InterventionError
        `unknown_sweep` for an unknown method.
    MetricError
        `metric_not_differentiable`.
    Cancelled
        Within one layer of the forward pass, or one backward pass.
    """
    if method not in get_args(Method):
        raise InterventionError(
            f"There is no approximation {method!r}; expected 'atp' or 'atp*'.", code="unknown_sweep"
        )
    if method == "atp*":
        anatomy = _able(adapter, anatomy)
    graddrop = method == "atp*" and adapter.shape.n_layers > 1
    fetch(cells)
    groups = parts_of(cells)
    fixed = QK if method == "atp*" else ()
    moments: set[Moment] = {(Saturated if parts.place[0] in fixed else Linear).moment(parts) for parts in groups}
    # Both queries and keys are needed for the scores, though nothing is differentiated by them.
    scored: set[Moment] = {
        ((kind, parts.place[1]), When.LEAVING) for parts in groups if parts.place[0] in fixed for kind in QK
    }
    run = trace(
        adapter,
        current.plan,
        moments | scored,
        metric=metric,
        reading=reading,
        cancel=cancel,
        droppable=graddrop,
    )
    estimators: list[Estimator] = []
    sight: Sight | None = None
    for parts in groups:
        if anatomy is None or parts.place[0] not in fixed:
            estimators.append(Linear(parts, run))
            continue
        if sight is None:
            base = current.plan.base
            wide = torch.promote_types(adapter.dtype, torch.float32)
            sight = Sight(anatomy, base.real, reading.prompts.n_positions, adapter.device, wide)
        estimators.append(Saturated(parts, run, anatomy.blocks[parts.place[1]].attn, sight))
    effects = torch.full(
        (len(cells), reading.prompts.n), torch.nan, dtype=torch.promote_types(adapter.dtype, torch.float32)
    )
    if graddrop:
        found = without_cancelling(run, estimators, adapter.shape.n_layers, cancel)
    else:
        gradients = run.gradients(moments)
        found = [estimator.estimate(gradients) for estimator in estimators]
    for estimator, values in zip(estimators, found, strict=True):
        effects[estimator.parts.order] = values.to(effects.dtype).cpu()
    return effects


def _able(adapter: ModelAdapter, anatomy: Anatomy | None) -> Anatomy:
    """Refuse a model of which AtP* cannot see enough."""
    reason: str | None = None
    if anatomy is None:
        reason = "how its attention computes scores is not known"
    else:
        for layer, block in enumerate(anatomy.blocks):
            for kind in (*CONTRIBUTIONS, "resid_post"):
                if kind != "mlp_out" or block.mlp is not None:
                    reason = reason or adapter.refusal(kind, layer)
    if anatomy is None or reason is not None:
        raise EngineError(
            f"AtP* is not possible for {adapter.name}: {reason}. Use approximate='atp', or sweep exactly.",
            code="no_atp_star",
        )
    return anatomy
