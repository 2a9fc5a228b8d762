"""Tier "replay": call the model's own blocks again, from the first edited layer on, many cells at a time.

A cell of a sweep differs from the current run only from its first edited layer on, so it starts from
the residual stream that the current run had there. Cells that start in the same layer form one batch:
rows are cells × prompts. The edits in force are written again in every cell, whatever their layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.engine.memory import cells_per_batch
from circuitboard.engine.tier import CellLogits, EditedRun, Receipt, ReceiptBook
from circuitboard.errors import EngineError
from circuitboard.interventions import Plan, Write, rewritten
from circuitboard.models.adapter import BlockCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter, Place, Rewrite

    Measure = Callable[[Write, Tensor, Tensor], None]


class ReplayEngine:
    """Replays blocks. Needs a base run whose block calls were recorded."""

    tier = "replay"

    def __init__(self, adapter: ModelAdapter, reads: Reads) -> None:
        self._adapter = adapter
        self._reads = reads
        self._n_layers = adapter.shape.n_layers

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:
        start = EditedRun(Plan(plan.base, ()), plan.base.logits, (), self._base_resid(plan))
        if near is not None and near.plan.base is plan.base and near.resid_pre:
            start = near
        first = plan.first_difference(start.plan, self._n_layers)
        book = ReceiptBook(self.tier)
        done: dict[Intervention, list[Receipt]] = {}
        for write, receipt in zip(start.plan.writes, start.receipts, strict=True):
            done.setdefault(write.intervention, []).append(receipt)
        for write in plan.writes:
            if write.place[1] < first:
                book.keep(write, done[write.intervention].pop(0))
        resid_pre = {layer: resid for layer, resid in start.resid_pre.items() if layer <= first}
        if first == self._n_layers:
            return EditedRun(plan, start.logits, book.receipts(plan), resid_pre)

        def keep(layer: int, resid: Tensor) -> None:
            resid_pre[layer] = resid

        logits = self._replay(first, start.resid_pre[first], plan, _Cells(plan.writes, ()), cancel, book.measure, keep)
        return EditedRun(plan, logits, book.receipts(plan), resid_pre)

    def sweep(self, current: EditedRun, cells: Sequence[Plan], *, cancel: CancelToken) -> Iterator[CellLogits]:
        by_layer: dict[int, list[int]] = {}
        for index, cell in enumerate(cells):
            by_layer.setdefault(cell.first_difference(current.plan, self._n_layers), []).append(index)
        resid_pre = current.resid_pre or self._base_resid(current.plan)
        # The last layers first: they cost least, so a map fills quickly.
        for first, left in sorted(by_layer.items(), reverse=True):
            if first == self._n_layers:
                yield CellLogits(left, current.logits.expand(len(left), *current.logits.shape))
                continue
            indices = left
            limit = cells_per_batch(self._adapter, *current.plan.base.tokens.shape, reads=self._reads)
            while indices:
                batch = indices[:limit]
                try:
                    logits = self._batch(first, resid_pre[first], current.plan, [cells[i] for i in batch], cancel)
                except torch.OutOfMemoryError as error:
                    if limit == 1:
                        raise EngineError(
                            f"Out of memory on {self._adapter.device} with a single cell of {list(current.plan.base.tokens.shape)} tokens; use fewer or shorter prompts.",
                            code="out_of_memory",
                        ) from error
                    limit = max(1, len(batch) // 2)
                    continue
                indices = indices[len(batch) :]
                yield CellLogits(batch, logits)

    def _batch(
        self, first: int, resid: Tensor, current: Plan, cells: Sequence[Plan], cancel: CancelToken
    ) -> Float[Tensor, "cell batch read d_vocab"]:
        split = _Cells.of([[w for w in cell.writes if w.place[1] >= first] for cell in cells])
        n_prompts = resid.shape[0]
        logits = self._replay(first, resid.repeat(len(cells), 1, 1), current, split, cancel)
        by_cell: Tensor = logits.unflatten(0, (len(cells), n_prompts))
        return by_cell

    def _replay(
        self,
        first: int,
        resid: Float[Tensor, "rows pos d_model"],
        plan: Plan,
        cells: _Cells,
        cancel: CancelToken,
        measure: Measure | None = None,
        keep: Callable[[int, Tensor], None] | None = None,
    ) -> Float[Tensor, "rows read d_vocab"]:
        n_prompts = plan.base.tokens.shape[0]
        for layer in range(first, self._n_layers):
            cancel.check()
            if keep is not None:
                keep(layer, resid)
            here = cells.of_layer(layer, measure)
            if enter := here.pop(("resid_pre", layer), None):
                resid = enter(resid)
            call = _expanded(plan.base.calls[layer], n_prompts, resid.shape[0] // n_prompts)
            with self._adapter.rewriting(here) as calls:
                resid = self._adapter.block(layer, resid, call)
            for place, count in calls.items():
                if count != 1:
                    raise EngineError(
                        f"{place[0]} of layer {place[1]} was computed {count} times in one replay of its block, expected once.",
                        code="edit_never_happened",
                    )
        return self._adapter.unembed(resid if self._reads == "all" else resid[:, -1:])

    def _base_resid(self, plan: Plan) -> dict[int, Tensor]:
        return {layer: plan.base.activations["resid_pre", layer] for layer in range(self._n_layers)}


class _Cells:
    """The writes of a batch of cells: those common to all, and those of one cell each."""

    def __init__(self, common: Sequence[Write], own: Sequence[tuple[int, Write]]) -> None:
        self._common = common
        self._own = own

    @classmethod
    def of(cls, cells: Sequence[Sequence[Write]]) -> _Cells:
        """Split cells that begin with the same writes; writes after the first difference stay with their cell."""
        shared = 0
        while all(len(cell) > shared and cell[shared].intervention == cells[0][shared].intervention for cell in cells):
            shared += 1
        return cls(cells[0][:shared], [(i, write) for i, cell in enumerate(cells) for write in cell[shared:]])

    def of_layer(self, layer: int, measure: Measure | None) -> dict[Place, Rewrite]:
        """How each written activation of a layer is rewritten."""
        places = {write.place for write in self._common} | {write.place for _, write in self._own}
        return {place: self._rewrite(place, measure) for place in places if place[1] == layer}

    def _rewrite(self, place: Place, measure: Measure | None) -> Rewrite:
        common = [write for write in self._common if write.place == place]
        own = [(copy, write) for copy, write in self._own if write.place == place]
        return lambda activation: rewritten(activation, common, own, measure)


def _expanded(call: BlockCall, n_prompts: int, copies: int) -> BlockCall:
    """The same call for `copies` copies of the prompts; what is shared by all prompts stays as it is."""

    def expand(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.ndim > 0 and value.shape[0] == n_prompts and copies > 1:
            return value.repeat(copies, *[1] * (value.ndim - 1))
        if isinstance(value, tuple):
            return tuple(expand(item) for item in value)
        return value

    kwargs = {name: expand(value) for name, value in call.kwargs.items() if name != "past_key_values"}
    return BlockCall(tuple(expand(value) for value in call.args), kwargs | {"use_cache": False})
