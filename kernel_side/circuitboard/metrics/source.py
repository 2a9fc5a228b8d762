"""The Python text of a user's function, for people to read. Nothing here runs it."""

from __future__ import annotations

import functools
import inspect
import textwrap
from dataclasses import dataclass
from typing import Any

LONGEST = 20_000
"""Characters of a source text that are kept."""


@dataclass(frozen=True)
class SourceText:
    """A function as text.

    Parameters
    ----------
    name
        What it is called where it was defined.
    text
        Its Python, None where there is none to read.
    remark
        What the text does not say by itself: that it is a lambda's statement, which variables around it are used, why
        there is none. None if there is nothing to say.
    """

    name: str
    text: str | None
    remark: str | None = None


def source_of(function: Any) -> SourceText:
    """What is known of a function: a `def`, a lambda, a closure, a builtin, an object that can be called."""
    name = _name(function)
    if isinstance(function, functools.partial):
        inner = source_of(function.func)
        given = ", ".join(
            [*map(_short, function.args), *(f"{key}={_short(v)}" for key, v in function.keywords.items())]
        )
        return SourceText(
            name, inner.text, _joined(f"a functools.partial of it, with {given or 'nothing'}", inner.remark)
        )
    plain = inspect.unwrap(function) if inspect.isroutine(function) else function
    readable = plain if inspect.isroutine(plain) else type(plain)
    text = _text(readable)
    remarks = []
    if text is None:
        remarks.append(
            "a builtin or compiled function" if inspect.isbuiltin(plain) else "its Python text cannot be read"
        )
    elif name == "<lambda>":
        remarks.append("a lambda, in the statement where it stands")
    elif not inspect.isroutine(plain):
        remarks.append("an object of this class, called")
    elif inspect.ismethod(plain):
        remarks.append(f"a method of a {type(plain.__self__).__name__}")
    around = getattr(getattr(plain, "__code__", None), "co_freevars", ())
    if around:
        remarks.append(f"it uses {', '.join(around)} from around it")
    return SourceText(name, text, "; ".join(remarks) or None)


def _text(readable: Any) -> str | None:
    try:
        text = inspect.getsource(readable)
    except (OSError, TypeError, SyntaxError):  # no file, a builtin, a file that is another one now
        return None
    text = textwrap.dedent(text)
    return text.rstrip() if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _name(function: Any) -> str:
    found = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return found.rpartition("<locals>.")[2][:200] if isinstance(found, str) else type(function).__name__


def _short(value: Any) -> str:
    return repr(value)[:80]


def _joined(one: str, other: str | None) -> str:
    return one if other is None else f"{one}; {other}"
