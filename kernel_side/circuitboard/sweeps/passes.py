"""What an estimate and its exact sweep cost, counted in forward passes rather than timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuitboard.address import Edge, Site
    from circuitboard.sweeps.attribution import Method
    from circuitboard.sweeps.cells import Grid

_BACKWARD = 2
"""Forward passes that a backward pass is worth: it has two matrix products for each one there."""

RowShare = Callable[["Site | Edge"], float]
"""Which share of the rows of a pass an edit of a site changes."""


def passes_of_estimate(method: Method, n_layers: int) -> float:
    """A forward and a backward pass; for "atp*" one more backward pass a layer, through the layers before it alone."""
    drops = n_layers / 2 if method == "atp*" and n_layers > 1 else 0
    return 1 + _BACKWARD * (1 + drops)


def passes_of_sweep(grid: Grid, n_layers: int, share: RowShare | None) -> float:
    """A cell is computed from its own layer on, for its share of the rows; as a whole pass by plain hooks (`share` None)."""
    if share is None:
        return len(grid.cells)
    return sum((n_layers - cell.site.layer) / n_layers * share(cell.site) for cell in grid.cells)


def dearer(method: Method, grid: Grid, n_layers: int, share: RowShare | None) -> str | None:
    """A word where an estimate costs more than computing its cells; None where it does not."""
    estimate, exact = passes_of_estimate(method, n_layers), passes_of_sweep(grid, n_layers, share)
    if estimate <= exact:
        return None
    return f"this estimate is worth about {estimate:.0f} forward passes, its cells computed exactly about {max(1, round(exact))}, so leave out approximate"
