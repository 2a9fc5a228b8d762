"""Steps through the history, each computed on the worker: either its numbers are known, or it never happened."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from circuitboard.boundary import tell
from circuitboard.desk.outcome import Outcome, Shown
from circuitboard.engine import CancelToken, EditedRun, Job, Worker
from circuitboard.errors import InterventionError
from circuitboard.steps import History

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.desk.lab import Lab
    from circuitboard.interventions import Plan
    from circuitboard.steps import Base, BoardState

_log = logging.getLogger(__name__)

_Acting = tuple["Base", tuple["Intervention", ...]]
"""What a run's numbers depend on: states that differ in names, or in edits switched off, share one."""

_RUNS_KEPT = 8
"""Runs kept whole, so that undo, redo and the next edit start from them; fewer where memory is short."""


class Timeline:
    """The moving part of a board: where in its history it is, and what is shown of it.

    `history` is ahead of `shown` while steps wait to be computed. If one fails, both are the last state whose
    numbers are known, and the steps that built on it fail with it. `known` is the metric of the states where it is
    known, by index.
    """

    def __init__(self, lab: Lab, worker: Worker, state: BoardState) -> None:
        self._lab = lab
        self._worker = worker
        self._lock = threading.RLock()
        self._runs: OrderedDict[_Acting, EditedRun] = OrderedDict()
        self._listeners: list[tuple[Callable[[], None]]] = []
        self._epoch = 0
        self._why_epoch = ""
        self.history = History.start(state)
        run = EditedRun(lab.plan(state.base, ()), lab.base(state.base).logits, ())
        values = lab.values(run)
        self.shown = Shown(0, self.history, run, Outcome(mean(values), values, 0.0, values, (), 0.0))
        self.known: dict[int, float] = {0: mean(values)}

    def renew(self, lab: Lab, cancel: CancelToken, taken: Callable[[], None]) -> Outcome:
        """Show the same state as another bench measures it, and go on from there; on the worker thread only.

        `taken` is called in the moment in which the one takes the other's place.
        """
        shown = self.shown
        state = shown.history.state
        start = time.perf_counter()
        run = lab.choice.engine.run(lab.plan(state.base, state.active), cancel=cancel)
        values = lab.values(run)
        lab.watch.require_unchanged()
        outcome = Outcome(mean(values), values, 0.0, values, run.receipts, (time.perf_counter() - start) * 1000)
        with self._lock:
            cancel.check()
            self._lab = lab
            taken()
            self._runs.clear()
            self._void("The model was measured again before this step, which was not carried out; take it once more.")
            self.shown = Shown(shown.revision + 1, shown.history, run, outcome)
            self.history = shown.history
            self.known = {shown.history.current: outcome.value}
        self._keep(state, run)
        self._tell()
        return outcome.copy()

    def step(self, move: Callable[[History], History], *, click: bool) -> Job[Outcome]:
        """Move through the history and compute the metric there, without waiting; see `Board.step`."""
        self._worker.require_own()
        with self._lock:
            history = move(self.history)
            if not isinstance(history, History):
                raise InterventionError(
                    f"A move takes a History and returns the one after the step, not {history!r:.60}.", code="bad_move"
                )
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

    def outcome(self, run: EditedRun, before: Float[Tensor, " batch"], start: float) -> Outcome:
        """What a run that began at `start` says, against the metric of each prompt before it."""
        values = self._lab.values(run)
        value, latency = mean(values), (time.perf_counter() - start) * 1000
        return Outcome(value, values, value - mean(before), before.clone(), run.receipts, latency)

    def at(self, node: int, cancel: CancelToken) -> Shown:
        """A state of the history as it would be shown, computed if its run is not kept; on the worker thread only."""
        shown = self.shown
        state = shown.history.nodes[node].state
        start = time.perf_counter()
        run = self._runs.get((state.base, state.active))
        if run is None:
            plan = self._lab.plan(state.base, state.active)
            run = self._lab.choice.engine.run(plan, near=shown.run, cancel=cancel)
        unedited = self._lab.unedited(state.base)
        base = unedited.clean if state.base == "clean" or unedited.corrupted is None else unedited.corrupted
        return Shown(shown.revision, shown.history.restored(node), run, self.outcome(run, base, start))

    def subscribe(self, listener: Callable[[Shown], None]) -> Callable[[], None]:
        """Tell a user's function of every new state, on the worker thread; the value returned ends that."""
        return self.on_move(lambda: tell(listener, self.shown.copy()))

    def on_move(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back on the worker thread when the state is another; the value returned ends that, and keeps nothing alive."""
        entry = (callback,)
        self._listeners.append(entry)
        here = weakref.ref(self)

        def end() -> None:
            timeline = here()
            if timeline is not None and entry in timeline._listeners:  # noqa: SLF001  of this class
                timeline._listeners.remove(entry)  # noqa: SLF001

        return end

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
            self._lab.watch.require_unchanged(closely=False)
            start = time.perf_counter()
            shown = self.shown
            amended = history.current == shown.history.current
            same = amended and history.state == shown.history.state
            if same:
                # Only something about the history is another: the state is shown as it was.
                run, outcome, revision = shown.run, shown.outcome, shown.revision
            else:
                found = self._runs.get((history.state.base, history.state.active))
                run = found or self._lab.choice.engine.run(plan, near=shown.run, cancel=cancel)
                # A step that goes on is told against the state that it began from.
                outcome = self.outcome(run, shown.outcome.before if amended else shown.outcome.values, start)
                revision = shown.revision + 1
            self._lab.watch.require_unchanged(closely=False)
            with self._lock:
                cancel.check()
                self.shown = Shown(revision, history, run, outcome)
                self.known[history.current] = outcome.value
        except BaseException:
            with self._lock:
                if not cancel.superseded and epoch == self._epoch:
                    self._void("The step before this one failed, so this one was not carried out either.")
                    self.history = self.shown.history
            raise
        if amended:
            # What a drag passed through is not gone back to.
            before = shown.history.state
            self._runs.pop((before.base, before.active), None)
        self._keep(history.state, run)
        self._tell()
        return (replace(outcome, change=0.0, before=outcome.values) if same else outcome).copy()

    def _tell(self) -> None:
        for (listener,) in tuple(self._listeners):
            # The step is done, whatever becomes of those who are told.
            try:
                listener()
            except BaseException:  # noqa: BLE001  sys.exit() too: it would end a thread that is not theirs
                _log.exception("A listener of the board failed.")

    def _void(self, why: str) -> None:
        """Refuse the steps that wait, which build on what is no more."""
        self._epoch += 1
        self._why_epoch = why

    def _require(self, epoch: int) -> None:
        """Refuse a step that builds on what is no more."""
        if epoch != self._epoch:
            raise InterventionError(self._why_epoch, code="earlier_step_failed")

    def _keep(self, state: BoardState, run: EditedRun) -> None:
        key = (state.base, state.active)
        self._runs[key] = run
        self._runs.move_to_end(key)
        room = self._lab.budget.runs - held_bytes(self._lab.tensors())
        while len(self._runs) > 1 and (
            len(self._runs) > _RUNS_KEPT or held_bytes(run.tensors() for run in self._runs.values()) > room
        ):
            self._runs.popitem(last=False)


def held_bytes(runs: Iterable[Iterable[Tensor]]) -> int:
    """What the tensors of runs take, those that they share counted once."""
    storages = [tensor.untyped_storage() for run in runs for tensor in run]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def mean(values: Tensor) -> float:
    """The mean over prompts."""
    return float(values.double().mean())
