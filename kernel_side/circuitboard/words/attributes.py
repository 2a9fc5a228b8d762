"""Attributes that are not there: an AttributeError that says what to type instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from circuitboard.errors import NoSuchName
from circuitboard.words.near import instead
from circuitboard.words.table import Meant


def no_such_name(owner: str, name: str, meant: Meant, names: Iterable[str]) -> AttributeError:
    """The error for an attribute that is not there.

    Parameters
    ----------
    owner
        Whose attribute was asked for, as people call it: "Board".
    name
        The attribute.
    meant
        Which part of the table to look in.
    names
        The attributes that there are.
    """
    if name.startswith("_"):  # Python and notebooks ask for these to find out what a thing can do
        return AttributeError(f"{owner!r} object has no attribute {name!r}")
    public = [one for one in names if not one.startswith("_")]
    hint = instead(meant, name, public) or f" It has {', '.join(sorted(public))}."
    return NoSuchName(f"{owner} has no attribute {name!r:.60}.{hint}")


class Told:
    """Whatever has no such attribute says what to type instead."""

    _told_as: ClassVar[Meant]

    if not TYPE_CHECKING:  # checkers and editors know the attributes that there are

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):
                # A property of this class failed with an AttributeError of its own.
                return object.__getattribute__(self, name)
            raise no_such_name(type(self).__name__, name, self._told_as, dir(self))
