"""Undo as a tree: every state that the board was in, the steps between them, and the way through. Values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from circuitboard.address import Intervention, real, whole
from circuitboard.address.expression import expression
from circuitboard.boundary import public
from circuitboard.errors import InterventionError
from circuitboard.steps.state import BoardState, checked_name


@public
@dataclass(frozen=True)
class Step(ABC):
    """What one call or one click does to a history. Its kinds are in `circuitboard.steps.step`."""

    call: ClassVar[str]
    """The method of a board that takes it; its arguments are the step's fields, in order."""

    def __post_init__(self) -> None:
        # Code and files hold Python's own numbers, whatever a user's were.
        for field in fields(self):
            object.__setattr__(self, field.name, _own(getattr(self, field.name)))

    @abstractmethod
    def applied(self, history: History) -> History:
        """The history after the step; refuses what cannot be done there."""

    @abstractmethod
    def label(self, state: BoardState) -> str:
        """The step in words, taken in this state."""

    @property
    def python(self) -> str:
        """The call of a board that takes it."""
        given = (argument for field in fields(self) for argument in _arguments(getattr(self, field.name)))
        return f"board.{self.call}({', '.join(given)})"


@public
@dataclass(frozen=True)
class Change(Step):
    """A step that leads to another state, and that undo takes back as a whole."""

    @abstractmethod
    def after(self, state: BoardState) -> BoardState:
        """The state that it leads to; refuses what cannot be done there."""

    def applied(self, history: History) -> History:
        """The history with one state more."""
        return history.pushed(self, self.after(history.state))


@public
@dataclass(frozen=True)
class Node:
    """One state and the step that led to it, in words too; `note` is what the user calls the state.

    The step leads from the parent's state to this one; None for the first, and where it is known in words only.
    """

    parent: int | None
    label: str
    state: BoardState
    note: str | None = None
    step: Change | None = None


@public
@dataclass(frozen=True)
class History:
    """All states; `current` is the index of the one the board shows.

    Undo goes to the parent, redo back the way that undo came. A new step after an undo starts a branch; the old one
    stays in `nodes`.
    """

    nodes: tuple[Node, ...]
    current: int = 0
    ahead: tuple[int, ...] = ()

    @classmethod
    def start(cls, state: BoardState) -> History:
        return cls((Node(None, f"{state.base} run", state),))

    @property
    def state(self) -> BoardState:
        return self.nodes[self.current].state

    @property
    def can_undo(self) -> bool:
        return self.nodes[self.current].parent is not None

    @property
    def can_redo(self) -> bool:
        return bool(self.ahead)

    def pushed(self, step: Change, state: BoardState) -> History:
        """A new state after the current one, to which the step led."""
        node = Node(self.current, step.label(self.state), state, step=step)
        return History((*self.nodes, node), len(self.nodes))

    def amended(self, step: Change) -> History:
        """The step taken in place of the last one, which still went on, such as the drag of a slider.

        Only the last state of a branch can be amended; from any other, and from the first, this is a new step.
        """
        node = self.nodes[self.current]
        if node.parent is None or self.ahead or any(other.parent == self.current for other in self.nodes):
            return step.applied(self)
        before = self.nodes[node.parent].state
        nodes = list(self.nodes)
        nodes[self.current] = replace(node, label=step.label(before), state=step.after(before), step=step)
        return replace(self, nodes=tuple(nodes))

    def noted(self, node: int, note: str | None) -> History:
        """A state called by a name; None takes the name away. No step.

        Raises
        ------
        InterventionError
            `no_such_state`, `bad_name`.
        """
        node = self.require(node)
        nodes = list(self.nodes)
        nodes[node] = replace(nodes[node], note=None if note is None else checked_name(note))
        return replace(self, nodes=tuple(nodes))

    def extended(self, steps: Sequence[Node]) -> History:
        """New states after the current one, each leading to the next; parents and steps, which may be of others, are not read."""
        if not steps:
            return self
        n = len(self.nodes)
        nodes = (replace(step, parent=n + i - 1 if i else self.current, step=None) for i, step in enumerate(steps))
        return History((*self.nodes, *nodes), n + len(steps) - 1)

    def undone(self) -> History:
        """Back to the state before.

        Raises
        ------
        InterventionError
            `nothing_to_undo`.
        """
        parent = self.nodes[self.current].parent
        if parent is None:
            raise InterventionError("There is nothing to undo.", code="nothing_to_undo")
        return replace(self, current=parent, ahead=(*self.ahead, self.current))

    def redone(self) -> History:
        """Forward again to where the last undo came from.

        Raises
        ------
        InterventionError
            `nothing_to_redo`.
        """
        if not self.ahead:
            raise InterventionError("There is nothing to redo.", code="nothing_to_redo")
        return replace(self, current=self.ahead[-1], ahead=self.ahead[:-1])

    def restored(self, node: int) -> History:
        """To any state. Along the line of the current one this is so many undos or redos; elsewhere, nothing is ahead.

        Raises
        ------
        InterventionError
            `no_such_state`.
        """
        node = self.require(node)
        line = self.line(self.current)
        ahead: tuple[int, ...] = ()
        if node in line:
            ahead = (*self.ahead, *line[: line.index(node)])
        elif node in self.ahead:
            ahead = self.ahead[: self.ahead.index(node)]
        return replace(self, current=node, ahead=ahead)

    def require(self, node: object) -> int:
        """The index of a state; refuses what is no state of this history.

        Raises
        ------
        InterventionError
            `no_such_state`.
        """
        found = whole(node)
        if found is None or not 0 <= found < len(self.nodes):
            raise InterventionError(
                f"There is no state {node!r:.60}: the board has been in {len(self.nodes)}, 0 … {len(self.nodes) - 1}.",
                code="no_such_state",
            )
        return found

    def line(self, node: int) -> tuple[int, ...]:
        """A state, the one that undo leads to from there, and so on to the first."""
        line, above = [node], self.nodes[node].parent
        while above is not None:
            line.append(above)
            above = self.nodes[above].parent
        return tuple(line)

    def __repr__(self) -> str:
        children: dict[int | None, list[int]] = {}
        for index, node in enumerate(self.nodes):
            children.setdefault(node.parent, []).append(index)
        lines: list[str] = []
        pending = [(0, 0)]
        while pending:
            index, depth = pending.pop()
            mark = "●" if index == self.current else "○"
            node = self.nodes[index]
            note = "" if node.note is None else f"  “{node.note}”"
            lines.append(f"{'  ' * depth}{mark} {node.label}{note}")
            below = children.get(index, [])
            pending.extend((child, depth + (len(below) > 1)) for child in reversed(below))
        return "\n".join(lines)


def _arguments(given: object) -> list[str]:
    """An argument as it is written; several of a tuple."""
    if isinstance(given, tuple):
        return [written for one in given for written in _arguments(one)]
    return [expression(given) if isinstance(given, Intervention) else repr(given)]


def _own(given: Any) -> Any:
    """A field's value with numbers of Python's own; what is no number stays, for the step to refuse."""
    if isinstance(given, tuple):
        return tuple(map(_own, given))
    if given is None or isinstance(given, (str, Intervention)):
        return given
    return next((number for number in (whole(given), real(given)) if number is not None), given)
