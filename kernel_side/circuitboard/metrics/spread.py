"""A mean over prompts, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from circuitboard.address import ByContent
from circuitboard.boundary import public
from circuitboard.metrics.sign_flips import floor_of, printed, pvalues

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_SEED = 0
_TWO = 2
_LEVELS = (0.025, 0.975)
_MOST_KEPT = 1000
"""Prompts up to which the resamples are kept: 8 MB."""


@public
@dataclass(frozen=True, eq=False, repr=False)
class Spread(ByContent):
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
        Two-sided sign-flip permutation test that the mean is zero: all patterns of signs up to 19 prompts, else as
        many random ones as about a second allows.
    n
        How many prompts.
    floor
        The smallest p-value that this test can tell; it is printed with a "<".
    """

    mean: float
    stderr: float
    low: float
    high: float
    pvalue: float
    n: int
    floor: float = math.nan

    @property
    def p(self) -> str:
        """The p-value as it is printed: "0.031", "<9.5e-07", "nan"."""
        return printed(self.pvalue, self.floor)

    def __repr__(self) -> str:
        return f"Spread({self})"

    def __str__(self) -> str:
        bars = "" if math.isnan(self.stderr) else f" ± {self.stderr:.4f} (95 % {self.low:+.4f} … {self.high:+.4f})"
        test = "" if math.isnan(self.pvalue) else f", p {'' if self.p.startswith('<') else '= '}{self.p}"
        return f"{self.mean:+.4f}{bars}{test}, n={self.n}"


def spread_of(values: Float[Tensor, " batch"]) -> Spread:
    """Mean, standard error, bootstrap interval and p-value of one number a prompt."""
    values = values.double()
    mean, n = float(values.mean()), len(values)
    if n < _TWO or not bool(values.isfinite().all()):
        return Spread(mean, math.nan, math.nan, math.nan, math.nan, n)
    low, high = interval_of(values)
    pvalue = float(pvalues(values[None], seed=_SEED)[0])
    return Spread(mean, float(standard_error(values)), low, high, pvalue, n, floor_of(1, n))


def standard_error(values: Float[Tensor, "*rows batch"]) -> Float[Tensor, "*rows"]:
    """Standard error of the mean over the last axis, s/√n with s² over n − 1; NaN for fewer than two prompts."""
    if values.shape[-1] < _TWO:
        return values.new_full(values.shape[:-1], math.nan)
    from transformer_lens.utilities import statistics

    error: Tensor = statistics.standard_error(values)
    return error


def interval_of(values: Float[Tensor, " batch"]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean; NaN where there are too few prompts to tell.

    The same resamples as TransformerLens's `bootstrap_ci` draws, kept for the next call: a panel asks after every click.
    """
    n = len(values)
    if n < _TWO or not bool(values.isfinite().all()):
        return math.nan, math.nan
    import torch

    if n > _MOST_KEPT:
        from transformer_lens.utilities.statistics import bootstrap_ci, derive_generator

        low, high = bootstrap_ci(values.double(), generator=derive_generator(_SEED))
    else:
        low, high = (_resamples(n) @ values.double()).quantile(torch.tensor(_LEVELS, dtype=torch.float64))
    return float(low), float(high)


@lru_cache(maxsize=4)
def _resamples(n: int) -> Float[Tensor, "resample batch"]:
    """How often each resample holds each prompt, over n."""
    import torch
    from transformer_lens.utilities.statistics import derive_generator

    generator = derive_generator(_SEED)
    drawn = torch.cat([torch.randint(0, n, (count, n), generator=generator) for count in (256, 256, 256, 232)])
    return torch.zeros(len(drawn), n, dtype=torch.float64).scatter_add_(
        1, drawn, torch.full(drawn.shape, 1 / n, dtype=torch.float64)
    )
