"""Queries and keys as the scores need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.models.anatomy import Attention, Norm


def turned(
    x: Float[Tensor, "*cells batch pos head d_head"],
    attn: Attention,
    norm: Norm | None,
    sight: Sight,
    first: int = 0,
    *,
    cells: bool = False,
) -> Float[Tensor, "*cells batch pos head d_head"]:
    """Queries or keys as the scores need them: normed per head, and turned by their positions."""
    if norm is not None:
        x = norm(x)
    if attn.rotary is not None:
        cos, sin = (table[:, first : first + x.shape[-3]] for table in sight.tables(attn.rotary))
        x = attn.rotary.turn(x, cos[None], sin[None]) if cells else attn.rotary.turn(x, cos, sin)
    return x if attn.score_dtype is None else x.to(attn.score_dtype)
