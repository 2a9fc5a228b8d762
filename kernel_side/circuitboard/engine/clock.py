"""The time that a part waits by: the machine's, or in a test one that only passes when the test lets it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Clock:
    """The machine's time."""

    def now(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    def wait(self, changed: threading.Condition, seconds: float) -> None:
        """Wait until this condition, which the caller holds, is notified, or so long."""
        changed.wait(seconds)

    def call(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        """Do something after so long; calling what is returned takes that back."""
        timer = threading.Timer(seconds, work)
        timer.daemon = True
        timer.start()
        return timer.cancel


CLOCK = Clock()
"""What everything goes by that is not told otherwise."""
