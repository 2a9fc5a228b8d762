"""Probability and log-probability of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.prompts import Prompts


def log_prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], prompts: Prompts) -> Float[Tensor, "*cells batch"]:
    """Log softmax(logits)[answer] at the answer position, in nats."""
    rows = logits[..., -1, :].log_softmax(-1)
    ids = prompts.answer_ids.to(rows.device)[:, None]
    return rows.gather(-1, ids.expand(*rows.shape[:-1], 1))[..., 0]


def prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], prompts: Prompts) -> Float[Tensor, "*cells batch"]:
    """softmax(logits)[answer] at the answer position, between 0 and 1."""
    return log_prob(logits, prompts).exp()


LOG_PROB = Metric("log_prob", "nats", "answer", log_prob, batched=True)
PROB = Metric("prob", "probability", "answer", prob, batched=True)
