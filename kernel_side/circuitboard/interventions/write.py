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

    from circuitboard.address import How, Intervention
    from circuitboard.models.adapter import Place


@dataclass(frozen=True, eq=False)
class Write:
    """One intervention on the tensors of one data set.

    Parameters
    ----------
    intervention
        What the user asked for; two writes of one board are equal if theirs are.
    place
        The activation it changes.
    head
        Which head of it, None for all of it.
    mask
        Bool [batch, pos]: where it acts.
    source
        What "patch" puts there, [batch, pos, ...] like the part it replaces; None for the others.
    """

    intervention: Intervention
    place: Place
    head: int | None
    mask: Bool[Tensor, "batch pos"]
    source: Float[Tensor, "batch pos d"] | None

    @property
    def how(self) -> How:
        return self.intervention.how

    def part(self, activation: Float[Tensor, "*copies batch pos ..."]) -> Float[Tensor, "*copies batch pos d"]:
        """The part of an activation that this write changes, as a view."""
        return activation if self.head is None else activation[..., self.head, :]

    def value(self, before: Float[Tensor, "*copies batch pos d"]) -> Float[Tensor, "*copies batch pos d"]:
        """What the part becomes where the mask holds."""
        if self.how == "zero":
            return torch.zeros_like(before)
        if self.how == "scale":
            assert self.intervention.strength is not None  # noqa: S101  held by Intervention
            return before * self.intervention.strength
        assert self.source is not None  # noqa: S101  held by compile_plan
        return self.source.expand_as(before)


def rewritten(
    activation: Float[Tensor, "rows pos ..."],
    everywhere: Iterable[Write],
    by_copy: Iterable[tuple[int, Write]] = (),
    measure: Callable[[Write, Tensor, Tensor], None] | None = None,
) -> Float[Tensor, "rows pos ..."]:
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
        copies = result.unflatten(0, (-1, write.mask.shape[0]))
        part = write.part(copies)
        after = torch.where(write.mask[..., None], write.value(part), part)
        if measure is not None:
            measure(write, part[0].clone(), after[0])
        part.copy_(after)
    for copy, write in by_copy:
        part = write.part(result.unflatten(0, (-1, write.mask.shape[0]))[copy])
        part.copy_(torch.where(write.mask[..., None], write.value(part), part))
    return result
