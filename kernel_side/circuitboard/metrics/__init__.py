"""Numbers that say what a model answers, one a file."""

from circuitboard.metrics.catalogue import METRICS, MetricLike, metric_of
from circuitboard.metrics.metric import Metric, Reads, columns_of, evaluate, evaluate_cells, select

__all__ = [
    "METRICS",
    "Metric",
    "MetricLike",
    "Reads",
    "columns_of",
    "evaluate",
    "evaluate_cells",
    "metric_of",
    "select",
]
