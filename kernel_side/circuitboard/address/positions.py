"""Token positions as a user writes them: integers, slices and labels, resolved per prompt when used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from circuitboard.address.numbers import entries, single, whole
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

PositionsLike = int | str | slice | Span | Sequence[int | str | slice | Span] | None
"""Positions as a user gives them: an index, a label, "all" or None, a slice, or several of these."""


def positions_of(spec: object) -> Positions:
    """Make `Positions` of what a user passes to `.at()`.

    Parameters
    ----------
    spec
        None or "all", an int, a label, a slice, or a list or an array of these.

    Raises
    ------
    AddressError
        `bad_positions` if it is none of these, or an empty list.
    """
    if spec is None or (isinstance(spec, str) and spec == "all"):
        return None
    if isinstance(spec, (str, slice, Span)) or whole(spec) is not None:
        return (_one(spec),)
    found = entries(spec)
    if found is None:
        raise AddressError(
            f"Positions were given as {spec!r:.60}; expected an int, a slice, a label or a list of these.",
            code="bad_positions",
        )
    if not found:
        raise AddressError(
            "An empty list of positions would change nothing; leave positions out to mean all.", code="bad_positions"
        )
    return tuple(map(_one, found))


def given_positions(spec: object) -> Positions:
    """`positions_of`, for a value that nearly always is what that returns: a sweep makes one for each of its cells."""
    if spec is None or (type(spec) is tuple and spec and all(type(entry) in (int, Span) for entry in spec)):
        return spec
    return positions_of(spec)


def _one(entry: object) -> Spec:
    if isinstance(entry, Span):
        return entry
    if isinstance(entry, slice):
        given = (entry.start, entry.stop, entry.step)
        parts = [None if part is None else whole(part) for part in given]
        if [part is None for part in parts] != [part is None for part in given]:
            raise AddressError(f"The slice {entry!r} of positions must be made of integers.", code="bad_positions")
        return Span(*parts)
    entry = single(entry)
    if isinstance(entry, str):
        if not _LABEL.fullmatch(entry) or entry == "all":
            raise AddressError(
                f"{entry[:40]!r} is no position label: labels start with a letter and hold letters, digits, '_', '.', '+' or '-'.",
                code="bad_positions",
            )
        return entry
    index = whole(entry)
    if index is None:
        raise AddressError(f"Position {entry!r:.60} is neither an integer, a slice nor a label.", code="bad_positions")
    return index


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
    positions: Positions,
    n_positions: int,
    labels: Mapping[str, Sequence[int]],
    n_prompts: int,
    lengths: Sequence[int] | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Turn positions into sorted columns of the token tensor, prompt by prompt.

    Parameters
    ----------
    positions
        Where to act; None means at every token.
    n_positions
        Columns of the token tensor.
    labels
        Label → its position in each prompt, counted in that prompt's own tokens.
    n_prompts
        Prompts in the data set.
    lengths
        Tokens of each prompt, where shorter ones are padded on the left; None if all fill the tensor. Positions count
        in a prompt's own tokens. A slice may miss some prompts, which it then leaves alone; not all of them, unless it is
        one column, counted from the end, where all are padded.

    Returns
    -------
    tuple
        For each prompt the columns, sorted, each once.

    Raises
    ------
    AddressError
        `position_out_of_range` or `unknown_label`.
    """
    own = [n_positions] * n_prompts if lengths is None else lengths
    if positions is None:
        return tuple(tuple(range(n_positions - length, n_positions)) for length in own)
    rows: list[set[int]] = [set() for _ in own]
    for entry in positions:
        found = [
            _indices(entry, prompt, length, labels, padded=lengths is not None) for prompt, length in enumerate(own)
        ]
        if isinstance(entry, Span) and not any(found) and not _is_padding(entry, n_positions):
            most = max(own, default=0)
            raise AddressError(f"The slice {entry} covers none of the {most} positions.", code="position_out_of_range")
        for row, indices, length in zip(rows, found, own, strict=True):
            row.update(n_positions - length + index for index in indices)
    return tuple(tuple(sorted(row)) for row in rows)


def _is_padding(entry: Span, n_positions: int) -> bool:
    """Whether a slice is one column of the padded tokens, as `Prompts.at_columns` names them."""
    start = entry.start
    return start is not None and -n_positions <= start < 0 and entry == Span(start, start + 1 or None)


def in_order(
    positions: tuple[Spec, ...],
    n_positions: int,
    labels: Mapping[str, Sequence[int]],
    n_prompts: int,
    lengths: Sequence[int] | None = None,
) -> tuple[tuple[int, ...], ...]:
    """As `resolve`, the columns in the order in which they were named, each as often as it was."""
    own = [n_positions] * n_prompts if lengths is None else lengths
    return tuple(
        tuple(
            n_positions - length + index
            for entry in positions
            for index in _indices(entry, prompt, length, labels, padded=lengths is not None)
        )
        for prompt, length in enumerate(own)
    )


def _indices(
    entry: Spec, prompt: int, length: int, labels: Mapping[str, Sequence[int]], *, padded: bool
) -> Sequence[int]:
    if isinstance(entry, Span):
        if entry.step == 0:
            raise AddressError(f"The slice {entry} of positions has step 0.", code="bad_positions")
        return range(length)[slice(entry.start, entry.stop, entry.step)]
    if isinstance(entry, str):
        if entry not in labels:
            known = ", ".join(sorted(labels)) or "none"
            raise AddressError(
                f"No position is labelled {entry!r}; these prompts have the labels: {known}.", code="unknown_label"
            )
        return (labels[entry][prompt],)
    if not -length <= entry < length:
        who, only = (
            (f"in prompt {prompt}, which has", " A slice leaves out prompts that are too short.")
            if padded
            else ("", "")
        )
        raise AddressError(
            f"Position {entry} does not exist{f' {who}' if who else ': the prompts have'} {length} tokens, so 0 … {length - 1} (or −1 … −{length} from the end).{only}",
            code="position_out_of_range",
            where=str(entry),
        )
    return (entry % length,)
