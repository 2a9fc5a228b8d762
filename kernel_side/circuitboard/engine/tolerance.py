"""How far two exact computations may differ: the one table of tolerances.

They are relative to the scale of what is compared (the logits, or the metric and its baselines), never to an
effect, which may be tiny. Batched and unbatched matrix products round differently; nothing else may differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

RELATIVE: dict[torch.dtype, float] = {
    torch.float64: 1e-9,
    torch.float32: 1e-4,
    torch.float16: 2e-2,
    torch.bfloat16: 1e-1,
}


def tolerance(dtype: torch.dtype, *scale: Tensor | float) -> float:
    """The largest difference allowed between numbers of this dtype and of this size (at least 1)."""
    sizes = [float(x.abs().max()) if isinstance(x, torch.Tensor) else abs(x) for x in scale]
    return RELATIVE[dtype] * max([1.0, *(size for size in sizes if size < float("inf"))])


def largest_difference(found: Tensor, expected: Tensor) -> float:
    """The largest difference; equal non-finite numbers count as equal, and NaN beside a number as infinitely far."""
    same = (found == expected) | (found.isnan() & expected.isnan())
    difference = torch.where(same, 0.0, (found - expected).abs())
    return float("inf") if difference.isnan().any() else float(difference.max())
