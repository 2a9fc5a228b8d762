"""Names, tokens and numbers as they are written in exports: visible, short, inert, and legal in XML."""

from __future__ import annotations

import math
from html import escape

_LONGEST = 80
_METRICS = {
    "logit_diff": "logit difference",
    "log_prob": "log probability",
    "prob": "probability",
    "kl": "KL divergence",
}


def printable(text: str) -> str:
    """What does not print (control and bidi characters, lone surrogates) written as an escape.

    What is left is legal in XML: characters that are not are among those that do not print.
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def shown(text: str, longest: int = _LONGEST) -> str:
    """A name as it can be read, cut where it is long."""
    return printable(text[: longest - 1] + "…" if len(text) > longest else text)


def token_text(token: str, longest: int = 24) -> str:
    """A token in one short line, its leading space as `·`."""
    if token.startswith(" ") and len(token) > 1:
        return "·" + shown(token[1:], longest)
    return shown(token, longest)


def markup(text: str) -> str:
    """The leaf where text becomes XML or HTML."""
    return escape(printable(text), quote=True)


def metric_words(name: str) -> str:
    """A metric's name for people."""
    return _METRICS.get(name, shown(name.replace("_", " "), 40))


def signed(x: float, digits: int = 2) -> str:
    """`+1.42`, `−0.23`, `0.00`, `nan`, `−∞`; what would round to nothing has an exponent."""
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "+∞" if x > 0 else "−∞"
    size = abs(x)
    if size == 0:
        return f"{0:.{digits}f}"
    if size < 0.5 * 10**-digits:
        mantissa, exponent = f"{size:.0e}".split("e")
        text = f"{mantissa}e−{abs(int(exponent))}"
    else:
        text = f"{size:.{digits}f}"
    return ("−" if x < 0 else "+") + text


def plain(x: float, digits: int = 2) -> str:
    """Without a sign for positive numbers."""
    return signed(x, digits).removeprefix("+")


def decimals(clip: float) -> int:
    """Decimals that tell the numbers of a scale of ±`clip` apart: one from 1, two from 0.1 and so on."""
    return max(1, min(6, 1 - math.floor(math.log10(clip * 1.05)))) if clip > 0 else 2


def percent(p: float) -> str:
    """`41.5 %`."""
    if not math.isfinite(p):
        return "nan"
    return "<0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %"  # noqa: PLR2004  less would be written as 0.0
