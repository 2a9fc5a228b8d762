"""Single clicks: the new value and the ten likeliest tokens of the whole vocabulary, beside a hooked forward with the same."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

import circuitboard as cb
from circuitboard.engine.gemm import Backend
from tests.benchmarks.clock import Timed, gemm_speed, load, ratios, spread, timed
from tests.benchmarks.flops import count, count_on_board
from tests.benchmarks.maps import backend_in_force, backends
from tests.benchmarks.shapes import Difference, Shape, Tokens

if TYPE_CHECKING:
    from torch import Tensor

N_LIKELIEST = 10
ALL_POSITIONS = "zero a head at all positions, in each layer once"
ONE_POSITION = "zero a head at one position, in each layer once"


@dataclass(frozen=True)
class Click:
    """One kind of click.

    Parameters
    ----------
    what
        In words.
    sites
        What is zeroed, another one in every run, so that no click is a repetition.
    held
        Edits in force meanwhile.
    swept
        Whether a sweep has been over these cells.
    """

    what: str
    sites: tuple[cb.Site, ...]
    held: tuple[cb.Intervention, ...] = ()
    swept: bool = False


def clicks_on(shape: Shape, n_positions: int, runs: int) -> list[Click]:
    """Clicks in every layer; low, in the middle and at the top; one more on top of three edits; one on a swept cell."""
    last, end = int(shape.model.cfg.n_layers) - 1, n_positions - 1
    heads = range(1, min(runs, int(shape.model.cfg.n_heads) - 1) + 1)

    def of(layer: int) -> tuple[cb.Site, ...]:
        return tuple(cb.head(layer, head) for head in heads)

    each = tuple(cb.head(layer, 0) for layer in range(last + 1))
    below = tuple(dict.fromkeys((0, last // 2, last - 1)))
    at_end = tuple(site.at(end) for site in of(last // 2))
    return [
        Click(ALL_POSITIONS, each),
        Click(ONE_POSITION, tuple(site.at(end // 2) for site in each)),
        *(Click(low_or_high(layer), of(layer)) for layer in dict.fromkeys((0, last // 2, last))),
        Click(f"zero a head of layer {last // 2} at the last position", at_end),
        Click(on_top(last, below), of(last), tuple(cb.head(layer, 0).zero() for layer in below)),
        Click(f"zero a head of layer {last // 2} at the last position, a cell that was swept", at_end, swept=True),
    ]


def low_or_high(layer: int) -> str:
    """A click in one layer, in words."""
    return f"zero a head of layer {layer} at all positions"


def on_top(layer: int, below: tuple[int, ...]) -> str:
    """The same on top of edits, in words."""
    return f"zero a head of layer {layer} on top of edits in layers {', '.join(map(str, below))}"


def measure(
    shape: Shape, *, runs: int, difference: Difference = "prefix", engine: str = "auto"
) -> list[dict[str, Any]]:
    """All clicks with every backend, TransformerLens's forward after each."""
    tokens = shape.tokens(1, difference)
    clicks = clicks_on(shape, tokens.clean.shape[1], runs)

    def board(backend: Backend) -> cb.Board:
        # A board remembers the runs of earlier clicks, so each kind of click gets its own.
        with backend_in_force(backend):
            return cb.Board(shape.model, tokens.pair, engine=engine)  # type: ignore[arg-type]

    flops = {click.what: _flops(shape, tokens, board(Backend.STOCK), click) for click in clicks}
    rows = []
    for backend in backends(shape):
        for click in clicks:
            row = _measure(shape, tokens, board(backend), click)
            least = _least_ms(shape, click, backend, tokens.clean.shape[1], flops[click.what]["ours"])
            rows.append({"backend": str(backend), "flops": flops[click.what], "least_ms": least, **row})
    return rows


def _least_ms(shape: Shape, click: Click, backend: Backend, n_positions: int, flops: float) -> float | None:
    """What the products of a click take at the best speed of this machine, each weight read from memory."""
    if str(shape.model.cfg.device) != "cpu":
        return None
    first = min(click.sites[0].positions or (0,))
    assert isinstance(first, int)  # sites here name positions one by one
    unembedding = 2 * int(shape.model.cfg.d_model) * int(shape.model.cfg.d_vocab)
    layers = max(0.0, flops - unembedding) / gemm_speed(backend, n_positions - first)
    return (layers + unembedding / gemm_speed(Backend.STOCK, 1)) / 1e6


def _measure(shape: Shape, tokens: Tokens, board: cb.Board, click: Click) -> dict[str, Any]:
    device = shape.model.cfg.device
    tokens = tokens.to(str(device))
    _ready(board, click)
    ours: list[Timed] = []
    theirs: list[Timed] = []
    error = scale = 0.0
    for site in click.sites:
        ours.append(timed(lambda site=site: _click(board, site), device)[0])
        took, (logits, _) = timed(lambda site=site: _hooked(shape, tokens, click, site), device)
        theirs.append(took)
        error = max(error, float((board.logits(-1)[0] - logits[0].cpu()).abs().max()))
        scale = max(scale, float(logits.abs().max()))
        board.undo()
    tier = board.engine.tier
    board.close()
    return {
        "shape": shape.name,
        "click": click.what,
        "tier": tier,
        "runs": len(click.sites),
        "ours_ms": asdict(spread([1000 * one.wall for one in ours])),
        "theirs_ms": asdict(spread([1000 * one.wall for one in theirs])),
        "theirs_cpu_ms": asdict(spread([1000 * one.cpu for one in theirs])),
        "ratio": ratios(theirs, ours),
        "error": error,
        "scale": scale,
        "load": load(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }


def _flops(shape: Shape, tokens: Tokens, board: cb.Board, click: Click) -> dict[str, float]:
    """Medians over the clicks; those on one layer all cost the same."""
    sites = click.sites if len({site.layer for site in click.sites}) > 1 else click.sites[:1]
    _ready(board, click)
    ours = []
    for site in sites:
        ours.append(count_on_board(board, lambda site=site: _click(board, site)))
        board.undo()
    board.close()
    return {
        "ours": statistics.median(ours),
        "theirs": count(lambda: _hooked(shape, tokens.to(str(shape.model.cfg.device)), click, sites[0])),
    }


def _ready(board: cb.Board, click: Click) -> None:
    """What comes before: whatever is prepared at first use, edits in force, a sweep."""
    board.preview(cb.head(0, 0).zero())
    if click.held:
        board.edit(*click.held)
    if click.swept:
        layers, positions = [click.sites[0].layer], list(click.sites[0].positions or ())
        board.sweep("head", by="pos", how="zero", layers=layers, positions=positions)


def _hooked(shape: Shape, tokens: Tokens, click: Click, site: cb.Site) -> tuple[Tensor, object]:
    """One forward of TransformerLens with the heads zeroed by hooks, and its likeliest tokens."""
    sites = [*(edit.site for edit in click.held), site]
    hooks = [(f"blocks.{one.layer}.attn.hook_z", _zeroing(one)) for one in sites]
    with torch.no_grad():
        logits = shape.model.run_with_hooks(tokens.clean, fwd_hooks=hooks)[:, -1]
    return logits, logits.softmax(-1).topk(N_LIKELIEST)


def _click(board: cb.Board, site: cb.Site) -> object:
    board.edit(site.zero())
    return board.top_tokens(N_LIKELIEST)


def _zeroing(site: cb.Site) -> Callable[[Tensor, object], Tensor]:
    where = list(site.positions) if site.positions is not None else slice(None)

    def hook(z: Tensor, hook: object) -> Tensor:
        z = z.clone()
        z[:, where, site.head] = 0
        return z

    return hook
