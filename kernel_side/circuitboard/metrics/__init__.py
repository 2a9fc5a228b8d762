"""Numbers that say what a model answers, one a file."""

from circuitboard.metrics.catalogue import METRICS, MetricLike, MetricsLike, metric_of, metrics_of
from circuitboard.metrics.metric import Metric, Reads, columns_of, evaluate, evaluate_cells, select
from circuitboard.metrics.normaliser import likeliest, probs_of
from circuitboard.metrics.reading import Reading
from circuitboard.metrics.sign_flips import Correction, corrected, floor_of, printed, pvalues
from circuitboard.metrics.source import SourceText, source_of
from circuitboard.metrics.spread import Spread, interval_of, spread_of, standard_error

__all__ = [
    "METRICS",
    "Correction",
    "Metric",
    "MetricLike",
    "MetricsLike",
    "Reading",
    "Reads",
    "SourceText",
    "Spread",
    "columns_of",
    "corrected",
    "evaluate",
    "evaluate_cells",
    "floor_of",
    "interval_of",
    "likeliest",
    "metric_of",
    "metrics_of",
    "printed",
    "probs_of",
    "pvalues",
    "select",
    "source_of",
    "spread_of",
    "standard_error",
]
