"""The font of drawings: DejaVu Sans, of which a drawing carries the characters that it uses.

Characters that DejaVu lacks (Chinese, Japanese, Korean, most emoji) stay text, drawn by the reader's own fonts;
`lacking` names them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Weight = Literal["normal", "bold"]

FAMILY = "DejaVu Sans"
"""Where the embedded font is ignored (Inkscape, Illustrator), an installed one of this name looks the same."""

_FILES: dict[Weight, str] = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}

_KEPT = ("calt", "ccmp", "fina", "init", "isol", "liga", "locl", "mark", "medi", "mkmk", "rlig")
"""Features that scripts need to be read; without kerning, so that words are as wide as they were measured."""


def width_of(text: str, size: float, weight: Weight = "normal") -> float:
    """How wide a line is, in the unit of `size`; a character that the font lacks counts as one em."""
    font = _font(weight)
    names, advances, em = font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm
    units = sum(advances[names[ord(letter)]][0] if ord(letter) in names else em for letter in text)
    return float(units * size / em)


def cut_to(text: str, width: float, size: float, weight: Weight = "normal") -> str:
    """The text, shortened with an ellipsis where it is wider than `width`."""
    if width_of(text, size, weight) <= width:
        return text
    while text and width_of(text + "…", size, weight) > width:
        text = text[:-1]
    return text + "…"


def lacking(text: Iterable[str]) -> str:
    """The characters that the font has not, in order, each once."""
    names = _font("normal").getBestCmap()
    return "".join(sorted({letter for letter in text if ord(letter) not in names}))


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
    subsetter = Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:url(data:font/woff;base64,{data}) format('woff')}}"


@cache
def _data(weight: Weight) -> bytes:
    return (files(__package__) / "fonts" / _FILES[weight]).read_bytes()


@cache
def _font(weight: Weight) -> Any:
    """The font, to be measured and not to be changed."""
    from fontTools.ttLib import TTFont

    return TTFont(io.BytesIO(_data(weight)), lazy=True, recalcTimestamp=False)
