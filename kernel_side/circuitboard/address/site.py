"""Sites: the places of a transformer that can be edited, written as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from circuitboard.address.intervention import Intervention
from circuitboard.address.positions import Positions, describe, parse_positions, positions_of
from circuitboard.errors import AddressError

Kind = Literal["head", "resid_pre", "attn_out", "mlp_out"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind of site, in the order in which a block computes a residual stream, its heads and its outputs."""


@dataclass(frozen=True)
class Site:
    """A component at some positions.

    Parameters
    ----------
    kind
        "head": the head's `z`, its output before `W_O`; "resid_pre": the residual stream that enters
        the block; "attn_out", "mlp_out": what attention and MLP add to it.
    layer
        Block, from 0.
    head
        Head within the block, from 0; None for other kinds.
    positions
        Where; None means at all positions.
    """

    kind: Kind
    layer: int
    head: int | None = None
    positions: Positions = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise AddressError(
                f"There is no site of kind {self.kind!r}; expected one of {', '.join(KINDS)}.", code="unknown_site"
            )
        object.__setattr__(self, "layer", _index("layer", self.layer))
        if (self.kind == "head") != (self.head is not None):
            raise AddressError(
                f"A site of kind {self.kind!r} {'needs' if self.kind == 'head' else 'has no'} head index.",
                code="unknown_site",
            )
        if self.head is not None:
            object.__setattr__(self, "head", _index("head", self.head))

    @property
    def component(self) -> Site:
        """The same component, at all positions."""
        return replace(self, positions=None)

    @property
    def name(self) -> str:
        """The component without positions: "9.6", "resid_pre 5"."""
        return f"{self.layer}.{self.head}" if self.kind == "head" else f"{self.kind} {self.layer}"

    def at(self, positions: object) -> Site:
        """The component at these positions: an int, list, slice or label; "all" for all."""
        return replace(self, positions=positions_of(positions))

    def zero(self) -> Intervention:
        """Set the activation to 0 (zero ablation)."""
        return Intervention(self, "zero")

    def patch(self) -> Intervention:
        """Take the activation from the source run: the corrupted run if the base is clean, and the other way round."""
        return Intervention(self, "patch")

    def scale(self, factor: float) -> Intervention:
        """Multiply the activation by `factor` (1 changes nothing, 0 is zero ablation)."""
        return Intervention(self, "scale", factor)

    def __str__(self) -> str:
        return self.name if self.positions is None else f"{self.name} @ {describe(self.positions)}"


def _index(what: str, value: object) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise AddressError(f"The {what} must be an integer, not {value!r}.", code="unknown_site")
    index = int(value.__index__())
    if index < 0:
        raise AddressError(
            f"The {what} must be 0 or more, not {index}; only positions count from the end.", code="unknown_site"
        )
    return index


def head(layer: int, head: int) -> Site:
    """Head `layer.head`: its `z` [batch, pos, d_head], the attention-weighted values before `W_O`."""
    return Site("head", layer, head)


def resid_pre(layer: int) -> Site:
    """The residual stream that enters block `layer`, [batch, pos, d_model]."""
    return Site("resid_pre", layer)


def attn_out(layer: int) -> Site:
    """What the attention of block `layer` adds to the residual stream, [batch, pos, d_model]."""
    return Site("attn_out", layer)


def mlp_out(layer: int) -> Site:
    """What the MLP of block `layer` adds to the residual stream, [batch, pos, d_model]."""
    return Site("mlp_out", layer)


def site(text: str) -> Site:
    """Read a site as `str(site)` writes it.

    Examples
    --------
    >>> site("9.6 @ END") == head(9, 6).at("END")
    True
    >>> str(site("resid_pre 5 @ 12"))
    'resid_pre 5 @ 12'

    Raises
    ------
    AddressError
        `unknown_site` or `bad_positions`.
    """
    if not isinstance(text, str):
        raise AddressError(
            f"A site is written as text such as '9.6' or 'resid_pre 5 @ 12', not {text!r}.", code="unknown_site"
        )
    name, mark, at = text.partition("@")
    name = name.strip()
    if match := re.fullmatch(r"(\d{1,6})\.(\d{1,6})", name):
        found = head(int(match[1]), int(match[2]))
    elif (match := re.fullmatch(r"([a-z_]+) (\d{1,6})", name)) and match[1] in KINDS and match[1] != "head":
        found = Site(match[1], int(match[2]))
    else:
        raise AddressError(
            f"{text[:40]!r} names no site. Heads are written '9.6' (layer.head), others 'resid_pre 5', 'attn_out 5', 'mlp_out 5', with positions as '9.6 @ END'.",
            code="unknown_site",
        )
    return replace(found, positions=parse_positions(at)) if mark else found
