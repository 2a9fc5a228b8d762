"""Where an edit may take activations from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.models.shape import Place
    from circuitboard.runs.cached_run import CachedRun


class Origin(Protocol):
    """A run, or something made of runs. Equal to itself alone; used on the worker thread only."""

    def activation(self, place: Place) -> Float[Tensor, "batch ..."]:
        """An activation, for each prompt of the board at the columns of the board's tokens."""

    def fetch(self, places: Iterable[Place]) -> None:
        """Have these activations recorded, in one forward pass."""

    def shared_prefix(self, base: CachedRun) -> int:
        """How many first columns surely hold the same activations as in this unedited run, in every prompt."""

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor that lives as long as this."""
