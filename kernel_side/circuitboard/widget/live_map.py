"""The map behind the panel: the effect of every cell on top of the current edits, filled in batch by batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.errors import Cancelled, EngineError
from circuitboard.protocol.codec import error_info
from circuitboard.protocol.messages import MapEvent

if TYPE_CHECKING:
    from torch import Tensor

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
        Its cells.
    effect, known
        float32 and uint8, [cell]; `known` is `EXACT` or `ESTIMATED`, and 0 where nothing is known.
    """

    map_id: int
    shown: Shown
    view: View
    grid: Grid
    effect: np.ndarray
    known: np.ndarray
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
            shape=list(self.grid.shape),
            done=int((self.known == EXACT).sum()),
            total=int(self.known.size),
            status=self.status,
            error=self.error,
            elapsed_ms=self.elapsed_ms,
        )
        return event, [self.effect.astype("<f4").tobytes(), self.known.tobytes()]


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
        self._without: dict[int, Tensor] = {}
        self._count = 0

    @property
    def state(self) -> MapState | None:
        return self._state

    def show(self, shown: Shown, view: View) -> None:
        """Compute the map of this state, unless it is there already, be it stopped half-way."""
        with self._lock:
            now = self._state
            if now is None or now.shown is not shown or not _same_map(now.view, view):
                self._without = {}
                self._start(self._blank(shown, view))

    def cancel(self) -> None:
        """Stop where it is; `resume` goes on."""
        with self._lock:
            if self._state is not None and self._state.status == "computing":
                self._stop_job()
                self._state = replace(self._state, status="cancelled", elapsed_ms=_since(self._state))
                self._changed(self._state)

    def resume(self) -> None:
        """Compute what a stopped map still lacks."""
        with self._lock:
            if self._state is not None and self._state.status in ("cancelled", "failed"):
                self._start(replace(self._state, status="computing", error=None))

    def _blank(self, shown: Shown, view: View) -> MapState:
        self._count += 1
        if view.map == "head":
            selected = view.positions
            at = None if selected is None else self._board.prompts.at_columns(selected)
            grid = self._board.grid("head", how=view.mode, positions=at)
        else:
            grid = self._board.grid(view.map, by="pos", how=view.mode)
        n = len(grid.cells)
        return MapState(self._count, shown, view, grid, np.zeros(n, np.float32), np.zeros(n, np.uint8))

    def _start(self, state: MapState) -> None:
        self._stop_job()
        self._state = state
        self._changed(state)
        self._submit(state)

    def _submit(self, state: MapState) -> None:
        try:
            job = self._board.run_in_background(lambda cancel: self._work(state, cancel))
        except EngineError as error:
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
        shown, without = state.shown, self._without
        for index, edit in enumerate(shown.history.state.edits):
            if edit.enabled and index not in without:
                without[index] = self._board.maps.without([index], shown, cancel)
                yield
        if without:
            value = shown.outcome.value
            self._effects_known(
                shown, {index: value - float(values.double().mean()) for index, values in without.items()}
            )
        edited = self._edited_cells(state)
        pending = [cell for cell, known in enumerate(state.known) if known != EXACT and cell not in edited]
        cells = [state.grid.cells[cell] for cell in pending]
        baseline = shown.outcome.values
        importance = None
        estimate = self._board.maps.estimate(shown.run, cells, cancel) if cells else None
        if estimate is not None:
            effects = estimate.double().mean(-1)
            has_one = [
                (cell, float(effect)) for cell, effect in zip(pending, effects, strict=True) if not effect.isnan()
            ]
            self._update(cancel, [cell for cell, _ in has_one], np.array([effect for _, effect in has_one]), ESTIMATED)
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

    def _edited_cells(self, state: MapState) -> dict[int, list[int]]:
        """Cells whose own component is edited already → the edits; their effect is with minus without these."""
        prompts = self._board.prompts
        by_component: dict[object, list[int]] = {}
        for index, edit in enumerate(state.shown.history.state.edits):
            if edit.enabled:
                by_component.setdefault(edit.intervention.site.component, []).append(index)
        edited: dict[int, list[int]] = {}
        for cell, intervention in enumerate(state.grid.cells):
            indices = by_component.get(intervention.site.component, [])
            if state.grid.by == "pos":
                here = intervention.site.positions
                indices = [
                    index
                    for index in indices
                    if prompts.resolve(state.shown.history.state.edits[index].intervention.site.positions)
                    == prompts.resolve(here)
                ]
            if indices:
                edited[cell] = indices
        return edited

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
            status: MapStatus = "done" if error is None else "cancelled" if isinstance(error, Cancelled) else "failed"
            info = error_info(error) if error is not None and status == "failed" else None
            self._state = replace(state, status=status, error=info, elapsed_ms=_since(state))
            self._changed(self._state)


def _since(state: MapState) -> float:
    return (time.perf_counter() - state.started) * 1000


def _same_map(a: View, b: View) -> bool:
    same = (a.map, a.mode) == (b.map, b.mode)
    return same and (a.map != "head" or a.positions == b.positions)
