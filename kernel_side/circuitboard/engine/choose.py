"""Which engine tier a model gets: each candidate must agree with plain hooks on a few edits, or it is dropped."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from circuitboard.address import Edge, Site
from circuitboard.address.edge import RECEIVERS, SENDERS
from circuitboard.boundary import ran_out_of_memory
from circuitboard.engine.cancel import CancelToken
from circuitboard.engine.hooked import HookedEngine
from circuitboard.engine.replay import ReplayEngine
from circuitboard.engine.settled import Settled
from circuitboard.engine.tier import Engine
from circuitboard.engine.tolerance import largest_difference, tolerance
from circuitboard.engine.wavefront import WavefrontEngine
from circuitboard.errors import CircuitboardError, EngineError, ModelError
from circuitboard.interventions import Plan, Supply, compile_plan
from circuitboard.models.adapter import places_of
from circuitboard.models.foreign import foreign
from circuitboard.words import instead

if TYPE_CHECKING:
    from circuitboard.address import Intervention, Kind
    from circuitboard.engine.memory import Budget
    from circuitboard.interventions import Write
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun

Requested = Literal["auto", "wavefront", "replay", "hooked"]
TIERS = tuple(tier for tier in get_args(Requested) if tier != "auto")

_PROBE_SEED = 0
_SWEPT: tuple[Kind, ...] = ("resid_pre", "head.pattern", "head", "neuron")
"""Kinds that are cells of the probe's sweep; edits of the others are in force meanwhile."""


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
    budget: Budget,
) -> Choice:
    """Pick the fastest tier that equals plain hooks on random edits of these very prompts.

    Raises
    ------
    EngineError
        `unknown_tier`; `tier_refused` if one was asked for by name and it disagrees or fails.
    """
    if requested not in get_args(Requested):
        raise EngineError(
            f"There is no engine {requested!r:.60}; expected auto, {', '.join(TIERS)}.{instead('engine', requested, get_args(Requested))}",
            code="unknown_tier",
        )
    hooked = HookedEngine(adapter, reads)
    if requested == "hooked":
        return Choice(hooked, "asked for")
    dropped: list[str] = []
    for tier, make in (("wavefront", _wavefront), ("replay", ReplayEngine)):
        if requested not in ("auto", tier):
            continue
        try:
            with foreign(_fails):
                candidate: Engine = make(adapter, reads, budget)
                doubt = _doubt(candidate, hooked, adapter, prompts, base, source)
        except Exception as error:
            # Memory that runs out says nothing about the tier, only that a slower one has to do.
            short = ran_out_of_memory(error)
            if not short and isinstance(error, CircuitboardError):
                doubt = error.message.removesuffix(".")
            elif short and requested == "auto":
                doubt = "there was no memory for it"
            else:
                raise
        if doubt is None:
            agrees = "equals plain hooks on random edits of these prompts"
            settled = Settled(candidate, adapter, reads, each_cell=_may_hold_what_nothing_reads(candidate, adapter))
            return Choice(settled, "; ".join([agrees, *dropped]))
        if requested == tier:
            raise EngineError(
                f"The {tier} tier cannot run {adapter.name}: {doubt}. Use engine='auto'.", code="tier_refused"
            )
        dropped.append(f"{tier} was dropped: {doubt}")
    return Choice(hooked, "; ".join(dropped))


def _may_hold_what_nothing_reads(candidate: Engine, adapter: ModelAdapter) -> bool:
    """Whether an edit may change rows and yet no answer: a norm reads every dimension of a row, its absence does not.

    The replay tier takes part in it always: its batches round otherwise than the recorded run.
    """
    if candidate.tier != "wavefront":
        return True
    anatomy = adapter.anatomy()
    norms = [anatomy.ln_final, *(norm for block in anatomy.blocks for norm in (block.ln1, block.ln2))]
    return any(norm is not None and norm.kind == "none" for norm in norms)


def _wavefront(adapter: ModelAdapter, reads: Reads, budget: Budget) -> WavefrontEngine:
    return WavefrontEngine(adapter, adapter.anatomy(), reads, budget)


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
    edits, own = _probe_edits(adapter, prompts, patch=source is not None)
    supply = Supply(base, source)
    pinned = compile_plan(edits, adapter, prompts, supply)
    cells = compile_plan(own, adapter, prompts, supply).writes
    plans = [Plan(base, (*pinned.writes, cell)) for cell in cells]
    return _compared(candidate, oracle, adapter, prompts, pinned, plans, cells, cancel) or _remembered(
        candidate, oracle, adapter, prompts, base, supply, cancel
    )


def _fails(clause: str) -> ModelError:
    return ModelError(f"it fails on this model ({clause})", code="tier_fails")


def _compared(
    candidate: Engine,
    oracle: Engine,
    adapter: ModelAdapter,
    prompts: Prompts,
    pinned: Plan,
    plans: Sequence[Plan],
    cells: Sequence[Write],
    cancel: CancelToken,
) -> str | None:
    """What a tier computes otherwise than plain hooks, or None."""
    expected = torch.stack([oracle.run(plan, cancel=cancel).logits for plan in plans])
    found = torch.full_like(expected, torch.nan)
    current = candidate.run(pinned, cancel=cancel)
    for result in candidate.sweep(current, cells, cancel=cancel):
        found[list(result.cells)] = result.logits
    again = candidate.run(plans[-1], near=current, cancel=cancel).logits
    real = prompts.of(pinned.base.name).real
    if real is not None and expected.shape[2] > 1:
        # What stands where a prompt is padded means nothing.
        found, again, expected = found[:, real], again[real], expected[:, real]
    allowed = tolerance(adapter.dtype, expected)
    worst = max(largest_difference(found, expected), largest_difference(again, expected[-1]))
    return None if worst <= allowed else f"its logits differ from plain hooks by {worst:.3g}, more than {allowed:.3g}"


def _remembered(
    candidate: Engine,
    oracle: Engine,
    adapter: ModelAdapter,
    prompts: Prompts,
    base: CachedRun,
    supply: Supply,
    cancel: CancelToken,
) -> str | None:
    """What hooks of the user's make of notes that other hooks took in an earlier block, or None.

    A pass that begins in a later block leaves those notes as another run made them; so there is another run before.
    """
    if not adapter.account.hooks:
        return None
    # An edit of the embedding begins before the first block, and so leaves nothing out.
    first = {layer: (kind, layer) for kind, layer in reversed(list(places_of(adapter))) if kind != "embed"}
    for kind, layer in first.values():
        site = Site(kind, layer, None if adapter.shape.n_of(kind) is None else 0)
        plan = compile_plan([site.at(-1).scale(-1)], adapter, prompts, supply)
        expected = oracle.run(plan, cancel=cancel).logits
        adapter.forward((base.tokens + 1) % adapter.shape.d_vocab, base.real)
        found = candidate.run(plan, cancel=cancel).logits
        if base.real is not None and expected.shape[1] > 1:
            found, expected = found[base.real], expected[base.real]
        if largest_difference(found, expected) > tolerance(adapter.dtype, expected):
            return "hooks of yours take notes in one block and read them in another"
    return None


def _probe_edits(
    adapter: ModelAdapter, prompts: Prompts, *, patch: bool
) -> tuple[Sequence[Intervention], Sequence[Intervention]]:
    """Edits that stay in force, and cells of a sweep on top of them, of every kind that this model has.

    Those in force only scale, so that they hide nothing of what the cells do.
    """
    draw = random.Random(_PROBE_SEED)
    places = list(places_of(adapter))
    shortest = min(min(prompts.of(run).lengths) for run in ("clean", "corrupted"))

    def somewhere(site: Site | Edge) -> Site | Edge:
        # Prompts may differ in length, so positions are counted from where all have one.
        return site.at([-1 - position for position in draw.sample(range(shortest), draw.randint(1, shortest))])

    def at(place: Place) -> Site:
        size = adapter.shape.n_of(place[0])
        return Site(*place, index=None if size is None else draw.randrange(size))

    def cell(site: Site | Edge) -> Intervention:
        site = somewhere(site)
        if not (patch and draw.choice((True, False))):
            return site.zero()
        if prompts.aligned:
            return site.patch()
        # Counted from the end, positions are there in both runs; rows of patterns are not as long.
        return site.zero() if site.kind == "head.pattern" else site.patch(from_=site.positions)

    by_kind: dict[Kind, list[Place]] = {}
    for place in places:
        by_kind.setdefault(place[0], []).append(place)
    one_of_each = {kind: at(draw.choice(found)) for kind, found in by_kind.items()}
    pinned = [somewhere(site).scale(1.5) for kind, site in one_of_each.items() if kind not in _SWEPT]
    cells = [cell(site) for kind, site in one_of_each.items() if kind in _SWEPT]
    # From the first layer to the last: every pair of kinds has an edge there, from the embedding even in one layer.
    last = adapter.shape.n_layers - 1
    reached = adapter.shape.parallel or adapter.refusal("resid_mid", last) is None
    senders = [place for place in places if place[0] in SENDERS and place[1] == 0 and (last or place[0] == "embed")]
    receivers = [place for place in places if place[0] in RECEIVERS and place[1] == last]
    receivers = [place for place in receivers if place[0] != "mlp_out" or reached]
    if senders and receivers:
        cells.append(cell(Edge(at(draw.choice(senders)), at(draw.choice(receivers)))))
    # Two cells that start together in the first layer: blocks may take one prompt set but not copies of it.
    first = at(places[0])
    return pinned, [*cells, first.scale(-1), first.at(-1).zero()]
