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
from circuitboard.errors import Cancelled, EngineError
from circuitboard.protocol.codec import error_info
from circuitboard.protocol.messages import MapEvent, PositionEffects, Real
from circuitboard.widget.map_grid import edited_cells, grid_for, rank_neurons, same_map

if TYPE_CHECKING:
    from jaxtyping import Float32, Int32, UInt8
    from torch import Tensor

    from circuitboard.address import Site
    from circuitboard.board import Board, Shown
    from circuitboard.engine import CancelToken, Job
    from circuitboard.protocol.messages import ErrorInfo, MapStatus, View
    from circuitboard.sweeps import Grid

EXACT, ESTIMATED = 1, 2
"""What `known` says of a cell; 0: nothing."""


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
    index
        For a map of neurons, which neuron each cell is, −1 until they are chosen; else None.
    """

    map_id: int
    shown: Shown
    view: View
    grid: Grid
    effect: Float32[np.ndarray, " cell"]
    known: UInt8[np.ndarray, " cell"]
    index: Int32[np.ndarray, " cell"] | None = None
    status: MapStatus = "computing"
    error: ErrorInfo | None = None
    elapsed_ms: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def event(self, seq: int) -> tuple[MapEvent, list[bytes]]:
        state = self.shown.history.state
        event = MapEvent(
            seq=seq,
            map_id=self.map_id,
            revision=self.shown.revision,
            over=self.view.map,
            how=self.view.mode,
            base=state.base,
            positions=self.view.positions if self.grid.by == "all" else None,
            n_edits=len(state.active),
            layers=list(self.grid.layers),
            shape=list(self.grid.shape),
            done=int((self.known == EXACT).sum()),
            total=int(self.known.size),
            status=self.status,
            error=self.error,
            elapsed_ms=self.elapsed_ms,
        )
        buffers = [self.effect.astype("<f4").tobytes(), self.known.tobytes()]
        if self.index is not None:
            buffers.append(self.index.astype("<i4").tobytes())
        return event, buffers

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
    board
        Whose worker computes.
    changed
        Called with each new `MapState`, on the worker's thread or the caller's.
    effects_known
        Called with the effect of each edit in force (index → effect) once they are known.
    """

    def __init__(
        self,
        board: Board,
        changed: Callable[[MapState], None],
        effects_known: Callable[[Shown, dict[int, float]], None],
    ) -> None:
        self._board = board
        self._changed = changed
        self._effects_known = effects_known
        self._lock = threading.RLock()
        self._job: Job[None] | None = None
        self._state: MapState | None = None
        self._target: Shown | None = None
        self._without: dict[int, Tensor] = {}
        self._count = 0

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
        grid = grid_for(self._board, view)
        n = grid.shape[0] * grid.shape[1]
        index = np.full(n, -1, np.int32) if view.map == "neuron" else None
        self._start(MapState(self._count, shown, view, grid, np.zeros(n, np.float32), np.zeros(n, np.uint8), index))

    def _start(self, state: MapState) -> None:
        self._stop_job()
        self._state = state
        self._changed(state)
        self._submit(state)

    def _submit(self, state: MapState) -> None:
        try:
            job = self._board.run_in_background(lambda cancel: self._work(state, cancel))
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
        edited = edited_cells(
            state.grid.cells, shown.history.state.edits, self._board.prompts, by_position=state.grid.by == "pos"
        )
        pending = [cell for cell, known in enumerate(state.known) if known != EXACT and cell not in edited]
        cells = [state.grid.cells[cell] for cell in pending]
        importance = None
        if (state.known[pending] == ESTIMATED).all():
            importance = torch.from_numpy(np.abs(state.effect[pending]))
        elif (estimate := self._board.maps.estimate(shown.run, cells, cancel)) is not None:
            effects = estimate.double().mean(-1)
            self._estimated(cancel, pending, effects.numpy())
            importance = effects.abs()
            yield

        def progress(cells: Sequence[int], values: Tensor) -> None:
            found = (values - baseline).double().mean(-1)
            self._update(cancel, [pending[cell] for cell in cells], found.numpy())

        yield from self._board.maps.cells(shown.run, cells, cancel, progress, importance)
        for cell, indices in edited.items():
            values = without[indices[0]] if len(indices) == 1 else self._board.maps.without(indices, shown, cancel)
            self._update(cancel, [cell], (baseline - values).double().mean(-1, keepdim=True).numpy())
            yield

    def _edits_first(self, cancel: CancelToken) -> Generator[None, None, None]:
        """What each edit in force does: for the list of edits, and for the cells that are edited."""
        shown, without = self._target, self._without
        assert shown is not None  # noqa: S101  a job runs only for a state
        for index, edit in enumerate(shown.history.state.edits):
            if edit.enabled and index not in without:
                without[index] = self._board.maps.without([index], shown, cancel)
                yield
        if without:
            value = shown.outcome.value
            self._effects_known(
                shown, {index: value - float(values.double().mean()) for index, values in without.items()}
            )

    def _ranked(self, state: MapState, cancel: CancelToken) -> Generator[None, None, MapState]:
        """The map of neurons, once they are chosen, with their estimates."""
        grid, index, estimates = yield from rank_neurons(self._board, state.grid, state.shown, cancel)
        with self._lock:
            cancel.check()
            assert self._state is not None  # noqa: S101  a job runs only for a state
            self._state = replace(self._state, grid=grid, index=index)
            self._estimated(cancel, range(len(index)), estimates)
            state = self._state
        yield
        return state

    def _estimated(self, cancel: CancelToken, cells: Sequence[int], effects: np.ndarray) -> None:
        """Take in the estimates that are numbers."""
        has_one = ~np.isnan(effects)
        self._update(cancel, np.asarray(cells)[has_one].tolist(), effects[has_one], ESTIMATED)

    def _update(self, cancel: CancelToken, cells: Sequence[int], found: np.ndarray, knowledge: int = EXACT) -> None:
        with self._lock:
            # Whoever starts another map cancels this one's job under the same lock.
            cancel.check()
            state = self._state
            assert state is not None  # noqa: S101  a job runs only for a state
            effect, known = state.effect.copy(), state.known.copy()
            effect[list(cells)] = found
            known[list(cells)] = knowledge
            self._state = replace(state, effect=effect, known=known, elapsed_ms=_since(state))
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
