"""A view as the tests see it: it writes down everything that a session sends, and checks each message on the way."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from circuitboard.protocol import messages as m
from circuitboard.session.session import Session

PATIENCE_S = 300


def real(x: m.Real) -> float:
    """The number that a `Real` stands for."""
    return x.value if x.special is None else float(x.special)


@dataclass(frozen=True)
class Arrived:
    """A message, its buffers, and whether it had to wait for the pace of events."""

    message: Any
    buffers: list[bytes]
    waited: bool


class View:
    """Opens a session on a board and talks to it.

    `send` decodes what it gets against the protocol, so that a message of the wrong shape fails the test.
    """

    def __init__(self, board) -> None:
        self._arrived: list[Arrived] = []
        self._changed = threading.Condition()
        self._ids = itertools.count()
        self.asked: list[str] = []
        self.board = board
        self.session = Session(board.desk, self._send)

    def _send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        message = msgspec.convert(content, type=m.AnyAnswer | m.AnyEvent)
        with self._changed:
            waited = isinstance(threading.current_thread(), threading.Timer)
            self._arrived.append(Arrived(message, buffers, waited))
            self._changed.notify_all()

    # --- asking -------------------------------------------------------------------------------------

    def tell(self, kind: str, **fields: Any) -> str:
        """Send a request without waiting; the value is its id."""
        request = f"r{next(self._ids)}"
        self.asked.append(request)
        self.session.receive({"kind": kind, "id": request, **fields})
        return request

    def ask(self, kind: str, **fields: Any) -> Any:
        """Send a request and wait for its answer."""
        return self.answer(self.tell(kind, **fields))

    def answer(self, request: str) -> Any:
        """Wait for the answer to a request."""
        return self.wait(lambda: next(iter(self.answers(request)), None))

    def hello(self) -> m.Welcome:
        return self.ask("hello")

    # --- looking ------------------------------------------------------------------------------------

    @property
    def arrived(self) -> list[Arrived]:
        return list(self._arrived)

    def answers(self, request: str) -> list[Any]:
        return [a.message for a in self._arrived if isinstance(a.message, m.Answer) and a.message.id == request]

    @property
    def events(self) -> list[Arrived]:
        return [a for a in self._arrived if isinstance(a.message, m.Event)]

    @property
    def snapshots(self) -> list[m.Snapshot]:
        """All that were sent, oldest first."""
        found = []
        for arrived in self.arrived:
            if isinstance(arrived.message, m.SnapshotEvent | m.Welcome):
                found.append(arrived.message.snapshot)
        return found

    @property
    def maps(self) -> list[tuple[m.MapEvent, np.ndarray, np.ndarray]]:
        """All that were sent, with effect and known as arrays of the map's shape."""
        return [(event, arrays["effect"], arrays["known"]) for event, arrays in self.map_arrays]

    @property
    def map_arrays(self) -> list[tuple[m.MapEvent, dict[str, np.ndarray]]]:
        """All maps that were sent, each with every cell: what an event does not tell is as it was."""
        found: list[tuple[m.MapEvent, dict[str, np.ndarray]]] = []
        for arrived in self.arrived:
            if isinstance(arrived.message, m.MapEvent):
                last = found[-1] if found else None
                found.append((arrived.message, _all_cells(arrived.message, arrived.buffers, last)))
        return found

    def wait(self, found, timeout: float = PATIENCE_S) -> Any:
        """Wait until `found()` is something, and return it."""
        with self._changed:
            assert self._changed.wait_for(found, timeout), f"waited in vain; last: {self._arrived[-3:]}"
            return found()

    def snapshot(self, revision: int) -> m.Snapshot:
        """Wait for a snapshot of at least this revision; the newest one."""
        return self.wait(
            lambda: self.snapshots[-1] if self.snapshots and self.snapshots[-1].revision >= revision else None
        )

    def buffers(self, request: str) -> list[bytes]:
        """What came with the answer to a request."""
        return next(a.buffers for a in self.arrived if getattr(a.message, "id", None) == request)

    def map(self, revision: int, status: str = "done", over: str = "head") -> tuple[m.MapEvent, np.ndarray, np.ndarray]:
        """Wait until the newest map is of this revision and in this status."""

        def newest():
            if not self.maps:
                return None
            event = self.maps[-1][0]
            return self.maps[-1] if (event.revision, event.status, event.over) == (revision, status, over) else None

        return self.wait(newest)


_DTYPES = {"cells": "<u4", "effect": "<f4", "known": "u1", "stderr": "<f4", "index": "<i4"}
_UNKNOWN = {"stderr": np.nan, "index": -1}


def _all_cells(
    event: m.MapEvent, buffers: list[bytes], last: tuple[m.MapEvent, dict[str, np.ndarray]] | None
) -> dict[str, np.ndarray]:
    assert len(event.buffers) == len(buffers)
    sent = {name: np.frombuffer(buffer, _DTYPES[name]) for name, buffer in zip(event.buffers, buffers, strict=True)}
    cells = sent.pop("cells", None)
    if cells is None:
        assert event.since is None
        return {name: array.reshape(event.shape) for name, array in sent.items()}
    whole = {name: np.full(event.total, _UNKNOWN.get(name, 0), _DTYPES[name]) for name in sent}
    if event.since is not None:
        assert last is not None
        assert (last[0].seq, last[0].map_id) == (event.since, event.map_id)
        whole = {name: last[1][name].flatten() for name in sent}
    for name, array in sent.items():
        whole[name][cells] = array
    return {name: array.reshape(event.shape) for name, array in whole.items()}
