"""Logit difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.prompts import Prompts


def answer_and_wrong(prompts: Prompts) -> Int[Tensor, "batch 2"]:
    """The token ids of the right and the wrong answer."""
    import torch

    assert prompts.wrong_ids is not None  # noqa: S101  held by Metric.needs_wrong
    return torch.stack((prompts.answer_ids, prompts.wrong_ids), -1)


def logit_diff(logits: Float[Tensor, "*cells batch 1 2"], prompts: Prompts) -> Float[Tensor, "*cells batch"]:  # noqa: ARG001
    """logit(answer) − logit(wrong) at the answer position, in logits (nats of log-odds).

    Wang et al. 2022, "Interpretability in the wild", section 2.
    """
    return logits[..., -1, 0] - logits[..., -1, 1]


LOGIT_DIFF = Metric(
    "logit_diff", "logits", "answer", logit_diff, needs_wrong=True, columns=answer_and_wrong, batched=True
)
