"""The state of a board: which run is edited, and the edits in order. A value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from circuitboard.address import Intervention, one_of, whole
from circuitboard.boundary import public
from circuitboard.errors import AddressError, InterventionError
from circuitboard.words import instead

Base = Literal["clean", "corrupted"]

MAX_EDITS = 1000
"""Edits a board holds at most; more is a loop gone wrong, and would make each step slow."""

MAX_NAME = 80
"""Characters of a name that a user gives to an edit, a group or a state."""


def checked_name(name: object) -> str:
    """A name that a user gives, without the blanks around it.

    Raises
    ------
    InterventionError
        `bad_name` for anything but a text of 1 to `MAX_NAME` characters.
    """
    found = name.strip() if isinstance(name, str) else ""
    if not 0 < len(found) <= MAX_NAME:
        shown = f"one of {len(found)}" if found else repr(name)
        raise InterventionError(f"A name is a text of 1 to {MAX_NAME} characters, not {shown:.80}.", code="bad_name")
    if any("\ud800" <= character <= "\udfff" for character in found):
        raise InterventionError(
            f"The name {found!a:.80} has half of a character, which no file and no page can hold.", code="bad_name"
        )
    return found


@public
@dataclass(frozen=True)
class Edit:
    """An intervention on the board, in force or switched off.

    Parameters
    ----------
    intervention
        What it does.
    enabled
        Whether it is in force.
    name
        What the user calls it; None without a name of its own.
    group
        The name of the group that it is in. A group is the edits that bear its name; each still acts at its own place.
    """

    intervention: Intervention
    enabled: bool = True
    name: str | None = None
    group: str | None = None

    def __str__(self) -> str:
        return str(self.intervention) + ("" if self.enabled else " (off)")


@public
@dataclass(frozen=True)
class BoardState:
    """What is edited and how.

    Parameters
    ----------
    base
        The run that is edited.
    edits
        In the order in which they act.
    """

    base: Base = "clean"
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if not one_of(self.base, get_args(Base)):
            raise InterventionError(
                f"The base run is 'clean' or 'corrupted', not {self.base!r:.60}.{instead('base', self.base, get_args(Base))}",
                code="unknown_base",
            )
        if len(self.edits) > MAX_EDITS:
            raise InterventionError(
                f"A board holds at most {MAX_EDITS} edits and this would make {len(self.edits)}; clear some, or edit a whole layer at once.",
                code="too_many_edits",
            )

    @property
    def active(self) -> tuple[Intervention, ...]:
        """The interventions in force."""
        return tuple(edit.intervention for edit in self.edits if edit.enabled)

    def added(self, interventions: Iterable[Intervention]) -> BoardState:
        return replace(self, edits=(*self.edits, *(Edit(intervention) for intervention in interventions)))

    @property
    def acting(self) -> tuple[Base, tuple[tuple[Intervention, bool], ...]]:
        """All of it but the names: two states that agree here have the same numbers, edit by edit."""
        return self.base, tuple((edit.intervention, edit.enabled) for edit in self.edits)

    @property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """The indices of each group's edits, groups in the order of their first edits."""
        found: dict[str, tuple[int, ...]] = {}
        for index, edit in enumerate(self.edits):
            if edit.group is not None:
                found[edit.group] = (*found.get(edit.group, ()), index)
        return found

    def indices(self, which: Iterable[int | str]) -> tuple[int, ...]:
        """The edits that are meant, in order: an index of `edits`, or the name of a group for all of its edits.

        Raises
        ------
        AddressError
            `no_such_edit`, `no_such_group`, or `no_edits` if none is meant.
        """
        found: set[int] = set()
        for one in which:
            found.update(self._members(one) if isinstance(one, str) else [self.existing(one)])
        if not found:
            raise AddressError(
                "No edit was named; give indices of board.edits, or the name of a group.", code="no_edits"
            )
        return tuple(sorted(found))

    def removed(self, *which: int | str) -> BoardState:
        gone = set(self.indices(which))
        return replace(self, edits=tuple(edit for index, edit in enumerate(self.edits) if index not in gone))

    def toggled(self, *which: int | str) -> BoardState:
        """Switched off if any of them is in force, else on; a single edit is simply the other way."""
        indices = self.indices(which)
        enabled = not any(self.edits[index].enabled for index in indices)
        return self._changed(indices, lambda edit: replace(edit, enabled=enabled))

    def grouped(self, name: str | None, *which: int | str) -> BoardState:
        """These edits, and no others, under a name; None takes them out of their groups."""
        name = None if name is None else checked_name(name)
        indices = self.indices(which)
        rest = tuple(index for index, edit in enumerate(self.edits) if name is not None and edit.group == name)
        alone = self._changed(rest, lambda edit: replace(edit, group=None))
        return alone._changed(indices, lambda edit: replace(edit, group=name))  # noqa: SLF001  of this class

    def renamed(self, which: int | str, name: str | None) -> BoardState:
        """An edit (by index) or a group (by name) called otherwise; None takes an edit's name away.

        Raises
        ------
        InterventionError
            `bad_name`; `group_exists` if another group is called so.
        """
        if isinstance(which, str):
            indices, name = self._members(which), checked_name(name)
            if name != which and name in self.groups:
                raise InterventionError(
                    f"There is a group {name!r} already; choose another name, or group the edits of both.",
                    code="group_exists",
                )
            return self._changed(indices, lambda edit: replace(edit, group=name))
        name = None if name is None else checked_name(name)
        return self._changed((self.existing(which),), lambda edit: replace(edit, name=name))

    def replaced(self, index: int, intervention: Intervention) -> BoardState:
        return self._changed((self.existing(index),), lambda edit: replace(edit, intervention=intervention))

    def moved(self, index: int, to: int) -> BoardState:
        index, to = self.existing(index), self.existing(to)
        edits = [*self.edits[:index], *self.edits[index + 1 :]]
        edits.insert(to, self.edits[index])
        return replace(self, edits=tuple(edits))

    def cleared(self) -> BoardState:
        return replace(self, edits=())

    def based_on(self, base: Base) -> BoardState:
        return replace(self, base=base)

    def _changed(self, indices: tuple[int, ...], change: Callable[[Edit], Edit]) -> BoardState:
        edits = (change(edit) if index in indices else edit for index, edit in enumerate(self.edits))
        return replace(self, edits=tuple(edits))

    def _members(self, group: str) -> tuple[int, ...]:
        found = self.groups
        if group not in found:
            have = f"its groups are {', '.join(map(repr, found))}" if found else "it has none"
            raise AddressError(f"The board has no group {group!r:.80}; {have}.", code="no_such_group")
        return found[group]

    def existing(self, given: object) -> int:
        """The index of an edit, from 0; refuses what is none.

        Raises
        ------
        AddressError
            `no_such_edit`.
        """
        index = whole(given)
        if index is None or not -len(self.edits) <= index < len(self.edits):
            found = f"{len(self.edits)} edits, 0 … {len(self.edits) - 1}" if self.edits else "no edits"
            raise AddressError(f"There is no edit {given!r:.60}: the board has {found}.", code="no_such_edit")
        return index % len(self.edits)
