"""How many cells fit into one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter

SHARE_OF_FREE = 0.25
"""Share of a GPU's free memory that a batch may take."""

CPU_BYTES = 512 * 2**20
"""What a batch may take on the CPU, where free memory is shared with everything else."""

_ACTIVATIONS_PER_TOKEN = 24
"""Residual-sized tensors alive at once in a block: inputs, norms, q, k, v, z and an MLP four times as wide, with copies."""


def cells_per_batch(adapter: ModelAdapter, n_prompts: int, n_positions: int, *, reads: Reads) -> int:
    """How many cells of a sweep to compute at once, at least 1."""
    shape = adapter.shape
    per_prompt = n_positions * (_ACTIVATIONS_PER_TOKEN * shape.d_model + 3 * shape.n_heads * n_positions)
    per_prompt += shape.d_vocab * (n_positions if reads == "all" else 1)
    budget = CPU_BYTES
    if adapter.device.type == "cuda":
        budget = int(SHARE_OF_FREE * torch.cuda.mem_get_info(adapter.device)[0])
    return max(1, budget // (n_prompts * per_prompt * torch.finfo(adapter.dtype).bits // 8))
