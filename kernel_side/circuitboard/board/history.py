"""Undo as a tree: every state that the board was in, and the way through them. A value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from circuitboard.board.state import BoardState
from circuitboard.errors import InterventionError


@dataclass(frozen=True)
class Node:
    """One state and the step that led to it."""

    parent: int | None
    label: str
    state: BoardState


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

    def extended(self, label: str, states: Sequence[BoardState]) -> History:
        """New states after the current one, each leading to the next."""
        if not states:
            return self
        n = len(self.nodes)
        nodes = (Node(n + i - 1 if i else self.current, label, state) for i, state in enumerate(states))
        return History((*self.nodes, *nodes), n + len(states) - 1)

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
        if not 0 <= node < len(self.nodes):
            raise InterventionError(
                f"There is no state {node}: the board has been in {len(self.nodes)}, 0 … {len(self.nodes) - 1}.",
                code="no_such_state",
            )
        line = self.line(self.current)
        ahead: tuple[int, ...] = ()
        if node in line:
            ahead = (*self.ahead, *line[: line.index(node)])
        elif node in self.ahead:
            ahead = self.ahead[: self.ahead.index(node)]
        return replace(self, current=node, ahead=ahead)

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
            lines.append(f"{'  ' * depth}{mark} {self.nodes[index].label}")
            below = children.get(index, [])
            pending.extend((child, depth + (len(below) > 1)) for child in reversed(below))
        return "\n".join(lines)
