"""Which engine tier a model gets: each candidate must agree with plain hooks on a few edits, or it is dropped."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from circuitboard.address import Intervention, Site
from circuitboard.engine.cancel import CancelToken
from circuitboard.engine.hooked import HookedEngine
from circuitboard.engine.replay import ReplayEngine
from circuitboard.engine.tier import Engine
from circuitboard.engine.tolerance import tolerance
from circuitboard.errors import CircuitboardError, EngineError
from circuitboard.interventions import compile_plan
from circuitboard.models.adapter import places_of

if TYPE_CHECKING:
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun

Requested = Literal["auto", "replay", "hooked"]
TIERS = tuple(tier for tier in get_args(Requested) if tier != "auto")

_PROBE_SEED = 0
_PROBE_EDITS = 3


@dataclass(frozen=True)
class Choice:
    """The engine in use and why."""

    engine: Engine
    why: str

    @property
    def tier(self) -> str:
        return self.engine.tier


def choose_engine(
    requested: Requested,
    adapter: ModelAdapter,
    prompts: Prompts,
    base: CachedRun,
    source: CachedRun | None,
    reads: Reads,
) -> Choice:
    """Pick the fastest tier that equals plain hooks on random edits of these very prompts.

    Raises
    ------
    EngineError
        `unknown_tier`; `tier_refused` if one was asked for by name and it disagrees or fails.
    """
    if requested not in get_args(Requested):
        raise EngineError(f"There is no engine {requested!r}; expected auto, {', '.join(TIERS)}.", code="unknown_tier")
    hooked = HookedEngine(adapter, reads)
    if requested == "hooked":
        return Choice(hooked, "asked for")
    replay = ReplayEngine(adapter, reads)
    doubt = _doubt(replay, hooked, adapter, prompts, base, source)
    if doubt is None:
        return Choice(replay, "equals plain hooks on random edits of these prompts")
    if requested == "replay":
        raise EngineError(
            f"The replay tier cannot run {adapter.name}: {doubt}. Use engine='auto' or 'hooked'.", code="tier_refused"
        )
    return Choice(hooked, f"block replay was dropped: {doubt}")


def _doubt(
    candidate: Engine,
    oracle: Engine,
    adapter: ModelAdapter,
    prompts: Prompts,
    base: CachedRun,
    source: CachedRun | None,
) -> str | None:
    """Why a tier cannot be trusted here, or None if it agrees on every edit of the probe."""
    cancel = CancelToken()
    edits = _probe_edits(adapter, prompts, patch=source is not None)
    pinned, cells = edits[:1], edits[1:]
    plans = [compile_plan([*pinned, cell], adapter, prompts, base, source) for cell in cells]
    try:
        expected = torch.stack([oracle.run(plan, cancel=cancel).logits for plan in plans])
        found = torch.full_like(expected, torch.nan)
        current = candidate.run(compile_plan(pinned, adapter, prompts, base, source), cancel=cancel)
        for result in candidate.sweep(current, plans, cancel=cancel):
            found[list(result.cells)] = result.logits
        again = candidate.run(plans[-1], near=current, cancel=cancel).logits
    except CircuitboardError as error:
        return error.message
    except (
        RuntimeError,
        TypeError,
        ValueError,
        AttributeError,
        KeyError,
        IndexError,
        AssertionError,
        NotImplementedError,
    ) as error:
        return f"its blocks cannot be called by themselves ({type(error).__name__}: {str(error)[:200]})"
    allowed = tolerance(adapter.dtype, expected)
    worst = max(_distance(found, expected), _distance(again, expected[-1]))
    return None if worst <= allowed else f"its logits differ from plain hooks by {worst:.3g}, more than {allowed:.3g}"


def _distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference; equal non-finite numbers count as equal."""
    same = (found == expected) | (found.isnan() & expected.isnan())
    difference = torch.where(same, 0.0, (found - expected).abs())
    return float("inf") if difference.isnan().any() else float(difference.max())


def _probe_edits(adapter: ModelAdapter, prompts: Prompts, *, patch: bool) -> Sequence[Intervention]:
    draw = random.Random(_PROBE_SEED)
    places = list(places_of(adapter))
    edits = []
    for _ in range(_PROBE_EDITS):
        kind, layer = draw.choice(places)
        site = Site(kind, layer, draw.randrange(adapter.shape.n_heads) if kind == "head" else None)
        site = site.at(draw.sample(range(prompts.n_positions), draw.randint(1, prompts.n_positions)))
        edits.append(site.patch() if patch and draw.choice((True, False)) else site.zero())
    # Two cells that start together in the first layer: blocks may take one prompt set but not copies of it.
    kind, layer = places[0]
    first = Site(kind, layer, 0 if kind == "head" else None)
    return [*edits, first.scale(-1), first.at(0).zero()]
