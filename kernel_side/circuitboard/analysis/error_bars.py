"""How sure a mean over prompts is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def standard_error(values: Float[Tensor, "*rows batch"]) -> Float[Tensor, "*rows"]:
    """Standard error of the mean over the last axis, s/√n with s² over n − 1; NaN for fewer than two prompts."""
    import torch

    n = values.shape[-1]
    if n < 2:  # noqa: PLR2004  a spread needs two
        return torch.full(values.shape[:-1], torch.nan, dtype=values.dtype)
    error: Tensor = values.std(-1) / n**0.5
    return error
