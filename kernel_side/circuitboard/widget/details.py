"""One detail at a time: the newest that was asked for, of the state that is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.errors import EngineError
from circuitboard.protocol import messages as m
from circuitboard.widget.detail import Asked, read_detail

if TYPE_CHECKING:
    from circuitboard.board import Board, Shown
    from circuitboard.engine import CancelToken, Job
    from circuitboard.widget.reply import Reply

    Detail = tuple[m.Detailed, list[bytes]]


@dataclass(frozen=True, eq=False)
class _Pending:
    asked: Asked
    reply: Reply


class Details:
    """Reads details in the background, before maps and behind steps.

    Parameters
    ----------
    board
        Whose worker computes.
    known
        What is known already of a head's effect at each position of a state, if it is.
    """

    def __init__(self, board: Board, known: Callable[[Shown, Asked], m.PositionEffects | None]) -> None:
        self._board = board
        self._known = known
        self._lock = threading.RLock()
        self._pending: _Pending | None = None
        self._job: Job[Detail] | None = None

    def ask(self, asked: Asked, reply: Reply) -> None:
        """Read a detail; one that was asked for before and is not read yet is answered as superseded."""
        with self._lock:
            older, self._pending = self._pending, _Pending(asked, reply)
            self._start()
        if older is not None:
            older.reply.give(lambda _seq: m.Superseded(older.reply.request))

    def again(self) -> None:
        """Begin anew what is asked for: the state is another, or other work was put in front."""
        with self._lock:
            self._start()

    def close(self) -> None:
        """Read nothing any more; what is still asked for, the session answers."""
        with self._lock:
            self._pending = None
            self._start()

    def _start(self) -> None:
        with self._lock:
            pending = self._pending
            if self._job is not None:
                self._job.cancel.supersede()
                self._job = None
            if pending is None:
                return
            try:
                job = self._job = self._board.run_in_background(lambda cancel: self._read(pending, cancel))
            except EngineError as error:
                self._pending = None
                pending.reply.fail(error)
                return
        job.future.add_done_callback(lambda _done: self._ended(job, pending))

    def _read(self, pending: _Pending, cancel: CancelToken) -> Generator[None, None, Detail]:
        shown, asked = self._board.shown, pending.asked
        known = self._known(shown, asked)
        return (yield from read_detail(pending.reply.request, self._board, asked, shown, known, cancel))

    def _ended(self, job: Job[Detail], pending: _Pending) -> None:
        with self._lock:
            if job is not self._job:
                return
            self._job = None
            error = job.future.exception()
            if error is not None and job.cancel.superseded:
                # A step came in the middle of it: read the state that it leads to.
                self._start()
                return
            self._pending = None
        if error is not None:
            pending.reply.fail(error)
            return
        answer, buffers = job.future.result()
        try:
            pending.reply.give(lambda _seq: answer, buffers)
        except Exception as failure:  # noqa: BLE001  it is told to the view that asked
            pending.reply.fail(failure)
