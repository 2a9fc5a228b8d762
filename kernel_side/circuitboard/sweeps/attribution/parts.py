"""The cells of one activation, and how contributions of its entries add up to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.interventions import Where

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.interventions import Write
    from circuitboard.models.shape import Place
    from circuitboard.runs import Origin


@dataclass(frozen=True, eq=False)
class Parts:
    """Cells that write on one activation in the same way, each on its own part.

    Parameters
    ----------
    place
        The activation.
    origin, gain
        What they put there: the activation of another run, or what is there times a factor.
    wheres
        The different sets of positions.
    cells
        For each set, which cells write there.
    indices
        For each set, the head or neuron of each cell; 0 where the activation has none.
    """

    place: Place
    origin: Origin | None
    gain: float
    wheres: tuple[Where, ...]
    cells: tuple[Sequence[int], ...]
    indices: tuple[Sequence[int], ...]

    @property
    def on_the_stream(self) -> bool:
        """Whether this is the residual stream itself, rather than something inside one layer."""
        return self.place[0] == "embed" or self.place[0].startswith("resid")

    @property
    def order(self) -> list[int]:
        """All cells, in the order of what `gather` gives."""
        return [cell for cells in self.cells for cell in cells]

    def after(self, before: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The activation if it were written everywhere."""
        return before * self.gain if self.origin is None else self.origin.activation(self.place)

    def gather(self, by_where: Sequence[Float[Tensor, "batch index"]]) -> Float[Tensor, "cell batch"]:
        """Each cell's own number, from those of all parts at its positions."""
        return torch.cat([found[:, list(at)].T for found, at in zip(by_where, self.indices, strict=True)])

    def sums(self, entries: Float[Tensor, "batch ..."]) -> list[Float[Tensor, "batch index"]]:
        """Contributions of entries, added up over the positions of each set.

        Parameters
        ----------
        entries
            [batch, pos, index], or [batch, head, dest, src] for patterns.
        """
        pattern = self.place[0] == "head.pattern"
        if bool(entries.isfinite().all()):
            return [self._sum(entries, where, pattern=pattern) for where in self.wheres]
        # 0 · NaN is NaN: what lies outside the positions must not be multiplied.
        return [
            torch.where(_entries(where, pattern=pattern), entries, 0).sum((2, 3) if pattern else 1)
            for where in self.wheres
        ]

    def _sum(self, entries: Tensor, where: Where, *, pattern: bool) -> Float[Tensor, "batch index"]:
        mask = where.mask.to(entries.dtype)
        if not pattern:
            if all(row == (where.first,) for row in where.positions):
                return entries[:, where.first]
            return (mask[:, None] @ entries)[:, 0]
        over_src = (
            entries.sum(-1)
            if where.sources is None
            else (entries @ where.sources.to(entries.dtype)[:, None, :, None])[..., 0]
        )
        return (over_src @ mask[:, :, None])[..., 0]


def _entries(where: Where, *, pattern: bool) -> Tensor:
    """The entries of a set of positions, to be broadcast over those of an activation."""
    if not pattern:
        return where.mask[..., None]
    return where.entries[:, None]


def parts_of(cells: Sequence[Write]) -> list[Parts]:
    """Sort cells by what they write on and how. Edges are left out."""
    found: dict[tuple[Place, Origin | None, float], dict[Where, tuple[list[int], list[int]]]] = {}
    for number, cell in enumerate(cells):
        if cell.receiver is None:
            wheres = found.setdefault((cell.place, cell.origin, cell.gain), {})
            numbers, indices = wheres.setdefault(cell.where, ([], []))
            numbers.append(number)
            indices.append(cell.index or 0)
    return [
        Parts(
            place,
            origin,
            gain,
            tuple(wheres),
            tuple(numbers for numbers, _ in wheres.values()),
            tuple(indices for _, indices in wheres.values()),
        )
        for (place, origin, gain), wheres in found.items()
    ]
