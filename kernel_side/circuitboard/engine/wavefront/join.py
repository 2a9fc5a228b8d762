"""What joins a wave: new rows of the residual stream, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.interventions import Write


@dataclass(frozen=True, eq=False)
class Join:
    """Cells ready to go on.

    Parameters
    ----------
    layer
        Where they join: before this block (the one after the last means the final stream), or within it.
    within
        Between its attention and its MLP.
    rows
        The residual stream there, [cell, batch, pos, d_model], from the first changed position to the last.
    unchanged
        Bool [cell]: whose write changes nothing, neither its own activation nor the stream, to the last bit.
    """

    layer: int
    within: bool
    rows: Float[Tensor, "cell batch pos d_model"]
    unchanged: Bool[Tensor, " cell"] | None = None


def touches(write: Write, edges: Sequence[Write]) -> bool:
    """Whether a write acts in a layer where edges in force begin or end, so that it cannot join by its change alone."""
    return any(write.layer in (edge.place[1], edge.layer) for edge in edges)
