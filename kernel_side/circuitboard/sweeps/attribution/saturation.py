"""AtP*'s "QK fix": cells of queries and keys, with the softmax computed again rather than linearised.

Where attention is saturated, the gradient by its scores is close to 0 although a new query or key may move it
elsewhere. So the new attention probabilities are computed, and multiplied by the gradient by the probabilities:
Kramár, Lieberum, Shah and Nanda 2024, "AtP*: an efficient and scalable method for localizing LLM behaviour to
components" (arXiv:2403.00745), on false negatives from attention saturation.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.passes import When
from circuitboard.engine.wavefront.attention import capped
from circuitboard.engine.wavefront.turn import turned

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Kind
    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.interventions import Where
    from circuitboard.models.anatomy import Attention
    from circuitboard.sweeps.attribution.parts import Parts
    from circuitboard.sweeps.attribution.trace import Gradients, Moment, Trace

QK: tuple[Kind, ...] = ("head.q", "head.k")


class Saturated:
    """Estimates the effects of cells of queries or keys as Σ (pattern after − before) · ∂metric/∂pattern.

    Parameters
    ----------
    parts
        Cells of "head.q" or "head.k".
    trace
        The run that they are on top of.
    attn, sight
        How scores are computed of queries and keys.
    """

    def __init__(self, parts: Parts, trace: Trace, attn: Attention, sight: Sight) -> None:
        self.parts = parts
        self._attn, self._sight = attn, sight
        self.wants = self.moment(parts)
        layer = parts.place[1]
        q, k = (trace.value(((kind, layer), When.LEAVING)) for kind in QK)
        self._scores = self._scored(q, k)
        if parts.place[0] == "head.q":
            self._changed = self._scored(parts.after(q), k)
        else:
            self._changed = self._scored(q, parts.after(k))

    @staticmethod
    def moment(parts: Parts) -> Moment:
        """What has to be differentiated by: the attention probabilities before edits of them."""
        return ("head.pattern", parts.place[1]), When.COMPUTED

    def estimate(self, gradients: Gradients) -> Float[Tensor, "cell batch"]:
        """The cells in the order of `parts.order`."""
        gradient = gradients[self.wants].to(self._scores.dtype)
        if self.parts.place[0] == "head.q":
            # A query is read by its own position alone.
            entries = ((self._changed.softmax(-1) - self._pattern) * gradient).sum(-1)
            return self.parts.gather(self.parts.sums(entries.transpose(1, 2)))
        alone: Tensor | None = None
        found = []
        for where in self.parts.wheres:
            if any(len(row) > 1 for row in where.positions):
                found.append(self._per_kv_head((self._change_by_keys(where) * gradient).sum((2, 3))))
            else:
                if alone is None:
                    alone = self._per_kv_head(
                        by_single_keys(self._scores, self._changed, gradient).sum(2).transpose(1, 2)
                    )
                found.append(torch.where(where.mask[..., None], alone, 0).sum(1))
        return self.parts.gather(found)

    @cached_property
    def _pattern(self) -> Float[Tensor, "batch head dest src"]:
        return self._scores.softmax(-1)

    def _change_by_keys(self, where: Where) -> Float[Tensor, "batch head dest src"]:
        """How the pattern changes if the keys at some positions do, together."""
        return torch.where(where.mask[:, None, None], self._changed, self._scores).softmax(-1) - self._pattern

    def _per_kv_head(self, by_head: Float[Tensor, "*rows head"]) -> Float[Tensor, "*rows kv"]:
        """Add up the query heads that read each key-value head."""
        grouped: Tensor = by_head.unflatten(-1, (self._attn.n_kv_heads, -1))
        return grouped.sum(-1)

    def _scored(
        self, q: Float[Tensor, "batch pos head d_head"], k: Float[Tensor, "batch pos kv d_head"]
    ) -> Float[Tensor, "batch head dest src"]:
        """Masked scores, as they enter the softmax."""
        attn, sight = self._attn, self._sight
        q, k = turned(q, attn, attn.q_norm, sight).to(sight.dtype), turned(k, attn, attn.k_norm, sight).to(sight.dtype)
        k = k.repeat_interleave(attn.n_heads // attn.n_kv_heads, 2)
        scores = torch.einsum("bdhe,bshe->bhds", q * attn.scale, k)
        return capped(scores, attn) + sight.mask(attn.window)[:, None]


def by_single_keys(
    scores: Float[Tensor, "*rows src"], changed: Float[Tensor, "*rows src"], gradient: Float[Tensor, "*rows src"]
) -> Float[Tensor, "*rows src"]:
    """Σ (pattern after − before) · gradient if one score of a row changes, for each of its scores alone.

    With p and p' the probability of key s before and after, and ḡ the mean gradient over the other keys, weighted by
    their probabilities, that is (p' − p)(g − ḡ): the others keep their proportions. This takes one pass over the
    scores rather than a softmax for every key (the paper's efficient version for keys).

    Parameters
    ----------
    scores
        Those of the run; −inf where a key is not seen, at least one finite in a row.
    changed
        What each becomes.
    gradient
        By the probabilities.
    """
    peak, top = scores.max(-1, keepdim=True)
    is_top = torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, top, value=True)
    rest = scores.masked_fill(is_top, -torch.inf)
    rest_total = rest.logsumexp(-1, keepdim=True)
    size = (scores - peak).exp()
    weighted = size * gradient
    # "All but this one" is a difference, which would lose everything for a key that has nearly all the attention.
    others = size.sum(-1, keepdim=True) - size
    others_total = torch.where(is_top, rest_total, peak + others.log())
    rest_mean = ((rest - rest_total).exp() * gradient).sum(-1, keepdim=True)
    others_mean = torch.where(is_top, rest_mean, (weighted.sum(-1, keepdim=True) - weighted) / others)
    moved = (changed - others_total).sigmoid() - (scores - others_total).sigmoid()
    return torch.where(moved == 0, 0, moved * (gradient - others_mean))
