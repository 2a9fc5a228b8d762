"""Probability and log-probability of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.metrics.reading import Reading


def log_prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """Log Σ softmax(logits)[answers] at the answer position, in nats; the sum is over the prompt's right answers."""
    answers = reading.prompts.answers
    rows = logits[..., -1, :].log_softmax(-1)
    ids, present = answers.ids.to(rows.device), answers.present.to(rows.device)
    found = rows.gather(-1, ids.expand(*rows.shape[:-1], ids.shape[-1]))
    return found[..., 0] if answers.single else found.masked_fill(~present, -float("inf")).logsumexp(-1)


def prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """Σ softmax(logits)[answers] at the answer position, between 0 and 1; the sum is over the prompt's right answers."""
    return log_prob(logits, reading).exp()


LOG_PROB = Metric("log_prob", "nats", "answer", log_prob, batched=True)
PROB = Metric("prob", "probability", "answer", prob, batched=True)
