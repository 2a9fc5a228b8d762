"""Static pictures of maps, for papers: vector graphics by matplotlib (extra `[plot]`)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitboard.boundary import public
from circuitboard.errors import CircuitboardError
from circuitboard.protocol.vocabulary import STOPS
from circuitboard.sweeps.scale import scale_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.sweeps.cells import Grid

_CELL_INCHES = 0.22
_LARGEST_INCHES = 12.0
_FEW = 40
"""Rows or columns whose numbers are all written."""


@public
@dataclass(frozen=True, eq=False)
class Picture:
    """A figure that shows itself in a notebook.

    Parameters
    ----------
    figure
        matplotlib's `Figure`, to be changed at will.
    """

    figure: Any

    def save(self, path: str | Path, **options: Any) -> None:
        """Write it as SVG, PDF or PNG, by the ending of the name; `options` go to matplotlib's `savefig`."""
        with _text_as_text():
            self.figure.savefig(path, **{"bbox_inches": "tight", **options})

    def _repr_svg_(self) -> str:
        written = io.StringIO()
        with _text_as_text():
            self.figure.savefig(written, format="svg", bbox_inches="tight", metadata={"Date": None})
        return written.getvalue()


def _text_as_text() -> AbstractContextManager[None]:
    """Write the words of vector graphics as words, to be searched and set in a paper's own font."""
    import matplotlib as mpl

    return mpl.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42})


def maps_side_by_side(
    maps: Mapping[str, tuple[Grid, Float[Tensor, "*cells"]]], what: str, *, marked: AbstractSet[str] = frozenset()
) -> Picture:
    """Draw maps of the same cells on one symmetric scale, in the panel's colours and up to its percentile.

    A map by position and head is drawn one row a layer and head.

    Parameters
    ----------
    maps
        Title → grid and numbers.
    what
        The numbers in words, with their unit.
    marked
        Sites that get a frame.

    Raises
    ------
    CircuitboardError
        `not_installed` without matplotlib.
    """
    try:
        import matplotlib as mpl
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise CircuitboardError(
            "Pictures of maps are drawn by matplotlib, which is not installed: pip install 'circuitboard[plot]'.",
            code="not_installed",
        ) from error
    tables = {title: _table(grid, values) for title, (grid, values) in maps.items()}
    rows, columns = next(iter(tables.values())).shape
    grid = next(iter(maps.values()))[0]
    numbers = np.stack([table.double().numpy() for table in tables.values()])
    most = scale_of(numbers, ~np.isnan(numbers))[0] or 1.0
    colours = LinearSegmentedColormap.from_list("circuitboard", STOPS["orange-blue"]["light"])
    width = min(_LARGEST_INCHES, 1.2 + _CELL_INCHES * columns)
    height = min(_LARGEST_INCHES, 1.0 + _CELL_INCHES * rows)
    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(width * len(tables) + 0.8, height), layout="constrained")
        axes = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
        for axis, (title, table) in zip(axes, tables.items(), strict=True):
            axis.imshow(table.numpy(), cmap=colours, vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
            axis.set_title(title)
            axis.set_xlabel(grid.axes[-1] if len(grid.axes) > 1 else "")
            axis.set_xticks(*_ticks(_column_names(grid, columns)))
            for index, cell in enumerate(grid.cells if marked else ()):
                if str(cell.site) in marked:
                    corner = (index % columns - 0.5, index // columns - 0.5)
                    axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="black", linewidth=1))
        axes[0].set_ylabel(" · ".join(grid.axes[:-1]) if len(grid.axes) > 1 else grid.axes[0])
        axes[0].set_yticks(*_ticks(_row_names(grid)))
        figure.colorbar(axes[-1].images[0], ax=axes, label=what, shrink=0.8)
    return Picture(figure)


def _table(grid: Grid, values: Float[Tensor, "*cells"]) -> Float[Tensor, "row column"]:
    if len(grid.shape) == 1:
        return values[:, None]
    return values.flatten(0, -2)


def _column_names(grid: Grid, columns: int) -> list[str]:
    if grid.axes[-1] in _PLACES:
        return _places(grid, columns)
    return [str(column) for column in range(columns)] if len(grid.axes) > 1 else [""]


def _row_names(grid: Grid) -> list[str]:
    if len(grid.axes) < 3:  # noqa: PLR2004  layer, and one axis across
        return [str(layer) for layer in grid.layers]
    return [f"{layer} @ {place}" for layer in grid.layers for place in _places(grid, grid.shape[1])]


_PLACES = ("pos", "label")


def _places(grid: Grid, n: int) -> list[str]:
    """Positions or labels of a sweep by these."""
    return [str(place) for place in grid.labels or grid.positions or range(n)]


def _ticks(names: list[str]) -> tuple[list[int], list[str]]:
    """Where names are written: all of a few, an even share of many."""
    step = -(-len(names) // _FEW)
    return list(range(0, len(names), step)), names[::step]
