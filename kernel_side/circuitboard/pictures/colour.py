"""The panel's diverging maps in light colours: near nothing sinks towards the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from circuitboard.address import one_of
from circuitboard.errors import ProtocolError

ColourMap = Literal["orange-blue", "purple-green"]
"""The colour of the negative effects, then that of the positive ones."""

STOPS: Mapping[ColourMap, tuple[str, ...]] = {
    "orange-blue": tuple(
        "#a84811 #d06b26 #e8914c #f2b984 #f4d9bb #f1f1ef #cce1f4 #a1cbf1 #75aee9 #4c8dd7 #2d68b8".split()
    ),
    "purple-green": tuple(
        "#923cad #b561d1 #d088e9 #e5aef9 #f2d0fe #f1f1ef #c0ebc2 #93db97 #60c26b #24a63f #018027".split()
    ),
}
"""From the strongest negative effect to the strongest positive one, straight sRGB in between."""

_STEPS = 20
"""Colours between two stops: fewer than an eye tells apart, so that cells of one colour can be one shape."""

_LINEAR, _DARK = 0.04045, 0.179


def require_colours(colours: str) -> None:
    """Refuse a map that there is not.

    Raises
    ------
    ProtocolError
        `bad_colours`.
    """
    if not one_of(colours, STOPS):
        known = " and ".join(f'"{name}"' for name in STOPS)
        raise ProtocolError(f"{colours!r:.200} are no colours of a map; there are {known}.", code="bad_colours")


def colour_of(effect: float, clip: float, colours: ColourMap = "orange-blue") -> str:
    """The colour of an effect on a scale of ±`clip`; beyond the ends it stays at the end."""
    stops = STOPS[colours]
    share = max(-1.0, min(1.0, effect / clip)) if clip > 0 else 0.0
    half = (len(stops) - 1) // 2
    step = round((share + 1) * half * _STEPS)
    at, between = divmod(step, _STEPS)
    if not between:
        return stops[at]
    one, other = (bytes.fromhex(stop[1:]) for stop in stops[at : at + 2])
    mixed = (round(a + (b - a) * between / _STEPS) for a, b in zip(one, other, strict=True))
    return "#" + bytes(mixed).hex()


def ink_on(fill: str) -> str:
    """Black or white, whichever stands out more on `fill` (WCAG 2.2's relative luminance)."""
    red, green, blue = (_channel(value) for value in bytes.fromhex(fill[1:]))
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _DARK else "#fff"


def _channel(value: int) -> float:
    x = value / 255
    return x / 12.92 if x <= _LINEAR else float(((x + 0.055) / 1.055) ** 2.4)
