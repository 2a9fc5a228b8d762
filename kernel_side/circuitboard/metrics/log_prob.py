"""Probability and log-probability of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric
from circuitboard.metrics.normaliser import log_probs_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.metrics.reading import Reading


def log_prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """Log Σ softmax(logits)[answers] at the answer position, in nats; the sum is over the prompt's right answers.

    The vocabulary is summed in float64.
    """
    import torch

    return _log_prob(logits, reading).to(torch.promote_types(logits.dtype, torch.float32))


def _log_prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    answers = reading.prompts.answers
    found = log_probs_of(logits[..., -1, :], answers.ids)
    if answers.single:
        return found[..., 0]
    return found.masked_fill(~answers.present.to(found.device), -float("inf")).logsumexp(-1)


def prob(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """Σ softmax(logits)[answers] at the answer position, between 0 and 1; the sum is over the prompt's right answers."""
    import torch

    return _log_prob(logits, reading).exp().to(torch.promote_types(logits.dtype, torch.float32))


LOG_PROB = Metric("log_prob", "nats", "answer", log_prob, batched=True)
PROB = Metric("prob", "probability", "answer", prob, batched=True)
