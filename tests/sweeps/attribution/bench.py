"""A model, prompts and a metric, with the engine's pieces laid out for these tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

import circuitboard as cb
from circuitboard.engine import CancelToken, EditedRun, HookedEngine
from circuitboard.errors import ModelError
from circuitboard.interventions import Supply, compile_plan
from circuitboard.metrics import Reading, evaluate, metric_of
from circuitboard.models.bridge import BridgeAdapter
from circuitboard.models.dissection import dissect
from circuitboard.runs import record_run
from circuitboard.sweeps import grid_of
from circuitboard.sweeps.attribution import attribute


@dataclass
class Bench:
    model: Any
    adapter: BridgeAdapter
    prompts: Any
    metric: Any
    base: Any
    source: Any
    engine: HookedEngine
    anatomy: Any

    def writes(self, cells):
        return compile_plan(cells, self.adapter, self.prompts, Supply(self.base, self.source)).writes

    def run(self, edits=()) -> EditedRun:
        plan = compile_plan(edits, self.adapter, self.prompts, Supply(self.base, self.source))
        return self.engine.run(plan, cancel=CancelToken())

    @property
    def reading(self):
        return Reading(self.prompts, self.base.tokens, self.base.logits)

    def exact(self, cells, edits=()):
        """The effect of every cell by plain hooks, [cell, batch]."""
        baseline = evaluate(self.metric, self.run(edits).logits, self.reading)
        found = [evaluate(self.metric, self.run((*edits, cell)).logits, self.reading) for cell in cells]
        return torch.stack(found) - baseline

    def estimate(self, cells, edits=(), method="atp", **options):
        return attribute(
            self.adapter,
            self.run(edits),
            self.writes(cells),
            **{
                "metric": self.metric,
                "reading": self.reading,
                "cancel": CancelToken(),
                "method": method,
                "anatomy": self.anatomy,
                **options,
            },
        )

    def cells(self, over, *, by="pos", how="patch", positions=None, layers=None):
        options = {"by": by, "how": how, "layers": layers, "positions": positions}
        return grid_of(over, **options, adapter=self.adapter, prompts=self.prompts).cells


def bench(model, pair: cb.PromptPair, metric="logit_diff", real=None) -> Bench:
    """`real` is False where a prompt counts as padded."""
    adapter, prompts = BridgeAdapter(model), replace(pair.bind(model), real=real)
    chosen = metric_of(metric, prompts)
    base = record_run(adapter, "clean", prompts.clean_tokens, chosen.reads, prompts.real)
    source = record_run(adapter, "corrupted", prompts.corrupted_tokens, chosen.reads, prompts.real)
    try:
        anatomy = dissect(adapter._model)
    except ModelError:
        anatomy = None
    return Bench(model, adapter, prompts, chosen, base, source, HookedEngine(adapter, chosen.reads), anatomy)
