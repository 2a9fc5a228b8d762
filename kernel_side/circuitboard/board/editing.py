"""The steps of a board that change its edits, each one undone as a whole."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from circuitboard.address import one_of, whole
from circuitboard.errors import InterventionError
from circuitboard.steps import History
from circuitboard.steps.requested import requested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from circuitboard.address import Intervention
    from circuitboard.desk.outcome import Outcome
    from circuitboard.steps import Base, BoardState


class Editing:
    """The methods of a board that take a step."""

    if TYPE_CHECKING:

        def take(self, move: Callable[[History], History]) -> Outcome:
            """See `Board.take`."""

    def edit(self, *interventions: Intervention) -> Outcome:
        """Add edits and compute the metric with them; the same as a click."""
        found = requested(interventions)
        label = ", ".join(map(str, found))
        return self.take(lambda history: history.pushed(label, history.state.added(found)))

    def remove(self, *which: int | str) -> Outcome:
        """Remove edits, all in one step: by their index in `edits`, or a whole group by its name."""
        return self.take(lambda h: h.pushed(f"remove {named(h.state, which)}", h.state.removed(*which)))

    def toggle(self, *which: int | str) -> Outcome:
        """Switch edits off, or on again, all in one step: by their index in `edits`, or a whole group by its name.

        Of several, all are switched off if any is in force.
        """
        return self.take(lambda h: h.pushed(f"toggle {named(h.state, which)}", h.state.toggled(*which)))

    def replace(self, index: int, intervention: Intervention) -> Outcome:
        """Put another edit in the place of the one at this index of `edits`; whether it is in force stays."""
        found, *more = requested((intervention,))
        if more:
            raise InterventionError(
                f"One edit takes the place of one, and {1 + len(more)} were given; remove it, then board.edit(…) them.",
                code="not_an_intervention",
            )
        return self.take(lambda h: h.pushed(f"replace {named(h.state, [index])}", h.state.replaced(index, found)))

    def set_strength(self, index: int, strength: float) -> Outcome:
        """Give the edit at this index of `edits` another strength; only scale and add have one."""

        def move(history: History) -> History:
            name, state = named(history.state, [index]), history.state
            edit = dataclasses.replace(state.edits[state.existing(index)].intervention, strength=strength)
            return history.pushed(f"strength {name}", state.replaced(index, edit))

        return self.take(move)

    def move(self, index: int, to: int) -> Outcome:
        """Have the edit at one index of `edits` act at another; edits of one activation act in order."""
        return self.take(lambda h: h.pushed(f"move {named(h.state, [index])}", h.state.moved(index, to)))

    def group(self, name: str | None, *which: int | str) -> Outcome:
        """Put edits under a name, so that they are switched, removed and told as one; None takes them out again.

        An edit is in one group at most, and a group is these edits and no others. What acts, and in which order, stays
        as it is.

        Parameters
        ----------
        name
            1 to 80 characters.
        which
            Indices in `edits`; or names of groups, for all of their edits.

        Raises
        ------
        CircuitboardError
            `bad_name`, `no_such_edit`, `no_such_group`, `no_edits`.
        """

        def move(history: History) -> History:
            word = "ungroup" if name is None else f"group {name}:"
            return history.pushed(f"{word} {named(history.state, which)}", history.state.grouped(name, *which))

        return self.take(move)

    def rename(self, which: int | str, name: str | None) -> Outcome:
        """Give an edit (by its index in `edits`) or a group (by its name) another name; None: an edit has none.

        Raises
        ------
        CircuitboardError
            `bad_name`, `group_exists`, `no_such_edit`, `no_such_group`.
        """
        return self.take(
            lambda h: h.pushed(
                f"name {named(h.state, [which])}: {'none' if name is None else name}", h.state.renamed(which, name)
            )
        )

    def note(self, text: str | None, node: int | None = None) -> None:
        """Call a state of the history by a name: the current one, or the one with this index in `history.nodes`.

        No step: nothing is computed, and undo does not take it back. None takes the name away.

        Raises
        ------
        InterventionError
            `bad_name`, `no_such_state`.
        """
        self.take(lambda h: h.noted(h.current if node is None else node, text))

    def clear(self) -> Outcome:
        """Remove all edits; can be undone."""
        return self.take(lambda h: h.pushed("clear", h.state.cleared()) if h.state.edits else h)

    def set_base(self, base: Base) -> Outcome:
        """Choose which run is edited; the edits stay."""
        return self.take(
            lambda h: h if one_of(base, (h.state.base,)) else h.pushed(f"base {base}", h.state.based_on(base))
        )

    def undo(self) -> Outcome:
        """Back to the state before the last step."""
        return self.take(History.undone)

    def redo(self) -> Outcome:
        """Forward again after `undo`."""
        return self.take(History.redone)


def named(state: BoardState, which: Iterable[int | str]) -> str:
    """Edits and groups in words, for labels of steps; what does not exist is refused by the step itself."""
    edits = state.edits
    words = []
    for one in which:
        index = whole(one)
        there = index is not None and -len(edits) <= index < len(edits)
        words.append(str(edits[index].intervention) if there and index is not None else f"{one!s:.60}")
    return ", ".join(words)
