"""Sign-flip permutation tests that a mean over prompts is zero, and their correction for many of them.

Without an effect every prompt's change is as likely to have the other sign, so the mean is compared with those of all
patterns of signs, or of random ones where there are too many (Good 2005, "Permutation, Parametric and Bootstrap Tests
of Hypotheses", section 3.2). How many are drawn depends on the sizes alone, not on a clock, so that the same state
always has the same p-values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float
    from torch import Tensor

Correction = Literal["holm", "fdr"]

_OPERATIONS = 2**28
"""What one test of all cells may cost; about a second of one core."""

_MOST_FLIPS = 2**18
_CHUNK = 2**22
"""Means that are held at once: 32 MiB."""

_TIE = 1e-12
"""Share of the sum of sizes by which two means of the same numbers may differ from rounding."""

_ROUNDINGS = 100

_DRAWN_AT_ONCE = 2**12
_BITS = 32


def flips_for(cells: int, n: int, most: int | None = None) -> tuple[int, bool]:
    """How many patterns of signs a test takes, and whether they are all that there are.

    A pattern and its mirror image are as far from zero, so 2^(n − 1) are all.

    Parameters
    ----------
    cells, n
        How many means are tested together, and over how many prompts each.
    most
        No more than these; None for as many as about a second allows.
    """
    allowed = min(_MOST_FLIPS, _OPERATIONS // (2 * n + max(1, cells) * (n // 16 + 2)))
    allowed = max(1000, allowed) if most is None else most
    every = 2 ** (n - 1)
    # A handful is always enumerated, whatever was asked for.
    exact = every <= max(allowed, 2**11)
    return (every, True) if exact else (allowed, False)


def floor_of(cells: int, n: int, most: int | None = None) -> float:
    """The smallest p-value that such a test can give."""
    flips, exact = flips_for(cells, n, most)
    return 1 / flips if exact else 1 / (flips + 1)


def pvalues(values: Float[Tensor, "cell n"], *, most: int | None = None, seed: int = 0) -> Float[Tensor, " cell"]:
    """Two-sided p-values that the mean of each row is zero, float64; NaN where a row holds what is no finite number.

    Parameters
    ----------
    values
        One number a prompt, at least two prompts.
    most, seed
        As for `flips_for`, and of the random patterns.
    """
    import torch

    rows = values.double().cpu()
    known = rows.isfinite().all(-1)
    tested = rows[known]
    found = rows.new_full((len(rows),), torch.nan)
    n_flips, exact = flips_for(len(rows), rows.shape[1], most)
    hits = tested.new_zeros(len(tested))
    # Numbers that differ by the rounding of what they were computed in are a tie.
    rounding = _ROUNDINGS * torch.finfo(torch.promote_types(values.dtype, torch.float32)).eps
    far = tested.sum(-1).abs() * (1 - rounding) - _TIE * tested.abs().sum(-1)
    at_once = max(1, _CHUNK // max(1, len(tested)))
    for signs in _patterns(rows.shape[1], n_flips, seed, exact=exact):
        for some in signs.split(at_once):
            hits += ((tested @ some.T).abs() >= far[:, None]).sum(-1)
    found[known] = hits / n_flips if exact else (hits + 1) / (n_flips + 1)
    return found


def corrected(values: Float[Tensor, "*cells"], how: Correction) -> Float[Tensor, "*cells"]:
    """p-values corrected for their number; NaN cells stay and do not count.

    "holm" keeps the chance of any false positive below the level, whatever depends on what (Holm 1979); "fdr" keeps the
    expected share of false positives among those called below it (Benjamini and Hochberg 1995; valid for independent
    and for positively dependent tests).
    """
    import torch

    flat = values.flatten()
    known = ~flat.isnan()
    ordered, order = flat[known].double().sort()
    m = len(ordered)
    rank = torch.arange(1, m + 1, dtype=torch.float64)
    if not m:
        return values.clone()
    if how == "holm":
        adjusted = (ordered * (m + 1 - rank)).cummax(0).values
    else:
        adjusted = (ordered * m / rank).flip(0).cummin(0).values.flip(0)
    found = flat.clone()
    restored = torch.empty_like(ordered)
    restored[order] = adjusted.clamp(max=1.0)
    found[known] = restored.to(found.dtype)
    return found.view_as(values)


def printed(p: float, floor: float) -> str:
    """A p-value with two digits, "<" where it is as small as the test can tell: 0.031, <9.5e-07, nan."""
    return f"<{floor:.2g}" if p <= floor else f"{p:.2g}"


def _patterns(n: int, count: int, seed: int, *, exact: bool) -> Iterator[Float[Tensor, "flip n"]]:
    import torch

    if exact:
        for first in range(0, count, _DRAWN_AT_ONCE):
            numbers = torch.arange(first, min(count, first + _DRAWN_AT_ONCE))
            yield 1.0 - 2.0 * (numbers[:, None] >> torch.arange(n) & 1).double()
        return
    yield from _drawn(n, count, seed)


def _drawn(n: int, count: int, seed: int) -> Iterator[Float[Tensor, "flip n"]]:
    import torch
    from transformer_lens.utilities.statistics import derive_generator

    generator = derive_generator(seed)
    for first in range(0, count, _DRAWN_AT_ONCE):
        size = min(_DRAWN_AT_ONCE, count - first)
        words = torch.randint(0, 2**_BITS, (size, -(-n // _BITS), 1), generator=generator)
        yield 1.0 - 2.0 * (words >> torch.arange(_BITS) & 1).flatten(1)[:, :n].double()
