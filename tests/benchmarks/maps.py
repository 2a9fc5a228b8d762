"""One sweep measured beside TransformerLens: interleaved times, counted work, memory, errors in every cell."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from platformdirs import user_cache_path
from safetensors.torch import load_file, save_file

from circuitboard.engine.gemm import ENVIRONMENT, Backend, best_backend
from tests.benchmarks.clock import Timed, gemm_peak, load, peak_mib, ratios, resident_mib, spread, timed
from tests.benchmarks.flops import count, count_on_board
from tests.benchmarks.shapes import Difference, Shape, Tokens
from tests.benchmarks.sweeps import Ours, Peer, SweepKind

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_SHORT_SLICE_S = 4.0
"""TransformerLens's share of a repetition when its map is known already."""


@contextmanager
def backend_in_force(backend: Backend) -> Generator[None, None, None]:
    """Boards made in here use this backend."""
    before = os.environ.get(ENVIRONMENT)
    os.environ[ENVIRONMENT] = backend
    try:
        yield
    finally:
        if before is None:
            del os.environ[ENVIRONMENT]
        else:
            os.environ[ENVIRONMENT] = before


def backends(shape: Shape) -> list[Backend]:
    """Stock, and packed where this machine offers it."""
    best, _ = best_backend(shape.model.cfg.dtype, torch.device(shape.model.cfg.device))
    return [Backend.STOCK] if best is Backend.STOCK else [Backend.PACKED, Backend.STOCK]


def measure(
    shape: Shape,
    kind: SweepKind,
    *,
    n_prompts: int,
    difference: Difference,
    runs: int,
    limit_s: float,
    fresh: bool = False,
    engine: str = "auto",
) -> dict[str, Any]:
    """Measure one sweep with every backend, TransformerLens's cells timed in slices between ours.

    TransformerLens's map is computed once and compared in every cell, in as many slices as there are repetitions. If
    that would take more than `limit_s`, only as many cells as fit, spread evenly. A map known from an earlier run
    on the same weights and tokens is taken over, and the slices are then short.
    """
    tokens = shape.tokens(n_prompts, difference)
    peer = Peer(shape, tokens, kind)
    device = shape.model.cfg.device
    n_cells = len(peer.cells)
    peer.sweep(torch.tensor([0]))
    per_cell = timed(lambda: peer.sweep(torch.tensor([0, n_cells // 2])), device)[0].wall / 2
    store = _Store(shape, tokens, kind)
    expected = torch.full((n_cells,), torch.nan) if fresh else store.load(n_cells)
    which = expected.isnan().nonzero()[:, 0]
    affordable = max(runs, int(limit_s / per_cell))
    if len(which) > affordable:
        which = which[torch.linspace(0, len(which) - 1, affordable).long()]
    short = min(n_cells, affordable, runs * max(2, int(_SHORT_SLICE_S / per_cell)))
    if len(which) < short:
        which = torch.cat([which, torch.linspace(0, n_cells - 1, short).long()]).unique()
    ours: dict[Backend, list[Timed]] = {backend: [] for backend in backends(shape)}
    theirs: list[Timed] = []
    values: dict[Backend, Tensor] = {}
    tier = ""
    for run in range(runs):
        for backend, times in ours.items():
            with backend_in_force(backend):
                mine = Ours(shape, tokens, kind, engine)
            took, sweep = timed(mine.sweep, device)
            times.append(took)
            values[backend] = sweep.values.reshape(-1).float()
            tier = mine.board.engine.tier
            mine.board.close()
        some = which[run::runs]
        took, found = timed(lambda some=some: peer.sweep(some), device)
        theirs.append(took.times(n_cells / len(some)))
        expected[some] = found
        store.save(expected)
    compared = ~expected.isnan()
    scale = float(expected[compared].abs().max())
    flops = _flops(shape, tokens, kind, peer, engine)
    result: dict[str, Any] = {
        "shape": shape.name,
        "sweep": kind.name,
        "goal": kind.goal,
        "n_prompts": n_prompts,
        "n_positions": tokens.clean.shape[1],
        "difference": difference,
        "first_difference": int((tokens.clean != tokens.corrupted).any(0).nonzero()[0]),
        "tier": tier,
        "cells": n_cells,
        "compared": int(compared.sum()),
        "runs": runs,
        "cells_timed": len(which),
        "scale": scale,
        "spread_of_effects": float(expected[compared].std()),
        "flops": flops,
        "theirs_s": asdict(spread([one.cpu for one in theirs])),
        "memory": _memory(shape, tokens, kind, engine),
        "load": load(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "backends": {},
    }
    for backend, times in ours.items():
        peak = gemm_peak(backend) if torch.device(device).type == "cpu" else None
        cpu = spread([one.cpu for one in times]).median
        result["backends"][str(backend)] = {
            "cpu_s": asdict(spread([one.cpu for one in times])),
            "wall_s": asdict(spread([one.wall for one in times])),
            "ratio": ratios(theirs, times),
            "error": float((values[backend] - expected)[compared].abs().max()),
            "peak_gflops": peak,
            "share_of_peak": None if peak is None or flops is None else flops["ours"] / cpu / 1e9 / peak,
        }
    return result


def _flops(shape: Shape, tokens: Tokens, kind: SweepKind, peer: Peer, engine: str) -> dict[str, int]:
    """Counted with the stock backend; every cell of TransformerLens's is one forward of the same size."""
    with backend_in_force(Backend.STOCK):
        mine = Ours(shape, tokens, kind, engine)
    ours = count_on_board(mine.board, mine.sweep)
    mine.board.close()
    return {"ours": ours, "theirs": len(peer.cells) * count(lambda: peer.sweep(torch.tensor([0])))}


def _memory(shape: Shape, tokens: Tokens, kind: SweepKind, engine: str) -> dict[str, float | None]:
    """MiB of a new board (caches, weights in another order) and of the highest point of a sweep above that."""
    before = resident_mib()
    mine = Ours(shape, tokens, kind, engine)
    board = resident_mib() - before
    sweep = peak_mib(mine.sweep, shape.model.cfg.device)
    mine.board.close()
    return {"board_mib": board, "sweep_mib": sweep}


class _Store:
    """Maps that TransformerLens computed, by everything that they depend on."""

    def __init__(self, shape: Shape, tokens: Tokens, kind: SweepKind) -> None:
        key = hashlib.sha256(f"{shape.name} {kind.name} {version('torch')} {version('transformer-lens')}".encode())
        if torch.device(shape.model.cfg.device).type != "cpu":
            key.update(str(shape.model.cfg.device).encode())
        for part in (tokens.clean, tokens.corrupted, tokens.answer, tokens.wrong):
            key.update(part.cpu().numpy().tobytes())
        for parameter in shape.model.parameters():
            key.update(f"{tuple(parameter.shape)} {float(parameter.detach().double().square().sum()):.12g}".encode())
        self._path: Path = user_cache_path("circuitboard") / "benchmarks" / f"{key.hexdigest()[:32]}.safetensors"

    def load(self, n_cells: int) -> Float[Tensor, " cells"]:
        """NaN where nothing is known."""
        if not self._path.exists():
            return torch.full((n_cells,), torch.nan)
        return load_file(self._path)["values"].clone()

    def save(self, values: Float[Tensor, " cells"]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"values": values.contiguous()}, self._path)
