"""Numbers and lists as people hold them: Python's own, numpy's, torch's and pandas's, all read here.

Every public argument that is a number or a list is read by one of these functions, so that what one of them takes all of
them take. They say None to what they cannot read; the caller knows what was asked for, and refuses it in its own words.
Nothing is imported: whatever turns itself into Python's own values by `tolist()` is an array.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard, TypeVar

from circuitboard.boundary import own_text
from circuitboard.errors import AddressError, InterventionError

N = TypeVar("N", bound=str)


def plain(given: object) -> Any:
    """An array as Python's own numbers, texts and lists of these; whatever is no array, as it is."""
    if type(given) in (int, float, bool, str) or isinstance(given, type):
        return given
    if isinstance(given, str):
        return own_text(given)
    if not hasattr(type(given), "tolist"):
        return given
    try:
        return own_text(given.tolist())  # type: ignore[attr-defined]
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return given  # such as a tensor without storage: nothing that a caller could use


def single(given: object) -> Any:
    """The one entry of an array that has one; whatever is no array, as it is. A list of one is a list."""
    if type(given) in (int, float, bool, str) or isinstance(given, type) or not hasattr(type(given), "shape"):
        return given
    shape = given.shape  # type: ignore[attr-defined]
    if not isinstance(shape, tuple):
        return given
    found = plain(given) if math.prod(shape) == 1 else given
    while isinstance(found, list) and found:
        (found,) = found
    return found


def whole(given: object) -> int | None:
    """A whole number; None for anything else, such as True or 2.0."""
    if type(given) is int:
        return given
    found = single(given)
    if isinstance(found, (bool, float)):
        return None
    try:
        return int(operator.index(found))
    except (TypeError, ValueError, RuntimeError, NotImplementedError):
        return None  # no number, or a tensor that holds none


def real(given: object) -> float | None:
    """A real number, which may be infinite or NaN; None for anything else, such as True or "2"."""
    if type(given) is float:
        return given
    found = single(given)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    try:
        return float(found)
    except OverflowError:
        return math.inf if found > 0 else -math.inf


def truth(given: object) -> bool | None:
    """True or False; None for anything else, such as 1."""
    found = single(given)
    return found if isinstance(found, bool) else None


def entries(given: object) -> list[Any] | None:
    """The entries of a list, an array or anything else to iterate over; None for text, a mapping, a table and what is no list.

    Entries that are arrays of one axis or none become Python's own too.
    """
    found = plain(given)
    if isinstance(found, (str, bytes, Mapping)) or not isinstance(found, Iterable) or hasattr(found, "columns"):
        return None
    try:
        return [plain(entry) for entry in found]
    except TypeError:
        if hasattr(type(given), "shape"):
            return None  # an array without axes that could not be read, such as a tensor without storage
        raise


def one_of(given: object, names: Iterable[N]) -> TypeGuard[N]:
    """Whether it is one of these texts; anything else is not, arrays too."""
    return isinstance(given, str) and any(given == name for name in names)


def prompt_of(n: int, given: object) -> int:
    """The index of one of `n` prompts.

    Raises
    ------
    AddressError
        `no_such_prompt`.
    """
    found = whole(given)
    if found is None or not 0 <= found < n:
        raise AddressError(f"There is no prompt {given!r:.60}: there are {n}, 0 … {n - 1}.", code="no_such_prompt")
    return found


def count_of(name: str, given: object, *, least: int = 1, most: int | None = None) -> int:
    """How many of something, from `least` on and `most` at most.

    Raises
    ------
    InterventionError
        `bad_count`.
    """
    found = whole(given)
    if found is None or found < least:
        raise InterventionError(f"{name} is a whole number of at least {least}, not {given!r:.60}.", code="bad_count")
    if most is not None and found > most:
        raise InterventionError(f"{name} is {most:,} at most, not {found:.3g}; it would take hours.", code="bad_count")
    return found
