"""Other prompts to take activations from: their mean, or those of one drawn at random (mean and resample ablation)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from circuitboard.errors import InterventionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention, Positions
    from circuitboard.interventions.write import Where
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun


_MOST_KEPT = 16
"""Means and draws whose activations are kept; an older one is made again if it is asked for once more."""


@dataclass(frozen=True)
class Match:
    """Positions of some prompts of the board, and those that stand for them in reference prompts.

    Parameters
    ----------
    prompts, columns
        Prompts of the board, and for each the columns of its tokens.
    others, other_columns
        Reference prompts, and for each as many columns.
    """

    prompts: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]
    others: tuple[int, ...]
    other_columns: tuple[tuple[int, ...], ...]


class Borrowed:
    """Activations of reference prompts, laid out like those of the board: an `Origin`.

    Parameters
    ----------
    run
        The reference prompts.
    matches
        Which of their positions stand for which. With `mean`, all others of a match stand for each of its prompts
        together; else one for one.
    shape
        Prompts and columns of the board. What no match covers is 0, and not to be used.
    """

    def __init__(self, run: CachedRun, matches: Sequence[Match], shape: tuple[int, int], *, mean: bool) -> None:
        self._run = run
        self._matches = tuple(matches)
        self._shape = shape
        self._mean = mean
        self._made: dict[Place, Tensor] = {}

    def activation(self, place: Place) -> Float[Tensor, "batch ..."]:
        """An activation of the board's shape; on the worker thread only."""
        place = self._run.adapter.same_as(place)
        if place not in self._made:
            self._made[place] = self._borrowed(self._run.activation(place), pattern=place[0] == "head.pattern")
        return self._made[place]

    def fetch(self, places: Iterable[Place]) -> None:
        """Have the reference run record these; on the worker thread only."""
        self._run.fetch({self._run.adapter.same_as(place) for place in places} - self._made.keys())

    def shared_prefix(self, base: CachedRun) -> int:  # noqa: ARG002
        """None: where all prompts agree, an ablation may still change the last bit."""
        return 0

    def tensors(self) -> Iterator[Tensor]:
        """What has been made."""
        yield from tuple(self._made.values())

    def _borrowed(self, found: Tensor, *, pattern: bool) -> Tensor:
        n, width = self._shape
        shape = (n, found.shape[1], width, width) if pattern else (n, width, *found.shape[2:])
        result = found.new_zeros(shape)
        for match in self._matches:
            theirs = _taken(found, match.others, match.other_columns, pattern=pattern)
            if self._mean:
                wide = torch.promote_types(theirs.dtype, torch.float32)
                theirs = theirs.to(wide).mean(0, keepdim=True).to(found.dtype)
            index = _index(match.prompts, match.columns, found.device, pattern=pattern)
            result[index] = theirs.expand(len(match.prompts), *theirs.shape[1:])
        return result


def _taken(found: Tensor, rows: Sequence[int], columns: Sequence[Sequence[int]], *, pattern: bool) -> Tensor:
    return found[_index(rows, columns, found.device, pattern=pattern)]


def _index(
    rows: Sequence[int], columns: Sequence[Sequence[int]], device: torch.device, *, pattern: bool
) -> tuple[Tensor | slice, ...]:
    """What picks [row, column, …] of an activation, [row, dest, src, head] of a pattern."""
    row, column = torch.tensor(rows, device=device), torch.tensor(columns, device=device)
    if pattern:
        return row[:, None, None], slice(None), column[:, :, None], column[:, None, :]
    return row[:, None], column


@dataclass(frozen=True, eq=False)
class Reference:
    """The prompts that means and resamples come from.

    Parameters
    ----------
    run
        Their run; only what is asked for is recorded.
    labels
        Label → its position in each of them, padding left out.
    why
        Where they come from, for messages.
    """

    run: CachedRun
    labels: Mapping[str, Sequence[int]]
    why: str
    _made: dict[tuple[object, ...], Borrowed] = field(default_factory=dict, repr=False)

    def origin(self, intervention: Intervention, where: Where, base: CachedRun, prompts: Prompts) -> Borrowed:
        """What a mean or a resample puts in its place; the same one for all components.

        Raises
        ------
        InterventionError
            `no_other_prompts` if it would put back what is there; `label_needed`, `label_unknown`, `label_pattern`.
        """
        labels = _labels(intervention, self) if intervention.per == "label" else None
        key = (intervention.how, intervention.seed, where.positions if labels else None, labels, base)
        if key not in self._made:
            shape = (prompts.n, prompts.n_positions)
            if intervention.how == "mean":
                found = self._all(labels, base, prompts, intervention)
            else:
                found = self._drawn(labels, base, prompts, intervention)
            while len(self._made) >= _MOST_KEPT:
                del self._made[next(iter(self._made))]
            self._made[key] = Borrowed(self.run, found, shape, mean=intervention.how == "mean")
        return self._made[key]

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor that lives as long as this, its run's included."""
        yield from self.run.tensors()
        for made in tuple(self._made.values()):
            yield from made.tensors()

    def _all(
        self, labels: tuple[str, ...] | None, base: CachedRun, prompts: Prompts, intervention: Intervention
    ) -> list[Match]:
        mine, theirs = _rows(base), _rows(self.run)
        if labels is not None:
            for prompt in range(prompts.n):
                self._require(intervention, prompt, mine, theirs, range(len(theirs)))
            everyone = range(prompts.n)
            return [self._at_label(label, everyone, range(len(theirs)), prompts) for label in labels]
        matches = []
        for length in sorted(set(map(len, mine))):
            own = [prompt for prompt, row in enumerate(mine) if len(row) == length]
            others = [other for other, row in enumerate(theirs) if len(row) == length]
            for prompt in own:
                self._require(intervention, prompt, mine, theirs, others)
            matches.append(_ends(own, others, length, prompts.n_positions, self.run.tokens.shape[1]))
        return matches

    def _drawn(
        self, labels: tuple[str, ...] | None, base: CachedRun, prompts: Prompts, intervention: Intervention
    ) -> list[Match]:
        mine, theirs = _rows(base), _rows(self.run)
        draw = random.Random(intervention.seed)
        chosen = []
        for prompt, row in enumerate(mine):
            others = [other for other, their in enumerate(theirs) if labels is not None or len(their) == len(row)]
            self._require(intervention, prompt, mine, theirs, others)
            chosen.append(draw.choice([other for other in others if theirs[other] != row]))
        if labels is not None:
            return [self._at_label(label, range(prompts.n), chosen, prompts) for label in labels]
        width, their_width = prompts.n_positions, self.run.tokens.shape[1]
        lengths: dict[int, list[int]] = {}
        for prompt, row in enumerate(mine):
            lengths.setdefault(len(row), []).append(prompt)
        return [
            _ends(own, [chosen[prompt] for prompt in own], length, width, their_width)
            for length, own in lengths.items()
        ]

    def _at_label(self, label: str, own: Sequence[int], others: Sequence[int], prompts: Prompts) -> Match:
        theirs, width = _rows(self.run), self.run.tokens.shape[1]
        return Match(
            tuple(own),
            tuple((prompts.n_positions - prompts.lengths[i] + prompts.labels[label][i],) for i in own),
            tuple(others),
            tuple((width - len(theirs[i]) + self.labels[label][i],) for i in others),
        )

    def _require(
        self,
        intervention: Intervention,
        prompt: int,
        mine: Sequence[tuple[int, ...]],
        theirs: Sequence[tuple[int, ...]],
        others: Iterable[int],
    ) -> None:
        if any(theirs[other] != mine[prompt] for other in others):
            return
        length = "" if intervention.per == "label" else f" of its {len(mine[prompt])} tokens"
        how = "The mean over" if intervention.how == "mean" else "A resample from"
        per = "" if intervention.per == "label" else ", or match by label: per='label'"
        raise InterventionError(
            f"{how} {self.why} would change nothing at {intervention.site} in prompt {prompt}: among the {len(theirs)} there is no other prompt{length}. "
            f"Give the board several different ones, as reference=… or as a data set{per}.",
            code="no_other_prompts",
            where=str(intervention.site),
        )


def _ends(own: Sequence[int], others: Sequence[int], length: int, width: int, other_width: int) -> Match:
    """Prompts of one length, position by position. Ends lie in the last column."""
    return Match(
        tuple(own),
        (tuple(range(width - length, width)),) * len(own),
        tuple(others),
        (tuple(range(other_width - length, other_width)),) * len(others),
    )


def _rows(run: CachedRun) -> list[tuple[int, ...]]:
    """The token ids of each prompt, padding left out."""
    real = run.real
    rows = run.tokens.tolist()
    if real is None:
        return [tuple(row) for row in rows]
    return [tuple(row[len(row) - int(n) :]) for row, n in zip(rows, real.sum(-1), strict=True)]


def _labels(intervention: Intervention, reference: Reference) -> tuple[str, ...]:
    """The labels that an edit acts at, if it acts at labels alone."""
    positions: Positions = intervention.site.positions
    if positions is None or not all(isinstance(entry, str) for entry in positions):
        raise InterventionError(
            f"{intervention.site} is matched per label, so it must act at labels, as in .at('END'); or leave per='label' out.",
            code="label_needed",
            where=str(intervention.site),
        )
    if getattr(intervention.site, "kind", None) == "head.pattern":
        raise InterventionError(
            f"{intervention.site} cannot be matched per label: what a label attends to has other positions in other prompts.",
            code="label_pattern",
            where=str(intervention.site),
        )
    labels = tuple(str(entry) for entry in positions)
    for label in labels:
        if label not in reference.labels:
            known = ", ".join(sorted(reference.labels)) or "none"
            raise InterventionError(
                f"{reference.why} have no label {label!r}; they have: {known}.", code="label_unknown", where=label
            )
    return labels
