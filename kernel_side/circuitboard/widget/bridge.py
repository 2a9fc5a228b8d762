"""The panel without a comm: a host that may only run code in the kernel, and read what that displays.

VS Code lets an extension do that and no more. It runs one expression, `exchange(text)`, which carries the
view's requests and brings back the messages that it has not seen. They are the protocol's own: JSON
objects, with their buffers in base64. Nothing is left in the user's namespace or history.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import msgspec

from circuitboard.board.display import newest
from circuitboard.errors import ProtocolError
from circuitboard.files.autosave import file_of
from circuitboard.protocol.bridge import BRIDGE, Ask, Told
from circuitboard.widget.line import Line
from circuitboard.widget.widget import STATIC, widget_of

MOST_LINES = 16
"""Lines open at once; opening one more closes the one that was opened first."""

LONGEST_WAIT_S = 1.0
"""An exchange runs where cells run, so it never waits longer than this for a message."""

PROCESS = uuid.uuid4().hex
"""This kernel process. A restarted kernel has another one, and none of its lines."""


_lines: dict[str, Line] = {}


def exchange(text: str) -> None:
    """Answer one `Ask`, given as JSON, by displaying one `Told`.

    Raises
    ------
    ProtocolError
        `bad_message` if the text is no such question.
    """
    from IPython.display import display

    told = msgspec.to_builtins(answer(text))
    display({BRIDGE: told, "text/plain": "circuitboard"}, raw=True)


def answer(text: str) -> Told:
    """The same, returned instead of displayed."""
    try:
        ask = msgspec.json.decode(text, type=Ask)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise ProtocolError(f"The host's question was not understood: {error}", code="bad_message") from error
    if ask.what == "attach":
        return _attach()
    if ask.what == "bundle":
        return Told(PROCESS, "bundle", script=_text("widget.js"), style=_text("widget.css"))
    if ask.what == "reload":
        return _reload(ask.saved)
    line = _lines.get(ask.line)
    mine = None if line is None else line.board
    if line is None or line.cut or mine is None or line.widget.session.closed:
        _drop(ask.line)
        return Told(PROCESS, "gone")
    if ask.what == "detach":
        _drop(ask.line)
        return Told(PROCESS, "gone")
    messages = line.exchange(ask.requests, ask.since, min(max(ask.wait_s, 0.0), LONGEST_WAIT_S))
    board = newest()
    current = board is None or widget_of(board) is line.widget
    kept = file_of(mine.desk)
    return Told(PROCESS, "open", ask.line, current, messages, saved="" if kept is None else kept.name)


def _attach() -> Told:
    board = newest()
    if board is None:
        return Told(PROCESS, "no_board")
    name = uuid.uuid4().hex
    line = _lines[name] = Line(board, widget_of(board))
    # Also where the host never asks again: a line must not outlive its board, whose numbers it would keep.
    line.widget.when_closed(lambda: _lines.pop(name, None))
    while len(_lines) > MOST_LINES:
        _drop(next(iter(_lines)))
    return Told(PROCESS, "open", name)


def _reload(saved: str) -> Told:
    from circuitboard.widget.reloading import offer_of

    found = offer_of(saved or None)
    return Told(PROCESS, "reload", possible=found.possible, words=found.words, code=found.code or "")


def _drop(name: str) -> None:
    line = _lines.pop(name, None)
    if line is not None:
        line.close()


def _text(name: str) -> str:
    path: Path = STATIC / name
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ProtocolError(
            f"The panel's {name} is missing from this installation; `circuitboard doctor` says how to mend it.",
            code="no_bundle",
        ) from error
