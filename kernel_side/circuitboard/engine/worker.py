"""The one thread that owns a model.

Everyone else only submits jobs and waits. Jobs run in the order in which they came; a *background* job (a
map, a sweep, a reading) is a generator that gives way to waiting jobs between two of its steps. A *click* is skipped,
or stopped, when a job that moves the board arrives: the newest click wins. A background job is stopped by such a job
in the middle of a step. If it is *yielding*, that is its end, and whoever started it starts it again if it is still
wanted; else it is about a state of its own, and goes on from its last `piece`, or from its beginning. Background jobs
rest for a moment when they have given way, in which the model is looked at, and after a job that moves the board, in
which the new numbers are sent and drawn.

What the user's thread does here may be interrupted between any two instructions, so it takes locks only by
`with` on the lock itself and touches no `Condition`: an interrupt inside one loses a wake-up or leaves it locked
for ever. The worker is woken by a `SimpleQueue`, whose `put` happens whole or not at all, and wakes others so.

Whoever would wait for this thread on this thread would wait for ever, and so would a process that was forked from
this one, where the thread does not exist. Both are refused before anything is begun.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import InvalidStateError
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from circuitboard.address import Stays
from circuitboard.boundary import inside, public
from circuitboard.engine.answer import Answer
from circuitboard.engine.callers import Home
from circuitboard.engine.cancel import CancelToken, InPieces, piece
from circuitboard.engine.turns import short_turns
from circuitboard.errors import Cancelled, EngineError

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Guard(Protocol):
    """Refuses work, by what it raises, on what is not there any more."""

    def __call__(self, *, closely: bool) -> None: ...


_TICK_S = 0.1

_REST_S = 0.02
"""How long background jobs rest after the board has moved: on few cores they would hold up the news of that."""

_PATIENCE_S = 2.0
"""How long `close` waits for the thread, which ends after the layer that it computes."""


@public
class Job(Stays, Generic[T]):
    """Work submitted to the worker, and its result to come."""

    _instead: ClassVar[str] = "It is under way on its board's thread; what comes of it travels: job.result()."

    def __init__(
        self,
        work: Callable[[CancelToken], Any],
        *,
        click: bool = False,
        background: bool = False,
        yielding: bool = False,
    ) -> None:
        self.work = work
        self.click = click
        self.background = background
        self.yielding = yielding
        self.moves = False
        self.guard: Guard | None = None
        self.cancel = CancelToken(patient=background and not yielding)
        self.future: Answer[T] = Answer()

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.future.done()

    def result(self, tick: Callable[[], None] | None = None) -> T:
        """Wait for the result. An interrupt cancels the job and waits until the worker has let go of it.

        Parameters
        ----------
        tick
            Called ten times a second meanwhile, on the thread that waits.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`: where waiting would have no end.
        """
        if not (tick is None or callable(tick)):
            raise EngineError(
                f"tick is a function that is called while one waits, not {tick!r:.60}. To wait for a limited time, ask job.done, or job.future.wait(seconds).",
                code="bad_tick",
            )
        try:
            while not self.future.wait(None if tick is None else _TICK_S):
                if tick is not None:
                    tick()
        except KeyboardInterrupt:
            self.cancel.cancel("it was interrupted")
            self.future.wait()
            raise
        return self.future.result()

    def check_model(self) -> None:
        """Refuse to compute, or what was computed, if the guard does."""
        if self.guard is not None:
            self.guard(closely=False)

    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        """Set the result or the error, the first time that it is called."""
        try:
            if error is None:
                self.future.set_result(result)
            else:
                self.future.set_exception(error)
        except InvalidStateError:
            return


class Worker:
    """Runs jobs on a thread of its own, started with the first job and ended by `close`.

    `guard` is called before each job is taken and, with `closely=False`, around each piece of work; what it raises
    refuses the job. Jobs that move the board guard what they do themselves, since they have a state to take back.
    """

    def __init__(self, name: str = "circuitboard") -> None:
        self._name = name
        self._lock = threading.RLock()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._jobs: deque[Job[Any]] = deque()
        self._background: list[tuple[Job[Any], Generator[None, None, Any]]] = []
        self._running: Job[Any] | None = None
        self._rest_until = 0.0
        self._closed = False
        self._home = Home()
        self.guard: Guard | None = None
        self._last: list[Callable[[], None]] = []

    @property
    def here(self) -> bool:
        """Whether this is the process that the worker's thread lives in."""
        return self._home.here

    def require_elsewhere(self) -> None:
        """Refuse to wait here for what this worker would do.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`.
        """
        self._home.require_waitable()

    def require_own(self) -> None:
        """Refuse work begun in a forked process, or by a function that the board is waiting for.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`.
        """
        self._home.require_own()

    def run(self, work: Callable[[CancelToken], T]) -> T:
        """Run `work` and wait for its result; refused before it begins where waiting would have no end.

        A step interrupts it; it is then begun again.
        """
        return self.run_background(lambda cancel: piece(lambda: work(cancel), cancel))

    def run_background(self, work: InPieces[T]) -> T:
        """Run a generator, which gives way to steps, and wait for its result."""
        self.require_elsewhere()
        return self.submit_background(work).result()

    def at_end(self, work: Callable[[], None]) -> None:
        """Call `work` on the thread when it ends, after the last job."""
        self._last.append(work)

    def submit(
        self, work: Callable[[CancelToken], T], *, click: bool = False, moves: bool = False, guarded: bool = True
    ) -> Job[T]:
        """Run `work` after the jobs already waiting.

        Parameters
        ----------
        work
            Called on the worker's thread with the job's cancel token.
        click
            Gives way to any newer job that moves the board.
        moves
            Moves the board on, so that waiting and running clicks need not be computed any more.
        guarded
            Whether the guard is asked.
        """
        job: Job[T] = Job(work, click=click)
        self.put(job, moves=moves, guarded=guarded)
        return job

    def submit_background(self, work: InPieces[T], *, yielding: bool = False) -> Job[T]:
        """Run a generator step by step while nothing else waits; its return value is the result.

        A job that moves the board stops it in the middle of a step. With `yielding` it then ends as superseded; else it
        goes on afterwards, from the `piece` that was stopped, and from its beginning if what was stopped is none.
        """
        job: Job[T] = Job(work, background=True, yielding=yielding)
        self.put(job)
        return job

    def put(self, job: Job[Any], *, moves: bool = False, guarded: bool = True) -> None:
        """Run a job after those already waiting. Interrupted, it either has taken the job or it has not."""
        self._home.require_own()
        job.future.home = self._home
        if moves:
            self._interrupt()
        if guarded and self.guard is not None and not self._closed:
            self.guard(closely=True)
            job.guard = None if moves else self.guard
        with self._lock:
            if self._closed:
                raise EngineError("This board was closed; make a new one.", code="board_closed")
            if self._home.thread is None:
                # An interrupt may leave a thread that was started unnoticed, or not at all: the first that runs is it.
                threading.Thread(target=self._loop, name=self._name, daemon=True).start()
            if moves:
                job.moves = True
                for older in (*self._jobs, *((self._running,) if self._running else ())):
                    if older.click or older.background:
                        older.cancel.supersede()
            # Rung first: an interrupt in between wakes the worker for nothing, not a job for nobody.
            self._bell.put(None)
            self._jobs.append(job)

    def _interrupt(self) -> None:
        """Have what is patient give way now: it may run the user's model itself, which the guard waits for."""
        with self._lock:
            running = self._running
            if running is not None and running.background and not running.yielding:
                running.cancel.supersede()

    def close(self) -> None:
        """Cancel everything and end the thread; jobs that had not begun end as cancelled. Nothing in a forked process."""
        if not self._home.here:
            return
        with self._lock:
            self._closed = True
            waiting = [*self._jobs, *(job for job, _ in self._background)]
            self._jobs.clear()
            if self._running is not None:
                self._running.cancel.cancel("the board was closed")
            self._bell.put(None)
        # A thread that still computes when Python exits would bring the process down with a message.
        thread = self._home.thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE_S)
        for job in waiting:
            job.cancel.cancel("the board was closed")
            job.end(error=Cancelled("The board was closed."))

    @inside
    def _loop(self) -> None:
        with self._lock:
            if self._home.thread is not None:
                return
            self._home.thread = threading.current_thread()
        self._jobs_until_closed()
        for work in self._last:
            try:
                work()
            except Exception:  # noqa: BLE001  nobody is there to be told
                _log.exception("What was to be done at the end of a board failed.")

    def _jobs_until_closed(self) -> None:
        while True:
            with self._lock:
                if self._closed:
                    return
                job, steps = self._next()
                self._running = job
            if job is None:
                self._sleep()
                continue
            with short_turns():
                if steps is not None:
                    self._step(job, steps)
                elif job.background:
                    self._begin(job)
                else:
                    _run(job)
            if job.moves or job.cancel.interrupted:
                self._rest_until = time.monotonic() + _REST_S
            # Between jobs the thread must keep nothing alive, or a board could never be collected.
            del job, steps
            with self._lock:
                self._running = None

    def _sleep(self) -> None:
        """Until there is a new job, or the rest is over of one that there is."""
        with suppress(Empty):
            self._bell.get(timeout=max(0.0, self._rest_until - time.monotonic()) if self._background else None)

    def _next(self) -> tuple[Job[Any] | None, Generator[None, None, Any] | None]:
        """The oldest waiting job; else a background job, a cancelled one first, so that it is answered at once."""
        if self._jobs:
            return self._jobs.popleft(), None
        for job, steps in self._background:
            job.cancel.go_on()
            if job.cancel.cancelled:
                return job, steps
        if not self._background or time.monotonic() < self._rest_until:
            return None, None
        return self._background[-1]

    def _begin(self, job: Job[Any]) -> None:
        try:
            steps = job.work(job.cancel)
        except BaseException as error:  # noqa: BLE001  every job gets exactly one answer
            job.end(error=error)
            return
        if isinstance(steps, Generator):
            self._background.append((job, steps))
            return
        refused = f"Work in the background is a generator function, which yields where it may be stopped; this one returned {steps!r:.60}. Write `yield` between its steps."
        job.end(error=EngineError(refused, code="bad_work"))

    def _step(self, job: Job[Any], steps: Generator[None, None, Any]) -> None:
        try:
            job.cancel.check()
            job.check_model()
            try:
                next(steps)
            finally:
                job.check_model()
        except StopIteration as stop:
            self._background.remove((job, steps))
            job.end(stop.value)
        except BaseException as error:  # noqa: BLE001  every job gets exactly one answer
            self._background.remove((job, steps))
            if isinstance(error, Cancelled) and job.cancel.interrupted:
                self._begin(job)
            else:
                job.end(error=error)
            try:
                steps.close()
            except BaseException:  # noqa: BLE001  it has its answer, whatever it does when it is told to end
                _log.exception("Work in the background did not end when it was stopped.")


def _run(job: Job[Any]) -> None:
    try:
        job.check_model()
        result = job.work(job.cancel)
        job.check_model()
    except BaseException as error:  # noqa: BLE001  every job gets exactly one answer
        job.end(error=error)
    else:
        job.end(result)
