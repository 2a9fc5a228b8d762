"""What a sweep found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.sweeps.cells import Grid

_BOOTSTRAP_SEED = 0


@dataclass(frozen=True, eq=False)
class Sweep:
    """The metric with one more component edited, for every cell of a grid.

    Parameters
    ----------
    grid
        What was swept; `grid.axes` names the axes of all tensors here.
    per_prompt
        The metric in every cell, float [*grid.shape, batch].
    baseline
        The metric of the state that the sweep started from, float [batch].
    clean, corrupted
        The metric of the unedited runs, float [batch]; `corrupted` None without a corrupted run.
    metric, unit
        What the numbers are.
    """

    grid: Grid
    per_prompt: Float[Tensor, "*cells batch"]
    baseline: Float[Tensor, " batch"]
    clean: Float[Tensor, " batch"]
    corrupted: Float[Tensor, " batch"] | None
    metric: str
    unit: str

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

    @property
    def stderr(self) -> Float[Tensor, "*cells"]:
        """Standard error of `effect` over prompts; NaN for a single prompt."""
        effects = self.per_prompt - self.baseline
        if effects.shape[-1] < 2:  # noqa: PLR2004  a spread needs two
            return torch.full_like(effects[..., 0], torch.nan)
        stderr: Tensor = effects.std(-1) / effects.shape[-1] ** 0.5
        return stderr

    def ci(self, level: float = 0.95, *, n_resamples: int = 1000) -> tuple[Tensor, Tensor]:
        """Percentile bootstrap interval of `effect` over prompts, seeded.

        Returns
        -------
        tuple
            (low, high), each [*cells]; NaN for a single prompt.
        """
        effects = self.per_prompt - self.baseline
        n = effects.shape[-1]
        if n < 2:  # noqa: PLR2004  a spread needs two
            nan = torch.full_like(effects[..., 0], torch.nan)
            return nan, nan
        draws = torch.randint(n, (n_resamples, n), generator=torch.Generator().manual_seed(_BOOTSTRAP_SEED))
        means = torch.stack([effects[..., draw].mean(-1) for draw in draws])
        tail = (1 - level) / 2
        return means.quantile(tail, dim=0), means.quantile(1 - tail, dim=0)

    def to_dataframe(self) -> pd.DataFrame:
        """One row a cell: site, its layer, pos and head, value, effect, normalized, stderr."""
        import pandas as pd

        frame: dict[str, object] = {"site": [str(cell.site) for cell in self.grid.cells]}
        frame["layer"] = [cell.site.layer for cell in self.grid.cells]
        if "pos" in self.grid.axes:
            frame["pos"] = [cell.site.positions[0] for cell in self.grid.cells if cell.site.positions]
        if "head" in self.grid.axes:
            frame["head"] = [cell.site.head for cell in self.grid.cells]
        columns = {"value": self.values, "effect": self.effect, "normalized": self.normalized, "stderr": self.stderr}
        return pd.DataFrame(frame | {name: column.flatten().numpy() for name, column in columns.items()})

    def top(self, k: int = 10) -> pd.DataFrame:
        """The `k` cells with the largest |effect|, largest first; cells that are not finite come last."""
        frame = self.to_dataframe()
        size = frame["effect"].abs().replace(float("inf"), float("nan"))
        order = size.sort_values(ascending=False, na_position="last", kind="stable").index
        return frame.loc[order[:k]].reset_index(drop=True)

    def __repr__(self) -> str:
        where = " × ".join(f"{name} {size}" for name, size in zip(self.grid.axes, self.grid.shape, strict=True))
        n = self.per_prompt.shape[-1]
        return f"Sweep({self.grid.how} {self.grid.over}, {where}, {self.metric} in {self.unit or 'its own unit'}, n={n}; .top(5), .values, .effect)"


def normalized(
    values: Float[Tensor, "*cells"], clean: Float[Tensor, " batch"], corrupted: Float[Tensor, " batch"] | None
) -> Float[Tensor, "*cells"]:
    """(value − corrupted) / (clean − corrupted) of means over prompts; NaN where that is not defined."""
    if corrupted is None:
        return torch.full_like(values, torch.nan)
    gap = clean.mean() - corrupted.mean()
    return (values - corrupted.mean()) / gap if gap != 0 else torch.full_like(values, torch.nan)
