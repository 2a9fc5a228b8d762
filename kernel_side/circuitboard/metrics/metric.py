"""What a metric is: what it reads of the logits, its unit, and how it is computed per prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from circuitboard.errors import MetricError

if TYPE_CHECKING:
    from jaxtyping import Float, Int
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
        (logits, prompts) → [batch]. With `batched`, logits may have further axes in front, which it keeps.
    needs_wrong
        Whether the prompts must name a wrong answer.
    columns
        prompts → token ids int64 [batch, k], for a metric that needs no more than these logits: `compute` then gets
        [..., batch, 1, k]. None: it gets the whole vocabulary.
    batched
        Whether `compute` takes many cells at once.
    """

    name: str
    unit: str
    reads: Reads
    compute: Callable[[Tensor, Prompts], Tensor]
    needs_wrong: bool = False
    columns: Callable[[Prompts], Tensor] | None = None
    batched: bool = False


def columns_of(metric: Metric, prompts: Prompts) -> Int[Tensor, "batch k"] | None:
    """The only token ids that a metric reads, or None for all."""
    return None if metric.columns is None else metric.columns(prompts)


def select(
    logits: Float[Tensor, "*cells batch read d_vocab"], columns: Int[Tensor, "batch k"] | None
) -> Float[Tensor, "*cells batch read k"]:
    """The logits of some token ids per prompt; all of them for None."""
    if columns is None:
        return logits
    ids = columns.to(logits.device)[:, None]
    return logits.gather(-1, ids.expand(*logits.shape[:-1], ids.shape[-1]))


def evaluate(metric: Metric, logits: Float[Tensor, "batch read d_vocab"], prompts: Prompts) -> Float[Tensor, " batch"]:
    """Compute a metric for each prompt from whole rows of logits.

    Raises
    ------
    MetricError
        As `evaluate_cells`.
    """
    found: Tensor = evaluate_cells(metric, select(logits, columns_of(metric, prompts))[None], prompts)[0]
    return found


def evaluate_cells(
    metric: Metric, logits: Float[Tensor, "cell batch read column"], prompts: Prompts
) -> Float[Tensor, "cell batch"]:
    """Compute a metric for each cell and prompt from the logits that it reads.

    Raises
    ------
    MetricError
        `metric_raised` if a user's function failed, `metric_wrong_shape` if it returned anything but [batch] real
        numbers, `metric_changed_logits` if it wrote into the logits, which other numbers are read from.
    """
    import torch

    if not metric.batched:
        return torch.stack([_evaluate_one(metric, rows, prompts) for rows in logits])
    values = metric.compute(logits, prompts)
    return values.detach().cpu().to(torch.promote_types(values.dtype, torch.float32))


def _evaluate_one(
    metric: Metric, logits: Float[Tensor, "batch read d_vocab"], prompts: Prompts
) -> Float[Tensor, " batch"]:
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
