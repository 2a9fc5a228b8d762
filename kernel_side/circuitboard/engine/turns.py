"""Taking turns with the user's cell while the worker computes.

A thread that wants Python's interpreter waits up to 5 ms until a busy one hands it over, and a forward pass needs
it again after each of hundreds of tensor operations: beside a cell that is a loop in pure Python a click would take
a second. So turns are shorter while a worker computes, and as they were when it rests.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TURN_S = 0.0005

_lock = threading.Lock()
_before: list[float] = []
"""How long a turn was before each computation that goes on now."""


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads take short turns until the end of the block; blocks of several threads may overlap."""
    with _lock:
        _before.append(sys.getswitchinterval() if not _before else _before[0])
        sys.setswitchinterval(min(TURN_S, _before[0]))
    try:
        yield
    finally:
        with _lock:
            turn = _before.pop()
            if not _before:
                sys.setswitchinterval(turn)


def _forget() -> None:
    """In a forked process nothing computes, and nobody is left to release the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    if _before:
        sys.setswitchinterval(_before[0])
    _before.clear()


os.register_at_fork(after_in_child=_forget)
