"""What drawings are made of: boxes, hatches, frames with glyphs, lines of text. Each is a piece of SVG."""

from __future__ import annotations

from circuitboard.pictures import font
from circuitboard.pictures.drawing import Mark
from circuitboard.pictures.text import markup
from circuitboard.protocol.vocabulary import GLYPHS

INK, QUIET, CONTROL, LINE, PAPER, SUNK = "#1f1f1f", "#555555", "#7d7d7a", "#d4d4d1", "#ffffff", "#f7f7f7"
"""Colours: of text, of quiet text, of outlines that mean something, of hairlines, of the ground, of hidden cells."""

SMALL = 11.0
"""The size of labels and notes."""

MARGIN = 16.0


def framed(mark: Mark, x: float, y: float, width: float, height: float) -> str:
    """A frame around an edited cell, dashed where the edit is off, and the sign of what was done."""
    dashed = "" if mark.enabled else ' stroke-dasharray="3 2"'
    thick = min(2.0, min(width, height) / 4)
    box = boxed(x + thick / 2, y + thick / 2, width - thick, height - thick)
    ring = f'<path fill="none" stroke="{INK}" stroke-width="{number(thick)}"{dashed} d="{box}"/>'
    sign = GLYPHS.get(mark.how)
    if sign is None or min(width, height) < 14:  # noqa: PLR2004  there is room for a glyph
        return ring
    where = f'transform="translate({number(x + width / 2)} {number(y + height / 2)})" fill="none" d="{sign}"'
    return (
        f'{ring}<path {where} stroke="{PAPER}" stroke-width="4.5" stroke-linecap="round"/>'
        f'<path {where} stroke="{INK}" stroke-width="1.8" stroke-linecap="round"/>'
    )


def hatched(x: float, y: float, width: float, height: float) -> str:
    """Lines from lower left to upper right, cut at the cell's edges."""
    step = min(5.0, (width + height) / 2)
    lines, at = [], step / 2
    while at < width + height:
        start, end = max(0.0, at - height), min(at, width)
        lines.append(f"M{number(x + start)} {number(y + at - start)}l{number(end - start)} {number(start - end)}")
        at += step
    return "".join(lines)


def boxed(x: float, y: float, width: float, height: float) -> str:
    """The path of a rectangle."""
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


def written(
    text: str, x: float, y: float, size: float, ink: str, *, anchor: str = "", weight: font.Weight = "normal"
) -> str:
    """A line of text; the leaf where it becomes XML."""
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    bold = ' font-weight="bold"' if weight == "bold" else ""
    return f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{ink}"{anchored}{bold}>{markup(text)}</text>'


def number(x: float) -> str:
    """A coordinate in as few characters as it takes."""
    return f"{round(x, 2):g}" if abs(x) < 1e5 else str(round(x))  # noqa: PLR2004  %g would write an exponent
