"""Tier "hooked": one plain forward pass with hooks per state. The oracle, and the fallback for everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from circuitboard.engine.tier import CellLogits, EditedRun, ReceiptBook
from circuitboard.interventions import rewritten
from circuitboard.models.adapter import places_of

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Plan, Write
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter, Rewrite


class HookedEngine:
    """Runs the whole model with TransformerLens hooks, once per state."""

    tier = "hooked"

    def __init__(self, adapter: ModelAdapter, reads: Reads) -> None:
        self._adapter = adapter
        self._reads = reads
        self._inputs = [place for place in places_of(adapter) if place[0] == "resid_pre"]

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:  # noqa: ARG002
        book = ReceiptBook(self.tier)
        writes = plan.by_place()

        def rewrite_with(here: Sequence[Write]) -> Rewrite:
            def rewrite(activation: Tensor) -> Tensor:
                cancel.check()
                return rewritten(activation, here, measure=book.measure) if here else activation

            return rewrite

        hooks = {place: rewrite_with(writes.get(place, ())) for place in [*self._inputs, *writes]}
        with self._adapter.rewriting(hooks):
            logits = self._adapter.forward(plan.base.tokens)
        return EditedRun(plan, logits if self._reads == "all" else logits[:, -1:].clone(), book.receipts(plan))

    def sweep(self, current: EditedRun, cells: Sequence[Plan], *, cancel: CancelToken) -> Iterator[CellLogits]:  # noqa: ARG002
        for index, cell in enumerate(cells):
            yield CellLogits([index], self.run(cell, cancel=cancel).logits[None])
