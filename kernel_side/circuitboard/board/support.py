"""What can be done on a model: every site with every intervention and every metric, tried rather than promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch

from circuitboard.address import HOWS, INDEXED, KINDS, Edge, Intervention, Kind, Site, Values
from circuitboard.address.edge import SENDERS
from circuitboard.errors import CircuitboardError
from circuitboard.metrics import METRICS
from circuitboard.prompts import PromptPair
from circuitboard.sweeps.cells import Over, SweepHow

if TYPE_CHECKING:
    import pandas as pd
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import How
    from circuitboard.board.board import Board

WORKS = "works"
_EDGE = "edge"


@dataclass(frozen=True, eq=False)
class Support:
    """What was found on one model.

    Parameters
    ----------
    model, tier, why
        The model's name, the engine tier that it gets, and why.
    sites
        Kind of site → intervention → "works" (it was run and equals plain hooks) or the reason why it is refused.
        "edge" is an edge from the first component to the last stream.
    metrics
        Metric → "works", or the reason.
    sweeps
        Kind of site → which of a sweep's cells it can have, or the reason why none.
    analyses
        Analysis → "works", or the reason.
    """

    model: str
    tier: str
    why: str
    sites: dict[str, dict[How, str]]
    metrics: dict[str, str]
    sweeps: dict[str, str]
    analyses: dict[str, str]

    def to_dataframe(self) -> pd.DataFrame:
        """One row a kind of site, one column an intervention."""
        import pandas as pd

        return pd.DataFrame(self.sites).T

    def lines(self) -> list[str]:
        """The tables as text; a row whose entries all say the same is written once."""
        found = [f"{self.model}: engine tier {self.tier} ({self.why})"]
        for name, by_how in self.sites.items():
            reasons: dict[str, list[str]] = {}
            for how, answer in by_how.items():
                reasons.setdefault(answer, []).append(how)
            for answer, hows in reasons.items():
                every = "every intervention" if len(hows) == len(HOWS) else ", ".join(hows)
                found.append(f"  {name:<13} {every}: {answer}")
        found += [f"  metric {name:<6} {answer}" for name, answer in self.metrics.items()]
        found += [f"  sweep {name:<12} {answer}" for name, answer in self.sweeps.items()]
        return [*found, *(f"  {name:<18} {answer}" for name, answer in self.analyses.items())]


def support_of(model: TransformerBridge, *, analyses_only: bool = False, hows: Sequence[How] = HOWS) -> Support:
    """Try everything on two short prompts of this model, each edit against a run with plain hooks; or the analyses alone."""
    from circuitboard.board.board import Board

    d_vocab = int(model.cfg.d_vocab)
    draw = torch.Generator().manual_seed(0)
    clean, corrupted = torch.randint(1, d_vocab, (2, 2, 4), generator=draw)
    labels = {"END": -1}
    pair = PromptPair(clean, corrupted, answer=1, wrong=2, labels=labels)
    board = Board(model, pair, metric=list(METRICS))
    try:
        return Support(
            board.desk.lab.adapter.name,
            board.engine.tier,
            board.engine.why,
            {}
            if analyses_only
            else {name: {how: _tried(board, name, how) for how in hows} for name in (*KINDS, _EDGE)},
            {} if analyses_only else {name: _metric(board, name) for name in METRICS},
            {} if analyses_only else {over: _sweep(board, over) for over in get_args(Over)},
            {name: _analysis(ask) for name, ask in _asks(board).items()},
        )
    finally:
        board.close()


def _tried(board: Board, name: str, how: How) -> str:
    """Run an intervention with the board's engine and with plain hooks."""
    try:
        found = board.verify(_intervention(board, sample_site(board, name), how))
    except CircuitboardError as error:
        return error.message
    if found.ok:
        return WORKS
    return f"differs from plain hooks by {found.max_abs_error:.2g}, {found.tolerance:.2g} allowed"


def sample_site(board: Board, name: str) -> Site | Edge:
    """A site of this kind in the first layer that has one; else one that is refused with the reason."""
    adapter = board.desk.lab.adapter
    if name == _EDGE:
        sender = next((kind for kind in SENDERS if adapter.refusal(kind, 0) is None), SENDERS[0])
        return Edge(Site(sender, 0, _index(sender)), Site("resid_post", adapter.shape.n_layers - 1)).at("END")
    kind: Any = name
    layers = range(1 if name == "embed" else adapter.shape.n_layers)
    layer = next((layer for layer in layers if adapter.refusal(kind, layer) is None), 0)
    return Site(kind, layer, _index(kind)).at("END")


def _index(kind: Kind) -> int | None:
    return 0 if kind in INDEXED else None


def _intervention(board: Board, site: Site | Edge, how: How) -> Intervention:
    part = site.sender if isinstance(site, Edge) else site
    # No constant vector: of that a norm leaves rounding and nothing else.
    width = 1 if part.kind == "head.pattern" else board.desk.lab.adapter.shape.width_of(part.kind, 1)
    vector = Values.of(torch.randn(width, generator=torch.Generator().manual_seed(1)), how)
    all_options: dict[str, dict[str, Any]] = {
        "mean": {"per": "position"},
        "resample": {"per": "position", "seed": 0},
        "scale": {"strength": 1.5},
        "add": {"strength": 1.0, "values": vector},
        "set": {"values": vector},
    }
    return Intervention(site, how, **all_options.get(how, {}))


def _metric(board: Board, name: str) -> str:
    values = board.desk.lab.values(board.desk.shown.run, board.desk.lab.metric_called(name))
    return WORKS if bool(values.isfinite().all()) else "gives numbers that are not finite on random tokens"


def _sweep(board: Board, over: str) -> str:
    works: list[str] = []
    reasons: dict[str, str] = {}
    for how in get_args(SweepHow):
        try:
            grid = board.desk.maps.grid(over, how=how, positions="END")
            board.desk.lab.plan("clean", grid.cells[:1])
        except CircuitboardError as error:
            reasons[how] = error.message
        else:
            works.append(how)
    if not reasons:
        return f"{WORKS}: {', '.join(works)}"
    return "; ".join(dict.fromkeys(reasons.values()))


def _asks(board: Board) -> dict[str, Callable[[], object]]:
    """Each analysis, in the first layer that it can be asked of."""
    layers = range(board.desk.lab.adapter.shape.n_layers)
    neurons = next((layer for layer in layers if board.desk.lab.adapter.refusal("neuron", layer) is None), 0)
    removed = sample_site(board, "resid_post").zero()

    def estimated(method: Literal["atp", "atp*"]) -> Callable[[], object]:
        return lambda: board.sweep("resid_post", how="zero", layers=[0], approximate=method)

    return {
        "AtP": estimated("atp"),
        "AtP*": estimated("atp*"),
        "direct effects": board.direct_logit_attribution,
        "self-repair": lambda: board.self_repair(removed),
        "neurons": lambda: board.neurons(neurons, k=1, how="zero", order="direct"),
        "logit lens": board.logit_lens,
        "attention": lambda: board.attention(sample_site(board, "head.pattern").layer, 0),
    }


def _analysis(ask: Callable[[], object]) -> str:
    try:
        ask()
    except CircuitboardError as error:
        return error.message
    return WORKS
