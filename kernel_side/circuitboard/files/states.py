"""The tree of states in a file: all of them, where the board stands, and where redo leads."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from circuitboard.errors import SessionFileError
from circuitboard.files import saved as s
from circuitboard.files.edits import EditReader, EditWriter, name_in
from circuitboard.files.steps import saved_step, step_in
from circuitboard.steps import BoardState, History, Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FEWEST = 2
"""States that are kept whatever the room: the first one and the current one."""


@dataclass(frozen=True)
class SavedTree:
    """The states of a file, as `SavedBoard` has them."""

    states: list[s.SavedState]
    current: int
    ahead: list[int]
    left_out: int


def saved_tree(history: History, values: Mapping[int, float], most: int | None = None) -> SavedTree:
    """A history as a file holds it.

    Parameters
    ----------
    history
        All states.
    values
        The metric of those where it is known, by index.
    most
        How many states are kept at most, `FEWEST` at least; default all that a file may hold. Where some are left out,
        the current line, the way that redo goes, and states with a note stay longest, then the newest; a state whose
        parent is left out follows on the nearest one that is there.
    """
    kept = _kept(history, max(FEWEST, s.MAX_STATES if most is None else most))
    place = {index: n for n, index in enumerate(kept)}
    writer = EditWriter()
    states = []
    for index in kept:
        node = history.nodes[index]
        parent = node.parent
        while parent is not None and parent not in place:
            parent = history.nodes[parent].parent
        value = values.get(index)
        states.append(
            s.SavedState(
                node.state.base,
                [writer.edit(edit) for edit in node.state.edits],
                None if node.parent is None else node.label,
                node.note,
                None if parent is None else place[parent],
                value if value is not None and math.isfinite(value) else None,
                None if node.step is None or parent != node.parent else saved_step(node.step, node.state, writer),
            )
        )
    ahead = [place[index] for index in history.ahead if index in place]
    return SavedTree(states, place[history.current], ahead, len(history.nodes) - len(kept))


def _kept(history: History, most: int) -> Sequence[int]:
    """The indices of the states that are kept, in order."""
    n = len(history.nodes)
    if n <= most:
        return range(n)

    def first_the_nearest() -> Iterator[int]:
        yield 0
        yield history.current
        for pair in zip_longest(history.line(history.current)[1:], reversed(history.ahead)):
            yield from (index for index in pair if index is not None)
        yield from (index for index, node in enumerate(history.nodes) if node.note is not None)
        yield from range(n - 1, 0, -1)

    return sorted(islice(dict.fromkeys(first_the_nearest()), most))


def tree_in(saved: s.SavedBoard) -> tuple[History, dict[int, float]]:
    """The history of a saved board, and the metric of the states where the file has it.

    Raises
    ------
    CircuitboardError
        If no board could have been in these states, one after the other.
    """
    if not saved.states:
        raise _damaged("it holds no state")
    if len(saved.states) > s.MAX_STATES:
        raise SessionFileError(
            f"it holds {len(saved.states):,} states, more than the {s.MAX_STATES:,} that a file may have.",
            code="too_many_states",
        )
    reader = EditReader()
    nodes = [
        Node(
            state.parent if saved.version >= s.TREES_SINCE else (index - 1 if index else None),
            "restore" if state.label is None else state.label,
            BoardState(state.base, tuple(reader.edit(edit) for edit in state.edits)),
            name_in(state.note),
            None if state.step is None else step_in(state.step, reader),
        )
        for index, state in enumerate(saved.states)
    ]
    if saved.version < s.TREES_SINCE:
        return _line(nodes), {}
    values = {index: state.value for index, state in enumerate(saved.states) if state.value is not None}
    return _tree(nodes, saved.current, saved.ahead), values


def _line(nodes: Sequence[Node]) -> History:
    """States each of which led to the next; the first of a file that was cut to few states may have edits."""
    first = nodes[0]
    if first.state.edits:
        return History.start(BoardState(first.state.base)).extended(nodes)
    return History.start(first.state).noted(0, first.note).extended(nodes[1:])


def _tree(nodes: list[Node], current: int | None, ahead: list[int]) -> History:
    """States that name their parents.

    Raises
    ------
    SessionFileError
        `bad_session_file` if they are no tree that grows from an unedited state, or redo leads nowhere.
    """
    first, *others = nodes
    if first.parent is not None or first.state.edits:
        raise _damaged("its first state has edits, or another one before it")
    for index, node in enumerate(others, 1):
        if node.parent is None or not 0 <= node.parent < index:
            raise _damaged(f"state {index} follows on {node.parent}, which does not stand before it")
        if node.step is not None and node.step.after(nodes[node.parent].state) != node.state:
            raise _damaged(f"the step to state {index} leads elsewhere")
    if current is None or not 0 <= current < len(nodes):
        raise _damaged(f"the board stands at state {current}, and it holds {len(nodes)}")
    at = current
    for index in reversed(ahead):
        if not 0 <= index < len(nodes) or nodes[index].parent != at:
            raise _damaged(f"redo leads from state {at} to {index}, which does not follow on it")
        at = index
    started = History.start(first.state).noted(0, first.note)
    return replace(started, nodes=(*started.nodes, *others), current=current, ahead=tuple(ahead))


def _damaged(why: str) -> SessionFileError:
    return SessionFileError(f"{why}.", code="bad_session_file")
