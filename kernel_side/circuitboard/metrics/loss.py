"""How well the whole prompt is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric
from circuitboard.metrics.normaliser import log_probs_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.metrics.reading import Reading


def loss(logits: Float[Tensor, "*cells batch pos d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """Mean over positions of −log softmax(logits)[next token], in nats: the cross-entropy of the base run's own tokens.

    The vocabulary is summed in float64. Each token but the first is predicted once; padding is left out. NaN for a prompt of one token.
    """
    import torch

    tokens, real = reading.tokens.to(logits.device), reading.prompts.real
    ids = tokens[:, 1:, None].expand(*logits.shape[:-2], tokens.shape[1] - 1, 1)
    found = -log_probs_of(logits[..., :-1, :], ids)[..., 0]
    return _mean(found, real).to(torch.promote_types(logits.dtype, torch.float32))


def _mean(found: Float[Tensor, "*cells batch predicted"], real: Bool[Tensor, "batch pos"] | None) -> Tensor:
    import torch

    if real is None:
        return found.mean(-1)
    predicted = (real[:, :-1] & real[:, 1:]).to(found.device)
    # Not multiplied by 0: what stands at padding need not be a number.
    return torch.where(predicted, found, 0).sum(-1) / predicted.sum(-1)


LOSS = Metric("loss", "nats a token", "all", loss, batched=True)
