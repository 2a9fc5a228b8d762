"""Running a sweep, a batch of cells at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard.interventions import Plan, compile_plan
from circuitboard.metrics import evaluate

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine import CancelToken, EditedRun, Engine
    from circuitboard.metrics import Metric
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun

Progress = Callable[[Sequence[int], "Tensor"], None]
"""Called with the cells that have just been computed and their values [cell, batch]."""


def sweep_steps(
    engine: Engine,
    current: EditedRun,
    cells: Sequence[Intervention],
    *,
    adapter: ModelAdapter,
    prompts: Prompts,
    metric: Metric,
    source: CachedRun | None,
    cancel: CancelToken,
    progress: Progress | None = None,
) -> Generator[None, None, Float[Tensor, "cell batch"]]:
    """Compute the metric of every cell on top of the edits of `current`, pausing after each batch.

    Each cell holds the edits in force and its own, which acts last.

    Returns
    -------
    Tensor
        [cell, batch], on the CPU.
    """
    pinned = current.plan.writes
    own = compile_plan(cells, adapter, prompts, current.plan.base, source).writes
    plans = [Plan(current.plan.base, (*pinned, write)) for write in own]
    values = torch.full((len(cells), prompts.n), torch.nan, dtype=torch.promote_types(adapter.dtype, torch.float32))
    for result in engine.sweep(current, plans, cancel=cancel):
        found = torch.stack([evaluate(metric, logits, prompts).to(values.dtype) for logits in result.logits])
        values[list(result.cells)] = found
        if progress is not None:
            progress(result.cells, found)
        yield
    return values
