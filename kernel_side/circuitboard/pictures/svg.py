"""A map as SVG: vector graphics in light colours, without a script, with its font and its caption inside.

Cells of one colour are one path, hatches are lines and glyphs are paths: every program that reads SVG draws them, and
the same drawing is the same bytes. On a map of 12 × 12 heads that is about 30 kB, two thirds of them the font.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from circuitboard.pictures import font
from circuitboard.pictures.colour import colour_of, ink_on
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, Label, MapDrawing
from circuitboard.pictures.legend import legend_of, note_of
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
from circuitboard.pictures.text import markup
from circuitboard.protocol.vocabulary import NUMBER_FROM
from circuitboard.protocol.wording import decimals, name_words, signed, without_zero

_NARROWEST = 440.0
_READABLE = 12.0
"""Rows or columns closer than this are not all named."""

_LONGEST = 400
"""Characters of a caption."""

_TEXT = re.compile(r"<text([^>]*)>([^<]*)</text>")


def svg_of(drawing: MapDrawing, *, bare: bool = False) -> str:
    """The drawing as SVG.

    Parameters
    ----------
    drawing
        What is drawn.
    bare
        To stand inside a page: no XML declaration, no caption, no font of its own.

    Returns
    -------
    str
        Valid XML 1.0, the same for the same drawing. Characters that do not print are written as escapes; those that
        the font lacks stay text for the reader's own fonts, and `<desc>` names them.
    """
    seen = drawing.arranged()
    plan = _Plan.of(drawing, seen, bare=bare)
    parts: list[str] = []
    y = MARGIN
    if not bare:
        for line in plan.caption:
            y += 17
            parts.append(written(line, MARGIN, y - 4, 13, INK, weight="bold"))
        for line in plan.looked:
            y += 15
            parts.append(written(line, MARGIN, y - 3, SMALL, QUIET))
        y += 10
    parts += _map(seen, plan, y)
    y += plan.top + plan.pitch_y * len(seen.rows) + 14
    legend, height = legend_of(drawing, plan.width, y)
    parts += legend
    y += height
    for paragraph in plan.notes:
        y += 5
        for line in paragraph:
            y += 15
            parts.append(written(line, MARGIN, y, SMALL, QUIET))
    height = math.ceil(y + MARGIN)
    words = f"{name_words(drawing.caption, _LONGEST).removesuffix('.')}. {drawing.counts}."
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{plan.width}" height="{height}" '
        f'viewBox="0 0 {plan.width} {height}" role="img" aria-label="{markup(words)}" '
        f"font-family=\"'{font.FAMILY}', Verdana, sans-serif\">"
    )
    ground = f'<rect width="{plan.width}" height="{height}" fill="{PAPER}"/>'
    body = "\n".join(parts)
    if bare:
        return f"{opening}{ground}{body}</svg>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}\n<title>{markup(name_words(drawing.caption, _LONGEST))}</title>\n'
        f"<desc>{markup(_described(drawing, words, body))}</desc>\n<style>{_faces(body)}</style>\n"
        f"{ground}\n{body}\n</svg>\n"
    )


def characters(svg: str) -> tuple[str, str]:
    """The characters that drawings write, in normal and in bold weight."""
    used: dict[bool, set[str]] = {False: {" "}, True: {" "}}
    for attributes, text in _TEXT.findall(svg):
        used["bold" in attributes] |= set(unescape(text))
    return "".join(sorted(used[False])), "".join(sorted(used[True]))


@dataclass(frozen=True)
class _Plan:
    """Where everything goes."""

    left: float
    top: float
    pitch_x: float
    pitch_y: float
    width: int
    caption: Sequence[str]
    looked: Sequence[str]
    notes: Sequence[Sequence[str]]

    @classmethod
    def of(cls, whole: MapDrawing, drawing: MapDrawing, *, bare: bool) -> _Plan:
        """Of what is drawn of a whole map."""
        n_columns, n_rows = max(1, len(drawing.columns)), max(1, len(drawing.rows))
        widest = 40.0 if drawing.inscribed else 32.0  # as wide as "−15.7"
        pitch_x = _whole(min(widest, max(2.0, 660.0 / n_columns)))
        pitch_y = _whole(min(28.0 if drawing.inscribed else 22.0, max(2.0, 660.0 / n_rows), max(pitch_x, 8.0)))
        left = (
            MARGIN
            + 18
            + max((font.width_of(label.text, SMALL, _weight(label)) for label in drawing.rows), default=0)
            + 6
        )
        left = max(left, MARGIN + font.width_of(drawing.column_axis, SMALL) + 8)
        top, overhang = 20.0, 0.0
        if drawing.tokens:
            lengths = [font.width_of(label.text, SMALL, _weight(label)) for label in drawing.columns]
            top = max(lengths, default=0) * math.sin(math.radians(50)) + 16
            ends = [pitch_x * (at + 1) + length * math.cos(math.radians(50)) + 6 for at, length in enumerate(lengths)]
            overhang = max(0.0, max(ends, default=0) - pitch_x * n_columns)
        left, top = math.ceil(left), math.ceil(top)
        width = math.ceil(max(_NARROWEST, left + pitch_x * n_columns + overhang + MARGIN))
        room = width - 2 * MARGIN
        notes = [note_of(whole), *([] if bare else [" ".join([f"{whole.counts}.", *whole.details])])]
        return cls(
            left,
            top,
            pitch_x,
            pitch_y,
            width,
            _wrapped(name_words(drawing.caption, _LONGEST), room, 13, "bold"),
            _wrapped(drawing.looked, room, SMALL, "normal") if drawing.looked else [],
            [_wrapped(note, room, SMALL, "normal") for note in notes],
        )

    @property
    def gap(self) -> float:
        """Between two cells."""
        least = min(self.pitch_x, self.pitch_y)
        return 2.0 if least >= 12 else 1.0 if least >= 5 else 0.0  # noqa: PLR2004  as the panel does


def _map(drawing: MapDrawing, plan: _Plan, y: float) -> list[str]:
    top, left = y + plan.top, plan.left
    middle = top + plan.pitch_y * len(drawing.rows) / 2
    turned = f'transform="translate({number(MARGIN + 9)} {number(middle)}) rotate(-90)"'
    parts = [f'<text {turned} font-size="11" fill="{QUIET}" text-anchor="middle">{markup(drawing.row_axis)}</text>']
    parts.append(written(drawing.column_axis, left - 8, top - 6, SMALL, QUIET, anchor="end"))
    parts += _row_names(drawing, plan, top)
    parts += _column_names(drawing, plan, top)
    parts += _cells(drawing, plan, top)
    return parts


def _row_names(drawing: MapDrawing, plan: _Plan, top: float) -> Iterator[str]:
    every = max(1, math.ceil(_READABLE / plan.pitch_y))
    for at, label in enumerate(drawing.rows):
        if at % every == 0:
            y = top + plan.pitch_y * (at + 0.5) + 3.8
            yield written(label.text, plan.left - 7, y, SMALL, _ink(label), anchor="end", weight=_weight(label))


def _column_names(drawing: MapDrawing, plan: _Plan, top: float) -> Iterator[str]:
    widest = 0.0 if drawing.tokens else max(font.width_of(label.text, SMALL) for label in drawing.columns)
    every = max(1, math.ceil(max(_READABLE, widest + 4) / plan.pitch_x))
    for at, label in enumerate(drawing.columns):
        if at % every and not (label.strong and drawing.tokens):
            continue
        x = plan.left + plan.pitch_x * (at + 0.5)
        if drawing.tokens:
            style = f'font-size="11" fill="{_ink(label)}"' + (' font-weight="bold"' if label.strong else "")
            where = f'transform="translate({number(x + 2)} {number(top - 5)}) rotate(-50)"'
            yield f"<text {where} {style}>{markup(label.text)}</text>"
        else:
            yield written(label.text, x, top - 6, SMALL, _ink(label), anchor="middle", weight=_weight(label))


def _cells(drawing: MapDrawing, plan: _Plan, top: float) -> list[str]:
    width, height = plan.pitch_x - plan.gap, plan.pitch_y - plan.gap
    fills: dict[str, list[str]] = {}
    hatches: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    dots: list[str] = []
    words: list[str] = []
    rings: list[str] = []
    for cell, (known, value) in enumerate(zip(drawing.known.ravel(), drawing.effect.ravel(), strict=True)):
        row, column = divmod(cell, len(drawing.columns))
        x = plan.left + plan.pitch_x * column + plan.gap / 2
        y = top + plan.pitch_y * row + plan.gap / 2
        effect, mark = float(value), drawing.marks.get(cell)
        style = _colourless(drawing, cell)
        if style is not None:
            plain.setdefault(style, []).append(boxed(x + 0.5, y + 0.5, width - 1, height - 1))
        else:
            fill = colour_of(effect, drawing.clip, drawing.colours)
            fills.setdefault(fill, []).append(boxed(x, y, width, height))
            if known == ESTIMATED:
                hatches.setdefault(ink_on(fill), []).append(hatched(x, y, width, height))
            elif effect == 0 and mark is None and min(width, height) >= 6:  # noqa: PLR2004  there is room for a dot
                dots.append(boxed(x + width / 2 - 1, y + height / 2 - 1, 2, 2))
        if mark is not None:
            rings.append(framed(mark, x, y, width, height))
        elif not drawing.is_hidden(cell):
            words += _words(drawing, cell, x, y, width, height)
    parts = [f'<path fill="{fill}" d="{"".join(boxes)}"/>' for fill, boxes in fills.items()]
    parts += [f'<path {style} d="{"".join(boxes)}"/>' for style, boxes in plain.items()]
    if dots:
        parts.append(f'<path fill="{QUIET}" d="{"".join(dots)}"/>')
    for ink, lines in hatches.items():
        parts.append(f'<path fill="none" stroke="{ink}" stroke-opacity="0.32" d="{"".join(lines)}"/>')
    return [*parts, *words, *rings]


def _colourless(drawing: MapDrawing, cell: int) -> str | None:
    """How a cell is drawn that has no colour of its effect: not known, hidden or not finite; None for the others."""
    if drawing.known.flat[cell] == UNKNOWN:
        return f'fill="{PAPER}" stroke="{LINE}"'
    if drawing.is_hidden(cell):
        return f'fill="{SUNK}"'
    return None if math.isfinite(drawing.effect.flat[cell]) else f'fill="{PAPER}" stroke="{CONTROL}"'


def _words(drawing: MapDrawing, cell: int, x: float, y: float, width: float, height: float) -> Iterator[str]:
    """What is written into a cell: its effect where that is large and exact, the neuron that it is."""
    known, effect = int(drawing.known.flat[cell]), float(drawing.effect.flat[cell])
    least = NUMBER_FROM * drawing.clip if drawing.numbers_from is None else drawing.numbers_from
    lines: list[str] = []
    size = 9.0
    if drawing.inscribed is not None:
        lines.append(drawing.inscribed[cell])
    if known != UNKNOWN and not math.isfinite(effect):
        lines.append(signed(effect))
    elif known == EXACT and drawing.clip > 0 and abs(effect) >= least:
        text = signed(effect, decimals(drawing.clip))
        # "−.16" where "−0.16" does not fit, as on the panel.
        lines.append(text if font.width_of(text, size) <= width - 1 else without_zero(text))
    if not lines or len(lines) * size > height or any(font.width_of(line, size) > width - 1 for line in lines):
        return
    ink = QUIET
    if known != UNKNOWN and math.isfinite(effect):
        ink = ink_on(colour_of(effect, drawing.clip, drawing.colours))
    for at, line in enumerate(lines):
        middle = y + height / 2 + (at - (len(lines) - 1) / 2) * (size + 1.5)
        yield written(line, x + width / 2, middle + 3.2, size, ink, anchor="middle")


def _described(drawing: MapDrawing, words: str, body: str) -> str:
    """The drawing for those who do not see it, and what its font could not draw."""
    text = " ".join(
        [words, note_of(drawing), *(name_words(line, 2000) for line in (drawing.looked, *drawing.details) if line)]
    )
    missing = font.lacking("".join(characters(body)))
    if missing:
        text += f" Drawn by the reader's own fonts, since the embedded one lacks them: {missing}"
    return text


def _faces(body: str) -> str:
    normal, strong = characters(body)
    return font.face(normal, "normal") + font.face(strong, "bold")


def _wrapped(text: str, room: float, size: float, weight: font.Weight) -> list[str]:
    """Lines that fit; a word that is wider than a line is cut."""
    lines: list[str] = []
    for word in name_words(text, 2000).split(" "):
        whole = f"{lines[-1]} {word}" if lines else word
        if lines and font.width_of(whole, size, weight) <= room:
            lines[-1] = whole
        else:
            lines.append(font.cut_to(word, room, size, weight))
    return lines


def _weight(label: Label) -> font.Weight:
    return "bold" if label.strong else "normal"


def _ink(label: Label) -> str:
    return INK if label.strong else QUIET


def _whole(x: float) -> float:
    """Whole units where there is room for them: edges are sharp then."""
    return float(math.floor(x))
