"""Distance from what the unedited run says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric
from circuitboard.metrics.normaliser import CHUNK, Distribution

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.metrics.reading import Reading

_FAR = 1.0
"""Log-ratio from which expm1 loses nothing that q − p would not, and could overflow."""


def kl(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """KL(P_base ‖ P_edited) = Σ_token P_base · (log P_base − log P_edited) at the answer position, in nats.

    P_base is the unedited base run's next-token distribution: 0 without edits. Conmy et al. 2023, "Towards Automated
    Circuit Discovery", section 3.

    It is computed in float64 as Σ P_base · (expm1(d) − d) with d = log P_edited − log P_base, which is the same number
    since both distributions sum to 1. No term is negative, and an error of a normaliser enters squared, so a small
    distance keeps its digits. (Schulman 2020, "Approximating KL divergence", has the same terms as an estimator.)
    """
    import torch

    base, edited = reading.base_logits[:, -1].to(logits.device), logits[..., -1, :]
    batch, d_vocab = base.shape
    cells = edited.reshape(-1, batch, d_vocab)
    rows = max(1, CHUNK // d_vocab)
    found = []
    for prompts in torch.arange(batch).split(rows):
        some, at_once = slice(int(prompts[0]), int(prompts[-1]) + 1), max(1, rows // len(prompts))
        before = Distribution.of(base[some])
        parts = [_distance(before, Distribution.of(part)) for part in cells[:, some].split(at_once)]
        found.append(torch.cat(parts))
    together = torch.cat(found, -1).reshape(edited.shape[:-1])
    return together.to(torch.promote_types(logits.dtype, torch.float32))


def _distance(base: Distribution, edited: Distribution) -> Float[Tensor, "*rows"]:
    """Σ P_base · (expm1(d) − d); where P_base is 0 the term is P_edited."""
    import torch

    p, q = base.probs, edited.probs
    # Logits that are nearly equal have an exact difference; log-probabilities have been rounded already.
    d = (edited.logits - base.logits) - (edited.log_total - base.log_total)
    near, absent = d <= _FAR, p == 0
    if bool(near.all()) and not bool(absent.any()):
        return (p * (d.expm1() - d).clamp_min(0.0)).sum(-1)
    d = d.masked_fill(absent, 0.0)
    terms = torch.where(d > _FAR, q - p - p * d, p * (d.clamp_max(_FAR).expm1() - d).clamp_min(0.0))
    return torch.where(absent, q, terms).sum(-1)


KL = Metric("kl", "nats", "answer", kl, batched=True)
