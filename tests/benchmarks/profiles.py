"""Where the time of a sweep goes, by operator of torch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import torch

from tests.benchmarks.flops import while_on_board
from tests.benchmarks.maps import backend_in_force, backends
from tests.benchmarks.shapes import Difference, Shape
from tests.benchmarks.sweeps import KINDS, Ours

N_OPERATORS = 15


def measure(shape: Shape, *, difference: Difference = "dense", engine: str = "auto") -> list[dict[str, Any]]:
    """The head × pos sweep of one prompt, with every backend: share of CPU time inside each operator."""
    found = []
    for backend in backends(shape):
        with backend_in_force(backend):
            mine = Ours(shape, shape.tokens(1, difference), KINDS["head × pos"], engine)
        profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
        while_on_board(mine.board, profiler, mine.sweep)
        tier = mine.board.engine.tier
        mine.board.close()
        events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
        total = sum(event.self_cpu_time_total for event in events)
        found.append(
            {
                "shape": shape.name,
                "sweep": "head × pos",
                "difference": difference,
                "backend": str(backend),
                "tier": tier,
                "total_s": total / 1e6,
                "operators": [
                    {"name": event.key, "share": event.self_cpu_time_total / total, "calls": event.count}
                    for event in events[:N_OPERATORS]
                ],
                "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
            }
        )
    return found
