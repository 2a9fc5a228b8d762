"""What moves what a component reads: the edges into it, each edited alone."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from circuitboard.address import Edge, Site, edge
from circuitboard.analysis.edge_estimate import estimate_edges
from circuitboard.boundary import ran_out_of_memory
from circuitboard.engine import piece
from circuitboard.errors import AddressError, Cancelled, CircuitboardError
from circuitboard.interventions import check_site
from circuitboard.steps.clicking import clicked
from circuitboard.sweeps import cell_effects, edited_cells

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.protocol.drawing import Mode
    from circuitboard.steps import BoardState
    from circuitboard.sweeps import Ground

Part = Literal["q", "k", "v", "in"]
"""What of a component is read into: a head's query, key or value; "in": all that an MLP reads."""

MOST_EXACT = 32
"""Edges that are all computed; of more, those with the largest estimates."""


@dataclass(frozen=True, eq=False)
class EdgesInto:
    """What the edges into a receiver do.

    Parameters
    ----------
    edges
        Those that were computed.
    effects
        Float64 [edge, batch]: the change of the metric.
    edited
        Indices of those that are edited already, whose effect is that of their own edits.
    omitted
        How many others there are, with smaller estimates.
    """

    receiver: Site
    edges: tuple[Edge, ...]
    effects: Float[Tensor, "edge batch"]
    edited: frozenset[int]
    omitted: int


def receiver_of(site: Site | Edge, part: Part, adapter: ModelAdapter) -> Site:
    """The end of the edges into a part of a component.

    Raises
    ------
    AddressError
        `no_trace` for a component that reads nothing by this part; of an address.
    """
    if isinstance(site, Edge) or site != site.component:
        raise AddressError(
            f"{site} is no single component; trace the head or the MLP that it belongs to.", code="no_trace"
        )
    check_site(site, adapter)
    if part == "in" and site.kind in ("mlp_out", "neuron"):
        return Site("mlp_out", site.layer)
    if part == "in" or site.head is None:
        reads = "q, k and v" if site.head is not None else "what its MLP reads" if site.kind == "neuron" else "nothing"
        raise AddressError(
            f"{site.name} cannot be traced by {part!r}: it has {reads}.", code="no_trace", where=site.name
        )
    head, shape = site.head, adapter.shape
    share = shape.n_heads // shape.n_kv_heads
    if site.kind in ("head.k", "head.v"):
        head *= share
    if part in ("k", "v"):
        head //= share
    return Site(f"head.{part}", site.layer, head)  # type: ignore[arg-type]


def _senders_of(receiver: Site, adapter: ModelAdapter) -> list[Site]:
    """Every component that writes what `receiver` reads: the embedding, earlier heads and MLPs."""
    sites: list[Site] = []
    if adapter.refusal("embed", 0) is None:
        sites.append(Site("embed"))
    for layer in range(receiver.layer + 1):
        here = layer < receiver.layer or (receiver.kind == "mlp_out" and not adapter.shape.parallel)
        if here and adapter.refusal("head", layer) is None:
            sites += [Site("head", layer, head) for head in range(adapter.shape.n_heads)]
        if layer < receiver.layer and adapter.refusal("mlp_out", layer) is None:
            sites.append(Site("mlp_out", layer))
    return sites


def edges_into(ground: Ground, state: BoardState, receiver: Site, mode: Mode) -> InPieces[EdgesInto]:
    """The exact effect of each edge into a receiver, each alone on top of the edits in force.

    What the receiver hears of the sender is edited, and nothing else hears of it (path patching; Wang et al. 2022,
    appendix B); what the receiver then does goes on as usual. What cannot be is refused at once.
    """
    # Refused with the engine's own reason, before it is tried.
    ground.plan([clicked(Site("resid_pre", 0), mode, ground.prompts)])
    edges = [edge(sender, receiver) for sender in _senders_of(receiver, ground.adapter)]
    cells = [clicked(one, mode, ground.prompts) for one in edges]

    def read(cancel: CancelToken) -> Generator[None, None, EdgesInto]:
        chosen = yield from _chosen(ground, state, edges, receiver, cells, cancel)
        own = [cells[index] for index in chosen]
        effects = yield from cell_effects(ground, state, own, cancel, by_position=False)
        edited = frozenset(edited_cells(own, state.edits, ground.prompts, by_position=False))
        return EdgesInto(receiver, tuple(edges[index] for index in chosen), effects, edited, len(edges) - len(chosen))

    return read


def _chosen(
    ground: Ground, state: BoardState, edges: list[Edge], receiver: Site, cells: list[Intervention], cancel: CancelToken
) -> Generator[None, None, list[int]]:
    """Which edges are computed: all if they are few or cannot be estimated, else those with the largest estimates."""
    everyone = list(range(len(edges)))
    if len(edges) <= MOST_EXACT:
        return everyone
    plan, own = ground.run.plan, ground.plan(cells).writes
    try:
        found = yield from piece(
            lambda: estimate_edges(
                ground.adapter, plan, own, receiver, metric=ground.metric, reading=ground.reading, cancel=cancel
            ),
            cancel,
        )
    except Cancelled:
        raise
    except Exception as error:
        if not isinstance(error, CircuitboardError) and not ran_out_of_memory(error):
            raise
        # Without a gradient, a known anatomy or the memory: exact cells need none of them.
        return everyone
    in_force = {edit.intervention.site.component for edit in state.edits if edit.enabled}
    size = found.mean(-1).abs().nan_to_num(nan=torch.inf)
    size[[one in in_force for one in edges]] = torch.inf
    return sorted(size.argsort(descending=True, stable=True).tolist()[:MOST_EXACT])
