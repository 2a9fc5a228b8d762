"""Token positions as a user writes them: integers, slices and labels, resolved per prompt when used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from circuitboard.errors import AddressError

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")
_INDEX = re.compile(r"-?\d{1,9}")
_SPAN = re.compile(r"(-?\d{1,9})?:(-?\d{1,9})?(?::(-?\d{1,9}))?")


@dataclass(frozen=True)
class Span:
    """A slice of positions; `slice` itself is not hashable."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        start, stop = ("" if x is None else str(x) for x in (self.start, self.stop))
        return f"{start}:{stop}" + ("" if self.step is None else f":{self.step}")


Spec = int | str | Span
"""One entry of a position list: an index (negative from the end), a label or a slice."""

Positions = tuple[Spec, ...] | None
"""Where an edit acts; None means at all positions."""


def positions_of(spec: object) -> Positions:
    """Make `Positions` of what a user passes to `.at()`.

    Parameters
    ----------
    spec
        None or "all", an int, a label, a slice, or a list of these.

    Raises
    ------
    AddressError
        `bad_positions` if it is none of these, or an empty list.
    """
    if spec is None or spec == "all":
        return None
    if isinstance(spec, bool) or not isinstance(spec, (int, str, slice, Span, Iterable)):
        raise AddressError(
            f"Positions were given as {spec!r}; expected an int, a slice, a label or a list of these.",
            code="bad_positions",
        )
    if isinstance(spec, (int, str, slice, Span)):
        return (_one(spec),)
    entries = tuple(_one(entry) for entry in spec)
    if not entries:
        raise AddressError(
            "An empty list of positions would change nothing; leave positions out to mean all.", code="bad_positions"
        )
    return entries


def _one(entry: object) -> Spec:
    if isinstance(entry, Span):
        return entry
    if isinstance(entry, slice):
        if not all(
            part is None or (isinstance(part, int) and not isinstance(part, bool))
            for part in (entry.start, entry.stop, entry.step)
        ):
            raise AddressError(f"The slice {entry!r} of positions must be made of integers.", code="bad_positions")
        return Span(entry.start, entry.stop, entry.step)
    if isinstance(entry, str):
        if not _LABEL.fullmatch(entry) or entry == "all":
            raise AddressError(
                f"{entry[:40]!r} is no position label: labels start with a letter and hold letters, digits, '_', '.', '+' or '-'.",
                code="bad_positions",
            )
        return entry
    if hasattr(entry, "__index__") and not isinstance(entry, bool):
        return int(entry.__index__())
    raise AddressError(f"Position {entry!r} is neither an integer, a slice nor a label.", code="bad_positions")


def parse_positions(text: str) -> Positions:
    """Read what `describe` wrote: "all", "3", "2:5", "END", "3, S2"."""
    text = text.strip()
    if text == "all":
        return None
    entries: list[Spec] = []
    for part in text.split(","):
        word = part.strip()
        if _INDEX.fullmatch(word):
            entries.append(int(word))
        elif match := _SPAN.fullmatch(word):
            entries.append(Span(*(None if group is None else int(group) for group in match.groups())))
        else:
            entries.append(_one(word))
    return positions_of(entries)


def describe(positions: Positions) -> str:
    """Write positions as the UI does: "all", "3", "2:5", "3, S2"."""
    return "all" if positions is None else ", ".join(str(entry) for entry in positions)


def resolve(
    positions: Positions, n_positions: int, labels: Mapping[str, Sequence[int]], n_prompts: int
) -> tuple[tuple[int, ...], ...]:
    """Turn positions into sorted indices, prompt by prompt.

    Parameters
    ----------
    positions
        Where to act; None means everywhere.
    n_positions
        Tokens in each prompt.
    labels
        Label → its position in each prompt.
    n_prompts
        Prompts in the data set.

    Returns
    -------
    tuple
        For each prompt the positions, sorted, each once.

    Raises
    ------
    AddressError
        `position_out_of_range` or `unknown_label`.
    """
    if positions is None:
        return (tuple(range(n_positions)),) * n_prompts
    rows = []
    for prompt in range(n_prompts):
        found: set[int] = set()
        for entry in positions:
            found.update(_indices(entry, prompt, n_positions, labels))
        rows.append(tuple(sorted(found)))
    return tuple(rows)


def _indices(entry: Spec, prompt: int, n_positions: int, labels: Mapping[str, Sequence[int]]) -> Iterable[int]:
    if isinstance(entry, Span):
        if entry.step == 0:
            raise AddressError(f"The slice {entry} of positions has step 0.", code="bad_positions")
        span = range(n_positions)[slice(entry.start, entry.stop, entry.step)]
        if not span:
            raise AddressError(
                f"The slice {entry} covers none of the {n_positions} positions.", code="position_out_of_range"
            )
        return span
    if isinstance(entry, str):
        if entry not in labels:
            known = ", ".join(sorted(labels)) or "none"
            raise AddressError(
                f"No position is labelled {entry!r}; these prompts have the labels: {known}.", code="unknown_label"
            )
        return (labels[entry][prompt],)
    if not -n_positions <= entry < n_positions:
        raise AddressError(
            f"Position {entry} does not exist: the prompts have {n_positions} tokens, so 0 … {n_positions - 1} (or −1 … −{n_positions} from the end).",
            code="position_out_of_range",
            where=str(entry),
        )
    return (entry % n_positions,)
