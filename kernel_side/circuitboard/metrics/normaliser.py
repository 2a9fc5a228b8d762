"""Probabilities of whole rows of logits, normalised in float64.

A float32 sum over a vocabulary of 262,144 tokens is off by up to 6e-5 nats, which every log-probability read from it
inherits. The logits stay as the model gave them; only the sum is wide, a few rows at a time so that no wide copy of
all of them is ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

CHUNK = 2**17
"""Logits that are wide at one time: 1 MiB, which a cache holds."""


def wide(rows: Tensor) -> Tensor:
    """The same numbers in float64; on the CPU where the device has none."""
    import torch

    return (rows.cpu() if rows.device.type == "mps" else rows).to(torch.float64)


@dataclass(frozen=True, eq=False)
class Distribution:
    """Rows of logits in float64, as probabilities: exp(logits − log_total).

    Parameters
    ----------
    logits
        Below the largest of their row, [*rows, d_vocab].
    sizes
        Their exponentials.
    log_total
        Log Σ sizes, [*rows, 1]; apart from the largest logit, so that huge logits keep their digits. NaN where a
        logit is NaN or +inf, or all are −inf: such a row has no distribution.
    peak
        The largest logit, [*rows, 1].
    """

    logits: Float[Tensor, "*rows d_vocab"]
    sizes: Float[Tensor, "*rows d_vocab"]
    log_total: Float[Tensor, "*rows 1"]
    peak: Float[Tensor, "*rows 1"]

    @classmethod
    def of(cls, logits: Float[Tensor, "*rows d_vocab"]) -> Distribution:
        """Of a few rows: each takes three wide copies."""
        some = wide(logits)
        peak = some.detach().amax(-1, keepdim=True)
        below = some - peak
        sizes = below.exp()
        return cls(below, sizes, sizes.sum(-1, keepdim=True).log(), peak)

    @property
    def probs(self) -> Float[Tensor, "*rows d_vocab"]:
        return self.sizes / self.sizes.sum(-1, keepdim=True)


def log_probs_of(logits: Float[Tensor, "*rows d_vocab"], ids: Int[Tensor, "*#rows k"]) -> Float[Tensor, "*rows k"]:
    """Log-softmax over the vocabulary at some token ids, float64; NaN where the row has no distribution."""
    import torch

    ids = ids.to(logits.device).expand(*logits.shape[:-1], ids.shape[-1])
    rows, chosen = logits.reshape(-1, logits.shape[-1]), wide(logits.gather(-1, ids))
    peaks, totals = [], []
    for part in rows.split(max(1, CHUNK // rows.shape[-1])):
        found = Distribution.of(part)
        peaks.append(found.peak)
        totals.append(found.log_total)
    peak, total = (torch.cat(parts).reshape(*logits.shape[:-1], 1) for parts in (peaks, totals))
    return (chosen - peak) - total


def probs_of(logits: Float[Tensor, "*rows d_vocab"], ids: Int[Tensor, "*#rows k"]) -> Float[Tensor, "*rows k"]:
    """Softmax over the vocabulary at some token ids, float64; NaN where the row has no distribution."""
    return log_probs_of(logits, ids).exp()


def likeliest(logits: Float[Tensor, "*rows d_vocab"]) -> tuple[Int[Tensor, "*rows"], Float[Tensor, "*rows"]]:
    """The token with the largest logit of each row, and its probability; a logit that is NaN is not the largest."""
    ids = logits.nan_to_num(nan=float("-inf"), posinf=float("inf"), neginf=float("-inf")).argmax(-1)
    return ids.cpu(), probs_of(logits, ids[..., None])[..., 0].cpu()
