"""Steps through the history, each computed on the worker: either its numbers are known, or it never happened."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from circuitboard.board.history import History
from circuitboard.board.outcome import Outcome, Shown
from circuitboard.engine import CancelToken, EditedRun, Job, Worker
from circuitboard.errors import InterventionError

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.board.lab import Lab
    from circuitboard.board.state import BoardState
    from circuitboard.interventions import Plan

_log = logging.getLogger(__name__)

_RUNS_KEPT = 8
"""Runs kept whole, so that undo, redo and the next edit start from them; fewer where memory is short."""


class Steps:
    """The moving part of a board: where in its history it is, and what is shown of it.

    `history` is ahead of `shown` while steps wait to be computed. If one fails, both are the last state whose
    numbers are known, and the steps that built on it fail with it.
    """

    def __init__(self, lab: Lab, worker: Worker, state: BoardState) -> None:
        self._lab = lab
        self._worker = worker
        self._lock = threading.RLock()
        self._runs: OrderedDict[BoardState, EditedRun] = OrderedDict()
        self._listeners: list[Callable[[Shown], None]] = []
        self._epoch = 0
        self.history = History.start(state)
        run = EditedRun(lab.plan(state.base, ()), lab.base(state.base).logits, ())
        values = lab.values(run)
        self.shown = Shown(0, self.history, run, Outcome(mean(values), values, 0.0, values, (), 0.0))

    def step(self, move: Callable[[History], History], *, click: bool) -> Job[Outcome]:
        """Move through the history and compute the metric there, without waiting; see `Board.step`."""
        with self._lock:
            history = move(self.history)
            plan = self._lab.plan(history.state.base, history.state.active)
            epoch, before = self._epoch, self.history
            job: Job[Outcome] = Job(lambda cancel: self._compute(history, plan, epoch, cancel), click=click)
            self.history = history
            try:
                self._worker.put(job, moves=True)
            except BaseException:
                # Refused, or interrupted on the way: the step is taken back, unless it has come through already.
                job.cancel.supersede()
                if self.shown.history is not history:
                    self.history = before
                raise
            return job

    def outcome(self, run: EditedRun, before: Outcome, start: float) -> Outcome:
        """What a run that began at `start` says, against the outcome before it."""
        values = self._lab.values(run)
        value, latency = mean(values), (time.perf_counter() - start) * 1000
        return Outcome(value, values, value - before.value, before.values, run.receipts, latency)

    def subscribe(self, listener: Callable[[Shown], None]) -> Callable[[], None]:
        """Call `listener` on the worker thread with every new state; the value returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def kept_runs(self) -> list[EditedRun]:
        """The runs kept whole."""
        return list(self._runs.values())

    def forget(self) -> None:
        """Free the runs."""
        self._runs.clear()

    def _compute(self, history: History, plan: Plan, epoch: int, cancel: CancelToken) -> Outcome:
        try:
            cancel.check()
            self._require(epoch)
            start = time.perf_counter()
            run = self._runs.get(history.state)
            if run is None:
                run = self._lab.choice.engine.run(plan, near=self.shown.run, cancel=cancel)
            outcome = self.outcome(run, self.shown.outcome, start)
            with self._lock:
                cancel.check()
                self.shown = Shown(self.shown.revision + 1, history, run, outcome)
        except BaseException:
            with self._lock:
                if not cancel.superseded and epoch == self._epoch:
                    self._epoch += 1
                    self.history = self.shown.history
            raise
        self._keep(history.state, run)
        for listener in tuple(self._listeners):
            # The step is done, whatever becomes of those who are told.
            try:
                listener(self.shown)
            except Exception:  # noqa: BLE001
                _log.exception("A listener of the board failed.")
        return outcome

    def _require(self, epoch: int) -> None:
        """Refuse a step that builds on one that failed."""
        if epoch != self._epoch:
            raise InterventionError(
                "The step before this one failed, so this one was not carried out either.", code="earlier_step_failed"
            )

    def _keep(self, state: BoardState, run: EditedRun) -> None:
        self._runs[state] = run
        self._runs.move_to_end(state)
        room = self._lab.budget.kept - held_bytes(self._lab.kept())
        while len(self._runs) > 1 and (
            len(self._runs) > _RUNS_KEPT or held_bytes(run.kept() for run in self._runs.values()) > room
        ):
            self._runs.popitem(last=False)


def held_bytes(runs: Iterable[Iterable[Tensor]]) -> int:
    """What the tensors of runs take, those that they share counted once."""
    storages = [tensor.untyped_storage() for run in runs for tensor in run]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def mean(values: Tensor) -> float:
    """The mean over prompts."""
    return float(values.double().mean())
