"""An error as a notebook shows it: the lines that the user wrote, and the message.

What lies between their line and ours is of use to few, and pushes the sentence out of sight. IPython asks an error for
its traceback (`_render_traceback_`); the one given here leaves out the frames of installed packages, ours included, and
says how to see them all: `cb.full_tracebacks = True`. Outside of IPython, Python's own traceback is shown.
"""

from __future__ import annotations

import copy
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

_HERE = str(Path(__file__).parent)
_INSTALLED = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_PARTS = ("site-packages", "dist-packages")

_MOST_CAUSES = 3
_MOST_CHARACTERS = 300

SWITCH = "cb.full_tracebacks = True"
"""What a user types to see every frame."""


def rendered(error: BaseException) -> list[str]:
    """The traceback of an error that is being shown, in pieces as IPython takes them."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        import traceback

        return traceback.format_exception(error)
    show = shell.InteractiveTB.structured_traceback
    if getattr(sys.modules.get(__package__), "full_tracebacks", False):
        return list(show(type(error), error, error.__traceback__))
    lines: list[str] = []
    for cause in reversed(list(_causes(error))):
        said = users(cause.__traceback__) is None and str(cause).partition(" ")[2] in str(error)
        lines += [] if said else [*_shown(show, cause), ""]
    lines += _shown(show, error)
    return [*lines, f"({SWITCH} shows every line that was run.)"]


def _shown(show: Any, error: BaseException) -> list[str]:
    own = users(error.__traceback__)
    if own is None:
        words = str(error)
        words = f"{words[:_MOST_CHARACTERS]}…" if len(words) > _MOST_CHARACTERS else words
        return [f"{type(error).__name__}: {words}"]
    return list(show(type(error), _alone(error), own, tb_offset=0))


def users(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that lies in code which is no installed package; None if there is none."""
    frames = []
    while trace is not None:
        if _is_users(trace.tb_frame.f_code.co_filename):
            frames.append(trace)
        trace = trace.tb_next
    found: TracebackType | None = None
    for frame in reversed(frames):
        found = TracebackType(found, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return found


def _is_users(file: str) -> bool:
    if file.startswith(_HERE) or any(part in file for part in _PARTS):
        return False
    # IPython names cells "/tmp/ipykernel_…" or "<ipython-input-…>".
    return "ipython-input" in file or not file.startswith(("<", *_INSTALLED))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What an error came from, the nearest first; of many, the first few."""
    for _ in range(_MOST_CAUSES):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        yield cause
        error = cause


def _alone(error: BaseException) -> BaseException:
    """The error for IPython to show without what it came from."""
    try:
        return copy.copy(error)
    except Exception:  # noqa: BLE001  a foreign class may refuse; it is shown with all it came from
        return error
