"""A map as it is looked at: beside another, in shares, sorted, with cells hidden. What a look changes is said in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from circuitboard.errors import InterventionError
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, MapDrawing, Side
from circuitboard.pictures.words import comparison_caption
from circuitboard.protocol.vocabulary import ORDERS, SHARE_OF
from circuitboard.protocol.wording import decimals, plain, signed
from circuitboard.sweeps.scale import scale_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

Show = Literal["all", "edited", "exact"]
Order = Literal["layer", "rows", "columns", "both"]

SHARE = f"share {SHARE_OF}"
"""The unit of effects that are normalised."""


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
    order, layers
        Why rows and columns are as they are: what is sorted by its largest effect, and the first and last layer.
    """

    share: bool = False
    rows: Sequence[int] | None = None
    columns: Sequence[int] | None = None
    show: Show = "all"
    hide_below: float = 0.0
    numbers_from: float | None = None
    side: Side = "b"
    order: Order = "layer"
    layers: Sequence[int] | None = None


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
    seen = drawing if other is None else _beside(drawing, other, look.side)
    hidden = _hidden(seen, look)
    seen = replace(seen, numbers_from=look.numbers_from, hidden=hidden if hidden.any() else None)
    factor = 1 / require_distance(distance) if look.share else 1.0
    if look.share:
        seen = _scaled(seen, factor)
        share = f"A share of 1 is clean − corrupted: {signed(distance or 0.0)} {drawing.unit}."
        seen = replace(seen, unit=SHARE, details=[*seen.details, share])
    if other is not None:
        caption = comparison_caption(look.side, drawing.caption, other.state, other.settings)
        seen = replace(seen, caption=caption, details=[f"Of B: {' '.join(seen.details)}"])
    return replace(seen, looked=look_words(seen, look, abs(factor)), lines=_lines(drawing, look))


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
    if look.layers is not None and len(look.layers) != 2:  # noqa: PLR2004  from, to
        raise InterventionError(
            f"A range of layers is its first and its last one, not {len(look.layers)} numbers.", code="bad_look"
        )
    for size in (look.hide_below, look.numbers_from):
        if size is not None and not (math.isfinite(size) and size >= 0):
            raise InterventionError(f"A size of an effect is a number from 0 on, not {size}.", code="bad_look")


def _beside(drawing: MapDrawing, other: Other, side: Side) -> MapDrawing:
    shape = drawing.effect.shape
    a = replace(other, effect=other.effect.reshape(shape), known=other.known.reshape(shape))
    clip_of_a, _ = scale_of(a.effect, a.known != UNKNOWN)
    clip, fixed = max(drawing.clip, clip_of_a), drawing.fixed and clip_of_a <= drawing.clip
    effect, known = drawing.effect, drawing.known
    if side == "a":
        effect, known = a.effect, a.known
    elif side == "difference":
        effect, known = difference_of(a, effect, known)
        clip, fixed = scale_of(effect, known != UNKNOWN)
    stderr = drawing.stderr if side == "b" else None
    return replace(drawing, effect=effect, known=known, clip=clip, fixed=fixed, stderr=stderr, side=side)


def _scaled(drawing: MapDrawing, factor: float) -> MapDrawing:
    return replace(
        drawing,
        effect=drawing.effect * factor,
        stderr=None if drawing.stderr is None else drawing.stderr * abs(factor),
        clip=drawing.clip * abs(factor),
        numbers_from=None if drawing.numbers_from is None else drawing.numbers_from * abs(factor),
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


def look_words(drawing: MapDrawing, look: Look, factor: float) -> str:
    """What a look leaves out, moves and rescales: "View: rows by largest |effect|; under 0.30 logits hidden."."""
    unit, digits = drawing.unit.removeprefix("share "), decimals(drawing.clip) + 1
    parts: list[str] = []
    if look.share:
        parts.append(f"effects as a {SHARE}")
    if look.order != "layer":
        parts.append(
            f"{ORDERS[look.order]} by largest |effect|{' of the last complete map' if drawing.filling else ''}"
        )
    if look.layers is not None:
        parts.append(f"layers {look.layers[0]} to {look.layers[1]} only")
    if look.show != "all":
        parts.append(f"{look.show} {drawing.cells} only")
    if look.hide_below > 0:
        parts.append(f"under {plain(look.hide_below * factor, digits)} {unit} hidden")
    if look.numbers_from is not None:
        parts.append(f"numbers from {plain(look.numbers_from * factor, digits)} {unit}")
    hidden = 0 if drawing.hidden is None else int(drawing.hidden.sum())
    count = f" ({hidden} of {drawing.hidden.size} hidden)" if hidden and drawing.hidden is not None else ""
    return f"View: {'; '.join(parts)}{count}." if parts else ""


def _lines(drawing: MapDrawing, look: Look) -> tuple[Sequence[int], Sequence[int]] | None:
    if look.rows is None and look.columns is None:
        return None
    n_rows, n_columns = drawing.effect.shape
    return (
        range(n_rows) if look.rows is None else look.rows,
        range(n_columns) if look.columns is None else look.columns,
    )
