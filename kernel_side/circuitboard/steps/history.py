"""Undo as a tree: every state that the board was in, and the way through them. A value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from circuitboard.address import whole
from circuitboard.boundary import public
from circuitboard.errors import InterventionError
from circuitboard.steps.state import BoardState, checked_name


@public
@dataclass(frozen=True)
class Node:
    """One state and the step that led to it; `note` is what the user calls the state."""

    parent: int | None
    label: str
    state: BoardState
    note: str | None = None


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

    def pushed(self, label: str, state: BoardState) -> History:
        """A new state after the current one."""
        return History((*self.nodes, Node(self.current, label, state)), len(self.nodes))

    def amended(self, label: str, state: BoardState) -> History:
        """Another state in the place of the current one, for a step that still goes on, such as the drag of a slider.

        Only the last state of a branch can be amended; from any other, and from the first, this is a new step.
        """
        node = self.nodes[self.current]
        if node.parent is None or self.ahead or any(other.parent == self.current for other in self.nodes):
            return self.pushed(label, state)
        nodes = list(self.nodes)
        nodes[self.current] = replace(node, label=label, state=state)
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
        """New states after the current one, each leading to the next; the parents that they name are not read."""
        if not steps:
            return self
        n = len(self.nodes)
        nodes = (replace(step, parent=n + i - 1 if i else self.current) for i, step in enumerate(steps))
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
