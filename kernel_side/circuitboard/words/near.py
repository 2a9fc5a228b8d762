"""What to say after a name that is not known: the line of the table, or the nearest name there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache

from circuitboard.words.table import FIELD, Meant

_LONGEST = 80


@lru_cache(maxsize=256)
def _lines(meant: Meant, given: str) -> tuple[tuple[str, str], ...]:
    """(line, note) of every entry that knows the word."""
    found = ((word, word.answer(given)) for word in FIELD if word.where == meant)
    return tuple(
        (line, word.note.format(*(_match.groups() if (_match := word.pattern.fullmatch(given)) else ())))
        for word, line in found
        if line is not None
    )


def nearest(given: object, names: Iterable[str]) -> str | None:
    """The name that is most like one that was given; None if none is."""
    if not isinstance(given, str) or not given or len(given) > _LONGEST:
        return None
    by_case = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(given.casefold(), by_case, 1)
    return by_case[close[0]] if close else None


def instead(meant: Meant, given: object, names: Iterable[str] = ()) -> str:
    """A sentence to put after a refusal, with a space in front; empty if there is nothing to say.

    Parameters
    ----------
    meant
        What was named.
    given
        The word.
    names
        The names that would have been taken. For an argument, those that the call has: only these are proposed.
    """
    if not isinstance(given, str) or not given or len(given) > _LONGEST:
        return ""
    known = tuple(names)
    for line, note in _lines(meant, given):
        if meant == "argument":
            if line in known:
                return f" Here it is called {line}=…."
            continue
        return f" Write {line}{f' ({note})' if note else ''}."
    close = nearest(given, known)
    if close is None:
        return ""
    return f" Did you mean {close}=…?" if meant == "argument" else f" Did you mean {close!r}?"
