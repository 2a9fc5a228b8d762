"""A write: one intervention, ready to be carried out on tensors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.models.shape import Place
    from circuitboard.runs import Origin


@dataclass(frozen=True, eq=False)
class Where:
    """Where a write acts.

    Parameters
    ----------
    positions
        Prompt by prompt, sorted.
    mask
        Bool [batch, pos], on the model's device.
    sources
        Bool [batch, src] for a pattern limited to some of the positions attended to; None otherwise.
    """

    positions: tuple[tuple[int, ...], ...]
    mask: Bool[Tensor, "batch pos"]
    sources: Bool[Tensor, "batch src"] | None = None

    @property
    def first(self) -> int:
        """The first position that is touched in any prompt."""
        return min((row[0] for row in self.positions if row), default=self.mask.shape[1])

    @property
    def last(self) -> int:
        """The last position that is touched in any prompt."""
        return max((row[-1] for row in self.positions if row), default=-1)

    @property
    def entries(self) -> Bool[Tensor, "batch pos #d"]:
        """The entries of the part that is written."""
        return self.mask[..., None] if self.sources is None else self.mask[..., None] & self.sources[:, None]


@dataclass(frozen=True, eq=False)
class Write:
    """One intervention on the tensors of one data set.

    Each kind is affine in what it finds: it becomes gain · before + value. So a change further up passes through a
    write multiplied by its gain. One that renormalizes the rows of a pattern is not affine; nothing but `applied`
    looks at patterns.

    Parameters
    ----------
    intervention
        What the user asked for; two writes of one board are equal if theirs are.
    place
        The activation that it changes; for an edge, the sender's.
    index
        Which head or neuron of it, None for all of it.
    where
        The positions.
    origin
        What it takes its values from; None for an edit that needs no run.
    receiver
        For an edge: the activation, and the index in it, that alone sees the change; None otherwise.
    constant
        Numbers that it adds or sets, [#batch, #pos, #d] on the model's device; None for the others.
    """

    intervention: Intervention
    place: Place
    index: int | None
    where: Where
    origin: Origin | None = None
    receiver: tuple[Place, int | None] | None = None
    constant: Float[Tensor, "#batch #pos #d"] | None = None

    @property
    def layer(self) -> int:
        """The first layer whose computation the write changes."""
        return self.place[1] if self.receiver is None else self.receiver[0][1]

    @property
    def touched(self) -> Bool[Tensor, "batch pos #d"]:
        """The entries that may change: those written, and the rest of their rows where these are renormalized."""
        return self.where.mask[..., None] if self.intervention.renormalize else self.where.entries

    @property
    def gain(self) -> float:
        """What the activation is multiplied by."""
        how, strength = self.intervention.how, self.intervention.strength
        if how == "add":
            return 1.0
        return strength if how == "scale" and strength is not None else 0.0

    def applied(
        self, before: Float[Tensor, "*copies batch rows d"], first: int = 0
    ) -> Float[Tensor, "*copies batch rows d"]:
        """The part after the write; on the worker thread only, since values may have to be recorded.

        Parameters
        ----------
        before
            The part at consecutive positions.
        first
            The first of them.
        """
        rows = slice(first, first + before.shape[-2])
        value = before * self.gain if self.gain else torch.zeros_like(before)
        if self.origin is not None:
            value = part_of(self.origin.activation(self.place), self.place, self.index)[:, rows].expand_as(before)
        elif self.constant is not None:
            constant = self.constant if self.constant.shape[1] == 1 else self.constant[:, rows]
            value = value + constant
        entries = self.where.entries[:, rows]
        after = torch.where(entries, value, before)
        return _renormalized(before, after, entries) if self.intervention.renormalize else after


def _renormalized(
    before: Float[Tensor, "*copies batch rows src"],
    after: Float[Tensor, "*copies batch rows src"],
    written: Bool[Tensor, "batch rows src"],
) -> Float[Tensor, "*copies batch rows src"]:
    """Rows whose other entries are multiplied by one factor, so that each sums to what it summed to before.

    Others that sum to 0 cannot make up for anything, and stay.
    """
    others = before.masked_fill(written, 0).sum(-1, keepdim=True)
    wanted = before.sum(-1, keepdim=True) - after.masked_fill(~written, 0).sum(-1, keepdim=True)
    kept = (others == 0) | ~written.any(-1, keepdim=True)
    factor = torch.where(kept, 1.0, wanted / torch.where(kept, 1.0, others))
    return torch.where(written, after, after * factor)


def part_of(
    activation: Float[Tensor, "*whole"], place: Place, index: int | None
) -> Float[Tensor, "*copies batch pos d"]:
    """The part of an activation that belongs to one head or neuron, or all of it, as a view."""
    if index is None:
        return activation
    if place[0] == "neuron":
        return activation[..., index : index + 1]
    if place[0] == "head.pattern":
        return activation[..., index, :, :]
    return activation[..., index, :]


def rewritten(
    activation: Float[Tensor, "rows ..."],
    everywhere: Iterable[Write],
    by_copy: Iterable[tuple[int, Write]] = (),
    measure: Callable[[Write, Tensor, Tensor], None] | None = None,
) -> Float[Tensor, "rows ..."]:
    """An activation with writes carried out, the one given left as it was.

    Parameters
    ----------
    activation
        Rows are copies × prompts, copy by copy.
    everywhere
        Writes that act in every copy, in order.
    by_copy
        (copy, write) pairs that act in one copy only, after the others.
    measure
        Called with each write of `everywhere` and its part before and after, [prompt, pos, d].
    """
    result = activation.clone()
    by_copy = list(by_copy)
    for write in everywhere:
        copies = result.unflatten(0, (-1, write.where.mask.shape[0]))
        part = part_of(copies, write.place, write.index)
        after = write.applied(part)
        if measure is not None:
            measure(write, part[0].clone(), after[0])
        part.copy_(after)
    for copy, write in by_copy:
        part = part_of(result.unflatten(0, (-1, write.where.mask.shape[0]))[copy], write.place, write.index)
        part.copy_(write.applied(part))
    return result
