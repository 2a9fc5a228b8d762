"""What a metric is: what it reads of the logits, its unit, and how it is computed per prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from circuitboard.errors import MetricError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.prompts import Prompts

Reads = Literal["answer", "all"]
"""Which logits a metric needs: those at the answer position, or those at all positions."""


@dataclass(frozen=True)
class Metric:
    """A number per prompt.

    Parameters
    ----------
    name
        As passed to `Board(metric=…)`.
    unit
        What the number is measured in.
    reads
        "answer": `compute` gets logits [batch, 1, d_vocab] of the answer position; "all": [batch, pos, d_vocab].
    compute
        (logits, prompts) → [batch].
    needs_wrong
        Whether the prompts must name a wrong answer.
    """

    name: str
    unit: str
    reads: Reads
    compute: Callable[[Tensor, Prompts], Tensor]
    needs_wrong: bool = False


def evaluate(metric: Metric, logits: Float[Tensor, "batch read d_vocab"], prompts: Prompts) -> Float[Tensor, " batch"]:
    """Compute a metric for each prompt.

    Raises
    ------
    MetricError
        `metric_raised` if a user's function failed, `metric_wrong_shape` if it returned anything but [batch] real
        numbers, `metric_changed_logits` if it wrote into the logits, which other numbers are read from.
    """
    import torch

    untouched = logits._version  # noqa: SLF001  torch has no public name for it
    try:
        values = metric.compute(logits, prompts)
    except Exception as error:
        raise MetricError(
            f"The metric {metric.name!r} raised {type(error).__name__}: {error}. It is called with logits {list(logits.shape)} and must return one number a prompt.",
            code="metric_raised",
        ) from error
    if logits._version != untouched:  # noqa: SLF001
        raise MetricError(
            f"The metric {metric.name!r} changed the logits in place; let it work on logits.clone().",
            code="metric_changed_logits",
        )
    if not isinstance(values, torch.Tensor) or values.is_complex() or tuple(values.shape) != (logits.shape[0],):
        found = (
            f"a tensor of shape {list(values.shape)} and type {values.dtype}"
            if isinstance(values, torch.Tensor)
            else f"a {type(values).__name__}"
        )
        raise MetricError(
            f"The metric {metric.name!r} returned {found}; expected a tensor of shape [{logits.shape[0]}], one number a prompt.",
            code="metric_wrong_shape",
        )
    return values.detach().cpu().to(torch.promote_types(values.dtype, torch.float32))
