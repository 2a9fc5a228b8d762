"""Numbers that say what a model answers, one a file."""

from circuitboard.metrics.catalogue import METRICS, MetricLike, metric_of
from circuitboard.metrics.metric import Metric, Reads, evaluate

__all__ = ["METRICS", "Metric", "MetricLike", "Reads", "evaluate", "metric_of"]
