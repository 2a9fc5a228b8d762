"""Tier "replay": call the model's own blocks again, from the first edited layer on, many cells at a time.

A cell of a sweep differs from the current run only from its own layer on, so it starts from the residual stream that
the current run had there. Cells that start in the same layer form one batch: rows are cells × prompts. The edits in
force are written again in every cell, whatever their layer. What only plain passes can do (edges) is left to hooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.engine.batches import in_batches
from circuitboard.engine.hooked import HookedEngine
from circuitboard.engine.memory import Budget, cells_per_batch
from circuitboard.engine.tier import CellLogits, EditedRun, Receipt, ReceiptBook
from circuitboard.errors import EngineError
from circuitboard.interventions import Plan, Write, fetch, rewritten
from circuitboard.metrics import select
from circuitboard.models.adapter import BlockCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter, Rewrite
    from circuitboard.models.shape import Place

    Measure = Callable[[Write, Tensor, Tensor], None]


@dataclass(frozen=True, eq=False)
class ReplayRun(EditedRun):
    """An edited run that replays can go on from.

    Parameters
    ----------
    resid_pre
        Layer → the residual stream that entered it, before edits of it.
    """

    resid_pre: Mapping[int, Float[Tensor, "batch pos d_model"]]

    def tensors(self) -> Iterable[Tensor]:
        return (self.logits, *self.resid_pre.values())


class ReplayEngine:
    """Replays blocks. Needs a base run whose block calls were recorded.

    Raises
    ------
    ModelError
        `no_replay`.
    """

    tier = "replay"

    copied_bytes = 0

    def __init__(self, adapter: ModelAdapter, reads: Reads, budget: Budget) -> None:
        adapter.require_replay()
        self._adapter = adapter
        self._budget = budget
        self._reads = reads
        self._n_layers = adapter.shape.n_layers
        self._hooked = HookedEngine(adapter, reads)

    def tensors(self) -> Iterable[Tensor]:
        return ()

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:
        if plan.edges:
            return self._hooked.run(plan, cancel=cancel)
        return self._replayed(plan, near, cancel)

    def _replayed(self, plan: Plan, near: EditedRun | None, cancel: CancelToken) -> ReplayRun:
        """A run without edges."""
        plan.fetch()
        start = _base_run(plan, self._n_layers)
        if isinstance(near, ReplayRun) and near.plan.base is plan.base:
            start = near
        first = plan.first_difference(start.plan, self._n_layers)
        book = ReceiptBook(self.tier)
        done: dict[Intervention, list[Receipt]] = {}
        for write, receipt in zip(start.plan.writes, start.receipts, strict=True):
            done.setdefault(write.intervention, []).append(receipt)
        for write in plan.writes:
            if write.layer < first:
                book.keep(write, done[write.intervention].pop(0))
        resid_pre = {layer: resid for layer, resid in start.resid_pre.items() if layer <= first}
        if first == self._n_layers:
            return ReplayRun(plan, start.logits, book.receipts(plan), resid_pre)

        def keep(layer: int, resid: Tensor) -> None:
            resid_pre[layer] = resid

        cells = _Cells(plan.writes, (), 1)
        resid = self._entering(first, start, cells, book.measure)
        logits = self._replay(first, resid, plan, cells, cancel, book.measure, keep)
        return ReplayRun(plan, logits, book.receipts(plan), resid_pre)

    def sweep(
        self,
        current: EditedRun,
        cells: Sequence[Write],
        *,
        columns: Int[Tensor, "batch k"] | None = None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        pinned = bool(current.plan.edges)
        by_hooks = [index for index, cell in enumerate(cells) if pinned or cell.receiver is not None]
        by_replay = sorted(set(range(len(cells))) - set(by_hooks))
        if by_replay:
            current.plan.fetch()
            fetch([cells[index] for index in by_replay])
            yield from self._by_layer(current, cells, by_replay, columns, cancel)
        for found in self._hooked.sweep(current, [cells[i] for i in by_hooks], columns=columns, cancel=cancel):
            yield CellLogits([by_hooks[index] for index in found.cells], found.logits)

    def _by_layer(
        self,
        current: EditedRun,
        cells: Sequence[Write],
        which: Sequence[int],
        columns: Int[Tensor, "batch k"] | None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        start = current if isinstance(current, ReplayRun) else self._start(current, cancel)
        n_prompts, n_positions = current.plan.base.tokens.shape
        limit = cells_per_batch(self._adapter, self._budget, n_prompts, n_positions, reads=self._reads)
        what = f"a cell of {n_prompts} × {n_positions} tokens on {self._adapter.device}"
        layers: dict[int, list[int]] = {}
        for index in which:
            layers.setdefault(cells[index].layer, []).append(index)

        # The last layers first: they cost least, so a map fills quickly.
        for first, indices in sorted(layers.items(), reverse=True):

            def work(batch: Sequence[int], first: int = first) -> Tensor:
                return select(self._batch(first, start, [cells[i] for i in batch], cancel), columns)

            for batch, logits in in_batches(indices, limit, work, what):
                yield CellLogits(batch, logits)

    def _start(self, current: EditedRun, cancel: CancelToken) -> ReplayRun:
        """A run of the same plan that replays can go on from."""
        if not current.plan.writes:
            return _base_run(current.plan, self._n_layers)
        return self._replayed(current.plan, None, cancel)

    def _batch(
        self, first: int, start: ReplayRun, own: Sequence[Write], cancel: CancelToken
    ) -> Float[Tensor, "cell batch read d_vocab"]:
        plan, n = start.plan, len(own)
        pinned = [write for write in plan.writes if write.layer >= first]
        cells = _Cells(pinned, list(enumerate(own)), n)
        resid = self._entering(first, start, cells)
        logits = self._replay(first, resid, plan, cells, cancel)
        by_cell: Tensor = logits.unflatten(0, (n, -1))
        return by_cell

    def _entering(
        self, first: int, start: ReplayRun, cells: _Cells, measure: Measure | None = None
    ) -> Float[Tensor, "rows pos d_model"]:
        """The residual stream where a replay starts, for every cell; below the first block, with the embedding edited."""
        if first:
            return start.resid_pre[first].repeat(cells.n, 1, 1)
        base, place = start.plan.base, ("embed", 0)
        rewrites = cells.of_layer(0, measure)
        if place not in rewrites:
            return base.activation(("resid_pre", 0)).repeat(cells.n, 1, 1)
        real = None if base.real is None else base.real.repeat(cells.n, 1)
        with self._adapter.rewriting({place: rewrites[place]}):
            return self._adapter.enter(base.tokens.repeat(cells.n, 1), real)

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
        for layer in range(first, self._n_layers):
            cancel.check()
            if keep is not None:
                keep(layer, resid)
            here = cells.of_layer(layer, measure)
            here.pop(("embed", 0), None)
            call = _expanded(plan.base.calls[layer], plan.base.tokens.shape[0], cells.n)
            with self._adapter.rewriting(here) as calls:
                resid = self._adapter.block(layer, resid, call)
            for place, count in calls.items():
                if count != 1:
                    raise EngineError(
                        f"{place[0]} of layer {place[1]} was computed {count} times in one replay of its block, expected once.",
                        code="edit_never_happened",
                    )
        return self._adapter.unembed(resid if self._reads == "all" else resid[:, -1:])


def _base_run(plan: Plan, n_layers: int) -> ReplayRun:
    """The unedited run, to go on from."""
    places: list[Place] = [("resid_pre", layer) for layer in range(n_layers)]
    resid_pre = {place[1]: plan.base.activation(place) for place in places}
    return ReplayRun(Plan(plan.base, ()), plan.base.logits, (), resid_pre)


class _Cells:
    """The writes of `n` cells: those common to all, and those of one cell each, which act last."""

    def __init__(self, common: Sequence[Write], own: Sequence[tuple[int, Write]], n: int) -> None:
        self.n = n
        self._common = common
        self._own = own

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

    def expand(value: Any, *, rows: int = n_prompts) -> Any:
        # What has one axis counts positions, not prompts, even if there are as many.
        if isinstance(value, torch.Tensor) and value.ndim > 1 and value.shape[0] == rows and copies > 1:
            return value.repeat(copies, *[1] * (value.ndim - 1))
        if isinstance(value, tuple):
            return tuple(expand(item) for item in value)
        return value

    kwargs = {name: expand(value) for name, value in call.kwargs.items() if name != "past_key_values"}
    alibi = call.kwargs.get("alibi")
    if isinstance(alibi, torch.Tensor) and alibi.shape[0] % n_prompts == 0:
        # Position biases that have a row for each head of each prompt.
        kwargs["alibi"] = expand(alibi, rows=alibi.shape[0])
    return BlockCall(tuple(expand(value) for value in call.args), kwargs | {"use_cache": False})
