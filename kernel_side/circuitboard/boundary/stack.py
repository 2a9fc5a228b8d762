"""Whose code runs on this thread, read off the stack."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_ours: set[CodeType] = set()


class Handed(NamedTuple):
    """A user's function that runs now, and what it is to us: "the metric 'mine'"."""

    what: str
    function: Callable[..., Any]


def inside(function: F) -> F:
    """Mark a function of ours within which errors are not yet at the boundary: someone further out makes them typed."""
    _ours.add(function.__code__)
    return function


def hand_over(what: str, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ARG001  `what` is read off the stack
    """Call a user's function. Meanwhile this thread runs their code, and must not wait for ours."""
    return function(*args)


def tell(function: Callable[..., Any], *args: Any) -> Any:
    """Call a user's function that only hears of something: nobody waits for it, so it may begin work of ours."""
    return function(*args)


def handed_over() -> list[Handed]:
    """The users' functions that this thread was handed over to, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  the stack has no public name that is as quick
    found = []
    while frame is not None:
        if frame.f_code is hand_over.__code__:
            found.append(Handed(frame.f_locals["what"], frame.f_locals["function"]))
        frame = frame.f_back
    return found


_theirs = {hand_over.__code__, tell.__code__}


def enclosed(frame: FrameType | None) -> bool:
    """Whether a frame was called by code of ours that is itself within the boundary, with no user's function between."""
    while frame is not None:
        if frame.f_code in _ours:
            return True
        if frame.f_code in _theirs:
            return False
        frame = frame.f_back
    return False
