"""Cooperative cancelling: whoever computes asks once a layer whether it should go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import TypeVar

from circuitboard.errors import Cancelled

T = TypeVar("T")


class CancelToken:
    """Set from any thread, checked by the worker once a layer.

    Parameters
    ----------
    patient
        Whether the work is only interrupted by something newer, and goes on after it: what was begun is begun again.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self.patient = patient
        self._reason: str | None = None
        self._lock = threading.Lock()
        self.superseded = False

    def cancel(self, reason: str = "it was stopped") -> None:
        """Ask the computation to stop; the first reason is kept, unless the work would have gone on after it."""
        with self._lock:
            if self._reason is None or self.interrupted:
                self._reason, self.superseded = reason, False

    def supersede(self) -> None:
        """Stop because something newer came, which carries this work's state on."""
        with self._lock:
            if self._reason is None:
                self.superseded = True
                self._reason = "something newer came"

    @property
    def interrupted(self) -> bool:
        """Whether something newer came, after which the work goes on."""
        return self.patient and self.superseded

    def go_on(self) -> None:
        """What came has had its turn."""
        with self._lock:
            if self.interrupted:
                self._reason, self.superseded = None, False

    @property
    def cancelled(self) -> bool:
        return self._reason is not None

    def check(self) -> None:
        """Go on, or raise `Cancelled`."""
        if self._reason is not None:
            raise Cancelled(f"The computation ended early: {self._reason}.")


InPieces = Callable[[CancelToken], Generator[None, None, T]]
"""Work that has been checked and is to be done in the background; it gives way between its pieces."""


def piece(work: Callable[[], T], cancel: CancelToken) -> Generator[None, None, T]:
    """Do a piece of work and give way; where something newer interrupts it, give way at once and begin the piece again.

    What was done before stays done, so that work in pieces comes to its end however often it gives way.

    Parameters
    ----------
    work
        Checks `cancel`, such as one forward pass. It is the same however often it is begun.
    """
    while True:
        try:
            result = work()
        except Cancelled:
            if not cancel.interrupted:
                raise
            yield
        else:
            yield
            return result
