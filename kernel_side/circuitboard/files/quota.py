"""Which kept boards may go: those of processes that are gone, the oldest first, each notebook by itself."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from circuitboard.files.kept_name import SUFFIX, KeptName

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

FILES = 20
"""Files kept of each notebook's processes that are gone."""

DROPPED = 100
"""Files kept of this process's boards that are closed or not referred to any more."""

ALL = 500
"""Files kept of processes that are gone, of all notebooks together."""

UNKNOWN_S = 7 * 86_400.0
"""How long a file of another machine, whose processes cannot be seen from here, counts as somebody's."""

_STALE_S = 3600.0
"""Half-written files of processes that were killed go after an hour."""


def files(where: Path) -> list[Path]:
    """The kept boards."""
    return [path for path in where.glob(f"*{SUFFIX}") if path.is_file() and not path.is_symlink()]


def age(path: Path) -> float:
    """When a file was written; 0 if another kernel took it away in this moment."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def prune(where: Path, open_here: Container[Path]) -> None:
    """Keep the newest files, and no halves of killed processes.

    No file of a process that lives goes, but for this one's boards that nobody has any more.
    """
    now = time.time()
    gone: defaultdict[str, list[Path]] = defaultdict(list)
    dropped: list[Path] = []
    for path in sorted(files(where), key=age, reverse=True):
        name = KeptName.of(path.name)
        if name.ours:
            if path not in open_here:
                dropped.append(path)
        elif not name.lives(now - age(path), UNKNOWN_S):
            gone[name.notebook].append(path)
    left = sorted((path for paths in gone.values() for path in paths[:FILES]), key=age, reverse=True)
    _remove([path for paths in gone.values() for path in paths[FILES:]])
    _remove(dropped[DROPPED:])
    _remove(left[ALL:])
    _remove([path for path in where.glob(f".*{SUFFIX}.*") if now - age(path) > _STALE_S])


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):  # what cannot go stays; nothing depends on it
            path.unlink(missing_ok=True)
