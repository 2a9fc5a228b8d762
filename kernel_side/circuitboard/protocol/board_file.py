"""What a kernel tells Jupyter's server of each of its boards: one small JSON file, and where it lies.

The folder is beside the kernel's connection file, which only the user can read: the kernel knows it from its own
connection file, the server from its kernel manager, so that the two agree without a setting.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

MAX_BYTES = 16_384
"""A larger file was not written by a kernel of ours."""

MAX_BOARDS = 200
"""Boards of one kernel that are listed."""

LONGEST = 200
"""Characters of a name; the kernel cuts what is longer."""

_CONNECTION_FILE = re.compile(r"kernel-([\w-]{1,100})\.json")

Name = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class BoardSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One board, as the server lists it.

    `board` counts the boards of its kernel process from 1. `value` is the metric's mean over prompts, null where it is
    not a finite number. `cell` is the id of the notebook cell that made the board, null if that is not known.
    """

    board: Annotated[int, msgspec.Meta(ge=1)]
    model: Name
    prompts: Count
    base: Literal["clean", "corrupted"]
    edits: Count
    metric: Name
    unit: Name
    value: float | None
    engine: Name
    cell: Name | None


class BoardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `pid` and `started` (its creation time) tell whether the process that wrote it still lives."""

    format: Literal["circuitboard.live"]
    version: Literal[1]
    pid: Count
    started: float
    summary: BoardSummary


def folder_of(connections: Path, kernel: str) -> Path:
    """Where a kernel whose connection file lies in `connections` writes."""
    return connections / "circuitboard" / kernel


def kernel_of(connection_file: Path) -> str | None:
    """The id of the kernel with this connection file; None if the server does not name its kernels so."""
    found = _CONNECTION_FILE.fullmatch(connection_file.name)
    return None if found is None else found[1]
