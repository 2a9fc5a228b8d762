"""The calls of a board that take a step, each undone as a whole. `Board` has these as its methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from circuitboard.errors import InterventionError
from circuitboard.steps import step as steps
from circuitboard.steps.requested import requested

if TYPE_CHECKING:
    from circuitboard.address import Intervention
    from circuitboard.desk.desk import OnDesk
    from circuitboard.desk.outcome import Outcome
    from circuitboard.steps import Step

P = ParamSpec("P")


def taking(kind: Callable[P, Step]) -> Callable[Concatenate[OnDesk, P], Outcome]:
    """The method that takes a kind of step as its fields say it: called, told and typed as the kind is."""

    def take(board: OnDesk, /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
        return board.desk.take(kind(*args, **kwargs).applied)

    step = cast("type[Step]", kind)
    fields = inspect.signature(step).parameters.values()
    board = inspect.Parameter("board", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="OnDesk")
    take.__name__, take.__doc__ = step.call, step.__doc__
    take.__annotations__ = {field.name: field.annotation for field in fields} | {"return": "Outcome"}
    vars(take)["__signature__"] = inspect.Signature([board, *fields], return_annotation="Outcome")
    return take


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


def note(board: OnDesk, text: str | None, node: int | None = None) -> None:
    """Call a state of the history by a name: the current one, or the one with this index in `history.nodes`.

    No step: nothing is computed, and undo does not take it back. None takes the name away.

    Raises
    ------
    InterventionError
        `bad_name`, `no_such_state`.
    """
    board.desk.take(steps.Note(text, node).applied)
