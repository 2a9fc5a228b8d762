"""The state of a board: which run is edited, and the edits in order. A value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from circuitboard.address import Intervention
from circuitboard.errors import AddressError, InterventionError

Base = Literal["clean", "corrupted"]

MAX_EDITS = 1000
"""Edits a board holds at most; more is a loop gone wrong, and would make each step slow."""


@dataclass(frozen=True)
class Edit:
    """An intervention on the board, in force or switched off."""

    intervention: Intervention
    enabled: bool = True

    def __str__(self) -> str:
        return str(self.intervention) + ("" if self.enabled else " (off)")


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
        if self.base not in get_args(Base):
            raise InterventionError(f"The base run is 'clean' or 'corrupted', not {self.base!r}.", code="unknown_base")
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

    def removed(self, index: int) -> BoardState:
        index = self._existing(index)
        return replace(self, edits=self.edits[:index] + self.edits[index + 1 :])

    def toggled(self, index: int) -> BoardState:
        index = self._existing(index)
        edit = self.edits[index]
        return replace(
            self, edits=(*self.edits[:index], replace(edit, enabled=not edit.enabled), *self.edits[index + 1 :])
        )

    def replaced(self, index: int, intervention: Intervention) -> BoardState:
        index = self._existing(index)
        edit = replace(self.edits[index], intervention=intervention)
        return replace(self, edits=(*self.edits[:index], edit, *self.edits[index + 1 :]))

    def moved(self, index: int, to: int) -> BoardState:
        index, to = self._existing(index), self._existing(to)
        edits = [*self.edits[:index], *self.edits[index + 1 :]]
        edits.insert(to, self.edits[index])
        return replace(self, edits=tuple(edits))

    def cleared(self) -> BoardState:
        return replace(self, edits=())

    def based_on(self, base: Base) -> BoardState:
        return replace(self, base=base)

    def _existing(self, index: int) -> int:
        if isinstance(index, bool) or not isinstance(index, int) or not -len(self.edits) <= index < len(self.edits):
            found = f"{len(self.edits)} edits, 0 … {len(self.edits) - 1}" if self.edits else "no edits"
            raise AddressError(f"There is no edit {index!r}: the board has {found}.", code="no_such_edit")
        return index % len(self.edits)
