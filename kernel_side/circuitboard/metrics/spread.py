"""A mean over prompts, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_SEED = 0
_TWO = 2


@dataclass(frozen=True)
class Spread:
    """The mean of one number a prompt, with its error bars; NaN where there are too few prompts to tell.

    Parameters
    ----------
    mean
        Over prompts.
    stderr
        Standard error of the mean, s/√n.
    low, high
        95 % percentile bootstrap interval of the mean, 1000 resamples of the prompts, seeded.
    pvalue
        Two-sided sign-flip permutation test that the mean is zero; exact up to twelve prompts.
    n
        How many prompts.
    """

    mean: float
    stderr: float
    low: float
    high: float
    pvalue: float
    n: int

    def __str__(self) -> str:
        bars = "" if math.isnan(self.stderr) else f" ± {self.stderr:.4f} (95 % {self.low:+.4f} … {self.high:+.4f})"
        return f"{self.mean:+.4f}{bars}, n={self.n}"


def spread_of(values: Float[Tensor, " batch"]) -> Spread:
    """Mean, standard error, bootstrap interval and p-value of one number a prompt (TransformerLens's statistics)."""
    values = values.double()
    mean, n = float(values.mean()), len(values)
    if n < _TWO or not bool(values.isfinite().all()):
        return Spread(mean, math.nan, math.nan, math.nan, math.nan, n)
    from transformer_lens.utilities.statistics import (
        bootstrap_ci,
        derive_generator,
        sign_flip_permutation_pvalue,
        standard_error,
    )

    low, high = bootstrap_ci(values, confidence=0.95, n_resamples=1000, generator=derive_generator(_SEED))
    pvalue = sign_flip_permutation_pvalue(values, n_permutations=1000, generator=derive_generator(_SEED))
    return Spread(mean, float(standard_error(values)), float(low), float(high), float(pvalue), n)
