"""A board's run as readings and maps take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.sweeps import Ground

if TYPE_CHECKING:
    from circuitboard.desk.lab import Lab
    from circuitboard.engine import EditedRun
    from circuitboard.metrics import Metric


def ground_of(lab: Lab, run: EditedRun, metric: Metric | None = None) -> Ground:
    """A run, and what of the bench its numbers depend on; measured by the first metric if none is given.

    Raises
    ------
    EngineError
        `model_changed` if the run is of a bench that is no more.
    """
    return Ground(
        lab.adapter,
        lab.choice.engine,
        run,
        metric or lab.metric,
        lab.reading(run.plan.base),
        lab.supply_of(run.plan),
    )
