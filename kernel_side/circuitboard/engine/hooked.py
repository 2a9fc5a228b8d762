"""Tier "hooked": plain forward passes with hooks for every state. The oracle, and the fallback for everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from circuitboard.engine.edges import arrivals
from circuitboard.engine.passes import Arrived, Pass, run_pass
from circuitboard.engine.tier import CellLogits, EditedRun, ReceiptBook
from circuitboard.interventions import Plan, fetch
from circuitboard.metrics import select

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Write
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter


class HookedEngine:
    """Runs the whole model with TransformerLens hooks, once per state; with edges, a few times."""

    tier = "hooked"

    copied_bytes = 0

    def __init__(self, adapter: ModelAdapter, reads: Reads) -> None:
        self._adapter = adapter
        self._reads = reads

    def tensors(self) -> Iterable[Tensor]:
        return ()

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:  # noqa: ARG002
        plan.fetch()
        book = ReceiptBook(self.tier)
        arrived = arrivals(plan, self._adapter, cancel, book.measure) if plan.edges else Arrived()
        whole = Pass.of(plan, arrived, cancel, book.measure)
        logits = run_pass(self._adapter, plan.base, whole)
        return EditedRun(plan, logits if self._reads == "all" else logits[:, -1:].clone(), book.receipts(plan))

    def sweep(
        self,
        current: EditedRun,
        cells: Sequence[Write],
        *,
        columns: Int[Tensor, "batch k"] | None = None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        fetch(cells)
        for index, cell in enumerate(cells):
            plan = Plan(current.plan.base, (*current.plan.writes, cell))
            yield CellLogits([index], select(self.run(plan, cancel=cancel).logits, columns)[None])
