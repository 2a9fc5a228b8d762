"""Which positions of another run stand for those that a patch writes, where the two need not be as long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Span, describe, in_order
from circuitboard.errors import InterventionError, PromptError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention, Positions, Spec
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun, Origin

Columns = tuple[tuple[tuple[int, int], ...], ...]
"""For each prompt, pairs of a column of the board's tokens and the column of the other run that stands for it."""


class Aligned:
    """Activations of another run, laid out like those of the board: an `Origin`.

    Parameters
    ----------
    origin
        The other run.
    columns
        Which of its columns stand for which. What is not named holds some activation of it, and is not to be used.
    sources
        The same for the positions that a pattern attends to.
    shape
        Prompts and columns of the board.
    """

    def __init__(self, origin: Origin, columns: Columns, sources: Columns | None, shape: tuple[int, int]) -> None:
        self._origin = origin
        self._columns, self._sources = columns, sources
        self._shape = shape
        self._made: dict[Place, Tensor] = {}

    def activation(self, place: Place) -> Float[Tensor, "batch ..."]:
        """An activation of the board's shape; on the worker thread only."""
        if place not in self._made:
            found = self._origin.activation(place)
            self._made[place] = self._laid_out(found, pattern=place[0] == "head.pattern")
        return self._made[place]

    def fetch(self, places: Iterable[Place]) -> None:
        """Have the other run record these; on the worker thread only."""
        self._origin.fetch(set(places) - self._made.keys())

    def shared_prefix(self, base: CachedRun) -> int:  # noqa: ARG002
        """None: another position's activation is another one, whatever the tokens are."""
        return 0

    def tensors(self) -> Iterator[Tensor]:
        """What has been laid out."""
        yield from tuple(self._made.values())

    def _laid_out(self, found: Tensor, *, pattern: bool) -> Tensor:
        rows = torch.arange(self._shape[0], device=found.device)
        width = found.shape[-1] if pattern else found.shape[1]
        taken = self._taken(self._columns, width, found.device)
        if not pattern:
            return found[rows[:, None], taken]
        attended = self._taken(self._sources or self._columns, width, found.device)
        return found[rows[:, None, None], :, taken[:, :, None], attended[:, None, :]].permute(0, 3, 1, 2)

    def _taken(self, columns: Columns, width: int, device: torch.device) -> Tensor:
        """The other run's column for each of the board's; the last one, which is never padding, where none is named."""
        taken = torch.full(self._shape, width - 1)
        for row, pairs in zip(taken, columns, strict=True):
            for here, there in pairs:
                row[here] = there
        return taken.to(device)


def matched(
    intervention: Intervention, mine: Prompts, theirs: Prompts, whose: str
) -> tuple[Columns | None, Columns | None]:
    """Which columns of another run stand for those that a patch writes.

    Parameters
    ----------
    mine, theirs
        The prompts that are edited, and those of the other run.
    whose
        The other run, for messages.

    Returns
    -------
    tuple
        The columns, and for a pattern those attended to; None where every column is its own.

    Raises
    ------
    InterventionError
        `label_needed`, `label_unknown`, `label_ambiguous`, `label_pattern`, `span_mismatch`, `unequal_lengths`.
    AddressError
        Positions that do not exist in one of the runs.
    PromptError
        `run_mismatch`.
    """
    site = intervention.site
    if intervention.per == "label":
        by_label = _by_label(intervention, site.positions, mine, theirs, whose)
        if site.kind != "head.pattern":
            return by_label, None
        if site.sources is None:
            raise InterventionError(
                f"{site} cannot be patched per label as a whole row: what it attends to has other positions in {whose}. "
                f"Name the entries by labels: cb.site({f'{site.name} @ END <- S2'!r}).patch(per='label').",
                code="label_pattern",
                where=str(site),
            )
        return by_label, _by_label(intervention, site.sources, mine, theirs, whose)
    if intervention.from_ is not None:
        return _by_choice(intervention, intervention.from_, mine, theirs, whose), None
    if mine.lengths != theirs.lengths:
        raise _unequal(intervention, mine, theirs, whose)
    if mine.n_positions == theirs.n_positions:
        return None, None
    offset = theirs.n_positions - mine.n_positions
    every = tuple(tuple((column, column + offset) for column in row) for row in mine.resolve(None))
    return every, every if site.kind == "head.pattern" else None


def _by_choice(
    intervention: Intervention, asked: tuple[Spec, ...], mine: Prompts, theirs: Prompts, whose: str
) -> Columns:
    site = intervention.site
    here = mine.resolve(None) if site.positions is None else _named(site.positions, mine)
    there = _named(asked, theirs)
    for prompt, (own, others) in enumerate(zip(here, there, strict=True)):
        if len(own) != len(others):
            raise InterventionError(
                f"{site} has {len(own)} {_positions(own)} in prompt {prompt}, but from_={describe(asked)} names {len(others)} of {whose}; "
                "name as many on both sides, in the same order.",
                code="span_mismatch",
                where=str(site),
            )
    return tuple(_unambiguous(zip(*pair, strict=True), prompt, intervention) for prompt, pair in enumerate(zip(here, there, strict=True)))  # fmt: skip


def _named(positions: tuple[Spec, ...], prompts: Prompts) -> tuple[tuple[int, ...], ...]:
    prompts.resolve(positions)
    padded = None if prompts.real is None else prompts.lengths
    return in_order(positions, prompts.n_positions, prompts.labels, prompts.n, padded)


def _by_label(intervention: Intervention, positions: Positions, mine: Prompts, theirs: Prompts, whose: str) -> Columns:
    """The labelled columns among those that are meant; each takes from the same label of the other run."""
    site = intervention.site
    shared = [label for label in mine.labels if label in theirs.labels]
    for named in positions or ():
        if isinstance(named, str):
            mine.resolve((named,))
            if named not in shared:
                known = ", ".join(sorted(theirs.labels)) or "none"
                raise InterventionError(
                    f"{site} is patched per label, but {whose} has no label {named!r}; it has: {known}. "
                    "Name it there, as in cb.Run(…, labels={'END': -1}), or say which position to take: .patch(run, from_=-1).",
                    code="label_unknown",
                    where=named,
                )
    found: list[list[tuple[int, int]]] = [[] for _ in range(mine.n)]
    for entry in (None,) if positions is None else positions:
        labels = [entry] if isinstance(entry, str) else shared
        meant = mine.resolve(None if entry is None else (entry,))
        pairs = [
            [(here, there) for here, there in _at_labels(labels, prompt, mine, theirs) if here in meant[prompt]]
            for prompt in range(mine.n)
        ]
        if not any(pairs):
            at = "none of its positions has" if entry is None or isinstance(entry, Span) else f"position {entry} has no"
            label = " a label" if entry is None or isinstance(entry, Span) else " label"
            known = ", ".join(shared) or "none"
            raise InterventionError(
                f"{site} is patched per label, but {at}{label} that {whose} has too; these are: {known}. "
                "Name positions with PromptPair(…, labels={'END': -1}), or say which position to take: .patch(from_=-1).",
                code="label_needed",
                where=str(site),
            )
        for row, more in zip(found, pairs, strict=True):
            row.extend(more)
    return tuple(_unambiguous(row, prompt, intervention) for prompt, row in enumerate(found))


def _at_labels(labels: Sequence[str], prompt: int, mine: Prompts, theirs: Prompts) -> Iterator[tuple[int, int]]:
    for label in labels:
        here, there = (side.n_positions - side.lengths[prompt] + side.labels[label][prompt] for side in (mine, theirs))
        yield here, there


def _unambiguous(
    pairs: Iterable[tuple[int, int]], prompt: int, intervention: Intervention
) -> tuple[tuple[int, int], ...]:
    found: dict[int, int] = {}
    for here, there in pairs:
        if found.setdefault(here, there) != there:
            raise InterventionError(
                f"{intervention.site} would take one position of prompt {prompt} from two different ones; "
                "name the label that is meant, as in .at('END').",
                code="label_ambiguous",
                where=str(intervention.site),
            )
    return tuple(sorted(found.items()))


def _unequal(intervention: Intervention, mine: Prompts, theirs: Prompts, whose: str) -> InterventionError | PromptError:
    """The refusal of a patch position by position, with the lines to type instead."""
    site, run = intervention.site, intervention.run
    labels = [label for label in mine.labels if label in theirs.labels]
    asked = "" if run is None else "cb.Run(…), "
    named = "" if run is None or labels else ", labels={'END': -1}"
    label = next((entry for entry in site.positions or () if isinstance(entry, str)), (labels or ["END"])[0])
    at = describe(site.positions) if site.positions is not None else "-1"
    entries = f"{label} <- {label}" if site.kind == "head.pattern" else label
    by_label = (
        f"cb.site({f'{site.name} @ {entries}'!r}).patch({'' if run is None else f'cb.Run(…{named}), '}per='label')"
    )
    by_choice = f"cb.site({f'{site.name} @ {at}'!r}).patch({asked}from_=-1)"
    ways = by_label if site.kind == "head.pattern" else f"{by_label}, or say which position to take: {by_choice}"
    message = (
        f"{site} cannot be patched position by position: {_lengths(mine, theirs, whose)}. "
        f"Patch where both have a label: {ways}."
    )
    if run is None:
        return InterventionError(message, code="unequal_lengths", where=str(site))
    return PromptError(message, code="run_mismatch", where=str(site))


def _lengths(mine: Prompts, theirs: Prompts, whose: str) -> str:
    """How many tokens there are on either side, of the first prompt where they are not as many."""
    pairs = list(zip(mine.lengths, theirs.lengths, strict=True))
    prompt, (own, others) = next((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1])
    where = "" if len(pairs) == 1 else f"prompt {prompt} of "
    return f"{where}{whose} has {others} tokens, but the one that is edited has {own}"


def _positions(found: Sequence[int]) -> str:
    return "position" if len(found) == 1 else "positions"


def aligned(
    origin: Origin,
    columns: Columns,
    sources: Columns | None,
    mine: Prompts,
    made: dict[object, Aligned],
    most: int = 64,
) -> Aligned:
    """The origin laid out like the board; the same one for all edits that take the same positions from it."""
    key = (origin, columns, sources)
    if key not in made:
        while len(made) >= most:
            del made[next(iter(made))]
        made[key] = Aligned(origin, columns, sources, (mine.n, mine.n_positions))
    return made[key]


def every_label(columns: Columns, mine: Prompts, theirs: Prompts) -> Columns:
    """The columns of all labels, where these agree with those given: edits at different labels then share them."""
    shared = [label for label in mine.labels if label in theirs.labels]
    rows = []
    for prompt, given in enumerate(columns):
        row = dict(given)
        for here, there in _at_labels(shared, prompt, mine, theirs):
            if row.setdefault(here, there) != there:
                return columns
        rows.append(tuple(sorted(row.items())))
    return tuple(rows)
