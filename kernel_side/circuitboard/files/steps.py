"""The steps between the states of a file."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
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


@cache
def _fields_of(kind: type[Change]) -> tuple[dict[str, Any], frozenset[str], frozenset[str]]:
    """Fields with what they may hold; those that hold several interventions; and those that hold one."""
    hints = {field.name: get_type_hints(kind, vars(kinds))[field.name] for field in fields(kind)}
    several = frozenset(name for name, hint in hints.items() if hint == tuple[Intervention, ...])
    one = frozenset(name for name, hint in hints.items() if hint is Intervention)
    return {name: hint for name, hint in hints.items() if name not in several | one}, several, one


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
    plain, several, one = _fields_of(kind)
    edits = {name: tuple(reader.edit(edit).intervention for edit in many) for name, many in saved.edits.items()}
    if not edits.keys() <= several | one or any(not many for many in edits.values()):
        raise SessionFileError(
            f"its step {saved.kind[:40]!r} has other edits than such a step.", code="bad_session_file"
        )
    given: dict[str, Any] = {name: many[0] if name in one else many for name, many in edits.items()}
    try:
        given |= {name: msgspec.convert(value, plain[name]) for name, value in saved.given.items()}
        step: Change = kind(**given)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise SessionFileError(f"its step {saved.kind[:40]!r} is damaged: {error}.", code="bad_session_file") from error
    return step
