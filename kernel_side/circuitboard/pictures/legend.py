"""The scale of a drawing, what every other look of a cell means, and the note below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from circuitboard.pictures import font
from circuitboard.pictures.colour import STOPS, colour_of
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, MapDrawing, Mark, Side
from circuitboard.pictures.shapes import (
    CONTROL,
    INK,
    LINE,
    MARGIN,
    PAPER,
    QUIET,
    SMALL,
    SUNK,
    boxed,
    framed,
    hatched,
    number,
    written,
)
from circuitboard.pictures.text import decimals, plain, shown, signed

_NAMED = 3
"""Cells beyond the scale that are named."""

_SIZES: dict[Side | None, str] = {
    None: "|effect|",
    "a": "|effect|, one scale for A and B",
    "b": "|effect|, one scale for A and B",
    "difference": "|B−A|",
}
"""What the end of the scale is a percentile of."""


def legend_of(drawing: MapDrawing, width: float, y: float) -> tuple[list[str], float]:
    """The scale, and what every other look of a cell means, in so much width; with the height that they take."""
    parts: list[str] = []
    x, height = MARGIN, 0.0
    if drawing.clip > 0:
        parts += _ramp(drawing, x, y)
        x, height = x + 230, 34.0
    row, at = 0, x
    for swatch, text in _keys(drawing):
        wide = 28 + font.width_of(text, SMALL) + 14
        if at > x and at + wide > width - MARGIN:
            row, at = row + 1, x
        top = y + 19 * row
        parts += [swatch(at, top), written(text, at + 28, top + 11, SMALL, QUIET)]
        at += wide
        height = max(height, 19.0 * (row + 1))
    return parts, height


def _ramp(drawing: MapDrawing, x: float, y: float) -> list[str]:
    clip, stops = drawing.clip, STOPS[drawing.colours]
    width, steps = 180.0, 60
    parts = [
        f'<path fill="{stops[0]}" d="M{number(x)} {number(y + 6)}l8 -6v12z"/>',
        f'<path fill="{stops[-1]}" d="M{number(x + width + 20)} {number(y + 6)}l-8 -6v12z"/>',
    ]
    for step in range(steps):
        fill = colour_of((2 * (step + 0.5) / steps - 1) * clip, clip, drawing.colours)
        # A hair wider than it is, so that no light comes through between two of them.
        parts.append(f'<path fill="{fill}" d="{boxed(x + 10 + width * step / steps, y, width / steps + 0.3, 12)}"/>')
    digits = decimals(clip)
    parts.append(written(f"{signed(-clip, digits)} lower", x, y + 26, SMALL, INK))
    parts.append(written("0", x + 10 + width / 2, y + 26, SMALL, INK, anchor="middle"))
    parts.append(written(f"{signed(clip, digits)} higher", x + width + 20, y + 26, SMALL, INK, anchor="end"))
    return parts


def _keys(drawing: MapDrawing) -> Iterator[tuple[_Swatch, str]]:
    known, effect = drawing.known, drawing.effect
    finite = np.isfinite(effect)
    zero = colour_of(0, 1)
    drawn = np.ones(known.shape, bool) if drawing.hidden is None else ~drawing.hidden
    if ((known == ESTIMATED) & drawn).any():
        yield _Swatch(zero, hatched=True), "approximate"
    if (known == UNKNOWN).any():
        yield _Swatch(PAPER, outline=LINE), "not computed"
    dotted = (known == EXACT) & (effect == 0) & drawn
    dotted.flat[list(drawing.marks)] = False  # these have a glyph instead
    if dotted.any():
        yield _Swatch(zero, dotted=True), "exactly 0"
    if ((known != UNKNOWN) & ~finite & drawn).any():
        yield _Swatch(PAPER, outline=CONTROL), "not finite"
    if not drawn.all():
        yield _Swatch(SUNK), "hidden by the view"
    for how, enabled in sorted({(mark.how, mark.enabled) for mark in drawing.marks.values()}):
        yield _Swatch(zero, mark=Mark(how, enabled)), how if enabled else f"{how}, switched off"


@dataclass(frozen=True)
class _Swatch:
    """A cell in the legend."""

    fill: str
    outline: str | None = None
    hatched: bool = False
    dotted: bool = False
    mark: Mark | None = None

    def __call__(self, x: float, y: float) -> str:
        width, height = 22.0, 15.0
        line = "" if self.outline is None else f' stroke="{self.outline}"'
        parts = [f'<path fill="{self.fill}"{line} d="{boxed(x, y, width, height)}"/>']
        if self.hatched:
            hatch = hatched(x, y, width, height)
            parts.append(f'<path fill="none" stroke="#000" stroke-opacity="0.32" d="{hatch}"/>')
        if self.dotted:
            parts.append(f'<path fill="{QUIET}" d="{boxed(x + width / 2 - 1, y + height / 2 - 1, 2, 2)}"/>')
        if self.mark is not None:
            parts.append(framed(self.mark, x, y, width, height))
        return "".join(parts)


def note_of(drawing: MapDrawing) -> str:
    """The unit, where the scale ends and why, and what lies beyond."""
    unit = drawing.unit[:1].upper() + drawing.unit[1:]
    if drawing.clip <= 0:
        return f"{unit}. {_nothing(drawing)}"
    digits = decimals(drawing.clip)
    end = plain(drawing.clip, digits)
    ends = f"scale ±{end}, the distance between the baselines" if drawing.fixed else f"clipped at ±{end} (98th percentile of {_SIZES[drawing.side]})"  # fmt: skip
    found = drawing.beyond()
    if not found:
        return f"{unit}, {ends}."
    named = ", ".join(
        f"{shown(drawing.names[cell], 40)} {signed(float(drawing.effect.flat[cell]), digits)}"
        for cell in found[:_NAMED]
    )
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{unit}, {ends}. Beyond: {named}{more}."


def _nothing(drawing: MapDrawing) -> str:
    """Why there is no scale."""
    if not (drawing.known != UNKNOWN).any():
        return "No cell is known yet."
    if drawing.side == "difference":
        return "A and B are the same in every cell that is known of both."
    return "No cell computed so far changes the metric."
