"""What a sweep found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import torch

from circuitboard.address import ByContent, count_of, real, whole
from circuitboard.boundary import public
from circuitboard.errors import InterventionError
from circuitboard.metrics import Correction, corrected, floor_of, pvalues, standard_error

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Bool, Float
    from torch import Tensor
    from transformer_lens.patching import PatchingResult

    from circuitboard.sweeps.cells import Grid
    from circuitboard.sweeps.picture import Picture

_CHUNK_NUMBERS = 2**25
"""Numbers that a statistic holds at once: 128 MiB in fp32."""

MOST_DRAWS = 1_000_000
"""Resamples or permutations of one call: more change no digit that is shown, and take hours."""


@public
@dataclass(frozen=True, eq=False)
class Sweep(ByContent):
    """The metric with one more component edited, for every cell of a grid.

    Parameters
    ----------
    grid
        What was swept; `grid.axes` names the axes of all tensors here.
    per_prompt
        The metric in every cell, float [*grid.shape, batch]; NaN where it is not known yet.
    baseline
        The metric of the state that the sweep started from, float [batch].
    clean, corrupted
        The metric of the unedited runs, float [batch]; `corrupted` None without a corrupted run.
    metric, unit
        What the numbers are.
    exact
        Which cells were computed, bool [*grid.shape]; the others are an estimate (attribution patching), or NaN.
    method
        How cells were estimated, "atp" or "atp*"; None if all were to be computed.
    note
        A word where the estimate costs more than its cells computed exactly would; None otherwise.
    """

    grid: Grid
    per_prompt: Float[Tensor, "*cells batch"]
    baseline: Float[Tensor, " batch"]
    clean: Float[Tensor, " batch"]
    corrupted: Float[Tensor, " batch"] | None
    metric: str
    unit: str
    exact: Bool[Tensor, "*cells"]
    method: Literal["atp", "atp*"] | None = None
    note: str | None = None

    @property
    def values(self) -> Float[Tensor, "*cells"]:
        """The metric in every cell, mean over prompts."""
        return self.per_prompt.mean(-1)

    @property
    def effect(self) -> Float[Tensor, "*cells"]:
        """The metric in every cell minus that of the state swept from, mean over prompts."""
        return (self.per_prompt - self.baseline).mean(-1)

    @property
    def normalized(self) -> Float[Tensor, "*cells"]:
        """(value − corrupted) / (clean − corrupted): 1 is the clean run, 0 the corrupted one."""
        return normalized(self.values, self.clean, self.corrupted)

    @cached_property
    def statistics(self) -> PatchingResult:
        """The same numbers as TransformerLens's `PatchingResult`, with its statistics over prompts.

        `statistics.baseline` is that of this sweep: the state swept from, edits included.
        """
        import pandas as pd
        from transformer_lens.patching import PatchingResult

        return PatchingResult(
            values=self.per_prompt,
            axis_names=list(self.grid.axes),
            index_df=pd.DataFrame(self._places()),
            metric_names=[self.metric],
            reduced=False,
            baseline=self.baseline,
        )

    @property
    def stderr(self) -> Float[Tensor, "*cells"]:
        """Standard error of `effect` over prompts; NaN for a single prompt."""
        return standard_error(self.statistics.effect())

    def ci(self, level: float = 0.95, *, n_resamples: int = 1000, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Percentile bootstrap interval of `effect` over prompts, seeded (TransformerLens's).

        Returns
        -------
        tuple
            (low, high), each [*cells]; NaN for a single prompt.
        """
        level, n_resamples, seed = (
            _share("level", level),
            count_of("n_resamples", n_resamples, most=MOST_DRAWS),
            _seed(seed),
        )
        if self._one_prompt:
            return self._unknown(), self._unknown()
        low, high = self._in_chunks(
            lambda chunk: chunk.bootstrap_ci(confidence=level, n_resamples=n_resamples, seed=seed, of_effect=True),
            n_resamples,
        )
        return low, high

    def pvalue(
        self, *, n_permutations: int | None = None, seed: int = 0, correct: Correction | None = None
    ) -> Float[Tensor, "*cells"]:
        """Two-sided sign-flip permutation p-value that the mean effect is zero.

        All patterns of signs where there are few enough, so then exact; else as many random ones, seeded, as about a
        second allows: 150,000 for 270 cells of 64 prompts. How many is decided by the sizes, so the same sweep always
        has the same p-values. None is below `pvalue_floor`. NaN for a single prompt, and where the effect is not
        finite.

        Parameters
        ----------
        n_permutations
            At most so many random patterns; None for as many as about a second allows.
        seed
            Of the patterns.
        correct
            For the number of cells: "holm" bounds the chance of any false positive (Holm 1979), "fdr" the expected
            share of false positives among those called (Benjamini and Hochberg 1995). Cells that are NaN do not count.

        Raises
        ------
        InterventionError
            `bad_count`; `unknown_correction`.
        """
        if correct not in (None, *get_args(Correction)):
            raise InterventionError(
                f"p-values are corrected by None, 'holm' or 'fdr', not {correct!r:.40}.", code="unknown_correction"
            )
        most = None if n_permutations is None else count_of("n_permutations", n_permutations, most=MOST_DRAWS)
        seed = _seed(seed)
        if self._one_prompt:
            return self._unknown()
        effects = self.per_prompt - self.baseline
        found = pvalues(effects.flatten(0, -2), most=most, seed=seed).view(self.grid.shape).to(effects.dtype)
        return found if correct is None else corrected(found, correct)

    def pvalue_floor(self, *, n_permutations: int | None = None) -> float:
        """The smallest p-value that the test can tell here, before a correction; NaN for a single prompt."""
        most = None if n_permutations is None else count_of("n_permutations", n_permutations, most=MOST_DRAWS)
        n = self.per_prompt.shape[-1]
        return math.nan if self._one_prompt else floor_of(self.exact.numel(), n, most)

    def to_dataframe(self) -> pd.DataFrame:
        """One row a cell: site, its layer, pos and head or neuron, value, effect, normalized, stderr, exact."""
        import pandas as pd

        frame: dict[str, object] = {"site": [str(cell.site) for cell in self.grid.cells], **self._places()}
        columns = {"value": self.values, "effect": self.effect, "normalized": self.normalized, "stderr": self.stderr}
        columns["exact"] = self.exact
        return pd.DataFrame(frame | {name: column.flatten().numpy() for name, column in columns.items()})

    def top(self, k: int = 10) -> pd.DataFrame:
        """The `k` cells with the largest |effect|, largest first; cells that are not finite come last."""
        frame = self.to_dataframe()
        size = frame["effect"].abs().replace(float("inf"), float("nan"))
        order = size.sort_values(ascending=False, na_position="last", kind="stable").index
        return frame.loc[order[: count_of("k", k, least=0)]].reset_index(drop=True)

    def plot(self) -> Picture:
        """The map of `effect` as a picture (needs matplotlib: extra `[plot]`)."""
        from circuitboard.sweeps.picture import maps_side_by_side

        n = self.per_prompt.shape[-1]
        title = f"{self.grid.how} {self.grid.over}, n={n}"
        return maps_side_by_side(
            {title: (self.grid, self.effect)}, f"change of {self.metric} ({self.unit or 'its own unit'})"
        )

    def __repr__(self) -> str:
        where = " × ".join(f"{name} {size}" for name, size in zip(self.grid.axes, self.grid.shape, strict=True))
        n, exact, total = self.per_prompt.shape[-1], int(self.exact.sum()), self.exact.numel()
        known = "" if exact == total else f", {exact} of {total} cells exact"
        note = "" if self.note is None else f"; {self.note}"
        return f"Sweep({self.grid.how} {self.grid.over}, {where}, {self.metric} in {self.unit or 'its own unit'}, n={n}{known}{note}; .top(5), .values, .effect)"

    @property
    def _one_prompt(self) -> bool:
        """Whether there is no spread to speak of."""
        return self.per_prompt.shape[-1] < 2  # noqa: PLR2004  a spread needs two

    def _unknown(self) -> Float[Tensor, "*cells"]:
        return torch.full_like(self.per_prompt[..., 0], torch.nan)

    def _in_chunks(
        self, compute: Callable[[PatchingResult], tuple[Tensor, ...]], draws: int
    ) -> tuple[Float[Tensor, "*cells"], ...]:
        """Compute statistics some cells at a time, since each takes memory for all its draws; the seed is the same."""
        chunk = max(1, _CHUNK_NUMBERS // (draws * self.per_prompt.shape[-1]))
        parts = [compute(replace(self.statistics, values=part)) for part in self.per_prompt.flatten(0, -2).split(chunk)]
        return tuple(torch.cat(column).unflatten(0, self.grid.shape) for column in zip(*parts, strict=True))

    def _places(self) -> dict[str, object]:
        """Each axis as a column, row-major: layers, columns of the token tensor, labels, heads or neurons."""
        import numpy as np

        names = {"layer": self.grid.layers, "pos": self.grid.positions, "label": self.grid.labels}
        values = [
            np.array(names.get(axis) or range(size)) for axis, size in zip(self.grid.axes, self.grid.shape, strict=True)
        ]
        grids = np.meshgrid(*values, indexing="ij")
        return {axis: grid.flatten() for axis, grid in zip(self.grid.axes, grids, strict=True)}


def normalized(
    values: Float[Tensor, "*cells"], clean: Float[Tensor, " batch"], corrupted: Float[Tensor, " batch"] | None
) -> Float[Tensor, "*cells"]:
    """(value − corrupted) / (clean − corrupted) of means over prompts; NaN where that is not defined."""
    if corrupted is None:
        return torch.full_like(values, torch.nan)
    gap = clean.mean() - corrupted.mean()
    return (values - corrupted.mean()) / gap if gap != 0 else torch.full_like(values, torch.nan)


def _share(name: str, given: object) -> float:
    found = real(given)
    if found is None or not 0 < found < 1:
        raise InterventionError(
            f"{name} is a share between 0 and 1, such as 0.95, not {given!r:.60}.", code="bad_count"
        )
    return found


def _seed(given: object) -> int:
    found = whole(given)
    if found is None:
        raise InterventionError(f"seed is a whole number, not {given!r:.60}.", code="bad_count")
    return found
