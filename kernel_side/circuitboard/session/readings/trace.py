"""What moves what a component reads, and who reads from a token: sweeps over edges and over entries of patterns."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Edge, Site, edge
from circuitboard.address import site as site_called
from circuitboard.analysis import estimate_edges
from circuitboard.boundary import ran_out_of_memory
from circuitboard.engine.recording import recorded
from circuitboard.errors import AddressError, Cancelled, CircuitboardError
from circuitboard.interventions import check_site, compile_plan
from circuitboard.metrics import standard_error
from circuitboard.protocol import messages as m
from circuitboard.session.maps.map_grid import edited_cells
from circuitboard.steps.clicking import clicked

if TYPE_CHECKING:
    from circuitboard.board import Board
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import CancelToken
    from circuitboard.models.adapter import ModelAdapter, Place
    from circuitboard.session.reader import Reading

MOST_ROWS = 40
"""Edges that a list shows; the others are smaller."""

MOST_EXACT = 32
"""Edges that are all computed; of more, those with the largest estimates."""

MOST_READERS = 16
"""Heads that attend most to a token, whose effects are computed."""


def receiver_of(request: m.Trace, board: Board) -> Site:
    """The end of the edges that a request is about.

    Raises
    ------
    AddressError
        `no_trace` for a component that reads nothing by this part; of an address.
    """
    site, adapter = site_called(request.site), board.lab.adapter
    if isinstance(site, Edge) or site != site.component:
        raise AddressError(
            f"{site} is no single component; trace the head or the MLP that it belongs to.", code="no_trace"
        )
    check_site(site, adapter)
    if request.part == "in" and site.kind in ("mlp_out", "neuron"):
        return Site("mlp_out", site.layer)
    if request.part == "in" or site.head is None:
        reads = "q, k and v" if site.head is not None else "what its MLP reads" if site.kind == "neuron" else "nothing"
        raise AddressError(
            f"{site.name} cannot be traced by {request.part!r}: it has {reads}.", code="no_trace", where=site.name
        )
    head, shape = site.head, adapter.shape
    share = shape.n_heads // shape.n_kv_heads
    if site.kind in ("head.k", "head.v"):
        head *= share
    if request.part in ("k", "v"):
        head //= share
    return Site(f"head.{request.part}", site.layer, head)  # type: ignore[arg-type]


def senders_of(receiver: Site, adapter: ModelAdapter) -> list[Site]:
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


def trace_reading(request: m.Trace, board: Board, mode: m.Mode) -> Reading:
    """What a request asks for, to be read later, or the reason why it cannot be."""
    receiver = receiver_of(request, board)
    # Refused with the engine's own reason, before it is tried.
    board.lab.plan(board.base, [clicked(Site("resid_pre", 0), mode, board.prompts)])
    return lambda answered, cancel: read_trace(answered, board, request, receiver, mode, cancel)


def read_trace(
    request: str, board: Board, asked: m.Trace, receiver: Site, mode: m.Mode, cancel: CancelToken
) -> Generator[None, None, tuple[m.Traced, list[bytes]]]:
    """The exact effect of each edge into a receiver, each alone on top of the edits in force.

    What the receiver hears of the sender is edited, and nothing else hears of it (path patching; Wang et al. 2022,
    appendix B); what the receiver then does goes on as usual.
    """
    started, shown = time.perf_counter(), board.shown
    edges = [edge(sender, receiver) for sender in senders_of(receiver, board.lab.adapter)]
    chosen = yield from _chosen(board, shown, edges, receiver, mode, cancel)
    omitted = len(edges) - len(chosen)
    edges = [edges[index] for index in chosen]
    cells = [clicked(one, mode, board.prompts) for one in edges]
    values = yield from board.maps.cells(shown.run, cells, cancel)
    effects = (values - shown.outcome.values).double()
    edited = edited_cells(cells, shown.history.state.edits, board.prompts, by_position=False)
    for cell, indices in edited.items():
        effects[cell] = (shown.outcome.values - board.maps.without(indices, shown, cancel)).double()
        yield
    size = effects.mean(-1).abs().nan_to_num(nan=torch.inf)
    order = size.argsort(descending=True, stable=True).tolist()[:MOST_ROWS] if edges else []
    several = board.prompts.n > 1
    rows = [
        m.TraceRow(
            sender=edges[index].sender.name,
            edge=edges[index].name,
            effect=m.Real.of(float(effects[index].mean())),
            stderr=m.Real.of(float(standard_error(effects[index]))) if several else None,
            edited=index in edited,
        )
        for index in order
    ]
    return m.Traced(
        request,
        revision=shown.revision,
        site=asked.site,
        part=asked.part,
        receiver=receiver.name,
        how=mode,
        rows=rows,
        omitted=omitted + len(edges) - len(rows),
        by_estimate=omitted > 0,
        elapsed_ms=_since(started),
    ), []


def _chosen(
    board: Board, shown: Shown, edges: list[Edge], receiver: Site, mode: m.Mode, cancel: CancelToken
) -> Generator[None, None, list[int]]:
    """Which edges are computed: all if they are few or cannot be estimated, else those with the largest estimates."""
    everyone = list(range(len(edges)))
    if len(edges) <= MOST_EXACT:
        return everyone
    lab, plan = board.lab, shown.run.plan
    cells = [clicked(one, mode, board.prompts) for one in edges]
    own = compile_plan(cells, lab.adapter, lab.prompts, lab.supply_of(plan)).writes
    reading = lab.reading(plan.base)
    try:
        found = estimate_edges(lab.adapter, plan, own, receiver, metric=lab.metric, reading=reading, cancel=cancel)
    except Cancelled:
        raise
    except Exception as error:
        if not isinstance(error, CircuitboardError) and not ran_out_of_memory(error):
            raise
        # Without a gradient, a known anatomy or the memory: exact cells need none of them.
        return everyone
    yield
    in_force = {edit.intervention.site.component for edit in shown.history.state.edits if edit.enabled}
    size = found.mean(-1).abs().nan_to_num(nan=torch.inf)
    size[[one in in_force for one in edges]] = torch.inf
    return sorted(size.argsort(descending=True, stable=True).tolist()[:MOST_EXACT])


@dataclass(frozen=True)
class Token:
    """A column of one prompt."""

    column: int
    prompt: int

    @classmethod
    def of(cls, request: m.Readers, board: Board) -> Token:
        """The token that a request is about.

        Raises
        ------
        AddressError
            `no_such_prompt`, `position_out_of_range`.
        """
        prompts = board.prompts
        if not 0 <= request.prompt < prompts.n:
            raise AddressError(
                f"There is no prompt {request.prompt}: the board has {prompts.n}.", code="no_such_prompt"
            )
        first = prompts.n_positions - min(prompts.lengths)
        if not first <= request.position < prompts.n_positions:
            raise AddressError(
                f"Column {request.position} is no token of all prompts; these have the columns {first} … {prompts.n_positions - 1}.",
                code="position_out_of_range",
            )
        return cls(request.position, request.prompt)


def readers_reading(request: m.Readers, board: Board) -> Reading:
    """What a request asks for, to be read later, or the reason why it cannot be."""
    token = Token.of(request, board)
    return lambda answered, cancel: read_readers(answered, board, token, cancel)


def read_readers(
    request: str, board: Board, token: Token, cancel: CancelToken
) -> Generator[None, None, tuple[m.ReadBy, list[bytes]]]:
    """The heads that attend most from where the answer is read to a token, and what each entry of their patterns does."""
    started, shown, lab = time.perf_counter(), board.shown, board.lab
    row = lab.prompts.answer_position
    places: list[Place] = [
        ("head.pattern", layer)
        for layer in range(lab.adapter.shape.n_layers)
        if lab.adapter.refusal("head.pattern", layer) is None
    ]
    found = recorded(lab.adapter, shown.run.plan, places, cancel, columns=[row] * lab.prompts.n)
    yield
    heads = [(layer, head) for _, layer in places for head in range(lab.adapter.shape.n_heads)]
    shares = torch.cat([found.activations[place][token.prompt, :, token.column].float().cpu() for place in places])
    order = shares.nan_to_num(nan=-1.0).argsort(descending=True, stable=True).tolist()
    chosen = [index for index in order if shares[index] != 0][:MOST_READERS]
    where = [list(lab.prompts.at_columns([column]) or ()) for column in (row, token.column)]
    cells = [Site("head.pattern", *heads[index]).at(*where).zero() for index in chosen]
    values = yield from board.maps.cells(shown.run, cells, cancel)
    effects = (values - shown.outcome.values).double()
    several = lab.prompts.n > 1
    rows = [
        m.ReaderRow(
            site="{}.{}".format(*heads[index]),
            attention=m.Real.of(float(shares[index])),
            effect=m.Real.of(float(effect.mean())),
            stderr=m.Real.of(float(standard_error(effect))) if several else None,
        )
        for index, effect in zip(chosen, effects, strict=True)
    ]
    return m.ReadBy(
        request,
        revision=shown.revision,
        position=token.column,
        row=row,
        prompt=token.prompt,
        rows=rows,
        omitted=len(heads) - len(rows),
        elapsed_ms=_since(started),
    ), []


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
