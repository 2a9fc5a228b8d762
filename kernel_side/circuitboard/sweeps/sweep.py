"""Running a sweep, a batch of cells at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard.errors import Cancelled
from circuitboard.interventions import compile_plan
from circuitboard.metrics import columns_of, evaluate_cells

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine import CancelToken, EditedRun, Engine
    from circuitboard.interventions import Supply
    from circuitboard.metrics import Metric, Reading
    from circuitboard.models.adapter import ModelAdapter

Progress = Callable[[Sequence[int], "Tensor"], None]
"""Called with the cells that have just been computed and their values [cell, batch]."""

FIRST_SLICE = 64
"""Cells computed first when the most important come first; each slice is twice the one before, so that all but the
first few fill the engine's batches."""


def sweep_steps(
    engine: Engine,
    current: EditedRun,
    cells: Sequence[Intervention],
    *,
    adapter: ModelAdapter,
    metric: Metric,
    reading: Reading,
    supply: Supply,
    cancel: CancelToken,
    progress: Progress | None = None,
    importance: Float[Tensor, " cell"] | None = None,
) -> Generator[None, None, Float[Tensor, "cell batch"]]:
    """Compute the metric of every cell on top of the edits of `current`, pausing after each batch.

    A batch that something newer interrupts is computed again after it, if the work goes on.

    Each cell holds the edits in force and its own, which acts last. With `importance`, the most important cells are
    computed first; else the engine takes them in the order that costs least.

    Returns
    -------
    Tensor
        [cell, batch], on the CPU.
    """
    prompts = reading.prompts
    values = torch.full((len(cells), prompts.n), torch.nan, dtype=torch.promote_types(adapter.dtype, torch.float32))
    columns = columns_of(metric, prompts)
    for chosen in (range(len(cells)),) if importance is None else slices(importance):
        left = list(chosen)
        while left:
            own = compile_plan([cells[cell] for cell in left], adapter, prompts, supply).writes
            asked, done = left, set[int]()
            try:
                for result in engine.sweep(current, own, columns=columns, cancel=cancel):
                    here = [asked[cell] for cell in result.cells]
                    found = evaluate_cells(metric, result.logits, reading).to(values.dtype)
                    values[here] = found
                    done.update(here)
                    if progress is not None:
                        progress(here, found)
                    yield
            except Cancelled:
                if not cancel.interrupted:
                    raise
                yield
            left = [cell for cell in asked if cell not in done]
    return values


def slices(importance: Float[Tensor, " cell"]) -> Iterator[list[int]]:
    """The cells by importance, largest first and those without a number last, in slices that grow."""
    order = importance.nan_to_num(nan=-torch.inf).argsort(descending=True, stable=True).tolist()
    start, size = 0, FIRST_SLICE
    while start < len(order):
        yield order[start : start + size]
        start, size = start + size, 2 * size
