"""What a fast tier cannot settle by itself is settled by plain hooks.

A fast tier computes what the model computes in another order, so two kinds of answers are not its own to give:

- Numbers at the edge of what a dtype can hold. Where the square of an activation overflows, one order of
  operations gives NaN and another 0.
- "Nothing has changed." Rows computed again differ from the recorded ones by rounding, even where nothing that is read
  has changed. Plain hooks run the same operations on the same shapes as the recorded run did, so theirs are equal to
  the last bit, and then the answer is that of the run before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.hooked import HookedEngine
from circuitboard.engine.tier import CellLogits
from circuitboard.interventions import Plan
from circuitboard.metrics import select

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from circuitboard.address import Intervention, Kind
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.engine.tier import EditedRun, Engine
    from circuitboard.interventions import Write
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter

HUGE = 2.0**16
"""Added, set or multiplied numbers from which the order of operations shows: scores of this size are off by more than
0.001 in float32. The largest activations that language models are known to have are some thousands (Sun et al. 2024,
"Massive Activations in Large Language Models")."""

_ROUNDINGS = 64
"""Roundings of the largest logit within which nothing may have changed; one in half precision, where that is much."""


_BY_ROW: frozenset[Kind] = frozenset(
    {"head.q", "head.pattern", "head", "head.result", "attn_out", "resid_mid", "neuron", "mlp_out", "resid_post"}
)
"""What of a block belongs to one row and reaches others only through the next block."""


class Settled:
    """A fast tier, and plain hooks for what it cannot settle.

    Parameters
    ----------
    inner
        The fast tier.
    adapter, reads
        The model and which logits are wanted.
    each_cell
        Whether cells of a sweep that come out within rounding of the run swept from are asked again, too: where a
        residual stream may hold what nothing reads.
    """

    def __init__(self, inner: Engine, adapter: ModelAdapter, reads: Reads, *, each_cell: bool) -> None:
        self.inner = inner
        self.tier = inner.tier
        self._hooked = HookedEngine(adapter, reads)
        self._last = adapter.shape.n_layers - 1
        self._reads = reads
        self._each_cell = each_cell

    @property
    def copied_bytes(self) -> int:
        return self.inner.copied_bytes

    def tensors(self) -> Iterable[Tensor]:
        return self.inner.tensors()

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:
        if _huge(plan.writes):
            return self._hooked.run(plan, cancel=cancel)
        found = self.inner.run(plan, near=near, cancel=cancel)
        if _overflowed(found.logits, plan.base.logits):
            return replace(found, logits=self._hooked.run(plan, cancel=cancel).logits)
        known = [(Plan(plan.base, ()), plan.base.logits)]
        if near is not None and near.plan.base is plan.base and near.plan.writes:
            known.append((near.plan, near.logits))
        for before, logits in known:
            if self._read(before) == self._read(plan) or self._nothing_changed(plan, found, before, logits, cancel):
                return replace(found, logits=logits)
        return found

    def _nothing_changed(self, plan: Plan, found: EditedRun, before: Plan, logits: Tensor, cancel: CancelToken) -> bool:
        if torch.equal(found.logits, logits) or not _within_rounding(found.logits, logits):
            return False
        return torch.equal(self._hooked.run(plan, cancel=cancel).logits, self._exact(before, cancel))

    def _read(self, plan: Plan) -> list[Intervention]:
        """The edits that can reach what is read."""
        return [write.intervention for write in plan.writes if self._reaches(write)]

    def _reaches(self, write: Write) -> bool:
        """Whether a write can change the logits that are wanted.

        Past the keys and values of the last layer no row hears of another, so a row that is not read is not heard.
        """
        kind = write.place[0] if write.receiver is None else write.receiver[0][0]
        if self._reads == "all" or write.layer < self._last or kind not in _BY_ROW:
            return True
        return write.where.last == write.where.mask.shape[1] - 1

    def sweep(
        self,
        current: EditedRun,
        cells: Sequence[Write],
        *,
        columns: Int[Tensor, "batch k"] | None = None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        if _huge((*current.plan.writes, *cells)):
            yield from self._hooked.sweep(current, cells, columns=columns, cancel=cancel)
            return
        known = select(current.logits, columns)
        exact: Tensor | None = None
        # Cells that reach nothing are computed all the same: the tier may remember them for a click.
        for found in self.inner.sweep(current, cells, columns=columns, cancel=cancel):
            logits = found.logits.clone()
            for row, cell in enumerate(found.cells):
                if not self._reaches(cells[cell]):
                    logits[row] = known
                    continue
                overflowed = _overflowed(logits[row], known)
                doubtful = self._each_cell and _within_rounding(logits[row], known)
                if not overflowed and (not doubtful or torch.equal(logits[row], known)):
                    continue
                plan = Plan(current.plan.base, (*current.plan.writes, cells[cell]))
                asked = self._hooked.run(plan, cancel=cancel).logits
                if exact is None:
                    exact = self._exact(current.plan, cancel)
                if torch.equal(asked, exact):
                    logits[row] = known
                elif overflowed:
                    logits[row] = select(asked, columns)
            yield CellLogits(found.cells, logits)

    def _exact(self, plan: Plan, cancel: CancelToken) -> Tensor:
        """The logits of a plan as plain hooks compute them."""
        return self._hooked.run(plan, cancel=cancel).logits if plan.writes else plan.base.logits


def _huge(writes: Sequence[Write]) -> bool:
    """Whether a write adds, sets or multiplies by numbers of a size where the order of operations shows."""
    for write in writes:
        strength, values = write.intervention.strength, write.intervention.values
        if strength is not None and abs(strength) > HUGE:
            return True
        if values is not None and float(values.tensor.abs().max()) * abs(strength or 1.0) > HUGE:
            return True
    return False


def _overflowed(found: Tensor, known: Tensor) -> bool:
    """Whether there is no number where there was one."""
    return bool((~found.isfinite() & known.isfinite()).any())


def _within_rounding(found: Tensor, known: Tensor) -> bool:
    """Whether two rows of logits differ by no more than another order of operations would."""
    wide = torch.finfo(found.dtype).bits > 16  # noqa: PLR2004  half precision
    allowed = (_ROUNDINGS if wide else 1) * torch.finfo(found.dtype).eps
    size = known.abs().nan_to_num(posinf=0.0).max()
    difference = torch.where(found == known, 0.0, (found - known).abs())
    return bool((difference <= allowed * size).all())
