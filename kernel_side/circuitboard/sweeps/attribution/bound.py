"""How large an effect could still hide among cells that have not been computed: a bound from random subsets.

After Kramár, Lieberum, Shah and Nanda 2024, "AtP*" (arXiv:2403.00745), the diagnostics for false negatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import torch

from circuitboard.errors import InterventionError
from circuitboard.interventions import Plan
from circuitboard.metrics import evaluate

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine import CancelToken, EditedRun, Engine
    from circuitboard.interventions import Write
    from circuitboard.metrics import Metric, Reading

MIN_SAMPLES = 16
"""Fewer subsets leave some cell with hardly a subset that has it, or hardly one that lacks it."""


@dataclass(frozen=True, eq=False)
class FalseNegativeBound:
    """A statement about every cell that was not computed by itself.

    At this confidence, no single one of them has an effect above `bound` in size. Its effect here is what adding it
    changes on average over random halves of the others; where cells do not interact, that is its own effect.

    Parameters
    ----------
    bound
        In the metric's unit, mean over prompts.
    confidence
        Between 0 and 1. Each cell has its own test (Welch's, one-sided) of the hypothesis that its effect is above
        the bound. The bound is the largest over all cells, so whichever of them had a larger effect would have been
        noticed with this probability; no correction for their number is needed (an intersection-union test).
    worst
        The cell that the bound is due to.
    bounds
        That of each cell, float [cell].
    estimates
        The effect of each cell as found, float [cell].
    samples
        Subsets that were computed.
    """

    bound: float
    confidence: float
    worst: Intervention
    bounds: Float[Tensor, " cell"]
    estimates: Float[Tensor, " cell"]
    samples: int

    def __str__(self) -> str:
        return f"at {self.confidence:.0%} confidence none of {len(self.bounds)} cells has an effect above {self.bound:.4g} ({self.samples} subsets; largest: {self.worst})"


def false_negative_bound(
    engine: Engine,
    current: EditedRun,
    cells: Sequence[Write],
    *,
    metric: Metric,
    reading: Reading,
    cancel: CancelToken,
    samples: int = 64,
    confidence: float = 0.99,
    seed: int = 0,
) -> FalseNegativeBound:
    """Bound the effects of cells that have only been estimated; on the worker thread only.

    Random subsets, each cell in each with probability 1/2, are computed exactly on top of the edits in force. The
    difference of the mean effects of subsets with and without a cell is what the cell does on average; its spread
    says how large that could be at most.

    Parameters
    ----------
    cells
        Those not yet computed. They act together, in this order, so they should write on different parts.
    samples
        How many subsets; each costs one run.
    confidence
        Between 0.5 and 1.
    seed
        Of the subsets.

    Raises
    ------
    InterventionError
        `no_cells`, `too_few_samples`, `bad_confidence`.
    Cancelled
        Within one layer.
    """
    if not cells:
        raise InterventionError("There are no cells to bound: all have been computed.", code="no_cells")
    if samples < MIN_SAMPLES:
        raise InterventionError(
            f"A bound from {samples} subsets says nothing; take {MIN_SAMPLES} or more.", code="too_few_samples"
        )
    if not 0.5 <= confidence < 1:  # noqa: PLR2004  below a half it would be no bound
        raise InterventionError(
            f"The confidence must be at least 0.5 and below 1, not {confidence}.", code="bad_confidence"
        )
    chosen = _subsets(samples, len(cells), seed)
    baseline = evaluate(metric, current.logits, reading).double().mean()
    effects = torch.empty(samples, dtype=torch.float64)
    for sample, members in enumerate(chosen.tolist()):
        cancel.check()
        added = (cell for cell, member in zip(cells, members, strict=True) if member)
        run = engine.run(Plan(current.plan.base, (*current.plan.writes, *added)), near=current, cancel=cancel)
        effects[sample] = evaluate(metric, run.logits, reading).double().mean() - baseline
    estimates, bounds = _bounds(effects, chosen.double(), confidence)
    # What is not finite bounds nothing, so it counts as the largest.
    worst = int(bounds.nan_to_num(nan=torch.inf).argmax())
    return FalseNegativeBound(float(bounds[worst]), confidence, cells[worst].intervention, bounds, estimates, samples)


def _subsets(samples: int, n_cells: int, seed: int) -> Tensor:
    """Bool [sample, cell]: every cell in a random half of the subsets, drawn for each by itself."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(samples, n_cells, generator=generator).argsort(0) < samples // 2


def _bounds(
    effects: Float[Tensor, " sample"], chosen: Float[Tensor, "sample cell"], confidence: float
) -> tuple[Float[Tensor, " cell"], Float[Tensor, " cell"]]:
    """Difference of means with and without each cell, and the upper end of Welch's interval for its size."""
    means, errors, spreads = [], [], []
    for member in (chosen, 1 - chosen):
        n = member.sum(0)
        mean = (member * effects[:, None]).sum(0) / n
        variance = (member * (effects[:, None] - mean) ** 2).sum(0) / (n - 1)
        means.append(mean)
        errors.append(variance / n)
        spreads.append((variance / n) ** 2 / (n - 1))
    squared = errors[0] + errors[1]
    freedom = squared**2 / (spreads[0] + spreads[1])
    estimates = means[0] - means[1]
    margin = torch.where(squared == 0, 0, _student(confidence, freedom) * squared.sqrt())
    return estimates, estimates.abs() + margin


def _student(level: float, freedom: Float[Tensor, " cell"]) -> Float[Tensor, " cell"]:
    """Quantile of Student's t, by the expansion in 1/freedom (Abramowitz and Stegun 1964, 26.7.5).

    Within 0.1 % from 7 degrees of freedom on at levels up to 0.99, which `MIN_SAMPLES` sees to.
    """
    z = NormalDist().inv_cdf(level)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum((term / freedom**power for power, term in enumerate(terms, 1)), torch.full_like(freedom, z))
