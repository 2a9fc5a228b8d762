"""Work that can wait until nothing more is asked for, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from circuitboard.engine.clock import CLOCK, Clock

_log = logging.getLogger(__name__)

_PATIENCE_S = 2.0


class Later:
    """Does one thing a while after it was last asked for; asking costs microseconds.

    Parameters
    ----------
    work
        Called on the thread, or by `flush` on the caller's, never twice at once. The thread lives as long as this
        object is not stopped, so `work` must not hold what is to be collected.
    quiet_s, at_most_s
        How long nothing must be asked before the work is done, and how long it may wait in a burst.
    clock
        What tells and lets pass these times.
    """

    def __init__(
        self, work: Callable[[], None], *, quiet_s: float, at_most_s: float, name: str, clock: Clock = CLOCK
    ) -> None:
        self._work = work
        self._clock = clock
        self._quiet_s = quiet_s
        self._at_most_s = at_most_s
        self._name = name
        self._changed = threading.Condition()
        self._working = threading.RLock()
        self._first: float | None = None
        self._last = 0.0
        self._not_before: float | None = None
        self._ended = False
        self._thread: threading.Thread | None = None

    def ask(self, after_s: float | None = None) -> None:
        """Have the work done soon, or so many seconds from now unless it is asked for before; nothing once it is stopped."""
        now = self._clock.now()
        with self._changed:
            if after_s is None:
                if self._not_before is not None:
                    self._changed.notify()
                self._not_before = None
            elif self._first is None:
                self._not_before = now + after_s
            self._last = now
            if self._ended or self._first is not None:
                return
            self._first = now
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def flush(self) -> None:
        """Do now what was asked for, and wait for what is being done."""
        with self._working:
            if self._taken():
                self._do()

    def stop(self) -> None:
        """Take no more; what was asked for and not flushed is dropped. Does not wait, so a finalizer may call it."""
        with self._changed:
            self._ended = True
            self._first = None
            self._changed.notify()

    def end(self) -> None:
        """Stop, and wait a little for what is being done."""
        self.stop()
        # A thread that still works when Python exits could bring the process down.
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE_S)

    def _loop(self) -> None:
        while True:
            with self._changed:
                while self._first is None:
                    if self._ended:
                        return
                    self._changed.wait()
                due = min(self._last + self._quiet_s, self._first + self._at_most_s)
                left = (due if self._not_before is None else self._not_before) - self._clock.now()
                if left > 0:
                    self._clock.wait(self._changed, left)
                    continue
            with self._working:
                if self._taken():
                    self._do()

    def _taken(self) -> bool:
        """Whether there is something to do, which is the caller's from now on."""
        with self._changed:
            asked, self._first = self._first is not None, None
            self._not_before = None
            return asked

    def _do(self) -> None:
        try:
            self._work()
        except Exception:  # noqa: BLE001  the next time is tried all the same
            _log.exception("%s failed.", self._name)
