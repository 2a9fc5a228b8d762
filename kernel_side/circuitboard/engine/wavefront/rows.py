"""Changed rows going through a block, the edits in force carried out on the way.

Rows have the axes [cell, batch, pos, …], their first position is `first`. `start` is the first position whose
output is wanted: `first`, or the last position where nothing later reads the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.wavefront.attention import (
    PARTS,
    Projected,
    attend,
    attend_absorbed,
    attend_to_one,
    one_head,
    project,
    project_head,
    summed,
)
from circuitboard.engine.wavefront.turn import turned
from circuitboard.errors import there

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine.wavefront.attention import Messages
    from circuitboard.engine.wavefront.layer import Layer
    from circuitboard.engine.wavefront.pins import Pins
    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.engine.wavefront.state import LayerState
    from circuitboard.interventions import Write
    from circuitboard.models.anatomy import Norm
    from circuitboard.models.shape import Place


@dataclass(frozen=True, eq=False)
class Attended:
    """What attention computed of some rows; fields as in `LayerState`, with an axis for cells in front."""

    q: Tensor | None
    k: Tensor | None
    v: Tensor | None
    z: Tensor
    attn_raw: Tensor | None
    attn_out: Tensor
    private: Mapping[int, tuple[Tensor, Tensor]]
    messages: dict[Write, Tensor]


def attention(
    layer: Layer,
    rows: Float[Tensor, "cell batch pos d_model"],
    first: int,
    start: int,
    state: LayerState,
    pins: Pins,
    sight: Sight,
    messages: Messages,
) -> Attended:
    """What attention adds where all rows from `first` on have changed."""
    if start > first and _can_absorb(layer, rows.shape[2], pins):
        normed = layer.block.ln1(rows)
        asking = normed[:, :, start - first :]
        q = layer.query(asking.flatten(0, 2)).unflatten(0, asking.shape[:3])
        if pins.at(("head.q", layer.index)):
            q = pins.apply(("head.q", layer.index), q.clone(), start)
        attn = layer.block.attn
        q = turned(q, attn, attn.q_norm, sight, start, cells=True) * attn.scale
        z = attend_absorbed(layer, q, normed, first, state, pins, sight)
        return after_z(layer, z, start, pins)
    found = project(layer, rows, first, start, pins, sight, messages)
    z = attend(layer, found.q, found.k, found.v, first, start, state, pins, sight)
    private = {}
    for index, edges in pins.received_by(("head", layer.index)).items():
        head = there(index)
        hearing = rows + summed(edges, messages)
        z[..., head, :], private[head] = _heard(
            layer, found, hearing, head, first, start, private_of(layer, state, head) if first else None, pins, sight
        )
    return after_z(layer, z, start, pins, found, private)


def attention_to_one(
    layer: Layer,
    row: Float[Tensor, "cell batch d_model"],
    first: int,
    start: int,
    scores: Float[Tensor, "batch kv group dest src"],
    state: LayerState,
    pins: Pins,
    sight: Sight,
) -> Attended:
    """What attention adds where the row at `first` alone has changed."""
    found = project(layer, row[:, :, None], first, first, pins, sight, {})
    z = attend_to_one(layer, found, first, start, scores, state, pins, sight)
    return after_z(layer, z, start, pins)


def mlp(
    layer: Layer, rows: Float[Tensor, "cell batch pos d_model"], first: int, pins: Pins, messages: Messages
) -> tuple[Float[Tensor, "cell batch pos d_model"], dict[Write, Tensor]]:
    """What the MLP adds, from the residual stream that it reads, and what it tells its receivers."""
    unit_place: Place = ("neuron", layer.index)
    out_place: Place = ("mlp_out", layer.index)
    flat = rows.flatten(0, 2)
    if not any(pins.at(place) or pins.sent_from(place) or pins.received_by(place) for place in (unit_place, out_place)):
        return layer.mlp(flat).view_as(rows), {}
    block = there(layer.block.mlp)

    def added(read: Tensor, *, measured: bool) -> tuple[Tensor, Tensor, Tensor]:
        units = layer.neurons(read.flatten(0, 2)).unflatten(0, read.shape[:3])
        units = pins.apply(unit_place, units, first, measured=measured)
        raw = layer.down(units.flatten(0, 2)).view_as(read)
        return units, raw, raw if block.post_norm is None else block.post_norm(raw)

    units, raw, out = added(rows, measured=True)
    for edges in pins.received_by(out_place).values():
        out = added(rows + summed(edges, messages), measured=False)[2]
    out = pins.apply(out_place, out.clone() if out is raw else out, first)
    sent = {}
    for edge in pins.sent_from(unit_place):
        neuron = there(edge.index)
        change = pins.change(edge, units[..., neuron : neuron + 1], first)
        sent[edge] = passed(change * block.down.weight[:, neuron], raw, block.post_norm)
    for edge in pins.sent_from(out_place):
        sent[edge] = pins.change(edge, out, first)
    return out, sent


def messages_of(
    layer: Layer,
    z: Float[Tensor, "cell batch pos head d_head"],
    raw: Float[Tensor, "cell batch pos d_model"] | None,
    attn_out: Float[Tensor, "cell batch pos d_model"],
    first: int,
    pins: Pins,
) -> dict[Write, Tensor]:
    """What the heads and the attention of a block tell their receivers."""
    sent = {}
    for edge in pins.sent_from(("head", layer.index)):
        head = there(edge.index)
        change = pins.change(edge, z[..., head, :], first) @ layer.w_o[head]
        sent[edge] = passed(change, raw, layer.block.attn.post_norm)
    for edge in pins.sent_from(("attn_out", layer.index)):
        sent[edge] = pins.change(edge, attn_out, first)
    return sent


def stream(
    place: Place, rows: Float[Tensor, "cell batch pos d_model"], first: int, pins: Pins, messages: Messages
) -> Float[Tensor, "cell batch pos d_model"]:
    """The residual stream at a place, after edges and edits of it."""
    for edges in pins.received_by(place).values():
        rows = rows + summed(edges, messages)
    return pins.apply(place, rows.clone(), first) if pins.at(place) else rows


def attended(
    layer: Layer, z: Float[Tensor, "cell batch pos head d_head"], start: int, pins: Pins
) -> Float[Tensor, "cell batch pos d_model"]:
    """What attention adds before a post-norm, edits of single results carried out."""
    results: dict[int, Tensor] = {}
    for write in pins.at(("head.result", layer.index)):
        head = there(write.index)
        if head not in results:
            results[head] = z[..., head, :] @ layer.w_o[head]
        pins.write(write, results[head], start)
    if results:
        # The others are summed without the edited ones: a difference would leave its rounding.
        z = z.clone()
        z[..., list(results), :] = 0
    raw: Tensor = layer.out(z.flatten(0, 2).flatten(1)).unflatten(0, z.shape[:3])
    for result in results.values():
        raw = raw + result
    return raw


def after_z(
    layer: Layer,
    z: Float[Tensor, "cell batch pos head d_head"],
    start: int,
    pins: Pins,
    found: Projected | None = None,
    private: Mapping[int, tuple[Tensor, Tensor]] | None = None,
) -> Attended:
    """From `z`, a tensor of our own, to what attention adds."""
    index, attn = layer.index, layer.block.attn
    pins.apply(("head", index), z, start)
    raw = attended(layer, z, start, pins)
    out = raw if attn.post_norm is None else attn.post_norm(raw)
    if pins.at(("attn_out", index)):
        out = pins.apply(("attn_out", index), out.clone(), start)
    sent = messages_of(layer, z, raw, out, start, pins)
    q, k, v = (None, None, None) if found is None else (found.q, found.k, found.v)
    return Attended(q, k, v, z, None if attn.post_norm is None else raw, out, private or {}, sent)


def _heard(
    layer: Layer,
    found: Projected,
    hearing: Float[Tensor, "cell batch pos d_model"],
    head: int,
    first: int,
    start: int,
    kept: tuple[Tensor, Tensor] | None,
    pins: Pins,
    sight: Sight,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """`z` of a head that alone reads another residual stream, and the keys and values that it sees there."""
    attn, cells = layer.block.attn, hearing.shape[0]
    parts = []
    for kind, norm, at in zip(PARTS, (attn.q_norm, attn.k_norm, None), (start, first, first), strict=True):
        place, index = (kind, layer.index), head if kind == "head.q" else head // layer.group
        if index in pins.received_by(place):
            shared = {"head.q": found.q, "head.k": found.k, "head.v": found.v}[kind]
            parts.append(shared[..., index, :])
            continue
        part = project_head(layer, kind, hearing[:, :, at - first :], index)
        part = pins.apply(place, part, at, [index] * cells, measured=False)
        if kind != "head.v":
            part = turned(part[..., None, :], attn, norm, sight, at, cells=True)[..., 0, :]
        parts.append(part * attn.scale if kind == "head.q" else part)
    q, k, v = parts
    own = (k, v)
    if kept is not None:
        k, v = (
            torch.cat((old[None, :, :first].expand(cells, -1, -1, -1), new), 2)
            for old, new in zip(kept, own, strict=True)
        )
    return one_head(layer, q, k, v, start, [head] * cells, pins, sight), own


def private_of(layer: Layer, state: LayerState, head: int) -> tuple[Tensor, Tensor]:
    """The keys and values that a head sees, [batch, pos, d_head]: its own if it reads another stream, else its group's."""
    kv = head // layer.group
    return state.private.get(head, (state.k[:, :, kv], state.v[:, :, kv]))


def passed(change: Tensor, raw: Tensor | None, norm: Norm | None) -> Tensor:
    """A change of an output, after the norm that follows it."""
    if norm is None:
        return change
    raw = there(raw)  # kept where a norm follows
    return norm(raw + change) - norm(raw)


def _can_absorb(layer: Layer, n_rows: int, pins: Pins) -> bool:
    """Whether W_K and W_V may be applied to the one query instead of to every row, and are cheaper so."""
    attn, index = layer.block.attn, layer.index
    plain = attn.rotary is None and attn.k_norm is None and attn.score_dtype is None
    edited = any(pins.at((kind, index)) for kind in ("head.k", "head.v"))
    hearing = any(pins.received_by((kind, index)) for kind in (*PARTS, "head"))
    return plain and not edited and not hearing and layer.group * (attn.d_head + n_rows) < n_rows * attn.d_head
