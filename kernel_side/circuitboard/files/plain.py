"""Text from outside in messages: no control characters, no halves of characters, not too long."""

from __future__ import annotations

import os
from pathlib import Path

from circuitboard.errors import SessionFileError

LONGEST_PATH = 200
"""Characters of a path in a message."""


def plain(text: str, *, lines: bool = False) -> str:
    """Text in which whatever a terminal might obey, or could not print, is written out; `lines` keeps line ends and tabs."""
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode("ascii") for c in text)


def path_of(given: object) -> Path:
    """The path that a user gives.

    Raises
    ------
    SessionFileError
        `bad_path` for what is none.
    """
    if isinstance(given, (str, os.PathLike)) and isinstance(found := os.fspath(given), str) and found:
        return Path(found)
    raise SessionFileError(
        f"A file is named by a text or a Path, as in board.save('ioi.board.json'), not by {plain(repr(given)):.80}.",
        code="bad_path",
    )


def why(error: Exception) -> str:
    """What an error of the system says, without the path, which may be long."""
    found = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return plain(found)[:300]


def shown_path(path: Path) -> str:
    """A path as a message says it; the middle of a long one is left out."""
    found = plain(str(path))
    half = LONGEST_PATH // 2
    return found if len(found) <= LONGEST_PATH else f"{found[:half]}…{found[-half:]}"
