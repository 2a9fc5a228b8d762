"""What leaves a board for readers: a map as a drawing, the board as one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from circuitboard.board import code, storage

if TYPE_CHECKING:
    from circuitboard.board.export import Shows
    from circuitboard.board.lab import Lab
    from circuitboard.board.maps import Maps
    from circuitboard.board.outcome import Shown
    from circuitboard.board.steps import Steps
    from circuitboard.engine import CancelToken, Worker
    from circuitboard.sweeps import Sweep


class Exporting:
    """The methods of a board that write files for readers."""

    _lab: Lab
    _worker: Worker
    _steps: Steps

    if TYPE_CHECKING:

        @property
        def maps(self) -> Maps: ...

        def sweep(self, over: str, *, how: str = "patch") -> Sweep: ...

    def export_svg(self, path: str | Path, sweep: Sweep | None = None, *, overwrite: bool = False) -> None:
        """Write a map as SVG: vector graphics, light colours, fonts embedded, with a caption that says what was done.

        The same map is the same bytes. A map of 12 × 12 heads takes about 30 kB. Characters that DejaVu Sans lacks
        (Chinese, Japanese, Korean, most emoji) stay text, drawn by the reader's own fonts.

        Parameters
        ----------
        path
            The file; its folder must exist.
        sweep
            The map, as `board.sweep(…)` or a stream's `.partial()` gives it, of the state that the board is in.
            Default: the effect of zeroing each head.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        SessionFileError
            `file_exists`, `cannot_write`.
        InterventionError
            `sweep_of_another_state`, `map_too_large`.
        """
        from circuitboard.board.export import drawing_of_sweep, svg_of

        storage.require_place(Path(path), overwrite=overwrite)
        found = sweep if sweep is not None else self.sweep("head", how="zero")
        drawn = svg_of(drawing_of_sweep(self, found))  # type: ignore[arg-type]
        storage.write(Path(path), drawn.encode(), overwrite=overwrite)

    def export_html(self, path: str | Path, *sweeps: Sweep, overwrite: bool = False) -> None:
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
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        SessionFileError
            `file_exists`, `cannot_write`.
        InterventionError
            `sweep_of_another_state`, `map_too_large`.
        """
        from circuitboard.board.export import Shows, drawing_of_sweep, page_of

        storage.require_place(Path(path), overwrite=overwrite)
        found = sweeps or (self.sweep("head", how="zero"),)
        maps = [(drawing_of_sweep(self, sweep), code.sweep_expression(self, sweep.grid, sweep)) for sweep in found]  # type: ignore[arg-type]
        shown = self._steps.shown
        shows: Shows = Shows(maps, self._effects_of_edits(shown))
        page = page_of(self, shown, shows)  # type: ignore[arg-type]
        storage.write(Path(path), page.encode(), overwrite=overwrite)

    def _effects_of_edits(self, shown: Shown) -> dict[int, float]:
        """What each edit in force does: the metric with minus without it; a run an edit."""
        enabled: Sequence[int] = [index for index, edit in enumerate(shown.history.state.edits) if edit.enabled]
        maps, value = self.maps, float(shown.outcome.values.double().mean())

        def work(cancel: CancelToken) -> dict[int, float]:
            return {index: value - float(maps.without([index], shown, cancel).double().mean()) for index in enabled}

        return self._worker.submit(work).result() if enabled else {}
