"""What a click does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.errors import AddressError
from circuitboard.steps.step import Add, Remove

if TYPE_CHECKING:
    from circuitboard.address import Edge, Intervention, Per, Site
    from circuitboard.prompts import Prompts
    from circuitboard.protocol.messages import Mode
    from circuitboard.steps.history import Change
    from circuitboard.steps.state import BoardState


def clicked(site: Site | Edge, mode: Mode, prompts: Prompts) -> Intervention:
    """The edit that a click on a component makes; between prompts that are not as long, patches are matched by label."""
    per = per_of(mode, prompts)
    found: Intervention = getattr(site, mode)(**({} if per is None else {"per": per}))
    return found


def per_of(mode: Mode, prompts: Prompts) -> Per | None:
    """How the edits of a mode are matched with other prompts, where that is not as usual."""
    return "label" if mode == "patch" and not prompts.aligned else None


def at_columns(component: Site | Edge, columns: list[int] | None, prompts: Prompts) -> Site | Edge:
    """A component at these columns of the prompts; None means all.

    Raises
    ------
    AddressError
        `position_out_of_range`.
    """
    if columns is None:
        return component
    at = prompts.at_columns(columns)
    if not any(prompts.resolve(at)):
        raise AddressError(
            f"The {prompts.seen} prompts have no token there: other prompts begin earlier. Choose another column, or edit the other run.",
            code="position_out_of_range",
        )
    return component.at(list(at or ()))


def click_step(state: BoardState, prompts: Prompts, where: Site | Edge, mode: Mode, *, by_position: bool) -> Change:
    """Remove the edits of a component that has some, else edit it; for heads `by_position`, those right there."""
    mine = tuple(
        index
        for index, edit in enumerate(state.edits)
        if _is_edit_of(edit.intervention.site, where, prompts, by_position=by_position)
    )
    return Remove(mine) if mine else Add((clicked(where, mode, prompts),))


def _is_edit_of(edited: Site | Edge, where: Site | Edge, prompts: Prompts, *, by_position: bool) -> bool:
    if edited.component != where.component:
        return False
    everywhere = where.kind == "head" and not by_position
    return everywhere or prompts.resolve(edited.positions) == prompts.resolve(where.positions)
