"""CircuitsVis's pictures of attention and tokens, drawn from the script in its package: no network, no notebook at risk.

CircuitsVis's own display asks the internet at every render, and writes tokens into the page as HTML. So its script is
put into a frame of its own here:

- the frame is sandboxed: it reaches neither the notebook nor its cookies;
- its content security policy allows no request at all, and no script but the ones written here;
- in it, `innerHTML` writes text, so a token such as `<img onerror=…>` is shown and is no element.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitboard.address import tensor_of
from circuitboard.boundary import public
from circuitboard.errors import CircuitboardError, InterventionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from circuitboard.analysis.attention import AttentionPattern

_POLICY = "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data:"

_TEXT_ONLY = """Object.defineProperty(Element.prototype, "innerHTML", {
  get() { return this.textContent; },
  set(html) { this.textContent = String(html).replaceAll("&nbsp;", "\\u00a0"); },
});"""
"""CircuitsVis writes a token's spaces as &nbsp;, and means nothing else by HTML."""

_NONCE = "circuitsvis"
"""The frame's text is complete when it is made, so that nobody can use the nonce who could not write a script anyway."""

_PAGE = """<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<style>body {{ font: 13px system-ui, sans-serif; margin: 8px; background: white; color: black; }}</style></head>
<body><div id="view"></div><script nonce="{nonce}">{text_only}</script><script nonce="{nonce}">{script}
CircuitsVis.render("view", CircuitsVis.{element}, {props});</script></body></html>"""


@public
@dataclass(frozen=True)
class StaticView:
    """A picture for the end of a notebook cell.

    Parameters
    ----------
    page
        A whole HTML page that needs nothing else.
    height
        Of its frame in a notebook, in pixels.
    title
        What it shows.
    """

    page: str
    height: int
    title: str

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" title="{escape(self.title)}" width="100%" height="{self.height}" '
            f'style="border: 0" srcdoc="{escape(self.page)}"></iframe>'
        )

    def save(self, path: str | Path) -> None:
        """Write the page as an HTML file, which opens without a network."""
        Path(path).write_text(self.page, encoding="utf-8")

    def __repr__(self) -> str:
        return f"StaticView({self.title})"


def attention_view(pattern: AttentionPattern) -> StaticView:
    """The pattern of a head; beside it that of the base run, if edits made it another.

    Raises
    ------
    CircuitboardError
        `needs_circuitsvis`.
    """
    heads, names = [pattern.pattern], [f"{pattern.name} now"]
    if not bool((pattern.pattern == pattern.base).all()):
        heads, names = [*heads, pattern.base], [*names, f"{pattern.name} without edits"]
    props = {
        "attention": [head.tolist() for head in heads],
        "attentionHeadNames": names,
        "tokens": list(pattern.tokens),
        "maxValue": 1,
        "minValue": 0,
    }
    height = min(660 + 20 * len(pattern.tokens), 1000)
    return _view("AttentionHeads", props, height, f"Attention of {pattern.name} in prompt {pattern.prompt}")


def tokens_view(tokens: Sequence[str], values: ArrayLike) -> StaticView:
    """Tokens coloured by a number each: blue above 0, red below, white at 0.

    Raises
    ------
    CircuitboardError
        `needs_circuitsvis`.
    InterventionError
        `bad_values` if there is not one finite number a token.
    """
    import torch

    try:
        numbers = tensor_of(values).detach().to("cpu", torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise InterventionError(
            f"The {len(tokens)} tokens are coloured by a number each, not by {values!r:.60}.", code="bad_values"
        ) from error
    if tuple(numbers.shape) != (len(tokens),) or not bool(numbers.isfinite().all()):
        raise InterventionError(
            f"There are {len(tokens)} tokens to colour, so as many finite numbers are needed; found shape {list(numbers.shape)}"
            f"{'' if bool(numbers.isfinite().all()) else ' with numbers that are not finite'}.",
            code="bad_values",
        )
    # CircuitsVis's colours are linear from its minimum to its maximum; alike on both sides, white is 0.
    bound = float(numbers.abs().max()) or 1.0
    props = {"tokens": list(tokens), "values": numbers.tolist(), "minValue": -bound, "maxValue": bound}
    height = 80 + 24 * (1 + sum(len(token) + 1 for token in tokens) // 80 + sum(token.count("\n") for token in tokens))
    return _view("ColoredTokens", props, min(height, 600), "Tokens by value")


def _view(element: str, props: Mapping[str, Any], height: int, title: str) -> StaticView:
    page = _PAGE.format(
        policy=_POLICY.format(nonce=_NONCE),
        nonce=_NONCE,
        text_only=_TEXT_ONLY,
        script=_script(),
        element=element,
        props=_inert(json.dumps(props, allow_nan=False)),
    )
    return StaticView(page, height, title)


@cache
def _script() -> str:
    """CircuitsVis's bundled script, made fit to stand inside a page."""
    found = importlib.util.find_spec("circuitsvis")
    path = None if found is None or found.origin is None else Path(found.origin).parent / "dist" / "cdn" / "iife.js"
    if path is None or not path.is_file():
        raise CircuitboardError(
            "These pictures are drawn by CircuitsVis, which is not installed: pip install circuitsvis (or circuitboard[vis]).",
            code="needs_circuitsvis",
        )
    script = path.read_text(encoding="utf-8")
    script = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
    return re.sub(r"</(script)", r"<\\/\1", script, flags=re.IGNORECASE)


def _inert(data: str) -> str:
    """JSON that ends no script and starts none; the same value when read."""
    return data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
