"""A whole run with edits, from one that is known: only from the first layer and position where they differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from circuitboard.address import KINDS
from circuitboard.engine.wavefront.pins import Pins
from circuitboard.engine.wavefront.rows import Attended, after_z, attention, mlp, private_of, stream
from circuitboard.engine.wavefront.state import LayerState, State
from circuitboard.errors import there

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.engine.cancel import CancelToken
    from circuitboard.engine.tier import ReceiptBook
    from circuitboard.engine.wavefront.joins import Launch
    from circuitboard.engine.wavefront.layer import Layer
    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.interventions import Plan, Write
    from circuitboard.models.shape import Place


def advance(launch: Launch, known_plan: Plan, plan: Plan, book: ReceiptBook, cancel: CancelToken) -> State:
    """The state of a plan, from the state of another plan on the same base run.

    Parameters
    ----------
    launch, known_plan
        The run to start from.
    book
        Gets the receipt of every write in a layer that is computed.
    """
    known, n_layers = launch.state, len(launch.layers)
    first_layer = plan.first_difference(known_plan, n_layers)
    if first_layer == n_layers:
        return State(known.layers, _told_before(plan, known, known_plan, n_layers, Pins(plan), launch))
    pins = Pins(plan, book.measure)
    acting = [write for write in (*plan.writes, *known_plan.writes) if write.layer >= first_layer]
    first = min(write.where.first for write in acting)
    whole = _told_before(plan, known, known_plan, first_layer, pins, launch)
    messages = {edge: told[None, :, first:] for edge, told in whole.items()}
    found = list(known.layers[:first_layer])
    rows = known.layers[first_layer - 1].post[None, :, first:] if first_layer else None
    clean = True
    for layer in launch.layers[first_layer:]:
        cancel.check()
        before = known.layers[layer.index]
        if rows is None:
            rows = _embedded(launch, first, pins, messages)
        rows = stream(("resid_pre", layer.index), rows, first, pins, messages)
        kept = _kept(layer, known_plan, plan) if clean else None
        state = _layer_state(layer, rows, first, before, kept, pins, launch.sight, messages)
        # Writes that change nothing leave the run as it was, to the last bit.
        clean = clean and _same(layer, known_plan, plan, book)
        found.append(before if clean else state)
        rows = found[-1].post[None, :, first:]
    whole |= {
        edge: _whole(torch.zeros_like(known.final), told[0], first)
        for edge, told in messages.items()
        if edge not in whole
    }
    return State(tuple(found), whole)


def _embedded(launch: Launch, first: int, pins: Pins, messages: dict[Write, Tensor]) -> Tensor:
    """What enters the first block, edits of the embedding carried out."""
    place: Place = ("embed", 0)
    rows = launch.base.activation(("resid_pre", 0))[None, :, first:]
    if pins.at(place) or pins.sent_from(place):
        embed = launch.base.activation(place)[None, :, first:]
        edited = pins.apply(place, embed.clone(), first)
        # Not rows + (edited − embed): where the embedding is all there is, that would round to its old size.
        rows = (rows - launch.embed_scale * embed) + launch.embed_scale * edited
        for edge in pins.sent_from(place):
            messages[edge] = launch.embed_scale * pins.change(edge, edited, first)
    return rows


def _layer_state(
    layer: Layer,
    rows: Tensor,
    first: int,
    before: LayerState,
    kept: str | None,
    pins: Pins,
    sight: Sight,
    messages: dict[Write, Tensor],
) -> LayerState:
    """One block, all of it kept."""
    index, pre, mid, out = layer.index, rows, None, None
    state = before
    if kept in ("mid", "mlp_out"):
        attn_out = before.attn_out[None, :, first:]
        if before.mid is not None:
            mid = stream(("resid_mid", index), before.mid[None, :, first:], first, pins, messages)
    else:
        if kept == "attn_out":
            attn_out = pins.apply(("attn_out", index), before.attn_out[None, :, first:].clone(), first)
            state = replace(before, attn_out=_whole(before.attn_out, attn_out[0], first))
        else:
            if kept == "z":
                attended = after_z(layer, before.z[None, :, first:].clone(), first, pins)
            else:
                attended = attention(layer, rows, first, first, before, pins, sight, messages)
            messages.update(attended.messages)
            attn_out, state = attended.attn_out, _attended(layer, before, attended, first)
        if layer.has_mid:
            mid = stream(("resid_mid", index), rows + attn_out, first, pins, messages)
    if kept == "mlp_out":
        out = pins.apply(("mlp_out", index), there(before.mlp_out)[None, :, first:].clone(), first)
    elif layer.block.mlp is not None:
        out, told = mlp(layer, rows if mid is None else mid, first, pins, messages)
        messages.update(told)
    rows = rows + attn_out if mid is None else mid
    rows = stream(("resid_post", index), rows if out is None else rows + out, first, pins, messages)

    def whole(kept: Tensor | None, new: Tensor | None) -> Tensor | None:
        return None if new is None else _whole(kept, new[0], first)

    return replace(
        state,
        pre=_whole(before.pre, pre[0], first),
        mid=whole(before.mid, mid),
        mlp_out=whole(before.mlp_out, out),
        post=_whole(before.post, rows[0], first),
    )


def _attended(layer: Layer, before: LayerState, new: Attended, first: int) -> LayerState:
    private = {}
    for head, pair in new.private.items():
        k, v = (_whole(kept, rows[0], first) for kept, rows in zip(private_of(layer, before, head), pair, strict=True))
        private[head] = (k, v)

    def whole(kept: Tensor, rows: Tensor | None) -> Tensor:
        return kept if rows is None else _whole(kept, rows[0], first)

    raw = before.attn_raw if new.attn_raw is None else _whole(before.attn_raw, new.attn_raw[0], first)
    return replace(
        before,
        q=whole(before.q, new.q),
        k=whole(before.k, new.k),
        v=whole(before.v, new.v),
        z=whole(before.z, new.z),
        attn_raw=raw,
        attn_out=whole(before.attn_out, new.attn_out),
        private=private,
    )


def _whole(kept: Tensor | None, rows: Tensor, first: int) -> Tensor:
    """Rows [batch, pos, …] from `first` on, after those that have not changed."""
    if not first:
        return rows
    return torch.cat((there(kept)[:, :first], rows), 1)


def _kept(layer: Layer, known_plan: Plan, plan: Plan) -> str | None:
    """The latest activation of a block that stands in the known run as it is before the edits of it, if any."""
    index = layer.index
    if any(index in (edge.layer, edge.place[1]) for edge in (*plan.edges, *known_plan.edges)):
        return None
    here, before = (
        min((KINDS.index(write.place[0]) for write in one.writes if write.layer == index), default=len(KINDS))
        for one in (plan, known_plan)
    )
    kinds = {"mlp_out": layer.block.mlp is not None, "resid_mid": layer.has_mid, "attn_out": True, "head": True}
    for kind, exists in kinds.items():
        if exists and here >= KINDS.index(kind) < before:
            return {"resid_mid": "mid", "head": "z"}.get(kind, kind)
    return None


def _same(layer: Layer, known_plan: Plan, plan: Plan, book: ReceiptBook) -> bool:
    """Whether a block's edits are those of the known run, and others that change nothing."""
    before = [write.intervention for write in known_plan.writes if write.layer == layer.index]
    here = [write for write in plan.writes if write.layer == layer.index]
    if plan.edges or [write.intervention for write in here[: len(before)]] != before:
        return False
    return not any(book.changed(write) for write in here[len(before) :])


def _told_before(
    plan: Plan, known: State, known_plan: Plan, first_layer: int, pins: Pins, launch: Launch
) -> dict[Write, Tensor]:
    """Messages whose senders lie below the first layer that is computed, and so speak as in the known run."""
    n = launch.sight.n_positions
    spoken = {edge.intervention: known.messages[edge] for edge in known_plan.edges}
    told = {}
    for edge in plan.edges:
        if edge.layer < first_layer:
            told[edge] = spoken[edge.intervention]
        elif edge.place[1] < first_layer:
            told[edge] = launch.message(edge, 0, n, pins)[0]
    return told
