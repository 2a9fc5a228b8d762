"""The font of drawings: DejaVu Sans, of which a drawing carries the characters that it uses.

Characters that DejaVu lacks (Chinese, Japanese, Korean, most emoji) stay text, drawn by the reader's own fonts;
`lacking` names them.
"""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Weight = Literal["normal", "bold"]

FAMILY = "DejaVu Sans"
"""Where the embedded font is ignored (Inkscape, Illustrator), an installed one of this name looks the same."""

_FILES: dict[Weight, str] = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}

_KEPT = ("calt", "ccmp", "fina", "init", "isol", "liga", "locl", "mark", "medi", "mkmk", "rlig")
"""Features that scripts need to be read; without kerning, so that words are as wide as they were measured."""


_SHAPING = ("GDEF", "GPOS", "GSUB")
"""The tables of these features, which take four fifths of the time that a drawing takes."""


def width_of(text: str, size: float, weight: Weight = "normal") -> float:
    """How wide a line is, in the unit of `size`; a character that the font lacks counts as one em."""
    measures = _measures(weight)
    units = sum(measures.advances.get(ord(letter), measures.em) for letter in text)
    return float(units * size / measures.em)


def cut_to(text: str, width: float, size: float, weight: Weight = "normal") -> str:
    """The text, shortened with an ellipsis where it is wider than `width`."""
    if width_of(text, size, weight) <= width:
        return text
    while text and width_of(text + "…", size, weight) > width:
        text = text[:-1]
    return text + "…"


def lacking(text: Iterable[str]) -> str:
    """The characters that the font has not, in order, each once."""
    known = _measures("normal").advances
    return "".join(sorted({letter for letter in text if ord(letter) not in known}))


def face(text: str, weight: Weight) -> str:
    """An @font-face rule with the characters of `text`; the same bytes for the same characters."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options()
    options.hinting = False
    options.layout_features = list(_KEPT)
    options.name_IDs = [0, 1, 2, 13, 14]  # names, copyright and licence travel with the glyphs
    options.drop_tables += ["FFTM", "MATH", "kern"]
    options.notdef_outline = True
    font = TTFont(io.BytesIO(_data(weight)), recalcTimestamp=False)
    if not any(map(_is_shaped, text)):
        for table in _SHAPING:
            del font[table]
    subsetter = Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:url(data:font/woff;base64,{data}) format('woff')}}"


def _is_shaped(letter: str) -> bool:
    """Whether its neighbours say how it is drawn, so that the features are needed."""
    return unicodedata.category(letter)[0] == "M" or unicodedata.bidirectional(letter) in ("R", "AL")


@cache
def _data(weight: Weight) -> bytes:
    return (files(__package__) / "fonts" / _FILES[weight]).read_bytes()


@dataclass(frozen=True)
class _Measures:
    """How wide each character is that the font has, by code point, and its em, in the font's units."""

    advances: Mapping[int, int]
    em: int


@cache
def _measures(weight: Weight) -> _Measures:
    # Read out at once and from a font of its own: fontTools reads a font's tables when they are first asked for, and one
    # font that two threads ask is half read for the second.
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(_data(weight)), recalcTimestamp=False)
    widths = font["hmtx"].metrics
    return _Measures({code: widths[name][0] for code, name in font.getBestCmap().items()}, font["head"].unitsPerEm)
