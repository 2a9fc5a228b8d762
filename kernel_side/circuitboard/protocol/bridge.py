"""What a host without a comm, VS Code, asks by running one expression in the kernel, and what that displays."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

BRIDGE = "application/vnd.circuitboard.bridge+json"
"""The mime type of a `Told`."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a host asks.

    `attach` opens a line to the newest board, `exchange` uses line `line`, `detach` closes it, `bundle`
    asks for the panel's own JavaScript and style sheet, `reload` for the Python that loads the board kept in
    file `saved` again.
    """

    what: Literal["attach", "exchange", "detach", "bundle", "reload"]
    line: str = ""
    since: int = 0
    wait_s: float = 0.0
    requests: list[Any] = []
    saved: str = ""


class Sent(msgspec.Struct, frozen=True):
    """One message of the panel's protocol, numbered from 1 on this line; `buffers` are base64."""

    number: int
    content: dict[str, Any]
    buffers: list[str]


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a host is told; a field that is left out has its default.

    `state` is "open"; "no_board" if this kernel has none to attach to; "gone" if there is no such line, be it
    that the kernel was restarted, the board closed or the view away for too long. `newest` is false when a
    board was made or shown after this line's. `saved` names the file that this board is kept in, once it is.
    `possible`, `words` and `code` are those of an `Offer`.
    """

    process: str
    state: Literal["open", "no_board", "gone", "bundle", "reload"]
    line: str = ""
    newest: bool = True
    messages: list[Sent] = []
    script: str = ""
    style: str = ""
    saved: str = ""
    possible: bool = False
    words: str = ""
    code: str = ""
