"""The panel's light diverging map: warm is negative, blue is positive, near nothing sinks towards the paper."""

from __future__ import annotations

STOPS = tuple("#a84811 #d06b26 #e8914c #f2b984 #f4d9bb #f1f1ef #cce1f4 #a1cbf1 #75aee9 #4c8dd7 #2d68b8".split())
"""From the strongest negative effect to the strongest positive one, straight sRGB in between."""

_STEPS = 20
"""Colours between two stops: fewer than an eye tells apart, so that cells of one colour can be one shape."""

_LINEAR, _DARK = 0.04045, 0.179


def colour_of(effect: float, clip: float) -> str:
    """The colour of an effect on a scale of ±`clip`; beyond the ends it stays at the end."""
    share = max(-1.0, min(1.0, effect / clip)) if clip > 0 else 0.0
    half = (len(STOPS) - 1) // 2
    step = round((share + 1) * half * _STEPS)
    at, between = divmod(step, _STEPS)
    if not between:
        return STOPS[at]
    one, other = (bytes.fromhex(stop[1:]) for stop in STOPS[at : at + 2])
    mixed = (round(a + (b - a) * between / _STEPS) for a, b in zip(one, other, strict=True))
    return "#" + bytes(mixed).hex()


def ink_on(fill: str) -> str:
    """Black or white, whichever stands out more on `fill` (WCAG 2.2's relative luminance)."""
    red, green, blue = (_channel(value) for value in bytes.fromhex(fill[1:]))
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _DARK else "#fff"


def _channel(value: int) -> float:
    x = value / 255
    return x / 12.92 if x <= _LINEAR else float(((x + 0.055) / 1.055) ** 2.4)
