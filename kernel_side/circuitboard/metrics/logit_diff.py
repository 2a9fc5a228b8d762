"""Logit difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.prompts import Prompts


def logit_diff(logits: Float[Tensor, "batch 1 d_vocab"], prompts: Prompts) -> Float[Tensor, " batch"]:
    """logit(answer) − logit(wrong) at the answer position, in logits (nats of log-odds).

    Wang et al. 2022, "Interpretability in the wild", section 2.
    """
    rows = logits[:, -1]
    assert prompts.wrong_ids is not None  # noqa: S101  held by Metric.needs_wrong
    answer = rows.gather(-1, prompts.answer_ids.to(rows.device)[:, None])[:, 0]
    wrong = rows.gather(-1, prompts.wrong_ids.to(rows.device)[:, None])[:, 0]
    return answer - wrong


LOGIT_DIFF = Metric("logit_diff", "logits", "answer", logit_diff, needs_wrong=True)
