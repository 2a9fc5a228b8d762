"""What the engine may take of the machine's memory, planned before it runs.

One budget covers what is kept of runs, the batches under way, and a copy of the weights that multiplies faster. A sweep over budget is
cut into more batches; runs that would not fit are refused before they are made; the oldest runs kept for undo go first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import whole
from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter

SHARE_OF_FREE = 0.25
"""Share of the device's free memory that a board takes if it is not told."""

_SMALLEST = 16 * 2**20
"""Less than this is refused: it would not hold a batch of anything."""

_ROWS_ON_CPU = 4096
"""Rows of a wave on a CPU: enough for the matrix products to run at full speed, few enough to stay near the caches."""

_ACTIVATIONS_PER_TOKEN = 24
"""Residual-sized tensors alive at once in a replayed block: inputs, norms, q, k, v, z and an MLP four times as wide."""


@dataclass(frozen=True)
class Budget:
    """How much memory a board may take besides the model, in bytes, and why that much."""

    total: int
    why: str

    @property
    def runs(self) -> int:
        """For activations of runs that are kept."""
        return 3 * self.total // 8

    @property
    def batch(self) -> int:
        """For a batch under way."""
        return 3 * self.total // 8

    @property
    def weights(self) -> int:
        """For a second copy of the weights."""
        return self.total // 4

    @property
    def swept(self) -> int:
        """For the answers kept of the cells of one sweep."""
        return self.total // 16


def budget_of(device: torch.device, asked: int | None) -> Budget:
    """The budget a user asked for, or a share of what is free now.

    Raises
    ------
    EngineError
        `bad_budget` if it is no number of bytes, or too small for anything.
    """
    if asked is None:
        free = _free(device)
        return Budget(
            max(_SMALLEST, int(SHARE_OF_FREE * free)), f"{SHARE_OF_FREE:.0%} of the {_size(free)} free on {device}"
        )
    total = whole(asked)
    if total is None or total < _SMALLEST:
        raise EngineError(
            f"The memory budget is a number of bytes, at least {_SMALLEST} ({_size(_SMALLEST)}), not {asked!r:.60}.",
            code="bad_budget",
        )
    return Budget(total, "asked for")


def require_room(adapter: ModelAdapter, budget: Budget, n_runs: int, n_prompts: int, n_positions: int) -> None:
    """Refuse prompts whose unedited runs alone would not fit into the budget.

    Raises
    ------
    EngineError
        `over_budget`.
    """
    shape = adapter.shape
    heads = (2 * shape.n_heads + 2 * shape.n_kv_heads) * shape.d_head
    turned = (shape.n_heads + shape.n_kv_heads) * shape.d_head
    per_token = shape.n_layers * (4 * shape.d_model + heads + turned) + 2 * shape.d_model
    needed = n_runs * n_prompts * n_positions * per_token * _bytes(adapter)
    if needed > budget.runs:
        raise EngineError(
            f"Keeping the activations of {n_runs} runs of {n_prompts} × {n_positions} tokens takes {_size(needed)}, more than the {_size(budget.runs)} that this board may keep (3/8 of {_size(budget.total)}, {budget.why}). Use fewer or shorter prompts, or pass memory=… (bytes) to Board.",
            code="over_budget",
        )


def cells_per_batch(adapter: ModelAdapter, budget: Budget, n_prompts: int, n_positions: int, *, reads: Reads) -> int:
    """How many cells of a sweep to replay at once, at least 1."""
    shape = adapter.shape
    per_prompt = n_positions * (_ACTIVATIONS_PER_TOKEN * shape.d_model + 3 * shape.n_heads * n_positions)
    per_prompt += shape.d_vocab * (n_positions if reads == "all" else 1)
    return max(1, budget.batch // (n_prompts * per_prompt * _bytes(adapter)))


def cells_per_wave(
    adapter: ModelAdapter, budget: Budget, n_prompts: int, n_positions: int, n_changed: int, logits: int
) -> int:
    """How many cells a wave may carry, at least 1.

    Parameters
    ----------
    n_changed
        Positions of each cell that are computed again.
    logits
        How many logits each prompt of a cell is asked for.
    """
    shape = adapter.shape
    per_row = 12 * shape.d_model + 4 * shape.n_heads * shape.d_head + 4 * shape.n_heads * n_positions
    per_row += 2 * (shape.d_mlp or 0)
    per_cell = n_prompts * (n_changed * per_row + 2 * logits)
    cells = budget.batch // (per_cell * _bytes(adapter))
    if adapter.device.type == "cpu":
        cells = min(cells, _ROWS_ON_CPU // (n_prompts * n_changed))
    return max(1, cells)


def _bytes(adapter: ModelAdapter) -> int:
    return torch.finfo(adapter.dtype).bits // 8


def _free(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    import psutil

    return int(psutil.virtual_memory().available)


def _size(n: float) -> str:
    return f"{n / 2**30:.1f} GiB" if n >= 2**30 else f"{n / 2**20:.0f} MiB"
