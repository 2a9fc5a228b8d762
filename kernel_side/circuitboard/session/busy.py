"""Announcing steps that take longer than a blink."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuitboard.engine.clock import CLOCK, Clock

if TYPE_CHECKING:
    from circuitboard.engine import Job

BLINK_S = 0.15
"""A step that takes longer is announced."""


class BusyWatch:
    """Watches steps with one timer for all of them.

    Parameters
    ----------
    announce
        Called with a step that is late and what it is, on the timer's thread.
    clock
        What tells how long a step takes.
    """

    def __init__(self, announce: Callable[[Job[Any], str], None], clock: Clock = CLOCK) -> None:
        self._announce = announce
        self._clock = clock
        self._lock = threading.Lock()
        self._steps: deque[tuple[float, Job[Any], str]] = deque()
        self._end_timer: Callable[[], None] | None = None

    def started(self, job: Job[Any], what: str) -> None:
        """Watch this step from now on."""
        with self._lock:
            self._steps.append((self._clock.now() + BLINK_S, job, what))
            if self._end_timer is None:
                self._look_in(BLINK_S)

    def close(self) -> None:
        """Announce nothing any more."""
        with self._lock:
            self._steps.clear()
            if self._end_timer is not None:
                self._end_timer()

    def _look_in(self, seconds: float) -> None:
        self._end_timer = self._clock.call(seconds, self._look)

    def _look(self) -> None:
        late: tuple[Job[Any], str] | None = None
        with self._lock:
            self._end_timer = None
            now = self._clock.now()
            while self._steps and (self._steps[0][0] <= now or self._steps[0][1].future.done()):
                _, job, what = self._steps.popleft()
                if not job.future.done():
                    late = job, what
            if self._steps:
                self._look_in(max(0.0, self._steps[0][0] - now))
        if late is not None:
            self._announce(*late)
