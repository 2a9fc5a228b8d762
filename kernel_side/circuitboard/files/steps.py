"""The steps between the states of a file."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from circuitboard.address import Intervention
from circuitboard.errors import SessionFileError
from circuitboard.files import saved as s
from circuitboard.steps import Change
from circuitboard.steps import step as kinds

if TYPE_CHECKING:
    from circuitboard.files.edits import EditReader, EditWriter
    from circuitboard.steps import BoardState


def saved_step(step: Change, state: BoardState, writer: EditWriter) -> s.SavedStep:
    """The step that led to a state, as a file holds it behind the edits of that."""
    given: dict[str, Any] = {}
    edits: dict[str, list[s.SavedEdit | int]] = {}
    for field in fields(step):
        value = getattr(step, field.name)
        several = value if isinstance(value, tuple) else (value,)
        if any(isinstance(one, Intervention) for one in several):
            edits[field.name] = [writer.of_step(one, state) for one in several]
        else:
            given[field.name] = list(value) if isinstance(value, tuple) else value
    return s.SavedStep(type(step).__name__, given, edits)


def step_in(saved: s.SavedStep, reader: EditReader) -> Change:
    """A step of a file.

    Raises
    ------
    SessionFileError
        `bad_session_file` if there is no such step.
    """
    kind: Any = kinds.KINDS.get(saved.kind)
    if kind is None or not issubclass(kind, Change):
        raise SessionFileError(f"it has a step of an unknown kind, {saved.kind[:40]!r}.", code="bad_session_file")
    hints = get_type_hints(kind, vars(kinds))
    edits = {name: tuple(reader.edit(one).intervention for one in several) for name, several in saved.edits.items()}
    given = {
        name: several if hints.get(name) != Intervention else several[0] for name, several in edits.items() if several
    }
    try:
        given |= {name: msgspec.convert(value, hints[name]) for name, value in saved.given.items()}
        step: Change = kind(**given)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise SessionFileError(f"its step {saved.kind[:40]!r} is damaged: {error}.", code="bad_session_file") from error
    return step
