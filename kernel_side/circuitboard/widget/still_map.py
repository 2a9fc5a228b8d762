"""A map as a still drawing: SVG without a script, for a notebook that is read without a kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32, UInt8

CELLS = 6000
"""A map with more cells is left to its table: the drawing takes about 16 bytes a cell."""

UNKNOWN, EXACT, ESTIMATED = 0, 1, 2
"""What `known` says of a cell, as in the map that the panel draws."""

_STOPS = "#a84811 #d06b26 #e8914c #f2b984 #f4d9bb #f1f1ef #cce1f4 #a1cbf1 #75aee9 #4c8dd7 #2d68b8".split()
"""The panel's light diverging map, from the strongest negative effect to the strongest positive one."""

_INK, _FRAME = "#555", "#111"
_TEXT = 'font-family="sans-serif" font-size="10"'
_LABELS = 24
"""Rows or columns that are all numbered; of more, every second, third …"""


@dataclass(frozen=True, eq=False)
class StillMap:
    """What is drawn.

    Parameters
    ----------
    title
        What the cells are and what is done to them.
    row, column
        What the two axes count.
    rows, columns
        Their labels.
    names
        What each cell is, row-major.
    effect, known
        As far as they are known; `known` is 0 where nothing is, 1 exact, 2 an estimate.
    edited
        Cells whose component is edited; they get a frame.
    """

    title: str
    row: str
    column: str
    rows: Sequence[str]
    columns: Sequence[str]
    names: Sequence[str]
    effect: Float32[np.ndarray, "row column"]
    known: UInt8[np.ndarray, "row column"]
    edited: Bool[np.ndarray, "row column"]

    @property
    def counts(self) -> str:
        """How many cells are known, in words."""
        n, exact, estimated = self.known.size, int((self.known == EXACT).sum()), int((self.known == ESTIMATED).sum())
        text = f"{exact} of {n} cells exact"
        if estimated:
            text += f", {estimated} estimated (drawn smaller)"
        odd = int((~np.isfinite(self.effect) & (self.known != UNKNOWN)).sum())
        return text + (f", {odd} not finite (crossed out)" if odd else "")

    @property
    def scale(self) -> float:
        """The largest |effect| that is a finite number; colours reach to it on both sides."""
        seen = self.effect[np.isfinite(self.effect) & (self.known != UNKNOWN)]
        return float(np.abs(seen).max()) if seen.size else 0.0

    def largest(self, k: int) -> list[int]:
        """The known cells with the largest |effect|, largest first; those that are not finite are left out."""
        size = np.where(np.isfinite(self.effect) & (self.known != UNKNOWN), np.abs(self.effect), -1.0).ravel()
        order = np.argsort(-size, kind="stable")[:k]
        return [int(cell) for cell in order if size[cell] >= 0]


def svg_of(drawn: StillMap) -> str:
    """The drawing; cells of one colour are one path, so that it stays small."""
    n_rows, n_columns = drawn.effect.shape
    side = max(5, min(18, 640 // max(n_columns, 1)))
    left, top = 34, 16
    width, height = left + side * n_columns + 8, top + side * n_rows + 18
    paths = _paths(drawn, side, left, top)
    words = f"{drawn.title}: {drawn.row} by {drawn.column}, {drawn.counts}; colours reach to ±{drawn.scale:.3g}"
    shape = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg role="img" aria-label="{escape(words)}" {shape} style="max-width:100%;height:auto;background:#fff">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(f'<path d="{"".join(steps)}" {style}/>' for style, steps in paths.items()),
        *_labels(drawn.rows, lambda i: (left - 4, top + side * i + side / 2 + 3), "end"),
        *_labels(drawn.columns, lambda i: (left + side * i + side / 2, top - 4), "middle"),
        f'<text x="{left}" y="{height - 5}" {_TEXT} fill="{_INK}">{escape(drawn.row)} ↓ · {escape(drawn.column)} →</text>',
        "</svg>",
    ]
    return "".join(parts)


def _paths(drawn: StillMap, side: int, left: int, top: int) -> Mapping[str, list[str]]:
    """Style → pieces of its path."""
    paths: dict[str, list[str]] = {}
    crossed = f'stroke="{_INK}" fill="none"'
    framed = f'stroke="{_FRAME}" stroke-width="2" fill="none"'
    scale = drawn.scale
    for (i, j), known in np.ndenumerate(drawn.known):
        x, y, inner = left + side * j, top + side * i, side - 1
        effect = float(drawn.effect[i, j])
        if known == UNKNOWN:
            paths.setdefault('fill="#e4e4e4"', []).append(f"M{x + inner // 2} {y + inner // 2}h1v1h-1z")
        elif not np.isfinite(effect):
            paths.setdefault(crossed, []).append(f"M{x} {y}l{inner} {inner}M{x + inner} {y}l-{inner} {inner}")
        else:
            gap = side // 4 if known == ESTIMATED else 0
            edge = inner - 2 * gap
            style = f'fill="{_colour(effect, scale)}"'
            paths.setdefault(style, []).append(f"M{x + gap} {y + gap}h{edge}v{edge}h-{edge}z")
        if drawn.edited[i, j]:
            paths.setdefault(framed, []).append(f"M{x} {y}h{inner}v{inner}h-{inner}z")
    if framed in paths:
        paths[framed] = paths.pop(framed)  # frames lie on top
    return paths


def _colour(effect: float, scale: float) -> str:
    """One of 21 colours between the stops."""
    share = max(-1.0, min(1.0, effect / scale)) if scale > 0 else 0.0
    step = round((share + 1) * 10)
    at, between = divmod(step, 2)
    if not between:
        return _STOPS[at]
    one, other = (bytes.fromhex(stop[1:]) for stop in _STOPS[at : at + 2])
    return "#" + bytes((a + b) // 2 for a, b in zip(one, other, strict=True)).hex()


def _labels(names: Sequence[str], place: Callable[[int], tuple[float, float]], anchor: str) -> list[str]:
    every = -(-len(names) // _LABELS) or 1
    found = []
    for index in range(0, len(names), every):
        x, y = place(index)
        found.append(
            f'<text x="{x:g}" y="{y:g}" {_TEXT} fill="{_INK}" text-anchor="{anchor}">{escape(names[index])}</text>'
        )
    return found
