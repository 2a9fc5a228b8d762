"""The kinds of steps: what the methods of a board, the clicks of its panel and the nodes of its history are made of.

A kind that a panel asks for has the name and the fields of its request in `circuitboard.protocol.requests`; a board's
method that takes its fields as they are has its words too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from circuitboard.address import Intervention, one_of
from circuitboard.steps.history import Change, History, Step
from circuitboard.steps.state import Base, BoardState

Which = tuple[int | str, ...]
"""Edits: by their indices, or whole groups by their names."""


@dataclass(frozen=True)
class Add(Change):
    """Add edits."""

    call: ClassVar[str] = "edit"
    interventions: tuple[Intervention, ...]

    def after(self, state: BoardState) -> BoardState:
        return state.added(self.interventions)

    def label(self, _state: BoardState) -> str:
        return ", ".join(map(str, self.interventions))


@dataclass(frozen=True)
class Remove(Change):
    """Remove edits."""

    call: ClassVar[str] = "remove"
    index: Which

    def after(self, state: BoardState) -> BoardState:
        return state.removed(*self.index)

    def label(self, state: BoardState) -> str:
        return f"remove {words_of(state, self.index)}"


@dataclass(frozen=True)
class Toggle(Change):
    """Switch edits off if any of them is in force, else on."""

    call: ClassVar[str] = "toggle"
    index: Which

    def after(self, state: BoardState) -> BoardState:
        return state.toggled(*self.index)

    def label(self, state: BoardState) -> str:
        return f"toggle {words_of(state, self.index)}"


@dataclass(frozen=True)
class Replace(Change):
    """Put another edit in the place of one; whether it is in force stays."""

    call: ClassVar[str] = "replace"
    index: int
    intervention: Intervention

    def after(self, state: BoardState) -> BoardState:
        return state.replaced(self.index, self.intervention)

    def label(self, state: BoardState) -> str:
        return f"replace {_edit_of(state, self.index)}"


@dataclass(frozen=True)
class SetStrength(Change):
    """Give the edit at this index of `edits` another strength; only scale and add have one."""

    call: ClassVar[str] = "set_strength"
    index: int
    strength: float

    def after(self, state: BoardState) -> BoardState:
        return state.replaced(self.index, self._edit(state))

    def label(self, state: BoardState) -> str:
        return str(self._edit(state))

    def _edit(self, state: BoardState) -> Intervention:
        return replace(_edit_of(state, self.index), strength=self.strength)


@dataclass(frozen=True)
class Move(Change):
    """Have the edit at one index of `edits` act at another; edits of one activation act in order."""

    call: ClassVar[str] = "move"
    index: int
    to: int

    def after(self, state: BoardState) -> BoardState:
        return state.moved(self.index, self.to)

    def label(self, state: BoardState) -> str:
        return f"move {_edit_of(state, self.index)}"


@dataclass(frozen=True)
class Group(Change):
    """Put edits, and no others, under a name; None takes them out of their groups."""

    call: ClassVar[str] = "group"
    name: str | None
    indices: Which

    def after(self, state: BoardState) -> BoardState:
        return state.grouped(self.name, *self.indices)

    def label(self, state: BoardState) -> str:
        word = "ungroup" if self.name is None else f"group {self.name}:"
        return f"{word} {words_of(state, self.indices)}"


@dataclass(frozen=True)
class Rename(Change):
    """Give an edit (by its index in `edits`) or a group (by its name) another name; None: an edit has none.

    Raises
    ------
    CircuitboardError
        `bad_name`, `group_exists`, `no_such_edit`, `no_such_group`.
    """

    call: ClassVar[str] = "rename"
    which: int | str
    name: str | None

    def after(self, state: BoardState) -> BoardState:
        return state.renamed(self.which, self.name)

    def label(self, state: BoardState) -> str:
        what = self.which if isinstance(self.which, str) else _edit_of(state, self.which)
        return f"name {what}: {'none' if self.name is None else self.name}"


@dataclass(frozen=True)
class Clear(Change):
    """Remove all edits; can be undone."""

    call: ClassVar[str] = "clear"

    def after(self, state: BoardState) -> BoardState:
        return state.cleared()

    def label(self, _state: BoardState) -> str:
        return "clear"

    def applied(self, history: History) -> History:
        return super().applied(history) if history.state.edits else history


@dataclass(frozen=True)
class SetBase(Change):
    """Choose which run is edited; the edits stay."""

    call: ClassVar[str] = "set_base"
    base: Base

    def after(self, state: BoardState) -> BoardState:
        return state.based_on(self.base)

    def label(self, _state: BoardState) -> str:
        return f"base {self.base}"

    def applied(self, history: History) -> History:
        return history if one_of(self.base, (history.state.base,)) else super().applied(history)


@dataclass(frozen=True)
class Undo(Step):
    """Back to the state before the last step."""

    call: ClassVar[str] = "undo"

    def applied(self, history: History) -> History:
        return history.undone()

    def label(self, _state: BoardState) -> str:
        return "undo"


@dataclass(frozen=True)
class Redo(Step):
    """Forward again after `undo`."""

    call: ClassVar[str] = "redo"

    def applied(self, history: History) -> History:
        return history.redone()

    def label(self, _state: BoardState) -> str:
        return "redo"


@dataclass(frozen=True)
class Restore(Step):
    """To any state of the history, by its index in `history.nodes`; from there, undo goes to its parent.

    Raises
    ------
    InterventionError
        `no_such_state`.
    """

    call: ClassVar[str] = "go_to"
    node: int

    def applied(self, history: History) -> History:
        return history.restored(self.node)

    def label(self, _state: BoardState) -> str:
        return "restore"


@dataclass(frozen=True)
class Note(Step):
    """Call a state of the history, the current one for None, by a name; the board stays where it is."""

    call: ClassVar[str] = "note"
    text: str | None
    node: int | None = None

    def applied(self, history: History) -> History:
        return history.noted(history.current if self.node is None else self.node, self.text)

    def label(self, _state: BoardState) -> str:
        return "note"


KINDS: dict[str, type[Step]] = {
    kind.__name__: kind
    for kind in (
        *(Add, Remove, Toggle, Replace, SetStrength, Move, Group, Rename, Clear, SetBase),
        *(Undo, Redo, Restore, Note),
    )
}


def words_of(state: BoardState, which: Iterable[int | str]) -> str:
    """Edits in words: whole groups by their names, however they were asked for, and others by what they do."""
    indices = state.indices(which)
    whole = {name: members[0] for name, members in state.groups.items() if set(members) <= set(indices)}
    words = []
    for index in indices:
        edit = state.edits[index]
        if edit.group not in whole:
            words.append(str(edit.intervention))
        elif whole[edit.group] == index:
            words.append(edit.group)
    return ", ".join(words)


def _edit_of(state: BoardState, index: int) -> Intervention:
    return state.edits[state.existing(index)].intervention
