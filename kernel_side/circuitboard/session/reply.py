"""The one answer that a request gets, whoever gives it first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from circuitboard.errors import Cancelled
from circuitboard.protocol.codec import error_info
from circuitboard.protocol.messages import AnyAnswer, Failed, Superseded
from circuitboard.session.publisher import Publisher

if TYPE_CHECKING:
    from circuitboard.engine import Job


class Reply:
    """An answer still owed.

    Parameters
    ----------
    request
        The id of the request.
    publisher
        Sends the answer.
    settled
        Called once it is sent.
    """

    def __init__(self, request: str, publisher: Publisher, settled: Callable[[Reply], None]) -> None:
        self.request = request
        self._publisher = publisher
        self._settled = settled
        self._given = False
        self._lock = threading.RLock()

    def give(self, make: Callable[[int], AnyAnswer], buffers: Sequence[bytes] = ()) -> None:
        """Answer, unless that was done already; `make` gets the number of the last event.

        What `make` raises is raised here, and the answer is still owed.
        """
        with self._lock:
            if self._given:
                return
            self._publisher.answer(make, buffers)
            self._given = True
        self._settled(self)

    def fail(self, error: BaseException) -> None:
        """Answer that the request was refused or failed."""
        info = error_info(error)
        self.give(lambda _seq: Failed(self.request, info))


def when_done(job: Job[Any], reply: Reply, answer: Callable[[Any], None]) -> None:
    """Answer when a job ends, with `answer` of its result if it has one."""

    def done(_future: object) -> None:
        error = job.future.exception()
        if error is None:
            try:
                answer(job.future.result())
            except Exception as failure:  # noqa: BLE001  it is told to the view that asked
                reply.fail(failure)
        elif isinstance(error, Cancelled) and job.cancel.superseded:
            reply.give(lambda _seq: Superseded(reply.request))
        else:
            reply.fail(error)

    job.future.add_done_callback(done)
