"""Who may wait for a worker: every thread but those that the worker itself waits for, in the process that it lives in."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.thread import _WorkItem
from queue import Empty, SimpleQueue
from types import FrameType

from circuitboard.boundary import handed_over
from circuitboard.errors import EngineError

_INSTEAD = (
    "Start the work and go on: board.sweep_async(…), board.desk.run_in_background(work) for maps, "
    "board.desk.step(move) for edits. Wait for it, or read it, outside."
)

_LOOK_S = 0.1
"""How often a thread that waits makes sure that it is not what the worker itself waits for by now."""

_lock = threading.Lock()
_waiting: dict[threading.Thread, Home] = {}
"""Which worker each worker's thread waits for now: boards may wait for others, but not in a circle."""


class Home:
    """The thread and the process that a worker lives in."""

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self._process = os.getpid()

    def require_own(self) -> None:
        """Refuse what a function begins that the board itself is waiting for, and a forked process.

        Raises
        ------
        EngineError
            `called_from_worker`, `called_from_fork`.
        """
        self.require_process()
        if handed := handed_over():
            raise EngineError(
                f"The board is waiting for {handed[0].what}, which called it back, so both would wait for ever. "
                f"Use only what the function is given. {_INSTEAD}",
                code="called_from_worker",
            )

    @property
    def here(self) -> bool:
        """Whether this is the process; in one that was forked from it, the thread does not exist."""
        return os.getpid() == self._process

    def require_process(self) -> None:
        """Refuse a forked process.

        Raises
        ------
        EngineError
            `called_from_fork`.
        """
        if not self.here:
            raise EngineError(
                f"This board lives in process {self._process}, and this is {os.getpid()}, forked from it: its thread was not copied, so a call would never end. "
                "Make a new board in this process, or use the board in its own and send the numbers here.",
                code="called_from_fork",
            )

    def require_waitable(self) -> None:
        """Refuse whoever would wait for ever.

        Raises
        ------
        EngineError
            `called_from_worker` on the worker's thread, on another that it waits for, and within a function that the
            board calls; `called_from_fork`.
        """
        self.require_own()
        if self._leads_to(threading.current_thread()):
            raise EngineError(
                f"This is the thread that computes for the board, or one that it waits for, so waiting for a result here would never end; listeners and metrics run on it, and work in the background. {_INSTEAD}",
                code="called_from_worker",
            )

    def _leads_to(self, thread: threading.Thread) -> bool:
        home: Home | None = self
        while home is not None:
            if home.thread is thread:
                return True
            # Nobody waits for the main thread to end, and it is the one that has no time to look.
            if home.thread is not None and thread is not threading.main_thread() and thread in _awaited(home.thread):
                return True
            home = None if home.thread is None else _waiting.get(home.thread)
        return False

    def hear(self, bell: SimpleQueue[None], timeout: float | None) -> None:
        """Wait for a bell that the worker rings.

        Raises
        ------
        EngineError
            `called_from_worker` if the worker comes to wait for this thread meanwhile.
        Empty
            After `timeout` seconds.
        """
        if threading.current_thread() is threading.main_thread():
            bell.get(timeout=timeout)
            return
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LOOK_S if until is None else min(_LOOK_S, max(0.0, until - time.monotonic()))
            try:
                bell.get(timeout=left)
            except Empty:
                if until is not None and time.monotonic() >= until:
                    raise
                self.require_waitable()
            else:
                return

    def begin_wait(self) -> None:
        """Have this thread wait for the worker from now on.

        Raises
        ------
        EngineError
            As `require_waitable`.
        """
        thread = threading.current_thread()
        with _lock:
            self.require_waitable()
            _waiting[thread] = self

    def end_wait(self) -> None:
        """Have it wait no longer."""
        _waiting.pop(threading.current_thread(), None)


def _awaited(thread: threading.Thread) -> set[threading.Thread]:
    """The threads that one waits for at this moment: it joins them, or they work on a future of a pool's that it needs.

    A metric or a listener may have started them, and they may have called the board in turn.
    """
    stacks = sys._current_frames()  # noqa: SLF001  nothing else tells what another thread does
    works = {}
    for other in threading.enumerate():
        for frame in _frames(stacks.get(other.ident or 0)):
            if frame.f_code is _WorkItem.run.__code__:
                works[getattr(frame.f_locals.get("self"), "future", None)] = other
    found: set[threading.Thread] = set()
    todo = [thread]
    while todo:
        for frame in _frames(stacks.get(todo.pop().ident or 0)):
            if frame.f_code is threading.Thread.join.__code__:
                needed = frame.f_locals.get("self")
            elif frame.f_code is Future.result.__code__:
                needed = works.get(frame.f_locals.get("self"))
            else:
                continue
            if isinstance(needed, threading.Thread) and needed not in found:
                found.add(needed)
                todo.append(needed)
    return found


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _forget() -> None:
    """In a forked process nobody waits, and nobody is left to release the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _waiting.clear()


os.register_at_fork(after_in_child=_forget)
