"""Cooperative cancelling: whoever computes asks once a layer whether it should go on."""

from __future__ import annotations

import threading

from circuitboard.errors import Cancelled


class CancelToken:
    """Set from any thread, checked by the worker once a layer."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._lock = threading.Lock()
        self.superseded = False

    def cancel(self, reason: str = "it was stopped") -> None:
        """Ask the computation to stop; the first reason is kept."""
        with self._lock:
            if self._reason is None:
                self._reason = reason

    def supersede(self) -> None:
        """Stop because something newer came, which carries this work's state on."""
        with self._lock:
            if self._reason is None:
                self.superseded = True
                self._reason = "something newer came"

    @property
    def cancelled(self) -> bool:
        return self._reason is not None

    def check(self) -> None:
        """Go on, or raise `Cancelled`."""
        if self._reason is not None:
            raise Cancelled(f"The computation ended early: {self._reason}.")
