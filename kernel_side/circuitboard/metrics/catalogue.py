"""The metrics that have a name, and how a user's own function becomes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuitboard.errors import MetricError
from circuitboard.metrics.log_prob import LOG_PROB, PROB
from circuitboard.metrics.logit_diff import LOGIT_DIFF
from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.prompts import Prompts

METRICS: dict[str, Metric] = {metric.name: metric for metric in (LOGIT_DIFF, PROB, LOG_PROB)}

MetricLike = str | Callable[[Any], Any]


def metric_of(metric: MetricLike, prompts: Prompts) -> Metric:
    """The metric a user means.

    Parameters
    ----------
    metric
        A name, or a function of logits [batch, pos, d_vocab] that returns [batch].
    prompts
        What it will be computed on.

    Raises
    ------
    MetricError
        `unknown_metric`, or `no_wrong_answer` if it compares two answers and the prompts have one.
    """
    if callable(metric):
        function = metric

        def compute(logits: Tensor, _prompts: Prompts) -> Tensor:
            result: Tensor = function(logits)
            return result

        return Metric(getattr(function, "__name__", "metric"), "", "all", compute)
    if not isinstance(metric, str) or metric not in METRICS:
        raise MetricError(
            f"There is no metric {metric!r}; expected one of {', '.join(METRICS)}, or a function of the logits.",
            code="unknown_metric",
        )
    found = METRICS[metric]
    if found.needs_wrong and prompts.wrong_ids is None:
        raise MetricError(
            f"{metric} compares the answer with a wrong one, but the prompts have none: pass wrong=… to PromptPair, or choose metric='log_prob'.",
            code="no_wrong_answer",
        )
    return found
