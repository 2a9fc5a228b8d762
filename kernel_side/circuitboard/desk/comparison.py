"""The same sweep under several corruptions: how much of a map is the model's, and how much the counterfactual's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import ByContent, entries
from circuitboard.boundary import public
from circuitboard.desk.desk import Desk
from circuitboard.errors import PromptError, there
from circuitboard.prompts import PromptPair, tasks
from circuitboard.steps import Node
from circuitboard.sweeps.picture import Picture, maps_side_by_side

if TYPE_CHECKING:
    import pandas as pd

    from circuitboard.sweeps import Sweep

TOP = 10
"""Components that count as leading under a corruption."""

_SURE = 2.0
"""Standard errors that an effect must be away from 0 for its sign to count."""
_SHARE = 0.05
"""With a single prompt, which has none: the share of the largest effect that it must have."""


@public
@dataclass(frozen=True, eq=False)
class Comparison(ByContent):
    """Sweeps that differ in the corrupted prompts alone.

    Parameters
    ----------
    sweeps
        Name of the corruption → its sweep; all have the same cells and the same clean prompts.
    """

    sweeps: Mapping[str, Sweep]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a component, the most disputed first, then by the largest effect.

        Columns: for each corruption the effect as a share of what that corruption does to the metric,
        effect / (clean − corrupted), and its rank by size (1 is the largest); then `sign_depends`: it is surely above 0
        under one corruption and surely below under another (by two standard errors over prompts; for a single prompt,
        by 5 % of the largest effect); and `rank_depends`: among the ten largest under one, not among the twenty largest
        under another.
        """
        import pandas as pd

        first = next(iter(self.sweeps.values()))
        columns: dict[tuple[str, str], Any] = {}
        above, below, ranks = [], [], []
        for name, sweep in self.sweeps.items():
            share = self.shares[name].flatten()
            order = share.abs().nan_to_num(nan=-1).argsort(descending=True, stable=True)
            rank = torch.empty_like(order)
            rank[order] = torch.arange(1, len(order) + 1)
            sure = _SURE * self._scaled(name, sweep.stderr).abs().flatten()
            if bool(sure.isnan().all()):
                sure = torch.full_like(share, _SHARE * float(share.abs().nan_to_num().max()))
            above.append(share > sure)
            below.append(share < -sure)
            ranks.append(rank)
            columns[name, "effect"] = share.numpy()
            columns[name, "rank"] = rank.numpy()
        lowest, highest = torch.stack(ranks).amin(0), torch.stack(ranks).amax(0)
        columns["", "sign_depends"] = (torch.stack(above).any(0) & torch.stack(below).any(0)).numpy()
        columns["", "rank_depends"] = ((lowest <= TOP) & (highest > 2 * TOP)).numpy()
        frame = pd.DataFrame(columns, index=pd.Index([str(cell.site) for cell in first.grid.cells], name="site"))
        size = torch.stack([share.flatten().abs().nan_to_num() for share in self.shares.values()]).amax(0)
        disputed = frame["", "sign_depends"].astype(int) + frame["", "rank_depends"].astype(int)
        by = pd.DataFrame({"disputed": -disputed.to_numpy(), "size": -size.numpy()}, index=frame.index)
        return frame.iloc[by.reset_index(drop=True).sort_values(["disputed", "size"], kind="stable").index]

    @property
    def flagged(self) -> pd.DataFrame:
        """The rows of `table` whose sign or rank depends on the corruption."""
        table = self.table
        return table[table["", "sign_depends"] | table["", "rank_depends"]]

    @cached_property
    def shares(self) -> dict[str, torch.Tensor]:
        """For each corruption effect / (clean − corrupted), mean over prompts, [*cells]."""
        return {name: self._scaled(name, sweep.effect) for name, sweep in self.sweeps.items()}

    def plot(self) -> Picture:
        """The maps side by side on one scale, flagged components marked (needs matplotlib: extra `[plot]`)."""
        flagged = set(self.flagged.index)
        return maps_side_by_side(
            {name: (sweep.grid, self.shares[name]) for name, sweep in self.sweeps.items()},
            "effect / (clean − corrupted)",
            marked=flagged,
        )

    def _scaled(self, name: str, numbers: torch.Tensor) -> torch.Tensor:
        sweep = self.sweeps[name]
        # Every corruption has a corrupted run.
        return numbers / (sweep.clean.mean() - there(sweep.corrupted).mean())

    def __repr__(self) -> str:
        first = next(iter(self.sweeps.values()))
        return f"Comparison({', '.join(self.sweeps)}; {first.grid.how} {first.grid.over}, {len(self.flagged)} of {len(self.table)} depend on the corruption; .table, .flagged, .plot())"


def compared(desk: Desk, corruptions: Sequence[str] | Mapping[str, Any], sweep: Callable[[Desk], Sweep]) -> Comparison:
    """The sweep of a desk of its own for each corruption, with the edits that are in force; see `Board.compare`."""
    sweeps = {}
    state = desk.history.state
    for name, pair in _pairs(desk, corruptions).items():
        other = Desk(
            desk.model,
            pair,
            metric={metric.name: metric.given for metric in desk.lab.metrics},
            base=state.base,
            reference=desk.reference,
            engine="auto",
            memory=None,
        )
        try:
            if state.edits:
                other.restore((Node(None, "restore", state),))
            sweeps[name] = sweep(other)
        finally:
            other.close()
    return Comparison(sweeps)


def _pairs(desk: Desk, corruptions: Sequence[str] | Mapping[str, Any]) -> dict[str, PromptPair]:
    names = list(corruptions) if isinstance(corruptions, Mapping) else entries(corruptions)
    if names is None or len(names) < 2:  # noqa: PLR2004  one can be compared with nothing
        raise PromptError(
            f"Name at least two corruptions to compare, not {corruptions!r:.80}.", code="too_few_corruptions"
        )
    if not isinstance(corruptions, Mapping):
        return {name: tasks.vary(desk.pair, model=desk.model, corruption=name) for name in names}
    pairs = {}
    for name, given in corruptions.items():
        pair = given
        if not isinstance(given, PromptPair):
            own = desk.pair
            wrong = None if own.wrong is None else list(own.wrong)
            pair = PromptPair(
                own.clean, given, answer=list(own.answer), wrong=wrong, labels=own.labels, prepend_bos=own.prepend_bos
            )
        bound = pair.bind(desk.model)
        if bound.corrupted_tokens is None:
            raise PromptError(f"The corruption {name!r} has no corrupted prompts.", code="no_corrupted_run")
        if bound.token_ids("clean") != desk.prompts.token_ids("clean"):
            raise PromptError(
                f"The corruption {name!r} has other clean prompts than the board; compare corruptions of the same ones.",
                code="clean_differs",
            )
        pairs[name] = pair
    return pairs
