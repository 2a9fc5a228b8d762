"""What leaves a board for readers: a map as a drawing, the board as one page. `Board` has these as its methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from circuitboard.board.sweeping import sweep as swept
from circuitboard.desk.state_comparison import StateComparison
from circuitboard.files import code, path_of, require_place, write

if TYPE_CHECKING:
    from pathlib import Path

    from circuitboard.desk.desk import Desk, OnDesk
    from circuitboard.protocol.drawing import ColourMap
    from circuitboard.sweeps import Sweep


def export_svg(
    board: OnDesk,
    path: str | Path,
    sweep: Sweep | StateComparison | None = None,
    *,
    normalized: bool = False,
    colours: ColourMap = "orange-blue",
    overwrite: bool = False,
) -> None:
    """Write a map as SVG: vector graphics, light colours, fonts embedded, with a caption that says what was done.

    The same map is the same bytes. A map of 12 × 12 heads takes about 30 kB. Characters that DejaVu Sans lacks
    (Chinese, Japanese, Korean, most emoji) stay text, drawn by the reader's own fonts.

    Parameters
    ----------
    path
        The file; its folder must exist.
    sweep
        The map, as `board.sweep(…)` or a stream's `.partial()` gives it, of the state that the board is in; or
        `board.compare_states(…, over=…)`, of which what the right map has more than the left one is drawn.
        Default: the effect of zeroing each head.
    normalized
        Whether effects are divided by clean − corrupted. (`sweep.normalized` tells where a value lies between the two
        runs; this is how far an edit moves it, as a share of their distance.)
    colours
        Of negative and of positive effects: "orange-blue" or "purple-green".
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    SessionFileError
        `file_exists`, `cannot_write`.
    ProtocolError
        `bad_colours`.
    InterventionError
        `sweep_of_another_state`, `map_too_large`; `no_map` if states were compared without `over`; `no_share` if there
        is nothing to divide by.
    """
    from circuitboard.pictures import drawing_of_states, drawing_of_sweep, require_colours, svg_of

    require_colours(colours)
    desk = board.desk

    def drawn() -> str:
        if isinstance(sweep, StateComparison):
            drawing = drawing_of_states(desk, sweep, normalized=normalized)
        else:
            drawing = drawing_of_sweep(desk, sweep or swept(board, "head", how="zero"), normalized=normalized)
        return svg_of(replace(drawing, colours=colours))

    _write(desk, path, drawn, overwrite=overwrite)


def export_html(
    board: OnDesk,
    path: str | Path,
    *sweeps: Sweep,
    colours: ColourMap = "orange-blue",
    overwrite: bool = False,
) -> None:
    """Write the board as one page that needs nothing else: no script, no network, light and dark, to be printed.

    It holds the metric, the prompts of both runs, the edits and what each does, the maps as drawings and tables,
    every prompt's value, the likeliest tokens, the history, the code that makes the board again, and what model
    and versions made the numbers.

    Parameters
    ----------
    path
        The file; its folder must exist.
    sweeps
        The maps on it, of the state that the board is in. Default: the effect of zeroing each head.
    colours
        Of negative and of positive effects: "orange-blue" or "purple-green".
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    SessionFileError
        `file_exists`, `cannot_write`.
    ProtocolError
        `bad_colours`.
    InterventionError
        `sweep_of_another_state`, `map_too_large`.
    """
    from circuitboard.pictures import Shows, drawing_of_sweep, page_of, require_colours

    require_colours(colours)
    desk = board.desk

    def page() -> str:
        maps = [
            (replace(drawing_of_sweep(desk, sweep), colours=colours), code.sweep_expression(desk, sweep.grid, sweep))
            for sweep in sweeps or (swept(board, "head", how="zero"),)
        ]
        shown = desk.shown
        return page_of(
            desk, shown, Shows(maps, desk.maps.effects_of_edits(shown), colours=colours, code=code.to_python(desk))
        )

    _write(desk, path, page, overwrite=overwrite)


def _write(desk: Desk, path: str | Path, make: Callable[[], str], *, overwrite: bool) -> None:
    """Write what is made to a file; the place is looked at first, since making takes a while."""
    place = path_of(path)
    desk.lab.watch.require_unchanged()
    require_place(place, overwrite=overwrite)
    write(place, make().encode(), overwrite=overwrite)
