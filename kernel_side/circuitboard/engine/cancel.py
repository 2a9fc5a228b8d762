"""Cooperative cancelling: whoever computes asks once a layer whether it should go on."""

from __future__ import annotations

import threading

from circuitboard.errors import Cancelled


class CancelToken:
    """Set from any thread, checked by the worker once a layer."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self.superseded = False
        self._set = threading.Event()

    def cancel(self, reason: str = "it was stopped") -> None:
        """Ask the computation to stop; the first reason is kept."""
        if not self._set.is_set():
            self._reason = reason
            self._set.set()

    def supersede(self) -> None:
        """Stop because something newer came, which carries this work's state on."""
        if not self._set.is_set():
            self.superseded = True
            self.cancel("something newer came")

    @property
    def cancelled(self) -> bool:
        return self._set.is_set()

    def check(self) -> None:
        """Go on, or raise `Cancelled`."""
        if self._set.is_set():
            raise Cancelled(f"The computation ended early: {self._reason}.")
