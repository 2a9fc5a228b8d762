"""Text as people hold it: numpy's strings and the members of an enumeration are read as the text that they are.

Each of them is a `str` and passes every check for one, but is written into code, files and messages as something else.
So whatever public call they come in by, they become Python's own, in lists and dicts too.
"""

from __future__ import annotations

from typing import Any

_DEEPEST = 3
"""How deep lists may be nested that hold text: alternatives of an answer in a list of answers."""


def own_text(given: Any, deepest: int = _DEEPEST) -> Any:
    """Text as Python's own; lists, tuples, sets and dicts of it too; whatever holds none, as it is."""
    kind = type(given)
    if kind is str:
        return given
    if isinstance(given, str):
        return str.__str__(given)
    if not deepest or kind not in (list, tuple, set, frozenset, dict):
        return given
    if kind is dict:
        found = {own_text(key, 0): own_text(value, deepest - 1) for key, value in given.items()}
        same = all(a is b and given[b] is found[a] for a, b in zip(found, given, strict=True))
        return given if same else found
    entries = [own_text(entry, deepest - 1) for entry in given]
    return given if all(map(_is, entries, given)) else kind(entries)


def _is(one: object, other: object) -> bool:
    return one is other
