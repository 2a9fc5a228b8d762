"""A map as it is looked at: beside another, in shares, sorted, with cells hidden. What a look changes is said in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from circuitboard.errors import InterventionError
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, MapDrawing, Mark, Side, scale_of
from circuitboard.pictures.text import decimals, plain, shown, signed

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

Show = Literal["all", "edited", "exact"]

SHARE = "share of clean − corrupted"
"""The unit of effects that are normalised."""

_NAMED = 3
"""Edits of another state that are named; of more, the number is told."""

_DRAWN: dict[Side, str] = {"a": "Map A of two", "b": "Map B of two", "difference": "B − A of two maps"}


@dataclass(frozen=True, eq=False)
class Other:
    """The map (A) that a map (B) is compared with, laid over B's cells.

    Parameters
    ----------
    effect, known
        As in `MapDrawing`, [row, column] or row-major.
    state
        Which state it is of, in words: "on the clean run", "after zero 9.9".
    settings
        In what else it differs from B, in words; "" for nothing.
    """

    effect: Float[np.ndarray, "*cell"]
    known: UInt8[np.ndarray, "*cell"]
    state: str
    settings: str = ""


@dataclass(frozen=True)
class Look:
    """How a map is looked at.

    Parameters
    ----------
    share
        Whether effects are divided by clean − corrupted.
    rows, columns
        Those that are drawn, in their order; None for all as they are.
    show
        Which cells are drawn.
    hide_below
        Cells whose |effect| is smaller are not drawn; in the metric's unit.
    numbers_from
        Cells from this |effect| on carry their number, in the metric's unit; None for a share of the scale.
    side
        What is drawn where there is another map.
    """

    share: bool = False
    rows: Sequence[int] | None = None
    columns: Sequence[int] | None = None
    show: Show = "all"
    hide_below: float = 0.0
    numbers_from: float | None = None
    side: Side = "b"


def looked_at(drawing: MapDrawing, look: Look, other: Other | None, distance: float | None) -> MapDrawing:
    """A map of effects in the metric's unit as a look shows it.

    Parameters
    ----------
    drawing
        The map B.
    look
        How it is looked at.
    other
        The map A; None where nothing is compared.
    distance
        clean − corrupted, in the metric's unit; None without a corrupted run.

    Raises
    ------
    InterventionError
        `no_share` if effects cannot be divided by `distance`, `bad_look` if the look does not fit the map.
    """
    _require(drawing, look)
    of = drawing.caption
    found = drawing if other is None else _beside(drawing, other, look.side)
    hidden = _hidden(found, look)
    found = replace(found, numbers_from=look.numbers_from, hidden=hidden if hidden.any() else None)
    looked: list[str] = []
    share = ""
    if look.share:
        found = _normalized(found, distance)
        share = f", as a {SHARE}"
        looked.append(f"A share of 1 is clean − corrupted: {signed(distance or 0.0)} {drawing.unit}.")
    if other is None:
        caption = f"{of}{share}"
    else:
        caption = f"{_DRAWN[look.side]}{share}. B: {of[:1].lower()}{of[1:]}. A: the same {other.state}"
        if other.settings:
            looked.append(f"A was computed {other.settings}.")
        found = replace(found, details=[f"Of B: {' '.join(found.details)}"])
    words = _words(found, look, abs(1 / distance) if look.share and distance else 1.0)
    found = replace(found, caption=caption, looked=[*looked, *([words] if words else [])])
    return _arranged(found, look)


def require_distance(distance: float | None) -> float:
    """What effects are divided by.

    Raises
    ------
    InterventionError
        `no_share`.
    """
    if distance is None or not math.isfinite(distance) or distance == 0:
        why = "there is no corrupted run" if distance is None else f"that is {plain(distance)} here"
        raise InterventionError(
            f"Effects cannot be shown as a share of clean − corrupted: {why}. Show them in the metric's own unit.",
            code="no_share",
        )
    return distance


def state_words(base: str, edits: Sequence[str]) -> str:
    """A state after "the same": "on the clean run", "after zero 9.9, zero 9.6 and 3 more"."""
    if not edits:
        return f"on the {base} run"
    named = ", ".join(shown(edit, 40) for edit in edits[:_NAMED])
    more = f" and {len(edits) - _NAMED} more" if len(edits) > _NAMED else ""
    return f"after {named}{more}"


def difference_of(
    a: Other, effect: Float[np.ndarray, "*cell"], known: UInt8[np.ndarray, "*cell"]
) -> tuple[Float[np.ndarray, "*cell"], UInt8[np.ndarray, "*cell"]]:
    """B − A, and what is known of it: exact where both are, an estimate where either is one."""
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is not a number, and is drawn as such
        difference = effect - a.effect
    both = (known != UNKNOWN) & (a.known != UNKNOWN)
    exact = (known == EXACT) & (a.known == EXACT)
    told = np.where(exact, EXACT, np.where(both, ESTIMATED, UNKNOWN)).astype(np.uint8)
    return np.where(both, difference, np.nan), told


def _require(drawing: MapDrawing, look: Look) -> None:
    for lines, what, n in (
        (look.rows, "row", len(drawing.rows)),
        (look.columns, "column", len(drawing.columns)),
    ):
        if lines is None:
            continue
        if not lines or len(set(lines)) != len(lines) or not all(0 <= line < n for line in lines):
            raise InterventionError(
                f"These are no {what}s of the map, each at most once: it has {n}, counted from 0. Look at the map again.",
                code="bad_look",
            )
    for size in (look.hide_below, look.numbers_from):
        if size is not None and not (math.isfinite(size) and size >= 0):
            raise InterventionError(f"A size of an effect is a number from 0 on, not {size}.", code="bad_look")


def _beside(drawing: MapDrawing, other: Other, side: Side) -> MapDrawing:
    shape = drawing.effect.shape
    a = replace(other, effect=other.effect.reshape(shape), known=other.known.reshape(shape))
    clip_of_a, _ = scale_of(a.effect, a.known, None)
    clip, fixed = max(drawing.clip, clip_of_a), drawing.fixed and clip_of_a <= drawing.clip
    effect, known = drawing.effect, drawing.known
    if side == "a":
        effect, known = a.effect, a.known
    elif side == "difference":
        effect, known = difference_of(a, effect, known)
        clip, fixed = scale_of(effect, known, None)
    stderr = drawing.stderr if side == "b" else None
    return replace(drawing, effect=effect, known=known, clip=clip, fixed=fixed, stderr=stderr, side=side)


def _normalized(drawing: MapDrawing, distance: float | None) -> MapDrawing:
    factor = 1 / require_distance(distance)
    return replace(
        drawing,
        effect=drawing.effect * factor,
        stderr=None if drawing.stderr is None else drawing.stderr * abs(factor),
        clip=drawing.clip * abs(factor),
        numbers_from=None if drawing.numbers_from is None else drawing.numbers_from * abs(factor),
        unit=SHARE,
    )


def _hidden(drawing: MapDrawing, look: Look) -> Bool[np.ndarray, "row column"]:
    hidden = np.abs(drawing.effect) < look.hide_below
    if look.show == "edited":
        edited = np.zeros(drawing.effect.size, bool)
        edited[list(drawing.marks)] = True
        hidden |= ~edited.reshape(drawing.effect.shape)
    elif look.show == "exact":
        hidden |= drawing.known != EXACT
    return np.asarray(hidden & (drawing.known != UNKNOWN))


def _words(drawing: MapDrawing, look: Look, factor: float) -> str:
    """What the look leaves out and moves: "View: rows by largest |effect|; cells under 0.30 logits hidden."."""
    parts: list[str] = []
    moved = [
        what
        for lines, what in ((look.rows, "rows"), (look.columns, "columns"))
        if lines is not None and list(lines) != sorted(lines)
    ]
    if moved:
        parts.append(f"{' and '.join(moved)} by largest |effect|")
    for lines, labels, what in (
        (look.rows, drawing.rows, drawing.row_axis),
        (look.columns, drawing.columns, drawing.column_axis or "position"),
    ):
        if lines is not None and len(lines) < len(labels):
            first, last = labels[min(lines)].text, labels[max(lines)].text
            named = f"{what}s {first} to {last}" if len(lines) > 1 else f"{what} {first}"
            if max(lines) - min(lines) + 1 != len(lines):
                named = f"{len(lines)} of {len(labels)} {what}s"
            parts.append(f"{named} only")
    if look.show != "all":
        parts.append(f"{look.show} cells only")
    digits = decimals(drawing.clip) + 1
    unit = f"of {SHARE.removeprefix('share of ')}" if look.share else drawing.unit
    if look.hide_below > 0:
        parts.append(f"cells under {plain(look.hide_below * factor, digits)} {unit} hidden")
    if look.numbers_from is not None:
        parts.append(f"numbers from {plain(look.numbers_from * factor, digits)} {unit}")
    return f"View: {'; '.join(parts)}." if parts else ""


def _arranged(drawing: MapDrawing, look: Look) -> MapDrawing:
    n_rows, n_columns = drawing.effect.shape
    rows = list(range(n_rows)) if look.rows is None else list(look.rows)
    columns = list(range(n_columns)) if look.columns is None else list(look.columns)
    lines = np.ix_(rows, columns)
    cells = (np.array(rows)[:, None] * n_columns + np.array(columns)[None]).ravel().tolist()
    marks: dict[int, Mark] = {at: drawing.marks[cell] for at, cell in enumerate(cells) if cell in drawing.marks}
    return replace(
        drawing,
        rows=[drawing.rows[row] for row in rows],
        columns=[drawing.columns[column] for column in columns],
        names=[drawing.names[cell] for cell in cells],
        effect=drawing.effect[lines],
        known=drawing.known[lines],
        stderr=None if drawing.stderr is None else drawing.stderr[lines],
        hidden=None if drawing.hidden is None else drawing.hidden[lines],
        inscribed=None if drawing.inscribed is None else [drawing.inscribed[cell] for cell in cells],
        marks=marks,
    )
