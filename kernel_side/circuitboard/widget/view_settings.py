"""How the panel of a board starts, said in Python."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from circuitboard.errors import CircuitboardError
from circuitboard.pictures import require_colours
from circuitboard.widget.widget import widget_of

if TYPE_CHECKING:
    from circuitboard.board import Board
    from circuitboard.protocol.messages import ColourMap, Mode


def set_view(
    board: Board,
    *,
    mode: Mode | None = None,
    live: bool | None = None,
    updates_per_second: int | None = None,
    colours: ColourMap | None = None,
) -> None:
    """Set the panel of a board; what is left out stays.

    Parameters
    ----------
    board
        The board.
    mode
        What a click does: "zero", "mean", "resample" or "patch". One that these prompts do not allow is left out with
        a warning that says why.
    live
        Whether the map follows each edit.
    updates_per_second
        Messages to the panel in any one second at most, from 8 to 30.
    colours
        Of negative and of positive effects: "orange-blue" or "purple-green".

    Raises
    ------
    ProtocolError
        `bad_rate` for a rate that is none of these, `bad_colours` for colours that are none of these.
    """
    session = widget_of(board).session
    if updates_per_second is not None:
        session.pace(updates_per_second)
    if colours is not None:
        require_colours(colours)
        session.set_view(colours=colours)
    if live is not None:
        session.set_view(live=live)
    if mode is not None:
        try:
            session.set_view(mode=mode)
        except CircuitboardError as error:
            warnings.warn(f"The panel starts with {session.view.mode}, not {mode}: {error.message}", stacklevel=2)
