"""Maps of what matters: every component, or every component at every position, edited in turn."""

from circuitboard.sweeps.cells import Grid, grid_of
from circuitboard.sweeps.result import Sweep
from circuitboard.sweeps.sweep import Progress, sweep_steps

__all__ = ["Grid", "Progress", "Sweep", "grid_of", "sweep_steps"]
