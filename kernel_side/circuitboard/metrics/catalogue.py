"""The metrics that have a name, and how a user's own function becomes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from circuitboard.address import entries
from circuitboard.boundary import hand_over, handed_over
from circuitboard.errors import EngineError, MetricError
from circuitboard.metrics.kl import KL
from circuitboard.metrics.log_prob import LOG_PROB, PROB
from circuitboard.metrics.logit_diff import LOGIT_DIFF
from circuitboard.metrics.loss import LOSS
from circuitboard.metrics.metric import Metric
from circuitboard.metrics.rank import RANK
from circuitboard.metrics.source import source_of
from circuitboard.words import instead

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.metrics.reading import Reading
    from circuitboard.prompts import Prompts

METRICS: dict[str, Metric] = {
    metric.name: replace(metric, formula=metric.name) for metric in (LOGIT_DIFF, PROB, LOG_PROB, RANK, KL, LOSS)
}

MetricLike = str | Callable[[Any], Any]
MetricsLike = MetricLike | Mapping[str, MetricLike] | Sequence[str]


def metrics_of(given: MetricsLike, prompts: Prompts) -> tuple[Metric, ...]:
    """The metrics a user means; the first is the one that maps show.

    Parameters
    ----------
    given
        A name, or a function of logits [batch, pos, d_vocab] that returns [batch]; or several: name → one of these,
        or a list of names.
    prompts
        What they will be computed on.

    Raises
    ------
    MetricError
        `unknown_metric`, `no_wrong_answer` if one compares two answers and the prompts have one, `no_metric` for an
        empty collection.
    """
    if isinstance(given, str) or callable(given):
        return (metric_of(given, prompts),)
    if isinstance(given, Mapping):
        named = dict(given)
    elif (names := entries(given)) is not None and all(isinstance(name, str) for name in names):
        named = {name: name for name in names}
    else:
        raise MetricError(
            f"Metrics are a name, a function, a dict of these or a list of names, not {given!r:.80}.",
            code="unknown_metric",
        )
    if not named:
        raise MetricError("A board needs at least one metric, and none was given.", code="no_metric")
    for name in named:
        if not isinstance(name, str) or not name:
            raise MetricError(f"A metric is called by a string, not {name!r:.80}.", code="unknown_metric")
    return tuple(replace(metric_of(metric, prompts), name=name) for name, metric in named.items())


def metric_of(metric: MetricLike, prompts: Prompts) -> Metric:
    """The metric a user means by a name or a function.

    Raises
    ------
    MetricError
        `unknown_metric`, `no_wrong_answer`.
    """
    if callable(metric):
        function = metric

        name = str(getattr(function, "__name__", "metric"))

        def compute(logits: Tensor, reading: Reading) -> Tensor:
            # Columns where this run has no token in any prompt are there for a longer other run: they are not its own.
            logits = logits[:, logits.shape[1] - max(reading.prompts.lengths) :]
            if any(handed.function is function for handed in handed_over()):
                raise EngineError(
                    f"The metric {name!r} asked the board for numbers, which asked the metric. Compute it from the logits that it is given.",
                    code="called_from_worker",
                )
            # A copy, which it may write into: other numbers are read from the logits that are kept.
            result: Tensor = hand_over(f"the metric {name!r}", function, logits.clone())
            return result

        return Metric(name, "", "all", compute, function=function, source=source_of(function))
    if not isinstance(metric, str) or metric not in METRICS:
        raise MetricError(
            f"There is no metric {metric!r:.80}.{instead('metric', metric, METRICS)} Expected one of {', '.join(METRICS)}, or a function of the logits.",
            code="unknown_metric",
        )
    found = METRICS[metric]
    if found.needs_wrong and prompts.wrongs is None:
        raise MetricError(
            f"{metric} compares the answer with a wrong one, but the prompts have none: pass wrong=… to PromptPair, or choose metric='log_prob'.",
            code="no_wrong_answer",
        )
    return found
