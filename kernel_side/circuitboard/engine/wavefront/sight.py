"""Who sees whom: masks and rotary tables of one data set, the same for every run of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.models.anatomy import Anatomy, Rotary


class Sight:
    """Masks and positions.

    Parameters
    ----------
    anatomy
        The model.
    real
        Bool [batch, pos], False where a prompt is padded; None without padding.
    n_positions
        Tokens in each prompt, padding included.
    device, dtype
        Of what is masked.
    """

    def __init__(
        self,
        anatomy: Anatomy,
        real: Bool[Tensor, "batch pos"] | None,
        n_positions: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._anatomy = anatomy
        self._real = None if real is None else real.to(device)
        self.n_positions = n_positions
        self._device = device
        self.dtype = dtype
        self._masks: dict[int | None, Tensor] = {}
        self._tables: dict[int, tuple[Tensor, Tensor]] = {}

    def mask(self, window: int | None) -> Float[Tensor, "#batch dest src"]:
        """What is added to scores: 0 where a position is seen, −inf where it is not."""
        if window not in self._masks:
            at = torch.arange(self.n_positions, device=self._device)
            seen = at <= at[:, None]
            if window is not None:
                seen = seen & (at > at[:, None] - window)
            seen = seen[None]
            if self._real is not None:
                # A padded position sees itself, or its softmax would be 0/0; nothing real ever sees it.
                seen = seen & (self._real[:, None] | (at == at[:, None]))
            self._masks[window] = torch.zeros(seen.shape, dtype=self.dtype, device=self._device).masked_fill(
                ~seen, -torch.inf
            )
        return self._masks[window]

    def tables(self, rotary: Rotary) -> tuple[Float[Tensor, "#batch pos 1 dims"], Float[Tensor, "#batch pos 1 dims"]]:
        """Cosines and sines for every position, with an axis for heads."""
        if id(rotary) not in self._tables:
            cos, sin = rotary.tables(self._positions)
            self._tables[id(rotary)] = (cos[:, :, None], sin[:, :, None])
        return self._tables[id(rotary)]

    @cached_property
    def _positions(self) -> Tensor:
        if self._real is None:
            return torch.arange(self.n_positions, device=self._device)[None]
        return self._anatomy.positions(self._real)
