"""What a metric is: what it reads of the logits, its unit, and how it is computed per prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from circuitboard.boundary import ran_out_of_memory
from circuitboard.errors import CircuitboardError, MetricError, there

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.metrics.reading import Reading
    from circuitboard.metrics.source import SourceText
    from circuitboard.prompts import Prompts

Reads = Literal["answer", "all"]
"""Which logits a metric needs: those at the answer position, or those at all positions."""

_MOST_WORDS = 300
"""Characters that are repeated of what a user's function raised; all of it is the error's cause."""


@dataclass(frozen=True)
class Metric:
    """A number per prompt.

    Parameters
    ----------
    name
        What the board calls it.
    unit
        What the number is measured in.
    reads
        "answer": `compute` gets logits [batch, 1, d_vocab] of the answer position; "all": [batch, pos, d_vocab].
    compute
        (logits, reading) → [batch]. With `batched`, logits may have further axes in front, which it keeps.
    needs_wrong
        Whether the prompts must name a wrong answer.
    columns
        prompts → token ids int64 [batch, k], for a metric that needs no more than these logits: `compute` then gets
        [..., batch, 1, k]. None: it gets the whole vocabulary.
    batched
        Whether `compute` takes many cells at once.
    formula
        Which metric of the catalogue it is; None for a function of the user's.
    function
        That function; None for a metric of the catalogue.
    source
        Its text, read when the metric was made: the file that it stands in may be another one later.
    """

    name: str
    unit: str
    reads: Reads
    compute: Callable[[Tensor, Reading], Tensor]
    needs_wrong: bool = False
    columns: Callable[[Prompts], Tensor] | None = None
    batched: bool = False
    formula: str | None = None
    function: Callable[[Tensor], Any] | None = None
    source: SourceText | None = None

    @property
    def given(self) -> str | Callable[[Tensor], Any]:
        """What a user passes to get this metric."""
        return self.formula or there(self.function)


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


def evaluate(metric: Metric, logits: Float[Tensor, "batch read d_vocab"], reading: Reading) -> Float[Tensor, " batch"]:
    """Compute a metric for each prompt from whole rows of logits, of which the last is the answer position.

    Raises
    ------
    MetricError
        As `evaluate_cells`.
    """
    found: Tensor = evaluate_cells(metric, select(logits, columns_of(metric, reading.prompts))[None], reading)[0]
    return found


def evaluate_cells(
    metric: Metric, logits: Float[Tensor, "cell batch read column"], reading: Reading
) -> Float[Tensor, "cell batch"]:
    """Compute a metric for each cell and prompt from the logits that it reads.

    Raises
    ------
    MetricError
        `metric_raised` if a user's function failed, `metric_wrong_shape` if it returned anything but [batch] real
        numbers, `metric_wrong_device` if they lie where they cannot be read, `metric_not_finite` if it made NaN of
        finite logits.
    EngineError
        `called_from_worker` if it called the board back.
    """
    import torch

    if metric.reads == "answer":
        logits = logits[..., -1:, :]
    if not metric.batched:
        return torch.stack([_evaluate_one(metric, rows, reading) for rows in logits])
    values = metric.compute(logits, reading)
    return values.detach().cpu().to(torch.promote_types(values.dtype, torch.float32))


def _evaluate_one(
    metric: Metric, logits: Float[Tensor, "batch read d_vocab"], reading: Reading
) -> Float[Tensor, " batch"]:
    try:
        values = metric.compute(logits, reading)
    except CircuitboardError as error:
        if error.code in ("called_from_worker", "called_from_fork"):
            raise
        raise _raised(metric, error, logits) from error
    except Exception as error:
        if ran_out_of_memory(error):
            raise
        raise _raised(metric, error, logits) from error
    values = _numbers(metric, values, logits)
    missing = values.isnan()
    if bool(missing.any()) and bool(logits.isfinite().all()):
        raise MetricError(
            f"The metric {metric.name!r} made NaN of finite logits, for prompt {int(missing.nonzero()[0])}; let it return a number for every prompt.",
            code="metric_not_finite",
        )
    return values.to("cpu", copy=True)


def _raised(metric: Metric, error: Exception, logits: Tensor) -> MetricError:
    text = f"{type(error).__name__}: {error}"[:_MOST_WORDS]
    return MetricError(
        f"The metric {metric.name!r} raised {text}. It is called with logits {list(logits.shape)} and must return one number a prompt.",
        code="metric_raised",
    )


def _numbers(metric: Metric, values: object, logits: Tensor) -> Tensor:
    """What a metric returned, as a plain tensor of floats; refused if that is not one real number a prompt, in memory that can be read."""
    import torch

    wanted = f"expected a tensor of shape [{logits.shape[0]}], one number a prompt"
    if not isinstance(values, torch.Tensor):
        hint = ": torch.as_tensor(…) makes one" if hasattr(values, "__array__") or isinstance(values, list) else ""
        raise MetricError(
            f"The metric {metric.name!r} returned a {type(values).__name__}; {wanted}{hint}.", code="metric_wrong_shape"
        )
    # A class with a dispatch of its own keeps its numbers elsewhere; the others are plain tensors with another name.
    elsewhere = type(values).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__
    if elsewhere or values.is_nested or values.is_quantized or values.layout is not torch.strided:
        raise MetricError(
            f"The metric {metric.name!r} returned a {type(values).__name__} that is nested, quantized, sparse or of a class of its own ({values.dtype}, {values.layout}); {wanted}, plain: .dequantize() or .to_dense() it.",
            code="metric_wrong_shape",
        )
    values = values.detach().as_subclass(torch.Tensor)
    if values.is_complex() or tuple(values.shape) != (logits.shape[0],):
        raise MetricError(
            f"The metric {metric.name!r} returned a tensor of shape {list(values.shape)} and type {values.dtype}; {wanted}.",
            code="metric_wrong_shape",
        )
    if values.device.type == "meta":
        raise MetricError(
            f"The metric {metric.name!r} returned a tensor on the device 'meta', which holds no numbers; {wanted}, on any other device.",
            code="metric_wrong_device",
        )
    return values if values.dtype is torch.float64 else values.float()
