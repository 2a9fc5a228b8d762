"""Sites: the places of a transformer that can be edited, written as people write them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from circuitboard.address.intervention import Editable
from circuitboard.address.numbers import plain, whole
from circuitboard.address.positions import Positions, describe, given_positions, positions_of
from circuitboard.boundary import public
from circuitboard.errors import AddressError
from circuitboard.words import instead

Kind = Literal[
    "embed",
    "resid_pre",
    "head.q",
    "head.k",
    "head.v",
    "head.pattern",
    "head",
    "head.result",
    "attn_out",
    "resid_mid",
    "neuron",
    "mlp_out",
    "resid_post",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind of site, in the order in which a block computes them."""

HEAD_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind.startswith("head"))
INDEXED: tuple[Kind, ...] = (*HEAD_KINDS, "neuron")
"""Kinds that a layer has several of, told apart by an index."""


@public
@dataclass(frozen=True)
class Site(Editable):
    """A component at some positions.

    Parameters
    ----------
    kind
        "head": the head's `z`, its output before `W_O`; "head.q", "head.k", "head.v": its query, key and value
        before positions are turned into them; "head.pattern": its attention probabilities; "head.result": its `z`
        after `W_O`; "neuron": a hidden unit of the MLP after its non-linearity; "embed": the token embedding;
        "resid_pre", "resid_mid", "resid_post": the residual stream before a block, between its attention and its
        MLP, and after it; "attn_out", "mlp_out": what attention and MLP add to it.
    layer
        Block, from 0; 0 for "embed".
    index
        Head or neuron within the block, from 0 (a key-value head for "head.k" and "head.v"); None for other kinds.
    positions
        Where; None means at all positions. For a pattern: the positions that attend (destinations).
    sources
        For a pattern only: the positions attended to; None means all.
    """

    kind: Kind
    layer: int = 0
    index: int | None = None
    positions: Positions = None
    sources: Positions = None

    def __post_init__(self) -> None:
        if type(self.kind) is not str:
            object.__setattr__(self, "kind", plain(self.kind))
        if self.kind not in KINDS:
            raise AddressError(
                f"There is no site of kind {self.kind!r:.60}.{instead('site', self.kind, KINDS)} Expected one of {', '.join(KINDS)}.",
                code="unknown_site",
            )
        object.__setattr__(self, "layer", _index("layer", self.layer))
        if (self.kind in INDEXED) != (self.index is not None):
            raise AddressError(
                f"A site of kind {self.kind!r} {'needs an' if self.kind in INDEXED else 'has no'} index within its layer.",
                code="unknown_site",
            )
        if self.index is not None:
            object.__setattr__(self, "index", _index("neuron" if self.kind == "neuron" else "head", self.index))
        object.__setattr__(self, "positions", given_positions(self.positions))
        object.__setattr__(self, "sources", given_positions(self.sources))
        if self.kind == "embed" and self.layer:
            raise AddressError("There is one embedding; it has no layer.", code="unknown_site")
        if self.sources is not None and self.kind != "head.pattern":
            raise AddressError(
                f"{self.name} has no source positions; only an attention pattern has, as in cb.head(9, 6).pattern.at(dest, src).",
                code="bad_positions",
            )

    @property
    def head(self) -> int | None:
        """The head, for sites that belong to one."""
        return self.index if self.kind in HEAD_KINDS else None

    @property
    def component(self) -> Site:
        """The same component, at all positions."""
        return replace(self, positions=None, sources=None)

    @property
    def name(self) -> str:
        """The component without positions: "9.6", "9.6.q", "neuron 5.892", "resid_pre 5", "embed"."""
        if self.kind == "embed":
            return "embed"
        if self.kind in HEAD_KINDS:
            return f"{self.layer}.{self.index}{self.kind.removeprefix('head')}"
        return f"neuron {self.layer}.{self.index}" if self.kind == "neuron" else f"{self.kind} {self.layer}"

    @property
    def q(self) -> Site:
        """The head's query [batch, pos, d_head], before rotary positions."""
        return self._part("q")

    @property
    def k(self) -> Site:
        """The key [batch, pos, d_head] of this key-value head, before rotary positions."""
        return self._part("k")

    @property
    def v(self) -> Site:
        """The value [batch, pos, d_head] of this key-value head."""
        return self._part("v")

    @property
    def pattern(self) -> Site:
        """The head's attention probabilities [batch, dest, src]."""
        return self._part("pattern")

    @property
    def result(self) -> Site:
        """What the head adds to the residual stream, [batch, pos, d_model], without the bias of `W_O`."""
        return self._part("result")

    def at(self, positions: object, sources: object = None) -> Site:
        """The component at these positions: an int, list, slice or label; "all" for all.

        A pattern also takes the positions attended to: `.at(dest, src)`.
        """
        return replace(self, positions=positions_of(positions), sources=positions_of(sources))

    def __str__(self) -> str:
        if self.positions is None and self.sources is None:
            return self.name
        attended = "" if self.sources is None else f" <- {describe(self.sources)}"
        return f"{self.name} @ {describe(self.positions)}{attended}"

    def _part(self, part: str) -> Site:
        if self.kind != "head":
            raise AddressError(
                f"{self.name} has no .{part}; heads have, as in cb.head(9, 6).{part}.", code="unknown_site"
            )
        return replace(self, kind=f"head.{part}")  # type: ignore[arg-type]


def _index(what: str, value: object) -> int:
    index = whole(value)
    if index is None:
        raise AddressError(f"The {what} must be an integer, not {value!r:.60}.", code="unknown_site")
    if index < 0:
        raise AddressError(
            f"The {what} must be 0 or more, not {index}; only positions count from the end.", code="unknown_site"
        )
    return index


@public
def head(layer: int, head: int) -> Site:
    """Head `layer.head`: its `z` [batch, pos, d_head], the attention-weighted values before `W_O`.

    `.q`, `.k`, `.v`, `.pattern` and `.result` are its other sites. With grouped queries, `.k` and `.v` count
    key-value heads.
    """
    return Site("head", layer, head)


@public
def neuron(layer: int, index: int) -> Site:
    """Hidden unit `index` of the MLP of block `layer`, after its non-linearity, [batch, pos]."""
    return Site("neuron", layer, index)


@public
def embed() -> Site:
    """The token embedding [batch, pos, d_model], before positions are added."""
    return Site("embed")


@public
def resid_pre(layer: int) -> Site:
    """The residual stream that enters block `layer`, [batch, pos, d_model]."""
    return Site("resid_pre", layer)


@public
def resid_mid(layer: int) -> Site:
    """The residual stream between attention and MLP of block `layer`, [batch, pos, d_model].

    The stream itself, for the MLP and for all that comes after. (TransformerLens's `hook_resid_mid` on a bridge
    changes only what the MLP reads.)
    """
    return Site("resid_mid", layer)


@public
def resid_post(layer: int) -> Site:
    """The residual stream that leaves block `layer`, [batch, pos, d_model]."""
    return Site("resid_post", layer)


@public
def attn_out(layer: int) -> Site:
    """What the attention of block `layer` adds to the residual stream, [batch, pos, d_model]."""
    return Site("attn_out", layer)


@public
def mlp_out(layer: int) -> Site:
    """What the MLP of block `layer` adds to the residual stream, [batch, pos, d_model]."""
    return Site("mlp_out", layer)
