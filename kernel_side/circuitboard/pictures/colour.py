"""The panel's diverging maps in light colours, for paper."""

from __future__ import annotations

from collections.abc import Mapping

from circuitboard.address import one_of
from circuitboard.errors import ProtocolError
from circuitboard.protocol import vocabulary
from circuitboard.protocol.drawing import ColourMap

STOPS: Mapping[ColourMap, list[str]] = {name: themes["light"] for name, themes in vocabulary.STOPS.items()}

_STEPS = 20
"""Colours between two stops: fewer than an eye tells apart, so that cells of one colour can be one shape."""

_LINEAR = 0.04045


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
    mixed = (int(a + (b - a) * between / _STEPS + 0.5) for a, b in zip(one, other, strict=True))
    return "#" + bytes(mixed).hex()


def ink_on(fill: str) -> str:
    """Black or white, whichever stands out more on `fill` (WCAG 2.2's relative luminance)."""
    red, green, blue = (_channel(value) for value in bytes.fromhex(fill[1:]))
    is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue <= vocabulary.INK_TURNS_AT
    return vocabulary.INKS[is_dark]


def _channel(value: int) -> float:
    x = value / 255
    return x / 12.92 if x <= _LINEAR else float(((x + 0.055) / 1.055) ** 2.4)
