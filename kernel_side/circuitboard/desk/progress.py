"""A progress bar in the cell that waits, for what takes longer than a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_DELAY_S = 1.0
"""What is over sooner needs no bar."""


@contextmanager
def progress_bar(
    what: str, total: int | None, done: Callable[[], int], unit: str = "cell"
) -> Iterator[Callable[[], None]]:
    """Give a function to be called every now and then, which draws how far the work is (tqdm's own look).

    Parameters
    ----------
    what
        The work in a few words.
    total
        How much there is to do; None if nobody knows.
    done
        How much is done.
    unit
        Of what.
    """
    start = time.monotonic()
    bars: list[Any] = []

    def tick() -> None:
        if not bars and time.monotonic() - start > _DELAY_S:
            bars.append(_bar(what, total, unit))
        for bar in bars:
            bar.n = done()
            bar.refresh()

    try:
        yield tick
    finally:
        for bar in bars:
            bar.n = done()
            bar.refresh()
            bar.close()


def _bar(what: str, total: int | None, unit: str) -> Any:
    from tqdm.auto import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        # The thread that wakes sleeping bars would outlive the board; these are drawn by whoever waits.
        monitor_interval = 0

    return Bar(total=total, desc=what, unit=unit, leave=False)
