"""Distance from what the unedited run says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics.metric import Metric

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.metrics.reading import Reading


def kl(logits: Float[Tensor, "*cells batch 1 d_vocab"], reading: Reading) -> Float[Tensor, "*cells batch"]:
    """KL(P_base ‖ P_edited) = Σ_token P_base · (log P_base − log P_edited) at the answer position, in nats.

    P_base is the unedited base run's next-token distribution: 0 without edits. Conmy et al. 2023, "Towards Automated
    Circuit Discovery", section 3.
    """
    base = reading.base_logits[:, -1].to(logits.device).log_softmax(-1)
    edited = logits[..., -1, :].log_softmax(-1)
    return (base.exp() * (base - edited)).sum(-1)


KL = Metric("kl", "nats", "answer", kl, batched=True)
