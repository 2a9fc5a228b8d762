"""Logit difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.errors import there
from circuitboard.metrics.metric import Metric
from circuitboard.metrics.normaliser import wide

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.metrics.reading import Reading
    from circuitboard.prompts import Prompts
    from circuitboard.prompts.answer_sets import AnswerSets


def right_and_wrong(prompts: Prompts) -> Int[Tensor, "batch k"]:
    """The token ids of the right answers, then of the wrong ones."""
    import torch

    # Metric.needs_wrong sees to it that there are some.
    return torch.cat((prompts.answers.ids, there(prompts.wrongs).ids), -1)


def logit_diff(logits: Float[Tensor, "*cells batch 1 k"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """logit(answer) − logit(wrong) at the answer position, in logits (nats of log-odds).

    With several answers on a side, the mean of their logits. It is computed in float64, so that half precision costs
    no more than it has cost the logits. Wang et al. 2022, "Interpretability in the Wild", section 2.
    """
    import torch

    right, wrong = reading.prompts.answers, there(reading.prompts.wrongs)
    row = wide(logits[..., -1, :])
    if right.single and wrong.single:
        found = row[..., 0] - row[..., 1]
    else:
        split = right.ids.shape[-1]
        found = _mean(row[..., :split], right) - _mean(row[..., split:], wrong)
    return found.to(torch.promote_types(logits.dtype, torch.float32))


def _mean(row: Float[Tensor, "*cells batch k"], answers: AnswerSets) -> Float[Tensor, "*cells batch"]:
    import torch

    present = answers.present.to(row.device)
    # Not multiplied by 0: what stands at a repetition need not be a number.
    return torch.where(present, row, 0).sum(-1) / present.sum(-1)


LOGIT_DIFF = Metric(
    "logit_diff", "logits", "answer", logit_diff, needs_wrong=True, columns=right_and_wrong, batched=True
)
