"""How the cost of a head × pos sweep grows with positions, prompts and layers, with fitted exponents.

A small GPT-2 shape. TransformerLens's cost is that of one cell, measured on a few, times the number of cells: each
of its cells is a whole forward of the same size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import torch
import transformers

from circuitboard.engine.gemm import Backend
from tests.benchmarks.clock import timed
from tests.benchmarks.flops import count, count_on_board
from tests.benchmarks.maps import backend_in_force
from tests.benchmarks.shapes import Shape, bridge, random_tokens
from tests.benchmarks.sweeps import KINDS, Ours, Peer

D_MODEL, N_HEADS, D_VOCAB = 128, 4, 1000
_CELLS_TIMED = 5


@dataclass(frozen=True)
class Size:
    """What grows."""

    positions: int = 16
    prompts: int = 1
    layers: int = 4


SERIES = {
    "positions": (8, 16, 32, 64, 128, 256),
    "prompts": (1, 2, 4, 8, 16, 32),
    "layers": (2, 4, 8, 12, 16, 24),
}


def measure(*, quick: bool = False, engine: str = "auto") -> dict[str, Any]:
    """A series each, the others held at `Size`'s defaults."""
    found: dict[str, Any] = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "series": {}}
    for name, sizes in SERIES.items():
        points = [_point(replace(Size(), **{name: size}), engine) for size in (sizes[:4] if quick else sizes)]
        found["series"][name] = {
            "sizes": list(sizes[: len(points)]),
            "points": points,
            "exponents": {
                column: [
                    exponent(sizes, [point[column] for point in points]),
                    exponent(sizes[len(points) // 2 :], [point[column] for point in points[len(points) // 2 :]]),
                ]
                for column in ("ours_flops", "theirs_flops", "ours_cpu_s", "theirs_cpu_s")
            },
        }
    return found


def exponent(sizes: tuple[int, ...], costs: list[float]) -> float:
    """The slope of log cost over log size, by least squares."""
    x = [math.log(size) for size, _ in zip(sizes, costs, strict=False)]
    y = [math.log(cost) for cost in costs]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def _point(size: Size, engine: str) -> dict[str, float]:
    config = transformers.GPT2Config(
        n_layer=size.layers,
        n_head=N_HEADS,
        n_embd=D_MODEL,
        vocab_size=D_VOCAB,
        n_positions=max(size.positions, 16),
        bos_token_id=0,
        eos_token_id=0,
    )
    shape = Shape("small", bridge(config), lambda *_: tokens)
    tokens = random_tokens(size.prompts, "dense", n_positions=size.positions, vocabulary=D_VOCAB)
    kind = KINDS["head × pos"]
    peer = Peer(shape, tokens, kind)
    n_cells = len(peer.cells)
    some = torch.linspace(0, n_cells - 1, _CELLS_TIMED).long()
    peer.sweep(some)
    theirs = min(timed(lambda: peer.sweep(some))[0].cpu for _ in range(3)) / _CELLS_TIMED * n_cells
    times = []
    for _ in range(3 if n_cells < 1000 else 2):
        mine = Ours(shape, tokens, kind, engine)
        times.append(timed(mine.sweep)[0].cpu)
        mine.board.close()
    with backend_in_force(Backend.STOCK):
        mine = Ours(shape, tokens, kind, engine)
    flops = count_on_board(mine.board, mine.sweep)
    mine.board.close()
    return {
        "cells": n_cells,
        "ours_flops": flops,
        "theirs_flops": count(lambda: peer.sweep(some[:1])) * n_cells,
        "ours_cpu_s": min(times),
        "theirs_cpu_s": theirs,
    }
