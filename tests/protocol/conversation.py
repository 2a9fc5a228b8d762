"""A conversation with the real session, in the form in which it is recorded.

Every request is answered before the next one is asked, and the board comes to rest in between. Of the events that a
step causes the last of each kind is kept, a map as a whole, as for a view that opens then: views draw the newest only.
"""

from __future__ import annotations

import base64
import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import circuitboard as cb
from circuitboard.engine.clock import Clock
from circuitboard.session.publisher import Publisher
from circuitboard.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

Message = dict[str, Any]
"""`content` without id and number, and `buffers` in base64."""

PATIENCE_S, LOOK_S = 120, 0.002
MEASURED = {"latency_ms": 6.2, "elapsed_ms": 62.0, "version": "0.1.0"}
"""What is another in every run or release, and what is written in its place."""

HOME = "/home/me"
"""Where the board is saved, as far as the recordings say."""

LONGEST = 1500
"""Characters of an exported text that are kept."""


class Unhurried(Clock):
    """So much time passes between two looks at it that the pace of events never makes one wait."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        self._now += 1
        return self._now


class Conversation:
    """One board, and a view of it that asks."""

    def __init__(self, make: Callable[[], cb.Board]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._board = make()
        self._sent: list[Message] = []
        self._session = Session(self._board.desk, self._heard)
        self._session._publisher = Publisher(self._heard, Unhurried())
        # What a file may be in the way of.
        Path(self._folder.name, "old.board.json").touch()
        self.hello: list[Message] = self.ask({"kind": "hello"})

    def ask(self, request: Message) -> list[Message]:
        """What the session says to a request until it rests: the state, the answer, the map."""
        said = self._until_rest(request)
        if any(_kind(message) == "map" for message in said):
            # A view that opens gets the map as a whole.
            maps = [one for one in self._until_rest({"kind": "hello"}) if _kind(one) == "map"]
            said = [*(one for one in said if _kind(one) != "map"), maps[-1]]
        states = [one for one in said if _kind(one) == "snapshot"]
        others = [one for one in said if _kind(one) not in ("snapshot", "busy")]
        for older in states[:-1]:
            states[-1]["content"]["setup"] = states[-1]["content"]["setup"] or older["content"]["setup"]
        return [*states[-1:], *others]

    def close(self) -> None:
        self._session.close()
        self._board.close()
        self._folder.cleanup()

    def _heard(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self._sent.append(_message(content, buffers, self._folder.name))

    def _until_rest(self, request: Message) -> list[Message]:
        self._sent.clear()
        with contextlib.chdir(self._folder.name):
            self._session.receive({**request, "id": "asked"})
            deadline = time.monotonic() + PATIENCE_S
            while not self._rests():
                assert time.monotonic() < deadline, f"the board never came to rest after {request}"
                time.sleep(LOOK_S)
        return list(self._sent)

    def _rests(self) -> bool:
        worker, session = self._board.desk.worker, self._session
        with worker._lock:
            busy = worker._jobs or worker._background or worker._running
        return not (busy or session._owed or session._publisher._waiting)


def _kind(message: Message) -> str:
    return message["content"]["kind"]


def _message(content: dict[str, Any], buffers: list[bytes], folder: str) -> Message:
    kept = _normal({name: value for name, value in content.items() if name not in ("id", "seq")}, folder)
    return {"content": kept, "buffers": [base64.b64encode(buffer).decode() for buffer in buffers]}


def _normal(value: Any, folder: str) -> Any:
    if isinstance(value, str):
        return value.replace(folder, HOME)
    if isinstance(value, list):
        return [_normal(one, folder) for one in value]
    if isinstance(value, dict):
        found = {name: MEASURED.get(name) or _normal(one, folder) for name, one in value.items()}
        if found.get("kind") == "exported":
            found["text"] = found["text"][:LONGEST]
        if found.get("kind") == "saved":
            found["size"] = 2048
        return found
    return value
