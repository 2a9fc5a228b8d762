"""Maps of what matters: every component, or every component at every position, edited in turn."""

from circuitboard.sweeps.cells import MAX_CELLS, Grid, grid_of
from circuitboard.sweeps.result import Sweep, normalized
from circuitboard.sweeps.stream import SweepBatch, SweepStream
from circuitboard.sweeps.sweep import Progress, sweep_steps

__all__ = [
    "MAX_CELLS",
    "Grid",
    "Progress",
    "Sweep",
    "SweepBatch",
    "SweepStream",
    "grid_of",
    "normalized",
    "sweep_steps",
]
