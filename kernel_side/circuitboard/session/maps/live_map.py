"""The map behind the panel: the effect of every cell on top of the current edits, filled in batch by batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from circuitboard.address import HEAD_KINDS
from circuitboard.desk.ground import ground_of
from circuitboard.errors import Cancelled, EngineError, there
from circuitboard.metrics.spread import standard_error
from circuitboard.protocol.codec import error_info
from circuitboard.protocol.messages import PositionEffects, Real
from circuitboard.session.desk_ref import DeskRef
from circuitboard.session.maps.map_grid import grid_for, rank_neurons, same_map
from circuitboard.sweeps import edited_cells

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Int32, UInt8
    from torch import Tensor

    from circuitboard.address import Site
    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import CancelToken, Job
    from circuitboard.protocol.messages import ErrorInfo, MapStatus, View
    from circuitboard.sweeps import Grid

EXACT, ESTIMATED = 1, 2
"""What `known` says of a cell; 0: nothing."""

_PAUSE = 0.01
"""Between two tellings of a map that fills in, as a share of the time that it has taken: how often it is told of grows
with the logarithm of that time. Its end is always told."""


@dataclass(frozen=True, eq=False)
class MapState:
    """A map as far as it is known.

    Parameters
    ----------
    shown, view
        The state and the settings that it belongs to.
    grid
        Its cells; none yet for a map of neurons that are still to be chosen.
    effect, known
        `known` is `EXACT` or `ESTIMATED`, and 0 where nothing is known.
    stderr
        Standard error of each exact effect over the prompts, NaN where there is none; None for a single prompt.
    index
        For a map of neurons, which neuron each cell is, −1 until they are chosen; else None.
    """

    map_id: int
    shown: Shown
    view: View
    grid: Grid
    effect: Float32[np.ndarray, " cell"]
    known: UInt8[np.ndarray, " cell"]
    stderr: Float32[np.ndarray, " cell"] | None = None
    index: Int32[np.ndarray, " cell"] | None = None
    status: MapStatus = "computing"
    error: ErrorInfo | None = None
    elapsed_ms: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def effects_of_head(self, shown: Shown, site: Site) -> PositionEffects | None:
        """A head's effect at each position of a state, if this map has them all."""
        if (self.view.map, self.grid.layers, self.shown) != ("head_pos", (site.layer,), shown):
            return None
        if site.kind not in HEAD_KINDS or site.kind in ("head.k", "head.v") or site.index is None:
            return None
        effect, known = (cells.reshape(self.grid.shape)[site.index] for cells in (self.effect, self.known))
        if not (known == EXACT).all():
            return None
        return PositionEffects(self.view.mode, list(self.grid.positions or ()), [Real.of(x) for x in effect.tolist()])


class LiveMap:
    """Computes one map at a time; a newer one takes the place of the older.

    Parameters
    ----------
    desk
        Whose worker computes.
    changed
        Called with each new `MapState`, on the worker's thread or the caller's.
    effects_known
        Called with the effect of each edit in force and of each group (indices → effect) once they are known.
    """

    def __init__(
        self,
        desk: Desk,
        changed: Callable[[MapState], None],
        effects_known: Callable[[Shown, dict[tuple[int, ...], float]], None],
    ) -> None:
        self._here = DeskRef(desk)
        self._changed = changed
        self._effects_known = effects_known
        self._lock = threading.RLock()
        self._job: Job[None] | None = None
        self._state: MapState | None = None
        self._target: Shown | None = None
        self._without: dict[tuple[int, ...], Tensor] = {}
        self._count = 0
        self._told = 0.0

    @property
    def _desk(self) -> Desk:
        """The board's desk; refused once it is gone."""
        return self._here()

    @property
    def state(self) -> MapState | None:
        return self._state

    def show(self, shown: Shown, view: View) -> None:
        """Compute the map of this state, unless it is there already, be it stopped half-way.

        A map that is not live is left as it is, half-way or not, when only the state is another; what the edits in
        force do is computed all the same.
        """
        with self._lock:
            now = self._state
            if (
                now is not None
                and now.shown is not shown
                and self._target is now.shown
                and _same_numbers(now.shown, shown)
            ):
                # Only names are others: what is known holds, and what is being computed goes on.
                self._stop_job()
                now = self._state = replace(now, shown=shown)
                self._target = shown
                self._changed(now)
                self._submit(now)
            if now is None or not same_map(now.view, view) or (view.live and now.shown is not shown):
                self._begin(shown, view)
            elif now.shown is not shown and self._target is not shown:
                self._stop_job()
                if now.status == "computing":
                    now = self._state = replace(now, status="cancelled", elapsed_ms=_since(now))
                    self._changed(now)
                self._without, self._target = {}, shown
                self._submit(now)

    def cancel(self) -> None:
        """Stop where it is; `resume` goes on."""
        with self._lock:
            if self._state is not None and self._state.status == "computing":
                self._stop_job()
                self._state = replace(self._state, status="cancelled", elapsed_ms=_since(self._state))
                self._changed(self._state)

    def resume(self, shown: Shown, view: View) -> None:
        """Compute what a stopped map still lacks; for a map of another state, that of this one."""
        with self._lock:
            now = self._state
            if now is not None and now.shown is not shown:
                self._begin(shown, view)
            elif now is not None and now.status in ("cancelled", "failed"):
                self._start(replace(now, status="computing", error=None))

    def _begin(self, shown: Shown, view: View) -> None:
        self._count += 1
        self._without, self._target = {}, shown
        grid = grid_for(self._desk, view)
        n = grid.shape[0] * grid.shape[1]
        effect, known = np.zeros(n, np.float32), np.zeros(n, np.uint8)
        stderr = np.full(n, np.nan, np.float32) if self._desk.prompts.n > 1 else None
        index = np.full(n, -1, np.int32) if view.map == "neuron" else None
        self._start(MapState(self._count, shown, view, grid, effect, known, stderr, index))

    def _start(self, state: MapState) -> None:
        self._stop_job()
        self._state = state
        self._changed(state)
        self._submit(state)

    def _submit(self, state: MapState) -> None:
        try:
            job = self._desk.run_in_background(lambda cancel: self._work(state, cancel))
        except EngineError as error:
            if state.status != "computing":
                return
            self._state = replace(state, status="failed", error=error_info(error))
            self._changed(self._state)
            return
        self._job = job
        job.future.add_done_callback(lambda done: self._ended(job, done.exception()))

    def _stop_job(self) -> None:
        if self._job is not None:
            self._job.cancel.supersede()
            self._job = None

    def _work(self, state: MapState, cancel: CancelToken) -> Generator[None, None, None]:
        yield from self._edits_first(cancel)
        if state.status != "computing":
            return
        if not state.grid.cells:
            state = yield from self._ranked(state, cancel)
        shown, baseline, without = state.shown, state.shown.outcome.values, self._without
        ground = ground_of(self._desk.lab, shown.run)
        edited = edited_cells(
            state.grid.cells, shown.history.state.edits, self._desk.prompts, by_position=state.grid.by == "pos"
        )
        pending = [cell for cell, known in enumerate(state.known) if known != EXACT and cell not in edited]
        cells = [state.grid.cells[cell] for cell in pending]
        importance = None
        if (state.known[pending] == ESTIMATED).all():
            importance = torch.from_numpy(np.abs(state.effect[pending]))
        elif (estimate := ground.estimate(cells, cancel)) is not None:
            effects = estimate.double().mean(-1)
            self._estimated(cancel, pending, effects.numpy())
            importance = effects.abs()
            yield

        def progress(cells: Sequence[int], values: Tensor) -> None:
            self._update(cancel, [pending[cell] for cell in cells], values - baseline)

        yield from ground.cells(cells, cancel, progress, importance)
        for cell, indices in edited.items():
            values = without.get(tuple(indices))
            values = self._desk.maps.without(indices, shown, cancel) if values is None else values
            self._update(cancel, [cell], (baseline - values)[None])
            yield

    def _edits_first(self, cancel: CancelToken) -> Generator[None, None, None]:
        """What each edit in force does: for the list of edits, and for the cells that are edited."""
        shown, without = there(self._target), self._without  # a job runs only for a state
        state = shown.history.state
        alone = ((index,) for index, edit in enumerate(state.edits) if edit.enabled)
        for indices in (*alone, *state.groups.values()):
            if indices not in without and any(state.edits[index].enabled for index in indices):
                without[indices] = self._desk.maps.without(indices, shown, cancel)
                yield
        if without:
            value = shown.outcome.value
            self._effects_known(
                shown, {indices: value - float(values.double().mean()) for indices, values in without.items()}
            )

    def _ranked(self, state: MapState, cancel: CancelToken) -> Generator[None, None, MapState]:
        """The map of neurons, once they are chosen, with their estimates."""
        grid, index, estimates = yield from rank_neurons(self._desk, state.grid, state.shown, cancel)
        with self._lock:
            cancel.check()
            self._state = replace(there(self._state), grid=grid, index=index)
            self._estimated(cancel, range(len(index)), estimates)
            state = self._state
        yield
        return state

    def _estimated(self, cancel: CancelToken, cells: Sequence[int], effects: np.ndarray) -> None:
        """Take in the estimates that are numbers."""
        has_one = ~np.isnan(effects)
        self._learn(cancel, np.asarray(cells)[has_one].tolist(), effects[has_one], None, ESTIMATED)

    def _update(self, cancel: CancelToken, cells: Sequence[int], effects: Float[Tensor, "cell batch"]) -> None:
        """Take in exact effects, one a prompt."""
        effects = effects.double()
        errors = standard_error(effects).numpy() if self._desk.prompts.n > 1 else None
        self._learn(cancel, cells, effects.mean(-1).numpy(), errors, EXACT)

    def _learn(
        self, cancel: CancelToken, cells: Sequence[int], effects: np.ndarray, errors: np.ndarray | None, knowledge: int
    ) -> None:
        with self._lock:
            # Whoever starts another map cancels this one's job under the same lock.
            cancel.check()
            state = there(self._state)
            effect, known, stderr = state.effect.copy(), state.known.copy(), state.stderr
            effect[list(cells)] = effects
            known[list(cells)] = knowledge
            if stderr is not None and errors is not None:
                stderr = stderr.copy()
                stderr[list(cells)] = errors
            elapsed_ms = _since(state)
            self._state = replace(state, effect=effect, known=known, stderr=stderr, elapsed_ms=elapsed_ms)
            now = time.perf_counter()
            if knowledge == ESTIMATED or now - self._told >= _PAUSE * elapsed_ms / 1000:
                self._told = now
                self._changed(self._state)

    def _ended(self, job: Job[None], error: BaseException | None) -> None:
        with self._lock:
            state = self._state
            if state is None or job is not self._job:
                return
            if job.cancel.superseded:
                # A step of the board came in between. If it succeeds, another map takes this one's place.
                self._submit(state)
                return
            self._job = None
            if state.status != "computing":
                return
            status: MapStatus = "done" if error is None else "cancelled" if isinstance(error, Cancelled) else "failed"
            info = error_info(error) if error is not None and status == "failed" else None
            self._state = replace(state, status=status, error=info, elapsed_ms=_since(state))
            self._changed(self._state)


def _since(state: MapState) -> float:
    return (time.perf_counter() - state.started) * 1000


def _same_numbers(one: Shown, other: Shown) -> bool:
    """Whether two states differ in nothing but names."""
    return one.run is other.run and one.history.state.acting == other.history.state.acting
