"""What a user asks a board to do: interventions, and nothing that only looks like one."""

from __future__ import annotations

from circuitboard.address import Edge, Intervention, Site, entries
from circuitboard.errors import InterventionError


def requested(given: tuple[object, ...], *, may_be_empty: bool = False) -> tuple[Intervention, ...]:
    """The interventions that were given, one by one or as lists, in order.

    Raises
    ------
    InterventionError
        `not_an_intervention` for anything else, and for none at all.
    """
    found: list[Intervention] = []
    for one in given:
        for entry in one if isinstance(one, (list, tuple)) else (one,):
            if isinstance(entry, (Site, Edge)):
                raise InterventionError(
                    f"What should happen to {entry}? Write {entry.name!r} with .zero(), .patch() or .scale(x).",
                    code="not_an_intervention",
                )
            if not isinstance(entry, Intervention):
                raise InterventionError(
                    f"Expected interventions such as cb.head(9, 6).zero(), found {entry!r:.60}.{_instead(entry)}",
                    code="not_an_intervention",
                )
            found.append(entry)
    if not found and not may_be_empty:
        raise InterventionError("No interventions were given, so nothing would change.", code="not_an_intervention")
    return tuple(found)


def _instead(given: object) -> str:
    """What to write for something that is near to an intervention."""
    if isinstance(given, str):
        return f" A site that is text is read by cb.site({given!r:.40}); then .zero(), .patch() or .scale(x) says what happens there."
    if isinstance(getattr(given, "intervention", None), Intervention):
        return " What an edit does is its .intervention."
    if isinstance(getattr(given, "__self__", None), (Site, Edge)):
        return f" Call the method: .{getattr(given, '__name__', 'zero')}()."
    if callable(given):
        return " Functions of activations are no edits here: .zero(), .mean(), .patch(), .scale(x), .add(vector), .set(values) are."
    if isinstance(entries(given), list):
        return " Give them one by one: board.edit(*edits)."
    return ""
