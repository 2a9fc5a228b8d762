"""A clock that stands still until a test moves it, so that a busy machine changes no outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable

from circuitboard.engine.clock import Clock

_LOOK_S = 0.005


class StandingClock(Clock):
    """Given to a part in place of the machine's time."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self._now

    def wait(self, changed: threading.Condition, seconds: float) -> None:
        changed.wait(_LOOK_S)  # whoever waits looks at the clock again, so that no move of it is missed

    def call(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        entry = (self._now + seconds, work)
        self._due.append(entry)
        return lambda: self._due.remove(entry) if entry in self._due else None

    def advance(self, seconds: float) -> None:
        """Let time pass: what is due is done in order, and whoever waits will see it."""
        end = self._now + seconds
        while due := sorted((entry for entry in self._due if entry[0] <= end), key=lambda entry: entry[0]):
            self._now, work = due[0]
            self._due.remove(due[0])
            work()
        self._now = end
