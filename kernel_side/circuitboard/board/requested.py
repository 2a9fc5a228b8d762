"""What a user asks a board to do: interventions, and nothing that only looks like one."""

from __future__ import annotations

from circuitboard.address import Edge, Intervention, Site
from circuitboard.errors import InterventionError


def requested(found: tuple[object, ...], *, may_be_empty: bool = False) -> tuple[Intervention, ...]:
    """The interventions that were given.

    Raises
    ------
    InterventionError
        `not_an_intervention` for anything else, and for none at all.
    """
    for one in found:
        if isinstance(one, (Site, Edge)):
            raise InterventionError(
                f"What should happen to {one}? Write {one.name!r} with .zero(), .patch() or .scale(x).",
                code="not_an_intervention",
            )
        if not isinstance(one, Intervention):
            raise InterventionError(
                f"Expected interventions such as cb.head(9, 6).zero(), found {one!r}.", code="not_an_intervention"
            )
    if not found and not may_be_empty:
        raise InterventionError("No interventions were given, so nothing would change.", code="not_an_intervention")
    return found  # type: ignore[return-value]
