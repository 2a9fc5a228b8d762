"""Which edits a view means: it names them by where they are in the list that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.errors import AddressError, InterventionError

if TYPE_CHECKING:
    from circuitboard.desk.outcome import Shown
    from circuitboard.steps import Edit, History


def meant_edits(shown: Shown, indices: int | list[int], revision: int) -> list[Edit]:
    """The edits at these places of the list of a revision.

    Raises
    ------
    CircuitboardError
        `stale_index` if another revision is shown by now, `no_such_edit`.
    """
    require_shown(shown, revision)
    edits = shown.history.state.edits
    wanted = [indices] if isinstance(indices, int) else sorted(set(indices))
    for index in wanted:
        if not 0 <= index < len(edits):
            raise AddressError(f"There is no edit {index}: the board has {len(edits)}.", code="no_such_edit")
    return [edits[index] for index in wanted]


def require_shown(shown: Shown, revision: int) -> None:
    """Refuse what a view asks of a revision that is not shown any more.

    Raises
    ------
    InterventionError
        `stale_index`.
    """
    if revision != shown.revision:
        raise stale()


def places_of(history: History, edits: list[Edit]) -> list[int]:
    """Where edits are now: steps that no view has seen yet may have moved them."""
    places = {id(edit): index for index, edit in enumerate(history.state.edits)}
    if any(id(edit) not in places for edit in edits):
        raise stale()
    return [places[id(edit)] for edit in edits]


def stale() -> InterventionError:
    """The error of a view that does not show what the board is by now."""
    return InterventionError(
        "The list of edits has changed since; look again and repeat the click.", code="stale_index"
    )
