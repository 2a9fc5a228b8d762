"""The step that a view asks for: the kind that bears the request's name, with the request's own fields.

A view names edits by where they are in the list that it shows; steps that it has not seen yet may have moved them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from circuitboard.session.meant_edits import meant_edits, places_of, require_shown
from circuitboard.steps.step import KINDS

if TYPE_CHECKING:
    from circuitboard.desk.outcome import Shown
    from circuitboard.protocol import messages as m
    from circuitboard.steps import Edit, History, Step

_PLACES = ("index", "indices", "which")
"""Fields that name edits by their places; a text there is a group."""


def asked_step(request: m.StepRequest, shown: Shown) -> Callable[[History], Step]:
    """What makes the step, once it is known from which history it is taken.

    Raises
    ------
    CircuitboardError
        `stale_index` if another revision is shown by now, `no_such_edit`.
    """
    kind: Any = KINDS[type(request).__name__]
    given = {field.name: getattr(request, field.name) for field in fields(kind)}
    revision = getattr(request, "revision", shown.revision)
    require_shown(shown, revision)
    if "to" in given:
        meant_edits(shown, given["to"], revision)
    edits: dict[str, list[Edit]] = {
        name: meant_edits(shown, value, revision)
        for name, value in given.items()
        if name in _PLACES and not isinstance(value, str)
    }
    several = {field.name for field in fields(kind) if field.type == "Which"}

    def step_at(history: History) -> Step:
        places = {name: tuple(places_of(history, meant)) for name, meant in edits.items()}
        step: Step = kind(**given | {name: found if name in several else found[0] for name, found in places.items()})
        return step

    return step_at
