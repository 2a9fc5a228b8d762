"""Tier "wavefront": only what an edit changes is computed again, for many cells at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.batches import in_batches
from circuitboard.engine.gemm import Backend, best_backend
from circuitboard.engine.memory import Budget, cells_per_wave
from circuitboard.engine.tier import CellLogits, EditedRun, ReceiptBook
from circuitboard.engine.wavefront.advance import advance
from circuitboard.engine.wavefront.groups import Group, groups_of
from circuitboard.engine.wavefront.join import touches
from circuitboard.engine.wavefront.joins import Launch
from circuitboard.engine.wavefront.layer import layers_of, weight_bytes
from circuitboard.engine.wavefront.pins import Pins
from circuitboard.engine.wavefront.sight import Sight
from circuitboard.engine.wavefront.state import State, state_of
from circuitboard.engine.wavefront.wave import Wave
from circuitboard.errors import there
from circuitboard.interventions import Plan, fetch
from circuitboard.metrics import select

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Write
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.runs import CachedRun


@dataclass(eq=False)
class Held:
    """What is known of a run besides its answer; filled in by the worker.

    Parameters
    ----------
    state
        All its activations; None until something starts from it, for a run whose answer a sweep had already.
    origin
        The run to compute the state from, if there is none yet.
    swept
        The final residual stream of cells swept on top of this run, [batch, read, d_model].
    """

    state: State | None = None
    origin: WaveRun | None = None
    swept: dict[Intervention, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class WaveRun(EditedRun):
    """A run that others can start from."""

    held: Held

    @property
    def state(self) -> State:
        """All its activations, of a run that others do start from."""
        return there(self.held.state)

    def tensors(self) -> Iterable[Tensor]:
        yield self.logits
        if self.held.state is not None:
            yield from self.held.state.tensors()
        yield from self.held.swept.values()


class WavefrontEngine:
    """Computes with the model's weights themselves; the model is neither called nor hooked.

    Parameters
    ----------
    adapter
        The model, for what hooks record of the unedited runs.
    anatomy
        Its parts.
    reads
        Which logits are wanted.
    budget
        How much memory it may take.
    """

    tier = "wavefront"

    def __init__(self, adapter: ModelAdapter, anatomy: Anatomy, reads: Reads, budget: Budget) -> None:
        self._budget = budget
        self._adapter = adapter
        self._anatomy = anatomy
        self._reads = reads
        self.backend, self.why_backend = best_backend(adapter.dtype, adapter.device)
        if self.backend is Backend.PACKED and weight_bytes(anatomy) > budget.weights:
            self.backend, self.why_backend = Backend.STOCK, "a second copy of the weights would not fit into the budget"
        self._layers = layers_of(anatomy, self.backend)
        self._runs: dict[CachedRun, tuple[Sight, WaveRun]] = {}

    @torch.no_grad()
    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:
        plan.fetch()
        if not plan.writes:
            return self._unedited(plan.base)
        near = self._own(near)
        known = self._known(plan, near)
        swept = None if near is None else self._swept(plan, near)
        if swept is not None:
            return swept
        book = ReceiptBook(self.tier)
        first = plan.first_difference(known.plan, len(self._layers))
        book.take_over(plan, known, first)
        state = advance(self._launch(known), known.plan, plan, book, cancel)
        logits = known.logits
        if state.final is not known.state.final:
            logits = self._unembed(state.final[:, self._read(plan.base) :])
        return WaveRun(plan, logits, book.receipts(plan), Held(state))

    @torch.no_grad()
    def sweep(
        self,
        current: EditedRun,
        cells: Sequence[Write],
        *,
        columns: Int[Tensor, "batch k"] | None = None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        fetch([*current.plan.writes, *cells])
        run = self._solid(current, cancel)
        edges = run.plan.edges
        apart = [index for index, cell in enumerate(cells) if touches(cell, edges)]
        skipped = set(apart)
        joining = [index for index in range(len(cells)) if index not in skipped]
        idle, groups = groups_of(joining, cells, run.plan)
        if idle:
            kept = select(run.logits, columns)
            yield CellLogits(idle, kept.expand(len(idle), *kept.shape))
        yield from self._waves(run, cells, groups, columns, cancel)
        for index in apart:
            one = self.run(Plan(run.plan.base, (*run.plan.writes, cells[index])), near=run, cancel=cancel)
            yield CellLogits([index], select(one.logits, columns)[None])

    def _waves(
        self,
        run: WaveRun,
        cells: Sequence[Write],
        groups: Sequence[Group],
        columns: Int[Tensor, "batch k"] | None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        launch = self._launch(run)
        base = run.plan.base
        n_prompts, n_positions = base.tokens.shape
        asked = self._adapter.shape.d_vocab if columns is None else columns.shape[1]
        asked *= n_positions if self._reads == "all" else 1
        for first in sorted({group.first for group in groups}, reverse=True):
            # By layer, so that cells of one wave join it close together.
            here = sorted((group for group in groups if group.first == first), key=lambda group: group.layer)
            starting = [(group, index) for group in here for index in group.cells]
            limit = cells_per_wave(self._adapter, self._budget, n_prompts, n_positions, n_positions - first, asked)
            wave = Wave(launch, first, self._read(base) if self._reads == "answer" else first)

            def work(batch: Sequence[tuple[Group, int]], wave: Wave = wave) -> tuple[Tensor, Tensor]:
                joins = []
                done = 0
                for group, indices in _by_group(batch):
                    join = launch.join([cells[index] for index in indices], group.first, group.stop)
                    joins.append((range(done, done + len(indices)), join))
                    done += len(indices)
                idle = torch.cat([join.unchanged for _, join in joins if join.unchanged is not None]).cpu()
                return wave.run(joins, cancel), idle

            what = f"a cell of {n_prompts} × {n_positions} tokens on {self._adapter.device}"
            for batch, (final, idle) in in_batches(starting, limit, work, what):
                indices = [index for _, index in batch]
                self._keep(run, [cells[index] for index in indices], final, idle)
                answers = self._answers(run, final, first, columns)
                # Where nothing has changed the answer is that of the run, not that of its rows computed again.
                answers[idle.to(answers.device)] = select(run.logits, columns)
                yield CellLogits(indices, answers)

    def _answers(
        self,
        run: WaveRun,
        final: Float[Tensor, "cell batch pos d_model"],
        first: int,
        columns: Int[Tensor, "batch k"] | None,
    ) -> Float[Tensor, "cell batch read column"]:
        """Logits from the final residual stream, only those that are read."""
        if self._reads == "all" and first:
            kept = run.state.final[None, :, :first].expand(final.shape[0], -1, -1, -1)
            final = torch.cat((kept, final), 2)
        return self._unembed(final, columns)

    def _unembed(
        self, rows: Float[Tensor, "*cells batch read d_model"], columns: Int[Tensor, "batch k"] | None = None
    ) -> Float[Tensor, "*cells batch read column"]:
        normed, unembed = self._anatomy.ln_final(rows), self._anatomy.unembed
        if columns is None:
            return self._anatomy.read_out(unembed(normed))
        ids = columns.to(rows.device)
        logits = normed @ unembed.weight[ids].transpose(-1, -2)
        if unembed.bias is not None:
            logits = logits + unembed.bias[ids][:, None]
        return self._anatomy.read_out(logits)

    def tensors(self) -> Iterable[Tensor]:
        for _, run in self._runs.values():
            yield from run.tensors()

    @property
    def copied_bytes(self) -> int:
        return weight_bytes(self._anatomy) if self.backend is Backend.PACKED else 0

    # --- runs to start from ---------------------------------------------------------------------------

    def _unedited(self, base: CachedRun) -> WaveRun:
        """The base run as hooks recorded it."""
        return self._of(base)[1]

    def _of(self, base: CachedRun) -> tuple[Sight, WaveRun]:
        if base not in self._runs:
            sight = Sight(self._anatomy, base.real, base.tokens.shape[1], self._adapter.device, self._adapter.dtype)
            base.fetch([("resid_post", len(self._layers) - 1)])
            run = WaveRun(Plan(base, ()), base.logits, (), Held(state_of(base, self._layers, sight)))
            self._runs[base] = (sight, run)
        return self._runs[base]

    def _own(self, run: EditedRun | None) -> WaveRun | None:
        """A run as this engine keeps it, with what sweeps on top of it found, if it keeps it."""
        if run is not None and not run.plan.writes:
            return self._unedited(run.plan.base)
        return run if isinstance(run, WaveRun) else None

    def _known(self, plan: Plan, near: WaveRun | None) -> WaveRun:
        """The run with a state from which least is computed; the unedited one where that is no more work."""
        while near is not None and near.held.state is None:
            near = near.held.origin
        base = self._unedited(plan.base)
        if near is None or near.plan.base is not plan.base:
            return base
        n_layers = len(self._layers)
        further = plan.first_difference(near.plan, n_layers) > plan.first_difference(base.plan, n_layers)
        return near if further else base

    def _solid(self, run: EditedRun, cancel: CancelToken) -> WaveRun:
        """The run itself, its state computed."""
        own = self._own(run)
        if own is not None and own.held.state is not None:
            return own
        known = self._known(run.plan, own)
        book = ReceiptBook(self.tier)
        state = advance(self._launch(known), known.plan, run.plan, book, cancel)
        if own is not None:
            own.held.state, own.held.origin = state, None
            return own
        return WaveRun(run.plan, run.logits, run.receipts, Held(state))

    def _launch(self, run: WaveRun) -> Launch:
        base = run.plan.base
        scale = self._anatomy.embed_scale
        return Launch(self._layers, base, run.state, Pins(run.plan), self._of(base)[0], 1.0 if scale is None else scale)

    def _read(self, base: CachedRun) -> int:
        """The first position whose logits are wanted."""
        return 0 if self._reads == "all" else base.tokens.shape[1] - 1

    # --- answers that a sweep had already -----------------------------------------------------------------

    def _keep(
        self, run: WaveRun, cells: Sequence[Write], final: Float[Tensor, "cell batch pos d_model"], idle: Tensor
    ) -> None:
        """Remember the final stream of swept cells that changed something, a few kilobytes each."""
        if self._reads != "answer":
            return
        swept = run.held.swept
        for cell, row, unchanged in zip(cells, final, idle.tolist(), strict=True):
            swept.pop(cell.intervention, None)
            if unchanged:
                continue
            swept[cell.intervention] = row
        # The oldest go first; the run may see many sweeps.
        over = sum(row.nbytes for row in swept.values()) - self._budget.swept
        while over > 0:
            over -= swept.pop(next(iter(swept))).nbytes

    def _swept(self, plan: Plan, near: WaveRun) -> EditedRun | None:
        """A run that a sweep on top of `near` has computed already, if its receipts are known too."""
        if near.plan.base is not plan.base or len(plan.writes) != len(near.plan.writes) + 1 or near.held.state is None:
            return None
        *before, own = plan.writes
        if [write.intervention for write in before] != list(near.plan.interventions):
            return None
        row = near.held.swept.get(own.intervention)
        # Edits above the new one act on other values than before, so their receipts would not hold.
        if row is None or own.receiver is not None or any(write.layer >= own.layer for write in before):
            return None
        book = ReceiptBook(self.tier)
        book.take_over(plan, near, own.layer)
        stop = near.held.state.final.shape[1]
        part = self._launch(near).part(own.place, [own.index], 0, stop)[0]
        book.measure(own, part, own.applied(part))
        return WaveRun(plan, self._unembed(row), book.receipts(plan), Held(None, near))


def _by_group(batch: Sequence[tuple[Group, int]]) -> Iterator[tuple[Group, list[int]]]:
    """Cells that join together."""
    found: dict[int, tuple[Group, list[int]]] = {}
    for group, index in batch:
        found.setdefault(id(group), (group, []))[1].append(index)
    yield from found.values()
