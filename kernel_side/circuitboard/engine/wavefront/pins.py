"""The edits in force, as the wave meets them: carried out again on every row that is recomputed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard.interventions import part_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.interventions import Plan, Write
    from circuitboard.models.shape import Place

    Measure = Callable[[Write, Tensor, Tensor, int], None]


class Pins:
    """The writes of a plan, by place.

    Rows have the axes [cell, batch, pos, …]; their first position is `first`.
    """

    def __init__(self, plan: Plan, measure: Measure | None = None) -> None:
        self._by_place = plan.by_place()
        self._measure = measure
        self._senders: dict[Place, list[Write]] = {}
        self._receivers: dict[Place, dict[int | None, list[Write]]] = {}
        for write in plan.edges:
            self._senders.setdefault(write.place, []).append(write)
        for (place, index), edges in plan.by_receiver().items():
            self._receivers.setdefault(place, {})[index] = edges

    def at(self, place: Place) -> Sequence[Write]:
        """The writes on an activation, in order."""
        return self._by_place.get(place, ())

    def sent_from(self, place: Place) -> Sequence[Write]:
        """The edges whose sender this is."""
        return self._senders.get(place, ())

    def received_by(self, place: Place) -> dict[int | None, list[Write]]:
        """The edges that end here, by the head they end in."""
        return self._receivers.get(place, {})

    def apply(
        self,
        place: Place,
        rows: Float[Tensor, "cell batch pos ..."],
        first: int,
        heads: Sequence[int] | None = None,
        *,
        measured: bool = True,
    ) -> Float[Tensor, "cell batch pos ..."]:
        """Carry out the writes on an activation, in place.

        Parameters
        ----------
        rows
            A tensor of our own: [cell, batch, pos, d], [cell, batch, pos, head, d] or, for patterns, [cell, batch,
            head, dest, src].
        heads
            If given, cell i holds head heads[i] alone, and the axis for heads is missing.
        measured
            Whether this is the activation itself, and not what the receiver of an edge makes of another stream.
        """
        for write in self.at(place):
            if heads is None:
                self.write(write, part_of(rows, place, write.index), first, measured=measured)
            else:
                for cell in (i for i, head in enumerate(heads) if head == write.index):
                    self.write(write, rows[cell : cell + 1], first, measured=measured)
        return rows

    def gain(self, place: Place, first: int, stop: int, head: int | None = None) -> Float[Tensor, "batch pos 1"] | None:
        """What a change of an activation is multiplied by as it passes the writes there; None if by 1."""
        total: Tensor | None = None
        for write in self.at(place):
            if head is None or write.index == head:
                mask = write.where.mask[:, first:stop, None]
                gain = torch.ones_like(mask, dtype=torch.float64).masked_fill_(mask, write.gain)
                total = gain if total is None else total * gain
        return total

    def through(
        self, place: Place, change: Float[Tensor, "cell batch pos d"], first: int, heads: Sequence[int] | None = None
    ) -> Float[Tensor, "cell batch pos d"]:
        """A change of an activation, after the writes there."""
        if not self.at(place):
            return change
        stop = first + change.shape[2]
        if heads is None:
            gain = self.gain(place, first, stop)
            return change if gain is None else change * gain.to(change.dtype)
        gains = [self.gain(place, first, stop, head) for head in heads]
        return torch.stack(
            [row if gain is None else row * gain.to(row.dtype) for row, gain in zip(change, gains, strict=True)]
        )

    def write(
        self, write: Write, part: Float[Tensor, "cell batch pos d"], first: int, *, measured: bool = True
    ) -> Float[Tensor, "cell batch pos d"]:
        """Carry out one write on its own part of an activation, in place."""
        after = write.applied(part, first)
        if measured and self._measure is not None:
            self._measure(write, part[0].clone(), after[0], first)
        part.copy_(after)
        return part

    def change(
        self, write: Write, part: Float[Tensor, "cell batch pos d"], first: int
    ) -> Float[Tensor, "cell batch pos d"]:
        """By how much a write changes its own part of an activation, which stays as it is."""
        after = self.write(write, part.clone(), first)
        return after - part
