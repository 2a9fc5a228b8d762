"""Sending events to all views, newest only, at most so many a second.

A Jupyter server drops a comm's messages above about a thousand a second, the last one included, so
events that a newer one would replace are never sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from circuitboard.protocol.codec import encode
from circuitboard.protocol.messages import AnyAnswer, AnyEvent

UPDATES_PER_SECOND = 30

Send = Callable[[dict[str, Any], list[bytes]], None]
Make = Callable[[int], tuple[AnyEvent, list[bytes]]]
"""Makes the event for a sequence number, with its buffers, when it is about to be sent."""


class Publisher:
    """Numbers events, keeps the newest of each kind, and paces them."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.RLock()
        self._waiting: dict[str, Make] = {}
        self._timer: threading.Timer | None = None
        self._sent_at = 0.0
        self._seq = 0
        self._closed = False

    @property
    def seq(self) -> int:
        """The number of the last event sent."""
        return self._seq

    def answer(self, make: Callable[[int], AnyAnswer]) -> None:
        """Send an answer at once; `make` gets the number of the last event."""
        with self._lock:
            if not self._closed:
                self._send(encode(make(self._seq)), [])

    def publish(self, slot: str, make: Make) -> None:
        """Send an event soon; a newer one of the same slot takes its place."""
        with self._lock:
            if self._closed:
                return
            self._waiting[slot] = make
            if self._timer is not None:
                return
            wait = self._sent_at + 1 / UPDATES_PER_SECOND - time.monotonic()
            if wait <= 0:
                self._flush()
                return
            self._timer = threading.Timer(wait, self._flush)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Send nothing any more."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _flush(self) -> None:
        with self._lock:
            self._timer = None
            waiting, self._waiting = self._waiting, {}
            for make in waiting.values():
                if self._closed:
                    return
                event, buffers = make(self._seq + 1)
                self._seq += 1
                self._send(encode(event), buffers)
            self._sent_at = time.monotonic()
