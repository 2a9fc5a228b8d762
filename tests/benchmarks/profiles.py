"""Where the time of a sweep and of a click goes, by operator of torch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

import circuitboard as cb
from tests.benchmarks.clicks import N_LIKELIEST, low_or_high
from tests.benchmarks.flops import while_on_board
from tests.benchmarks.maps import backend_in_force, backends
from tests.benchmarks.shapes import Difference, Shape
from tests.benchmarks.sweeps import KINDS, Ours

if TYPE_CHECKING:
    from circuitboard.engine.gemm import Backend

N_OPERATORS = 15


def measure(shape: Shape, *, difference: Difference = "dense", engine: str = "auto") -> list[dict[str, Any]]:
    """The head × pos sweep of one prompt and clicks in layer 0, with every backend: share of CPU time by operator."""
    found = []
    for backend in backends(shape):
        with backend_in_force(backend):
            mine = Ours(shape, shape.tokens(1, difference), KINDS["head × pos"], engine)
        heads = range(1, int(shape.model.cfg.n_heads))

        def clicks(board: cb.Board = mine.board, heads: range = heads) -> None:
            for head in heads:
                board.edit(cb.head(0, head).zero())
                board.top_tokens(N_LIKELIEST)
                board.undo()

        mine.board.preview(cb.head(0, 0).zero())
        works = {f"{len(heads)} × {low_or_high(0)}": clicks, f"head × pos, {difference}": mine.sweep}
        found += [_profile(shape, mine.board, what, backend, work) for what, work in works.items()]
        mine.board.close()
    return found


def _profile(shape: Shape, board: cb.Board, what: str, backend: Backend, work: Callable[[], object]) -> dict[str, Any]:
    profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    while_on_board(board, profiler, work)
    events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return {
        "shape": shape.name,
        "work": what,
        "backend": str(backend),
        "tier": board.engine.tier,
        "total_s": total / 1e6,
        "operators": [
            {"name": event.key, "share": event.self_cpu_time_total / total, "calls": event.count}
            for event in events[:N_OPERATORS]
        ],
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }
