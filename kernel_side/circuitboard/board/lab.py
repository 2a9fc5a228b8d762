"""The bench that a board works on: model, prompts, both unedited runs, metric and engine. Nothing here changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.engine import Budget, Choice, EditedRun, Requested, budget_of, choose_engine, require_room
from circuitboard.errors import PromptError
from circuitboard.interventions import Plan, compile_plan
from circuitboard.metrics import Metric, evaluate
from circuitboard.runs import CachedRun, record_run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.board.state import Base
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts


@dataclass(frozen=True, eq=False)
class Lab:
    """Everything that a board's numbers depend on besides its state."""

    adapter: ModelAdapter
    prompts: Prompts
    metric: Metric
    clean: CachedRun
    corrupted: CachedRun | None
    clean_values: Float[Tensor, " batch"]
    corrupted_values: Float[Tensor, " batch"] | None
    choice: Choice
    budget: Budget

    def base(self, base: Base) -> CachedRun:
        """The run that is edited.

        Raises
        ------
        PromptError
            `no_corrupted_run`.
        """
        if base == "clean":
            return self.clean
        if self.corrupted is None:
            raise PromptError(
                "There is no corrupted run to edit: pass corrupted=… to PromptPair.", code="no_corrupted_run"
            )
        return self.corrupted

    @property
    def bases(self) -> tuple[CachedRun, ...]:
        """The unedited runs."""
        return (self.clean,) if self.corrupted is None else (self.clean, self.corrupted)

    def source(self, base: Base) -> CachedRun | None:
        """The run that patches come from: the other one."""
        return self.corrupted if base == "clean" else self.clean

    def plan(self, base: Base, interventions: Iterable[Intervention]) -> Plan:
        """Interventions made ready, or refused."""
        return compile_plan(tuple(interventions), self.adapter, self.prompts, self.base(base), self.source(base))

    def values(self, run: EditedRun) -> Float[Tensor, " batch"]:
        """The metric of each prompt."""
        return evaluate(self.metric, run.logits, self.prompts)


def set_up(
    adapter: ModelAdapter, prompts: Prompts, metric: Metric, base: Base, engine: Requested, memory: int | None = None
) -> Lab:
    """Record both runs and choose the engine."""
    budget = budget_of(adapter.device, memory)
    n_runs = 1 if prompts.corrupted_tokens is None else 2
    require_room(adapter, budget, n_runs, prompts.n, prompts.n_positions)
    clean = record_run(adapter, "clean", prompts.clean_tokens, metric.reads, prompts.real)
    corrupted = None
    if prompts.corrupted_tokens is not None:
        corrupted = record_run(adapter, "corrupted", prompts.corrupted_tokens, metric.reads, prompts.real)
    edited, source = (clean, corrupted) if base == "clean" or corrupted is None else (corrupted, clean)
    choice = choose_engine(engine, adapter, prompts, edited, source, metric.reads, budget)
    lab = Lab(
        adapter=adapter,
        prompts=prompts,
        metric=metric,
        clean=clean,
        corrupted=corrupted,
        clean_values=evaluate(metric, clean.logits, prompts),
        corrupted_values=None if corrupted is None else evaluate(metric, corrupted.logits, prompts),
        choice=choice,
        budget=budget,
    )
    lab.base(base)
    return lab
