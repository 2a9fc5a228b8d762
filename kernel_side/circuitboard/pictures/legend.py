"""The scale of a drawing, what every other look of a cell means, and the note below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from circuitboard.pictures import font
from circuitboard.pictures.colour import STOPS, colour_of
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, MapDrawing, Mark
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
from circuitboard.protocol.vocabulary import BEYOND_NAMED, DRAWN, KEYS, NO_SCALE, PERCENTILE
from circuitboard.protocol.wording import capital, decimals, name_words, plain, signed


def legend_of(drawing: MapDrawing, width: float, y: float) -> tuple[list[str], float]:
    """The scale, and what every other look of a cell means, in so much width; with the height that they take."""
    if drawing.clip <= 0:
        return [], 0.0
    parts = _ramp(drawing, MARGIN, y)
    x, height = MARGIN + 230, 34.0
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
    lower, middle, higher = ends_of(drawing)
    parts.append(written(lower, x, y + 26, SMALL, INK))
    parts.append(written(middle, x + 10 + width / 2, y + 26, SMALL, INK, anchor="middle"))
    parts.append(written(higher, x + width + 20, y + 26, SMALL, INK, anchor="end"))
    return parts


def keys_of(drawing: MapDrawing) -> list[str]:
    """What the looks of cells mean, in words; nothing without a scale."""
    return [] if drawing.clip <= 0 else [text for _, text in _keys(drawing)]


def _keys(drawing: MapDrawing) -> Iterator[tuple[_Swatch, str]]:
    known, exact = drawing.known, drawing.known == EXACT
    yield _freshness(int((known == UNKNOWN).sum()), int((known == ESTIMATED).sum()), drawing)
    zero = colour_of(0, 1)
    if (exact & (drawing.effect == 0)).any():
        yield _Swatch(zero, dotted=True), KEYS["nothing"]
    if drawing.hidden is not None:
        yield _Swatch(SUNK), f"{int(drawing.hidden.sum())} {KEYS['hidden']}"
    if (exact & ~np.isfinite(drawing.effect)).any():
        yield _Swatch(PAPER, outline=CONTROL), KEYS["bad"]
    if drawing.marks:
        yield _Swatch(zero, mark=Mark("zero", enabled=True)), KEYS["edited"]


def _freshness(unknown: int, estimated: int, drawing: MapDrawing) -> tuple[_Swatch, str]:
    if unknown:
        return _Swatch(PAPER, outline=LINE), f"{unknown} {KEYS['unknown']}"
    if not estimated:
        return _Swatch(PAPER, ticked=True), KEYS["exact"]
    more = KEYS["filling"] if drawing.filling and drawing.side != "a" else ""
    return _Swatch(colour_of(0, 1), hatched=True), f"{estimated} {KEYS['approximate']}{more}"


@dataclass(frozen=True)
class _Swatch:
    """A cell in the legend."""

    fill: str
    outline: str | None = None
    hatched: bool = False
    dotted: bool = False
    mark: Mark | None = None
    ticked: bool = False

    def __call__(self, x: float, y: float) -> str:
        width, height = 22.0, 15.0
        line = "" if self.outline is None else f' stroke="{self.outline}"'
        parts = [f'<path fill="{self.fill}"{line} d="{boxed(x, y, width, height)}"/>']
        if self.hatched:
            hatch = hatched(x, y, width, height)
            parts.append(f'<path fill="none" stroke="#000" stroke-opacity="0.32" d="{hatch}"/>')
        if self.dotted:
            parts.append(f'<path fill="{QUIET}" d="{boxed(x + width / 2 - 1, y + height / 2 - 1, 2, 2)}"/>')
        if self.ticked:
            tick = f"M{number(x + 6)} {number(y + 8)}l3.5 3.5l6.5 -7"
            parts.append(f'<path fill="none" stroke="{QUIET}" stroke-width="1.8" d="{tick}"/>')
        if self.mark is not None:
            parts.append(framed(self.mark, x, y, width, height))
        return "".join(parts)


def note_of(drawing: MapDrawing) -> str:
    """The unit, where the scale ends and why, and what lies beyond; or why there is no scale."""
    if drawing.clip <= 0:
        return _nothing(drawing)
    end = plain(drawing.clip, decimals(drawing.clip) + drawing.fixed)
    if drawing.fixed:
        ends = f"scale ±{end}, the distance between the baselines"
    else:
        of = DRAWN["difference"] if drawing.side == "difference" else "effect"
        shared = ", one scale for A and B" if drawing.side in ("a", "b") else ""
        ends = f"clipped at ±{end} ({round(100 * PERCENTILE)}th percentile of |{of}|{shared})"
    # A map whose columns are not positions says in its caption where it acts.
    names = drawing.names if drawing.tokens else [name.partition(" @ ")[0] for name in drawing.names]
    beyond = [name_words(names[cell], 40) for cell in drawing.beyond()]
    more = f" and {len(beyond) - BEYOND_NAMED} more" if len(beyond) > BEYOND_NAMED else ""
    named = f" Beyond: {', '.join(beyond[:BEYOND_NAMED])}{more}." if beyond else ""
    return f"{capital(drawing.unit)}, {ends}.{named}"


def ends_of(drawing: MapDrawing) -> tuple[str, str, str]:
    """What stands below the scale: its lower end, its middle, its upper end."""
    digits = decimals(drawing.clip)
    return f"{signed(-drawing.clip, digits)} lower", "0", f"{signed(drawing.clip, digits)} higher"


def _nothing(drawing: MapDrawing) -> str:
    if not (drawing.known != UNKNOWN).any():
        return NO_SCALE["unknown"]
    return NO_SCALE["difference" if drawing.side == "difference" else "nothing"]
