"""The calls of a board that take a step, each undone as a whole. `Board` has these as its methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.errors import InterventionError
from circuitboard.steps import step as steps
from circuitboard.steps.requested import requested

if TYPE_CHECKING:
    from circuitboard.address import Intervention
    from circuitboard.desk.desk import OnDesk
    from circuitboard.desk.outcome import Outcome
    from circuitboard.steps import Base


def edit(board: OnDesk, *interventions: Intervention) -> Outcome:
    """Add edits and compute the metric with them; the same as a click."""
    return board.desk.take(steps.Add(requested(interventions)).applied)


def remove(board: OnDesk, *which: int | str) -> Outcome:
    """Remove edits, all in one step: by their index in `edits`, or a whole group by its name."""
    return board.desk.take(steps.Remove(which).applied)


def toggle(board: OnDesk, *which: int | str) -> Outcome:
    """Switch edits off, or on again, all in one step: by their index in `edits`, or a whole group by its name.

    Of several, all are switched off if any is in force.
    """
    return board.desk.take(steps.Toggle(which).applied)


def replace(board: OnDesk, index: int, intervention: Intervention) -> Outcome:
    """Put another edit in the place of the one at this index of `edits`; whether it is in force stays."""
    edit, *more = requested((intervention,))
    if more:
        raise InterventionError(
            f"One edit takes the place of one, and {1 + len(more)} were given; remove it, then board.edit(…) them.",
            code="not_an_intervention",
        )
    return board.desk.take(steps.Replace(index, edit).applied)


def set_strength(board: OnDesk, index: int, strength: float) -> Outcome:
    """Give the edit at this index of `edits` another strength; only scale and add have one."""
    return board.desk.take(steps.SetStrength(index, strength).applied)


def move(board: OnDesk, index: int, to: int) -> Outcome:
    """Have the edit at one index of `edits` act at another; edits of one activation act in order."""
    return board.desk.take(steps.Move(index, to).applied)


def group(board: OnDesk, name: str | None, *which: int | str) -> Outcome:
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
    return board.desk.take(steps.Group(name, which).applied)


def rename(board: OnDesk, which: int | str, name: str | None) -> Outcome:
    """Give an edit (by its index in `edits`) or a group (by its name) another name; None: an edit has none.

    Raises
    ------
    CircuitboardError
        `bad_name`, `group_exists`, `no_such_edit`, `no_such_group`.
    """
    return board.desk.take(steps.Rename(which, name).applied)


def note(board: OnDesk, text: str | None, node: int | None = None) -> None:
    """Call a state of the history by a name: the current one, or the one with this index in `history.nodes`.

    No step: nothing is computed, and undo does not take it back. None takes the name away.

    Raises
    ------
    InterventionError
        `bad_name`, `no_such_state`.
    """
    board.desk.take(steps.Note(text, node).applied)


def clear(board: OnDesk) -> Outcome:
    """Remove all edits; can be undone."""
    return board.desk.take(steps.Clear().applied)


def set_base(board: OnDesk, base: Base) -> Outcome:
    """Choose which run is edited; the edits stay."""
    return board.desk.take(steps.SetBase(base).applied)


def undo(board: OnDesk) -> Outcome:
    """Back to the state before the last step."""
    return board.desk.take(steps.Undo().applied)


def redo(board: OnDesk) -> Outcome:
    """Forward again after `undo`."""
    return board.desk.take(steps.Redo().applied)


def go_to(board: OnDesk, node: int) -> Outcome:
    """To any state of the history, by its index in `history.nodes`; from there, undo goes to its parent.

    Raises
    ------
    InterventionError
        `no_such_state`.
    """
    return board.desk.take(steps.Restore(node).applied)
