"""A sample of many tensors' numbers, quick to read again: it tells whether weights were written to behind torch's back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard.boundary.memory import ran_out_of_memory

if TYPE_CHECKING:
    from torch import Tensor

_FROM_EACH = 512
"""Numbers read of each tensor at most: a head that is written to is in the sample, a single number may not be."""

_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class TensorSample:
    """The same numbers of the same tensors, read again and again.

    Parameters
    ----------
    tensors
        Of any dtype, on any device. One whose bytes cannot be looked at is left out.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        views: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
        with torch.no_grad():
            for tensor in tensors:
                view = _view(tensor)
                if view is not None:
                    views.setdefault((view.device, view.dtype), []).append(view)
            self._views = list(views.values())
            self._weights = [
                torch.arange(1, 2 * sum(map(len, group)), 2, device=group[0].device) for group in self._views
            ]

    def sum(self) -> tuple[int, ...]:
        """A checksum that depends on every number and its place."""
        with torch.no_grad():
            groups = zip(self._views, self._weights, strict=True)
            return tuple(int((torch.cat(views).long() * weights).sum()) for views, weights in groups)


def _view(tensor: Tensor) -> Tensor | None:
    flat = tensor.detach()
    if not flat.numel() or flat.is_meta or flat.layout is not torch.strided:
        return None
    try:
        if not flat.is_contiguous():
            flat = flat.movedim(0, -1) if flat.movedim(0, -1).is_contiguous() else flat.flatten()
        flat = flat.view(-1).view(_INTEGERS[flat.element_size()])
    except (RuntimeError, NotImplementedError, KeyError, TypeError) as error:
        if ran_out_of_memory(error):
            raise
        return None
    stride = -(-len(flat) // _FROM_EACH)
    # With a row's length in common, the sample would be a few columns and no others.
    while math.gcd(stride, tensor.shape[-1] if tensor.ndim else 1) != 1:
        stride += 1
    return flat[::stride]
