"""Edges: what one component tells another through the residual stream, and no other way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from circuitboard.address.intervention import Editable
from circuitboard.address.positions import Positions, describe, given_positions, positions_of
from circuitboard.address.site import KINDS, Kind, Site
from circuitboard.boundary import public
from circuitboard.errors import AddressError

SENDERS: tuple[Kind, ...] = ("embed", "head", "attn_out", "neuron", "mlp_out")
RECEIVERS: tuple[Kind, ...] = ("head", "head.q", "head.k", "head.v", "resid_pre", "resid_mid", "mlp_out", "resid_post")


@public
@dataclass(frozen=True, repr=False)
class Edge(Editable):
    """The direct effect of a sender on a receiver (path patching; Wang et al. 2022, appendix B).

    The receiver is computed as if the residual stream that it reads held the edited output of the sender; all
    that lies between them stays as it is. What the changed receiver does is then computed as usual.

    Parameters
    ----------
    sender
        "head", "attn_out", "neuron", "mlp_out" or "embed".
    receiver
        "head.q", "head.k", "head.v" (what that projection reads), "head" (all three, for this head alone),
        "mlp_out", or the residual stream at a place, from which everything later reads. Where query heads share keys
        and values (grouped-query attention), "head" gives this head keys and values of its own and the other heads of
        the group keep theirs; "head.k" and "head.v" name a key-value head, which all heads of its group read.
    positions
        Positions of the sender's output that are edited; None means all.
    """

    sender: Site
    receiver: Site
    positions: Positions = None

    def __post_init__(self) -> None:
        for role, site, kinds in (("sender", self.sender, SENDERS), ("receiver", self.receiver, RECEIVERS)):
            if not isinstance(site, Site) or site.kind not in kinds:
                raise AddressError(
                    f"{site} cannot be the {role} of an edge; expected a site of kind {', '.join(kinds)}.",
                    code="unknown_site",
                )
            if site.positions is not None:
                raise AddressError(
                    f"The {role} of an edge names no positions; write cb.edge({self.sender.name!r}, {self.receiver.name!r}).at(…) for those of what is sent.",
                    code="bad_positions",
                )
        object.__setattr__(self, "positions", given_positions(self.positions))
        if _moment(self.sender) >= _moment(self.receiver, reads=True):
            raise AddressError(
                f"{self.sender.name} is not computed before what {self.receiver.name} reads, so there is no edge between them.",
                code="no_such_edge",
            )

    @property
    def kind(self) -> Literal["edge"]:
        return "edge"

    @property
    def layer(self) -> int:
        """The layer in which the edge acts: the receiver's."""
        return self.receiver.layer

    @property
    def index(self) -> int | None:
        return self.receiver.index

    @property
    def head(self) -> int | None:
        return self.receiver.head

    @property
    def sources(self) -> Positions:
        return None

    @property
    def component(self) -> Edge:
        """The same edge, at all positions."""
        return replace(self, positions=None)

    @property
    def name(self) -> str:
        """The edge without positions: "9.6 -> 10.7.q"."""
        return f"{self.sender.name} -> {self.receiver.name}"

    def at(self, positions: object) -> Edge:
        """The edge, for what is sent at these positions."""
        return replace(self, positions=positions_of(positions))

    def __repr__(self) -> str:
        notes = {
            "head": "; with grouped keys the other heads of its group keep theirs",
            "head.k": "; with grouped keys all heads of the group read these",
            "head.v": "; with grouped keys all heads of the group read these",
        }
        return f"Edge({self}{notes.get(self.receiver.kind, '')})"

    def __str__(self) -> str:
        return self.name if self.positions is None else f"{self.name} @ {describe(self.positions)}"


def _moment(site: Site, *, reads: bool = False) -> tuple[int, int]:
    """When a site is computed, or (`reads`) when what it reads is complete: layer and order within it."""
    if reads and site.kind in ("head", "head.q", "head.k", "head.v"):
        return site.layer, KINDS.index("resid_pre")
    if reads and site.kind == "mlp_out":
        return site.layer, KINDS.index("resid_mid")
    # An embedding comes before everything in its layer.
    return (-1, 0) if site.kind == "embed" else (site.layer, KINDS.index(site.kind))


@public
def edge(sender: Site, receiver: Site) -> Edge:
    """The direct path from `sender` to `receiver`, e.g. cb.edge(cb.head(9, 6), cb.head(10, 7).q).

    To a whole head, `cb.head(10, 7)`, it changes the queries, keys and values of that head alone: with grouped keys the
    other heads of its group keep theirs.
    """
    return Edge(sender, receiver)
