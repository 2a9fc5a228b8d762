"""One thing read at a time: the newest that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.errors import EngineError
from circuitboard.protocol import messages as m
from circuitboard.session.desk_ref import DeskRef

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk
    from circuitboard.engine import CancelToken, Job
    from circuitboard.session.reply import Reply

    Found = tuple[m.AnyAnswer, list[bytes]]
    Reading = Callable[[str, CancelToken], Generator[None, None, Found]]
    """Reads what the board has then, for the request of this id."""


@dataclass(frozen=True, eq=False)
class _Pending:
    read: Reading
    reply: Reply


class Reader:
    """Reads in the background, before maps and behind steps.

    Parameters
    ----------
    desk
        Whose worker computes.
    """

    def __init__(self, desk: Desk) -> None:
        self._here = DeskRef(desk)
        self._lock = threading.RLock()
        self._pending: _Pending | None = None
        self._job: Job[Found] | None = None

    @property
    def _desk(self) -> Desk:
        """The board's desk; refused once it is gone."""
        return self._here()

    def ask(self, read: Reading, reply: Reply) -> None:
        """Read this; what was asked for before and is not read yet is answered as superseded."""
        with self._lock:
            older, self._pending = self._pending, _Pending(read, reply)
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
                job = self._job = self._desk.run_in_background(
                    lambda cancel: pending.read(pending.reply.request, cancel)
                )
            except EngineError as error:
                self._pending = None
                pending.reply.fail(error)
                return
        job.future.add_done_callback(lambda _done: self._ended(job, pending))

    def _ended(self, job: Job[Found], pending: _Pending) -> None:
        with self._lock:
            if job is not self._job:
                return
            self._job = None
            error = job.future.exception()
            if error is not None and job.cancel.superseded:
                # A step came in the middle of it: read what there is now.
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
