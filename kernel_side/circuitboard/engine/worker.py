"""The one thread that owns a model.

Everyone else only submits jobs and waits. Jobs run in the order in which they came; a *background* job (a
map, a sweep) is a generator that gives way to waiting jobs between two of its steps. A *click* is skipped,
or stopped, when a newer job arrives: the newest click wins.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from circuitboard.engine.cancel import CancelToken
from circuitboard.errors import Cancelled, EngineError

T = TypeVar("T")


class Job(Generic[T]):
    """Work submitted to the worker, and its result to come."""

    def __init__(self, work: Callable[[CancelToken], Any], *, click: bool, background: bool) -> None:
        self.work = work
        self.click = click
        self.background = background
        self.cancel = CancelToken()
        self.future: Future[T] = Future()

    def result(self) -> T:
        """Wait for the result. An interrupt cancels the job and waits until the worker has let go of it."""
        try:
            return self.future.result()
        except KeyboardInterrupt:
            self.cancel.cancel("it was interrupted")
            self.future.exception()
            raise


class Worker:
    """Runs jobs on a thread of its own, started with the first job and ended by `close`."""

    def __init__(self, name: str = "circuitboard") -> None:
        self._name = name
        self._wake = threading.Condition()
        self._jobs: deque[Job[Any]] = deque()
        self._background: list[tuple[Job[Any], Generator[None, None, Any]]] = []
        self._running: Job[Any] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, work: Callable[[CancelToken], T], *, click: bool = False, moves: bool = False) -> Job[T]:
        """Run `work` after the jobs already waiting.

        Parameters
        ----------
        work
            Called on the worker's thread with the job's cancel token.
        click
            Gives way to any newer job that moves the board.
        moves
            Moves the board on, so that waiting and running clicks need not be computed any more.
        """
        job: Job[T] = Job(work, click=click, background=False)
        self._put(job, moves=moves)
        return job

    def submit_background(self, work: Callable[[CancelToken], Generator[None, None, T]]) -> Job[T]:
        """Run a generator step by step while nothing else waits; its return value is the result."""
        job: Job[T] = Job(work, click=False, background=True)
        self._put(job)
        return job

    def close(self) -> None:
        """Cancel everything and end the thread."""
        with self._wake:
            self._closed = True
            waiting = [*self._jobs, *(job for job, _ in self._background)]
            self._jobs.clear()
            if self._running is not None:
                self._running.cancel.cancel("the board was closed")
            self._wake.notify()
        for job in waiting:
            job.cancel.cancel("the board was closed")
            _fail(job, Cancelled("The board was closed."))

    def _put(self, job: Job[Any], *, moves: bool = False) -> None:
        with self._wake:
            if self._closed:
                raise EngineError("This board was closed; make a new one.", code="board_closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            if moves:
                for older in (*self._jobs, *((self._running,) if self._running else ())):
                    if older.click:
                        older.cancel.supersede()
            self._jobs.append(job)
            self._wake.notify()

    def _loop(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._background and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                job = self._jobs.popleft() if self._jobs else None
                self._running = job or self._next_background()[0]
            if job is None:
                self._step(*self._next_background())
            elif job.background:
                self._background.append((job, job.work(job.cancel)))
            else:
                _finish(job, lambda job=job: job.work(job.cancel))
            # Between jobs the thread must keep nothing alive, or a board could never be collected.
            del job
            with self._wake:
                self._running = None

    def _next_background(self) -> tuple[Job[Any], Generator[None, None, Any]]:
        """A cancelled one, so that it is answered at once, else the newest."""
        return next((entry for entry in self._background if entry[0].cancel.cancelled), self._background[-1])

    def _step(self, job: Job[Any], steps: Generator[None, None, Any]) -> None:
        try:
            job.cancel.check()
            next(steps)
        except StopIteration as stop:
            self._background.remove((job, steps))
            job.future.set_result(stop.value)
        except BaseException as error:  # noqa: BLE001  every job gets exactly one answer
            self._background.remove((job, steps))
            steps.close()
            _fail(job, error)


def _finish(job: Job[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  every job gets exactly one answer
        _fail(job, error)
    else:
        job.future.set_result(result)


def _fail(job: Job[Any], error: BaseException) -> None:
    if not job.future.done():
        job.future.set_exception(error)
