"""Logit difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.metrics.reading import Reading
    from circuitboard.prompts import Prompts


def right_and_wrong(prompts: Prompts) -> Int[Tensor, "batch k"]:
    """The token ids of the right answers, then of the wrong ones."""
    import torch

    assert prompts.wrongs is not None  # noqa: S101  held by Metric.needs_wrong
    return torch.cat((prompts.answers.ids, prompts.wrongs.ids), -1)


def logit_diff(logits: Float[Tensor, "*cells batch 1 k"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """logit(answer) − logit(wrong) at the answer position, in logits (nats of log-odds).

    With several answers on a side, the mean of their logits. Wang et al. 2022, "Interpretability in the Wild",
    section 2.
    """
    import torch

    right, wrong = reading.prompts.answers, reading.prompts.wrongs
    assert wrong is not None  # noqa: S101  held by Metric.needs_wrong
    row = logits[..., -1, :]
    if right.single and wrong.single:
        return row[..., 0] - row[..., 1]
    present = torch.cat((right.present, wrong.present), -1).to(row.device)
    weight = torch.cat((1 / right.present.sum(-1, keepdim=True) + 0 * right.ids, 0 * wrong.ids), -1)
    weight = weight - torch.cat((0 * right.ids, 1 / wrong.present.sum(-1, keepdim=True) + 0 * wrong.ids), -1)
    return torch.where(present, row * weight.to(row), 0).sum(-1)


LOGIT_DIFF = Metric(
    "logit_diff", "logits", "answer", logit_diff, needs_wrong=True, columns=right_and_wrong, batched=True
)
