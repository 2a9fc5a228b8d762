"""Rank of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.metrics.reading import Reading


def rank(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """1 + how many tokens have a larger logit than the answer, at the answer position: 1 is the top.

    With several right answers, the best of them. It moves in steps, so it has no gradient and no estimate.
    """
    import torch

    row = logits[..., -1, :]
    ids = reading.prompts.answers.ids.to(row.device)
    best = row.gather(-1, ids.expand(*row.shape[:-1], ids.shape[-1])).amax(-1, keepdim=True)
    found = 1 + (row > best).sum(-1)
    # A NaN is larger than nothing, which would make it the top.
    return torch.where(best[..., 0].isnan(), torch.nan, found.to(torch.promote_types(row.dtype, torch.float32)))


RANK = Metric("rank", "rank", "answer", rank, batched=True)
