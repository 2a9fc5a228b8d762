"""Sending events to all views, newest only, at most so many a second.

A Jupyter server drops a comm's messages above about a thousand a second, the last one included, so
events that a newer one would replace are never sent.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

from circuitboard.engine.clock import CLOCK, Clock
from circuitboard.errors import ProtocolError
from circuitboard.protocol.codec import encode
from circuitboard.protocol.messages import AnyAnswer, AnyEvent

UPDATES_PER_SECOND = 30
"""Events in any one second, at most."""

BURST = 6
"""Events that may go out at once after a quiet moment."""

_ROUNDING = 1e-9
"""Of an allowance: what time has given is a sum of small numbers, and waiting for its last bit would have no end."""

KEPT_FOR_URGENT = 3
"""Of these, how many only urgent events may use: a click's numbers never wait behind a map that fills in."""

FEWEST = BURST + 2
"""A lower rate than this leaves nothing between bursts."""

Slot = Literal["snapshot", "busy", "map"]
"""Of each, only the newest is sent."""

Send = Callable[[dict[str, Any], list[bytes]], None]
Make = Callable[[int], tuple[AnyEvent, list[bytes]]]
"""Makes the event for a sequence number, with its buffers, when it is about to be sent."""

_log = logging.getLogger(__name__)


class Publisher:
    """Numbers events, keeps the newest of each slot, and paces them.

    An allowance of `BURST` events fills up again at a steady rate. Whoever publishes while there is some left
    sends at once, on its own thread; else a timer sends what waits.
    """

    def __init__(self, send: Send, clock: Clock = CLOCK) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.RLock()
        self._waiting: dict[Slot, tuple[Make, bool]] = {}
        self._take_back: Callable[[], None] | None = None
        self._rate = UPDATES_PER_SECOND - BURST
        self._allowance = float(BURST)
        self._counted_at = clock.now()
        self._seq = 0
        self._closed = False

    @property
    def seq(self) -> int:
        """The number of the last event sent."""
        return self._seq

    def pace(self, per_second: int) -> None:
        """Send this many events in any one second at most.

        Raises
        ------
        ProtocolError
            `bad_rate` if it is none from `FEWEST` to `UPDATES_PER_SECOND`.
        """
        if isinstance(per_second, bool) or not FEWEST <= per_second <= UPDATES_PER_SECOND:
            raise ProtocolError(
                f"The panel takes from {FEWEST} to {UPDATES_PER_SECOND} updates a second, not {per_second!r:.40}.",
                code="bad_rate",
            )
        with self._lock:
            self._rate = per_second - BURST

    def answer(self, make: Callable[[int], AnyAnswer], buffers: Sequence[bytes] = ()) -> None:
        """Send an answer at once; `make` gets the number of the last event, and no event is sent meanwhile."""
        with self._lock:
            self._send(encode(make(self._seq)), list(buffers))

    def publish(self, slot: Slot, make: Make, *, urgent: bool) -> None:
        """Send an event soon; a newer one of the same slot takes its place."""
        with self._lock:
            if not self._closed:
                was_urgent = slot in self._waiting and self._waiting[slot][1]
                self._waiting[slot] = make, urgent or was_urgent
                self._flush()

    def close(self) -> None:
        """Send no event any more; answers still go out."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._stop_timer()

    def _flush(self) -> None:
        with self._lock:
            self._stop_timer()
            now = self._clock.now()
            self._allowance = min(BURST, self._allowance + (now - self._counted_at) * self._rate)
            self._counted_at = now
            for slot in sorted(self._waiting, key=lambda slot: not self._waiting[slot][1]):
                if self._allowance + _ROUNDING >= self._needed(slot):
                    self._allowance -= 1
                    self._send_event(self._waiting.pop(slot)[0])
            if self._waiting:
                missing = min(map(self._needed, self._waiting)) - self._allowance
                self._take_back = self._clock.call(missing / self._rate, self._flush)

    def _needed(self, slot: Slot) -> int:
        return 1 if self._waiting[slot][1] else 1 + KEPT_FOR_URGENT

    def _send_event(self, make: Make) -> None:
        # Events are published in the middle of other work, which goes on even if nobody can be told of it.
        try:
            event, buffers = make(self._seq + 1)
            self._seq += 1
            self._send(encode(event), buffers)
        except Exception:  # noqa: BLE001
            _log.exception("An event could not be sent to the views of a board.")

    def _stop_timer(self) -> None:
        if self._take_back is not None:
            self._take_back()
            self._take_back = None
