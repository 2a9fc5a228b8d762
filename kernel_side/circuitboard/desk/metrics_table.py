"""Every metric of a board in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.desk.timeline import mean
from circuitboard.metrics import spread_of

if TYPE_CHECKING:
    import pandas as pd

    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Shown


def metrics_table(lab: Lab, shown: Shown) -> pd.DataFrame:
    """One row a metric; see `Board.metrics`."""
    import pandas as pd

    base, rows = shown.history.state.base, []
    for metric in lab.metrics:
        values, (clean, corrupted) = lab.values(shown.run, metric), lab.unedited(base, metric)
        spread, unedited = spread_of(values), clean if base == "clean" or corrupted is None else corrupted
        change = spread_of(values - unedited)
        rows.append(
            {
                "metric": metric.name,
                "unit": metric.unit,
                "value": spread.mean,
                "stderr": spread.stderr,
                "ci_low": spread.low,
                "ci_high": spread.high,
                "clean": mean(clean),
                "corrupted": float("nan") if corrupted is None else mean(corrupted),
                "change": change.mean,
                "p": change.pvalue,
                "p_floor": change.floor,
                "p_text": change.p,
            }
        )
    return pd.DataFrame(rows).set_index("metric")
