"""Numbers, shares, names and tokens as words: visible, short, inert, and legal in XML.

The panel has the same rules (`extension/src/parts`); `tests/protocol/words.json` is read by the tests of both.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal, localcontext

from circuitboard.protocol.vocabulary import CHARACTERS, HUGE, MARKS, METRICS, MINUS, OWN_UNIT, SMALLEST_SHARE, SPACE

LONGEST = 80
"""Characters of a name, unless there is less room."""

_SIGNS = str.maketrans({**{chr(code): chr(0x2400 + code) for code in range(0x20)}, **MARKS})


def visible(text: str) -> str:
    """What does not print written as a sign or by number: "⏎", "␀", "⟨U+202E⟩".

    What is left is legal in XML: characters that are not are among those that do not print.
    """
    signed = text.translate(_SIGNS)
    if signed.isprintable():
        return signed
    return "".join(letter if letter.isprintable() else f"⟨U+{ord(letter):04X}⟩" for letter in signed)


def name_words(text: str, longest: int = LONGEST) -> str:
    """A name as it can be read, cut where it is long."""
    return visible(text[: longest - 1] + "…" if len(text) > longest else text)


def token_words(token: str, longest: int = 24) -> str:
    """A token in one short line, its leading space as `·`."""
    return SPACE + name_words(token[1:], longest) if token.startswith(" ") else name_words(token, longest)


def metric_words(name: str) -> str:
    """A metric's name for people."""
    return METRICS.get(name, name_words(name.replace("_", " "), CHARACTERS["metric"]))


def unit_words(unit: str) -> str:
    """A metric's unit for people."""
    return name_words(unit, CHARACTERS["unit"]) or OWN_UNIT


def signed(x: float, digits: int = 2) -> str:
    """`+1.42`, `−0.23`, `0.00`, `nan`, `−∞`; what is huge or would round to nothing has an exponent."""
    if math.isnan(x):
        return "nan"
    sign, size = MINUS if x < 0 else "+", abs(x)
    if math.isinf(x):
        return f"{sign}∞"
    if size == 0:
        return _written(size, f".{digits}f")
    if size < 0.5 * 10**-digits:
        return sign + _written(size, ".0e")
    return sign + _written(size, f".{digits}{'f' if size < HUGE else 'e'}")


def plain(x: float, digits: int = 2) -> str:
    """Without a sign for positive numbers."""
    return signed(x, digits).removeprefix("+")


def with_error(effect: float, error: float | None, digits: int = 2) -> str:
    """`−1.83 ± 0.12`: an effect with its standard error, where it has one."""
    return signed(effect, digits) + ("" if error is None or math.isnan(error) else f" ± {plain(error, digits)}")


def percent(p: float) -> str:
    """`41.5%`; less than a tenth of a percent is said so."""
    if not math.isfinite(p):
        return "nan"
    return "<0.1%" if 0 < p < SMALLEST_SHARE else _written(100 * p + 0.0, ".1f") + "%"


def decimals(clip: float) -> int:
    """Decimals that tell the numbers of a scale of ±`clip` apart: one from 1, two from 0.1 and so on."""
    return max(1, min(6, 1 - math.floor(math.log10(clip * 1.05)))) if clip > 0 else 2


def without_zero(number: str) -> str:
    """`−.16` for `−0.16`, where that does not fit."""
    return re.sub(r"^([^\d])0\.", r"\1.", number)


def capital(text: str) -> str:
    """With its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _written(x: float, how: str) -> str:
    """A number rounded as the panel rounds: half of a digit goes up."""
    with localcontext(rounding=ROUND_HALF_UP):
        text = format(Decimal(float(x)), how)
    mantissa, *exponent = text.split("e")
    return mantissa if not exponent else f"{mantissa}e{exponent[0].replace('-', MINUS).removeprefix('+')}"
