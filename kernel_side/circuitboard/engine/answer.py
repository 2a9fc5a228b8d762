"""A future that an interrupt cannot break."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from circuitboard.engine.callers import Home

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Answer(Future[T]):
    """The result of a job, or its error, to come.

    The standard future waits with a `Condition`, which is Python code that holds a lock: an interrupt within it leaves
    the lock held, or released twice. Here who waits or asks reads plain attributes, and is woken by a queue of its
    own. Asking where waiting would have no end is refused.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home: Home | None = None
        self._mutex = threading.Lock()
        self._ended = False
        self._bells: list[SimpleQueue[None]] = []
        self._callbacks: list[Callable[[Future[T]], object]] = []

    def done(self) -> bool:
        """Whether the job has ended."""
        return self._ended

    def cancel(self) -> bool:
        """Refused, as for work that runs already: the job's own token, `job.cancel`, stops it."""
        return False

    def cancelled(self) -> bool:
        return False

    def running(self) -> bool:
        return not self._ended

    def require_waitable(self) -> None:
        """Refuse to wait here, unless it has ended.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`.
        """
        if self.home is not None and not self._ended:
            self.home.require_waitable()

    def hear(self, bell: SimpleQueue[None]) -> None:
        """Wait for a bell that the job rings too when it ends.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`.
        """
        if self.home is None or self._ended:
            bell.get()
        else:
            self.home.require_waitable()
            self.home.hear(bell, None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended, `timeout` seconds at most, and say whether it has.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`.
        """
        if self._ended:
            return True
        if self.home is None:
            return self._woken(timeout)
        self.home.begin_wait()
        try:
            return self._woken(timeout)
        finally:
            self.home.end_wait()

    def _woken(self, timeout: float | None) -> bool:
        bell: SimpleQueue[None] = SimpleQueue()
        with self._mutex:
            if self._ended:
                return True
            self._bells.append(bell)
        try:
            with suppress(Empty):
                if self.home is None:
                    bell.get(timeout=timeout)
                else:
                    self.home.hear(bell, timeout)
        finally:
            with self._mutex:
                if not self._ended:
                    self._bells.remove(bell)
        return self._ended

    def result(self, timeout: float | None = None) -> T:
        """The result, or the error raised."""
        error = self.exception(timeout)
        if error is not None:
            try:
                raise error
            finally:
                # The traceback would hold this frame, and it the error.
                error = None
        return self._result  # type: ignore[return-value]  # there is one, since there is no error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error; None if there is a result."""
        if not self.wait(timeout):
            raise TimeoutError
        return self._exception

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call `fn` when the job has ended; at once if it has."""
        with self._mutex:
            if not self._ended:
                self._callbacks.append(fn)
                return
        fn(self)

    def set_result(self, result: T) -> None:
        super().set_result(result)
        self._end()

    def set_exception(self, exception: BaseException | None) -> None:
        super().set_exception(exception)
        self._end()

    def _end(self) -> None:
        with self._mutex:
            self._ended = True
            bells, callbacks = self._bells, self._callbacks
            self._bells, self._callbacks = [], []
        for bell in bells:
            bell.put(None)
        for call in callbacks:
            try:
                call(self)
            except Exception:  # noqa: BLE001  the job has ended, whatever becomes of those who are told
                _log.exception("What was to follow a job of the board failed.")
