"""Reading sites and edges as `str` writes them."""

from __future__ import annotations

import re
from dataclasses import replace

from circuitboard.address.edge import Edge
from circuitboard.address.numbers import entries, whole
from circuitboard.address.positions import parse_positions
from circuitboard.address.site import INDEXED, KINDS, Kind, Site
from circuitboard.boundary import public
from circuitboard.errors import AddressError
from circuitboard.words import instead

_HEAD = re.compile(r"(\d{1,6})\.(\d{1,6})(?:\.(q|k|v|pattern|result))?")
_NEURON = re.compile(r"neuron (\d{1,6})\.(\d{1,6})")
_LAYER = re.compile(r"([a-z_]+) (\d{1,6})")


@public
def site(text: str | Site | Edge) -> Site | Edge:
    """Read a site or an edge as `str(site)` writes it, or as papers and TransformerLens do where that means one site.

    Examples
    --------
    >>> from circuitboard.address import edge, head
    >>> site("9.6 @ END") == head(9, 6).at("END")
    True
    >>> str(site("resid_pre 5 @ 12"))
    'resid_pre 5 @ 12'
    >>> site("L9H6") == site("a9.h6") == head(9, 6)
    True
    >>> str(site("blocks.5.hook_resid_pre"))
    'resid_pre 5'
    >>> site("9.6 -> 10.7.q") == edge(head(9, 6), head(10, 7).q)
    True

    Raises
    ------
    AddressError
        `unknown_site` or `bad_positions`.
    """
    if isinstance(text, (Site, Edge)):
        return text
    if not isinstance(text, str):
        raise AddressError(
            f"A site is written as text such as '9.6' or 'resid_pre 5 @ 12', not {text!r:.60}.{_of_numbers(text)}",
            code="unknown_site",
        )
    name, mark, at = text.partition("@")
    sender, arrow, receiver = name.partition("->")
    if arrow:
        found = Edge(_component(sender), _component(receiver))
        return found.at(parse_positions(at)) if mark else found
    component = _component(name)
    if not mark:
        return component
    attending, mark, attended = at.partition("<-")
    return replace(component, positions=parse_positions(attending), sources=parse_positions(attended) if mark else None)


_ELSEWHERE: dict[str, Kind] = {
    r"L(\d{1,6})[.]?H(\d{1,6})": "head",
    r"a(\d{1,6})[.]h(\d{1,6})": "head",
    r"m(\d{1,6})": "mlp_out",
    r"hook_embed|embed\.hook_out": "embed",
    r"blocks\.(\d{1,6})\.hook_resid_pre": "resid_pre",
    r"blocks\.(\d{1,6})\.hook_resid_post": "resid_post",
    r"blocks\.(\d{1,6})\.hook_attn_out": "attn_out",
    r"blocks\.(\d{1,6})\.hook_mlp_out": "mlp_out",
}
"""Names of papers and of TransformerLens that mean exactly one site."""


def _of_numbers(given: object) -> str:
    """The line to type for a layer and a head in a list."""
    pair = [whole(number) for number in entries(given) or ()]
    return f" Write cb.head({pair[0]}, {pair[1]})." if len(pair) == 2 and None not in pair else ""  # noqa: PLR2004


def _elsewhere(text: str) -> Site | None:
    for spelt, kind in _ELSEWHERE.items():
        if match := re.fullmatch(spelt, text, re.IGNORECASE):
            layer, index = ([int(number) for number in match.groups()] + [None, None])[:2]
            return Site(kind, layer or 0, index)
    return None


def _component(text: str) -> Site:
    text = text.strip()
    if text == "embed":
        return Site("embed")
    if match := _HEAD.fullmatch(text):
        kind = "head" if match[3] is None else f"head.{match[3]}"
        return Site(kind, int(match[1]), int(match[2]))  # type: ignore[arg-type]
    if match := _NEURON.fullmatch(text):
        return Site("neuron", int(match[1]), int(match[2]))
    if (match := _LAYER.fullmatch(text)) and match[1] in KINDS and match[1] not in (*INDEXED, "embed"):
        return Site(match[1], int(match[2]))
    if (found := _elsewhere(text)) is not None:
        return found
    hint = instead("site", text, ("embed", *(f"{kind} 9" for kind in KINDS if kind not in (*INDEXED, "embed"))))
    raise AddressError(
        f"{text[:40]!r} names no site.{hint} Heads are written '9.6' (layer.head) or '9.6.q', neurons 'neuron 5.892', others 'resid_pre 5', 'attn_out 5', 'mlp_out 5', edges '9.6 -> 10.7.q', with positions as '9.6 @ END'.",
        code="unknown_site",
    )
