"""What leaves the panel as text: the map as a table, the last step as code."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from circuitboard.errors import InterventionError
from circuitboard.protocol.messages import Exported
from circuitboard.widget.last_step import last_step
from circuitboard.widget.live_map import EXACT
from circuitboard.widget.map_grid import edited_cells

if TYPE_CHECKING:
    from typing import Literal

    from circuitboard.board import Board
    from circuitboard.widget.live_map import MapState


def exported(request: str, what: Literal["csv", "python"], board: Board, state: MapState | None) -> Exported:
    """Answer an `Export`.

    Raises
    ------
    InterventionError
        `no_map` if there is no map yet, `no_last_step`.
    """
    if what == "python":
        return Exported(request, last_step(board.history), "last_step.py", "text/x-python")
    if state is None or not state.grid.cells:
        raise InterventionError(
            "There is no map to write down yet; wait until its first cells are known.", code="no_map"
        )
    return Exported(request, csv_of(state, board), f"circuitboard-{state.view.map}.csv", "text/csv")


def csv_of(state: MapState, board: Board) -> str:
    """A map as comma-separated values (RFC 4180): site, value, effect, exact; empty where nothing is known."""
    value = state.shown.outcome.value
    edits = state.shown.history.state.edits
    edited = edited_cells(state.grid.cells, edits, board.prompts, by_position=state.grid.by == "pos")
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("site", "value", "effect", "exact"))
    for cell, intervention in enumerate(state.grid.cells):
        if state.known[cell]:
            effect = float(state.effect[cell])
            of_cell = value if cell in edited else value + effect
            exact = "true" if state.known[cell] == EXACT else "false"
            table.writerow((str(intervention.site), of_cell, effect, exact))
        else:
            table.writerow((str(intervention.site), "", "", ""))
    return out.getvalue()
