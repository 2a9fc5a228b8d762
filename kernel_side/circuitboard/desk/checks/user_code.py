"""Whether code of the user's may have run: only that can put hooks on a model, or replace parts of it.

A click in a panel of an idle kernel comes with no code of the user's in between, and so with no need to look at the
whole model again. IPython tells of every cell and of every message that a widget gets; a panel's own messages are
taken out of the count. Without IPython nothing is known, and every call counts.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any

_shells: weakref.WeakSet[Any] = weakref.WeakSet()


class _Count:
    """How often something of the user's began or ended."""

    def __init__(self) -> None:
        self.value = 0
        self.in_cell = False
        self.thread = threading.get_ident()
        self._ours = False

    def cell_begins(self, *_info: object) -> None:
        self.in_cell = True
        self.thread = threading.get_ident()
        self.value += 1

    def cell_ends(self, *_info: object) -> None:
        self.in_cell = False
        self.value += 1

    def begins(self) -> None:
        self.value += 1
        self._ours = False

    def ends(self) -> None:
        if not self._ours:
            self.value += 1
        self._ours = False

    def panel(self) -> None:
        if not self._ours and not self.in_cell:
            self._ours = True
            self.value -= 1


_count = _Count()


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


def watch_cells() -> None:
    """Begin to count, where there is something to count."""
    shell = _shell()
    if shell is None or shell in _shells:
        return
    _shells.add(shell)
    # What runs now is a cell, as a rule: its end is told, its beginning was not.
    _count.in_cell, _count.thread = True, threading.main_thread().ident or 0
    shell.events.register("pre_execute", _count.begins)
    shell.events.register("post_execute", _count.ends)
    shell.events.register("pre_run_cell", _count.cell_begins)
    shell.events.register("post_run_cell", _count.cell_ends)


def came_from_a_panel() -> None:
    """Say that what runs now is a message of a panel of ours."""
    if _shell() is not None:
        _count.panel()


def stamp() -> int | None:
    """A number that stays the same as long as no code of the user's runs; None for that code itself, or where nobody tells."""
    return None if _shell() is None or _count.in_cell else _count.value


def runs() -> bool:
    """Whether a cell runs."""
    return _shell() is not None and _count.in_cell


def runs_elsewhere() -> bool:
    """Whether a cell runs on another thread: what it puts on a model for the time of one call is none of our business."""
    return runs() and threading.get_ident() != _count.thread
