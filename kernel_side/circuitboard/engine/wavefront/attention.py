"""Attention of changed rows: their queries against the keys kept of the run and against each other's.

Rows have the axes [cell, batch, pos, …], their first position is `first`. Query heads are grouped by the
key-value head that they read, so keys and values are never repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812

from circuitboard.engine.wavefront.turn import turned
from circuitboard.errors import there

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Kind
    from circuitboard.engine.wavefront.layer import Layer
    from circuitboard.engine.wavefront.pins import Pins
    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.engine.wavefront.state import LayerState
    from circuitboard.interventions import Write
    from circuitboard.models.anatomy import Attention
    from circuitboard.models.shape import Place

    Messages = Mapping[Write, Tensor]
    """For each edge in force, what its sender adds to what the receiver reads, [cell, batch, pos, d_model]."""

PARTS: tuple[Kind, ...] = ("head.q", "head.k", "head.v")


def softmaxed(scores: Float[Tensor, "*rows src"], attn: Attention, dtype: torch.dtype) -> Float[Tensor, "*rows src"]:
    """Attention probabilities in `dtype`, computed as the model does."""
    return scores.softmax(-1, dtype=attn.softmax_dtype).to(dtype)


def capped(scores: Float[Tensor, "*rows src"], attn: Attention) -> Float[Tensor, "*rows src"]:
    """Scores after the soft cap, if there is one."""
    return scores if attn.softcap is None else attn.softcap * torch.tanh(scores / attn.softcap)


@dataclass(frozen=True, eq=False)
class Projected:
    """Queries, keys and values of changed rows [cell, batch, pos, head, d_head], ready for the scores."""

    q: Tensor
    k: Tensor
    v: Tensor


def project(
    layer: Layer,
    rows: Float[Tensor, "cell batch pos d_model"],
    first: int,
    start: int,
    pins: Pins,
    sight: Sight,
    messages: Messages,
) -> Projected:
    """Queries (from position `start` on), keys and values of rows of the residual stream, edits carried out."""
    attn = layer.block.attn
    cells, batch = rows.shape[:2]
    normed = layer.block.ln1(rows)
    flat, asking = normed.flatten(0, 2), normed[:, :, start - first :]
    found = {
        kind: part.unflatten(0, (cells, batch, -1))
        for kind, part in zip(PARTS, layer.qkv(flat, asking.flatten(0, 2)), strict=True)
    }
    for kind, part in found.items():
        place, at = (kind, layer.index), start if kind == "head.q" else first
        heard = pins.received_by(place)
        if not heard and not pins.at(place):
            continue
        part = found[kind] = part.clone()  # noqa: PLW2901  the projections' own memory stays as it is
        for head, edges in heard.items():
            hearing = (rows + summed(edges, messages))[:, :, at - first :]
            part[..., head, :] = project_head(layer, kind, hearing, there(head))
        pins.apply(place, part, at)
    return Projected(
        turned(found["head.q"], attn, attn.q_norm, sight, start, cells=True) * attn.scale,
        turned(found["head.k"], attn, attn.k_norm, sight, first, cells=True),
        found["head.v"],
    )


def project_head(
    layer: Layer, kind: Kind, rows: Float[Tensor, "*rows d_model"], head: int
) -> Float[Tensor, "*rows d_head"]:
    """The query, key or value of one head, before norms, positions and edits."""
    attn = layer.block.attn
    linear = {"head.q": attn.q, "head.k": attn.k, "head.v": attn.v}[kind]
    part = slice(head * attn.d_head, (head + 1) * attn.d_head)
    bias = None if linear.bias is None else linear.bias[part]
    return F.linear(layer.block.ln1(rows), linear.weight[part], bias)


def summed(edges: Sequence[Write], messages: Messages) -> Float[Tensor, "cell batch pos d_model"]:
    """What a receiver hears in all."""
    return torch.stack([messages[edge] for edge in edges]).sum(0)


def attend(
    layer: Layer,
    q: Float[Tensor, "cell batch dest head d_head"],
    k: Float[Tensor, "cell batch pos kv d_head"],
    v: Float[Tensor, "cell batch pos kv d_head"],
    first: int,
    start: int,
    state: LayerState,
    pins: Pins,
    sight: Sight,
) -> Float[Tensor, "cell batch dest head d_head"]:
    """`z` of rows from position `start` on, where all positions from `first` on have changed."""
    attn, group = layer.block.attn, layer.group
    cells, batch, n_dest, heads, d_head = q.shape
    kv, n = attn.n_kv_heads, k.shape[2]
    # [batch, kv, cell, group · dest, d_head] against [batch, kv, cell, pos, d_head]
    qs = q.view(cells, batch, n_dest, kv, group, d_head).permute(1, 3, 0, 4, 2, 5).contiguous()
    ks, vs = (x.permute(1, 3, 0, 2, 4) for x in (k, v))
    scores = qs.new_empty(batch, kv, cells, group, n_dest, first + n)
    if first:
        kept = state.k[:, :first].permute(0, 2, 3, 1)
        scores[..., :first] = (qs.view(batch, kv, -1, d_head) @ kept).view(batch, kv, cells, group, n_dest, first)
    fresh = qs.view(batch, kv, cells, group * n_dest, d_head) @ ks.transpose(-1, -2)
    scores[..., first:] = fresh.view(batch, kv, cells, group, n_dest, n)
    scores = capped(scores, attn)
    scores += sight.mask(attn.window)[:, None, None, None, start : start + n_dest]
    pattern = edited_pattern(layer, softmaxed(scores, attn, v.dtype), start, pins)
    z = pattern[..., first:].reshape(batch, kv, cells, group * n_dest, n) @ vs
    if first:
        kept = state.v[:, :first].transpose(1, 2)
        old = pattern[..., :first].reshape(batch, kv, -1, first) @ kept
        z += old.view(batch, kv, cells, group * n_dest, d_head)
    z = z.view(batch, kv, cells, group, n_dest, d_head).permute(2, 0, 4, 1, 3, 5)
    return z.reshape(cells, batch, n_dest, heads, d_head)


def attend_to_one(
    layer: Layer,
    row: Projected,
    first: int,
    start: int,
    scores: Float[Tensor, "batch kv group dest src"],
    state: LayerState,
    pins: Pins,
    sight: Sight,
) -> Float[Tensor, "cell batch dest head d_head"]:
    """`z` of rows from position `start` on, where position `first` alone has changed.

    One column of the scores changes, and at `first` itself the whole row; nothing else is projected again.

    Parameters
    ----------
    row
        Queries, keys and values at `first`, [cell, batch, 1, head, d_head].
    scores
        Of the run, as `kept_scores` gives them, for the positions from `start` on.
    """
    attn, group, kv = layer.block.attn, layer.group, layer.block.attn.n_kv_heads
    cells, batch = row.q.shape[:2]
    n_dest, _ = scores.shape[-2:]
    mask = sight.mask(attn.window)
    k, v = (x[:, :, 0].permute(1, 2, 0, 3) for x in (row.k, row.v))  # [batch, kv, cell, d_head]
    new = scores[:, :, None].expand(-1, -1, cells, -1, -1, -1).clone()  # [batch, kv, cell, group, dest, src]
    below = max(first + 1, start)
    if below < start + n_dest:
        later = state.q[:, below : start + n_dest].unflatten(2, (kv, group)).permute(0, 2, 4, 3, 1)
        column = k @ later.reshape(batch, kv, k.shape[-1], -1)
        column = capped(column.unflatten(-1, (group, -1)), attn)
        new[..., below - start :, first] = column + mask[:, None, None, None, below : start + n_dest, first]
    if start == first:
        q = row.q[:, :, 0].unflatten(2, (kv, group)).permute(1, 2, 0, 3, 4)  # [batch, kv, cell, group, d_head]
        old = q.flatten(2, 3) @ state.k[:, : first + 1].permute(0, 2, 3, 1)
        old = old.unflatten(2, (cells, group))
        old[..., first] = (q * k[:, :, :, None]).sum(-1)
        new[..., 0, : first + 1] = capped(old, attn) + mask[:, None, None, None, first, : first + 1]
    pattern = edited_pattern(layer, softmaxed(new, attn, v.dtype), start, pins)
    at = pattern[..., first].clone()
    pattern[..., first] = 0
    z = pattern.flatten(2, 4) @ state.v.transpose(1, 2)
    z = z.unflatten(2, (cells, group, n_dest)) + at[..., None] * v[:, :, :, None, None]
    by_cell: Tensor = z.permute(2, 0, 4, 1, 3, 5).reshape(cells, batch, n_dest, attn.n_heads, attn.d_head)
    return by_cell


def attend_absorbed(
    layer: Layer,
    q: Float[Tensor, "cell batch 1 head d_head"],
    normed: Float[Tensor, "cell batch pos d_model"],
    first: int,
    state: LayerState,
    pins: Pins,
    sight: Sight,
) -> Float[Tensor, "cell batch 1 head d_head"]:
    """`z` of the last position alone, with W_K and W_V applied to it instead of to every row.

    q · (W_K h + b) = (W_Kᵀ q) · h + q · b, and Σ aᵢ (W_V hᵢ + b) = W_V (Σ aᵢ hᵢ) + b Σ aᵢ. Only where keys are
    neither turned nor normed, and no edit acts on keys or values.
    """
    attn, group, kv = layer.block.attn, layer.group, layer.block.attn.n_kv_heads
    cells, batch, _, heads, d_head = q.shape
    rows, n = cells * batch, normed.shape[2]
    h = normed.reshape(rows, n, -1)
    w_k, w_v = (part.weight.unflatten(0, (kv, d_head)) for part in (attn.k, attn.v))
    by_head = q.view(rows, kv, group, d_head).permute(1, 0, 2, 3).reshape(kv, rows * group, d_head)
    absorbed = (by_head @ w_k).view(kv, rows, group, -1).transpose(0, 1).reshape(rows, heads, -1)
    fresh = absorbed @ h.transpose(1, 2)  # [row, head, pos]
    if attn.k.bias is not None:
        bias = attn.k.bias.view(kv, 1, d_head)
        fresh += (q.view(rows, kv, group, d_head) * bias).sum(-1).view(rows, heads, 1)
    scores = fresh.new_empty(batch, kv, cells, group, 1, first + n)
    scores[..., first:] = fresh.view(cells, batch, kv, group, 1, n).permute(1, 2, 0, 3, 4, 5)
    qs = q.view(cells, batch, kv, group, d_head).permute(1, 2, 0, 3, 4).reshape(batch, kv, cells * group, d_head)
    if first:
        kept = qs @ state.k[:, :first].permute(0, 2, 3, 1)
        scores[..., :first] = kept.view(batch, kv, cells, group, 1, first)
    scores = capped(scores, attn) + sight.mask(attn.window)[:, None, None, None, -1:]
    pattern = edited_pattern(layer, softmaxed(scores, attn, h.dtype), first + n - 1, pins)
    new = pattern[..., first:].permute(2, 0, 1, 3, 4, 5).reshape(rows, heads, n)
    mixed = (new @ h).view(rows, kv, group, -1).permute(1, 0, 2, 3).reshape(kv, rows * group, -1)
    z: Tensor = (mixed @ w_v.transpose(1, 2)).view(kv, rows, group, d_head).transpose(0, 1).reshape(rows, heads, d_head)
    if attn.v.bias is not None:
        bias = attn.v.bias.view(kv, 1, d_head).expand(kv, group, d_head).reshape(heads, d_head)
        z += bias * new.sum(-1, keepdim=True)
    z = z.view(cells, batch, 1, heads, d_head)
    if first:
        old = pattern[..., :first].reshape(batch, kv, cells * group, first) @ state.v[:, :first].transpose(1, 2)
        z += old.view(batch, kv, cells, group, d_head).permute(2, 0, 1, 3, 4).reshape(cells, batch, 1, heads, d_head)
    return z


def kept_scores(layer: Layer, state: LayerState, start: int, sight: Sight) -> Float[Tensor, "batch kv group dest src"]:
    """The masked scores of a run for the positions from `start` on."""
    attn = layer.block.attn
    q = state.q[:, start:].unflatten(2, (attn.n_kv_heads, layer.group)).permute(0, 2, 3, 1, 4)
    scores = q.flatten(2, 3) @ state.k.permute(0, 2, 3, 1)
    scores = capped(scores.unflatten(2, (layer.group, -1)), attn)
    masked: Tensor = scores + sight.mask(attn.window)[:, None, None, start:]
    return masked


def edited_pattern(
    layer: Layer, pattern: Float[Tensor, "batch kv cell group dest src"], start: int, pins: Pins
) -> Float[Tensor, "batch kv cell group dest src"]:
    """Attention probabilities after the edits of them."""
    place: Place = ("head.pattern", layer.index)
    if not pins.at(place):
        return pattern
    heads = pattern.permute(2, 0, 1, 3, 4, 5).flatten(2, 3).contiguous()
    pins.apply(place, heads, start)
    grouped: Tensor = heads.unflatten(2, (-1, layer.group)).permute(1, 2, 0, 3, 4, 5).contiguous()
    return grouped


def one_head(
    layer: Layer,
    q: Float[Tensor, "cell batch dest d_head"],
    k: Float[Tensor, "#cell batch src d_head"],
    v: Float[Tensor, "#cell batch src d_head"],
    start: int,
    heads: Sequence[int],
    pins: Pins,
    sight: Sight,
) -> Float[Tensor, "cell batch dest d_head"]:
    """`z` of one head a cell, from its queries at positions from `start` on and its keys and values everywhere."""
    return pattern_of(layer, q, k, start, heads, pins, sight) @ v


def pattern_of(
    layer: Layer,
    q: Float[Tensor, "cell batch dest d_head"],
    k: Float[Tensor, "#cell batch src d_head"],
    start: int,
    heads: Sequence[int],
    pins: Pins,
    sight: Sight,
) -> Float[Tensor, "cell batch dest src"]:
    """Attention probabilities of one head a cell, after the edits of them."""
    attn = layer.block.attn
    scores = capped(q @ k.transpose(-1, -2), attn)
    scores = scores + sight.mask(attn.window)[:, start : start + q.shape[2]]
    pattern = softmaxed(scores, attn, sight.dtype)
    return pins.apply(("head.pattern", layer.index), pattern, start, heads, measured=False)
