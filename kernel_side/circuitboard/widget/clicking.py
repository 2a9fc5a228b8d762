"""What a click does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuitboard.address import Edge, Intervention, Site
    from circuitboard.board import History
    from circuitboard.prompts import Prompts
    from circuitboard.protocol.messages import Mode


def clicked(site: Site | Edge, mode: Mode) -> Intervention:
    """The edit that a click on a component makes."""
    found: Intervention = getattr(site, mode)()
    return found


def after_click(history: History, prompts: Prompts, where: Site | Edge, mode: Mode, *, by_position: bool) -> History:
    """Take back the edits of a component that has some, else edit it; for heads `by_position`, those right there."""
    state = history.state
    mine = [
        index
        for index, edit in enumerate(state.edits)
        if _is_edit_of(edit.intervention.site, where, prompts, by_position=by_position)
    ]
    if not mine:
        intervention = clicked(where, mode)
        return history.pushed(str(intervention), state.added([intervention]))
    for index in reversed(mine):
        state = state.removed(index)
    return history.pushed(f"take back {where}", state)


def _is_edit_of(edited: Site | Edge, where: Site | Edge, prompts: Prompts, *, by_position: bool) -> bool:
    if edited.component != where.component:
        return False
    everywhere = where.kind == "head" and not by_position
    return everywhere or prompts.resolve(edited.positions) == prompts.resolve(where.positions)
