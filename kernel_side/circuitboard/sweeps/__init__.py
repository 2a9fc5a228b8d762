"""Maps of what matters: every component, or every component at every position, edited in turn."""

from circuitboard.sweeps.cell_effects import cell_effects, edited_cells
from circuitboard.sweeps.cells import MAX_CELLS, By, Grid, Over, SweepHow, grid_of
from circuitboard.sweeps.ground import Ground
from circuitboard.sweeps.result import Sweep, normalized
from circuitboard.sweeps.stream import SweepBatch, SweepStream
from circuitboard.sweeps.sweep import Progress, sweep_steps

__all__ = [
    "MAX_CELLS",
    "By",
    "Grid",
    "Ground",
    "Over",
    "Progress",
    "Sweep",
    "SweepBatch",
    "SweepHow",
    "SweepStream",
    "cell_effects",
    "edited_cells",
    "grid_of",
    "normalized",
    "sweep_steps",
]
