"""Where a cell joins the wave: one more write, turned into new rows of the residual stream.

A head's `z` becomes mid + Δz · W_O, a neuron post + Δa · W_out; a query, key, value or pattern is followed through its
own head to that head's Δz. All cells of a group write the same kind of activation in the same layer at the same
positions and differ in the head or neuron, so they join together. A change passes the edits in force on its way
multiplied by their gains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.wavefront.attention import PARTS, one_head, pattern_of, project_head
from circuitboard.engine.wavefront.join import Join
from circuitboard.engine.wavefront.rows import attended, passed, stream
from circuitboard.engine.wavefront.turn import turned
from circuitboard.errors import there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.engine.wavefront.layer import Layer
    from circuitboard.engine.wavefront.pins import Pins
    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.engine.wavefront.state import LayerState, State
    from circuitboard.interventions import Write
    from circuitboard.models.anatomy import Norm
    from circuitboard.models.shape import Place
    from circuitboard.runs import CachedRun


@dataclass(frozen=True, eq=False)
class Launch:
    """What joins are made from: the model, the base run, and the run with the edits in force."""

    layers: tuple[Layer, ...]
    base: CachedRun
    state: State
    pins: Pins
    sight: Sight
    embed_scale: float

    def join(self, writes: Sequence[Write], first: int, stop: int) -> Join:
        """The rows of cells that each add one of `writes`, which differ only in the head or neuron they act on.

        `first` … `stop` − 1 are the positions where the writes change something.
        """
        receiver = writes[0].receiver
        if receiver is not None:
            message = self.message(writes[0], first, stop, self.pins)
            joined, unchanged = self._edge(writes, receiver[0], message, first), ~message.any().expand(len(writes))
        else:
            place, indices = writes[0].place, [write.index for write in writes]
            before = self.part(place, indices, first, stop)
            after = self._written(writes, before, first)
            joined, unchanged = self._joined(place, indices, before, after, first), _equal(before, after)
        kept = self.kept(joined)[:, first : first + joined.rows.shape[2]]
        return replace(joined, unchanged=unchanged | _equal(kept[None], joined.rows))

    def kept(self, joined: Join) -> Float[Tensor, "batch pos d_model"]:
        """The stream of the run where cells join."""
        if joined.layer == len(self.layers):
            return self.state.final
        state = self.state.layers[joined.layer]
        return there(state.mid) if joined.within else state.pre

    def _joined(  # noqa: PLR0911  one a kind
        self, place: Place, indices: Sequence[int | None], before: Tensor, after: Tensor, first: int
    ) -> Join:
        """From a new part of an activation a cell, [cell, batch, pos, d]."""
        kind, layer = place
        if kind == "head.pattern" or kind in PARTS:
            return self._from_part(kind, layer, _numbers(indices), after, first)
        if kind == "head":
            return self._from_z(layer, [(_numbers(indices), after)], first)
        if kind == "head.result":
            return self._from_result(layer, _numbers(indices), before, after, first)
        if kind == "attn_out":
            return self._after_attention(layer, after, first)
        if kind == "neuron":
            return self._from_neurons(layer, _numbers(indices), after - before, first)
        if kind == "mlp_out":
            return self._after_mlp(layer, after, first)
        if kind == "resid_post":
            return self._enter(layer + 1, after, first)
        if kind == "embed":
            stop = first + after.shape[2]
            entered = self.base.activation(("resid_pre", 0))[:, first:stop]
            embed = self.base.activation(place)[:, first:stop]
            return self._enter(0, (entered - self.embed_scale * embed) + self.embed_scale * after, first)
        return Join(layer, within=kind == "resid_mid", rows=after)

    def part(  # noqa: PLR0911  one a kind
        self, place: Place, indices: Sequence[int | None], first: int, stop: int
    ) -> Float[Tensor, "cell batch pos d"]:
        """The part of an activation of the run that each index names, edits in force carried out."""
        kind, index = place
        state, layer, n = self.state.layers[index], self.layers[index], len(indices)
        if kind == "head":
            return state.z[:, first:stop, _numbers(indices)].permute(2, 0, 1, 3)
        if kind in PARTS:
            heads = _numbers(indices)
            rows = state.pre[:, first:stop]
            return self.pins.apply(
                place, torch.stack([project_head(layer, kind, rows, head) for head in heads]), first, heads
            )
        if kind == "head.pattern":
            heads = _numbers(indices)
            q, k, _ = self._heads(layer, state, heads, first)
            return pattern_of(layer, q[:, :, : stop - first], k, first, heads, self.pins, self.sight)
        if kind == "head.result":
            heads = _numbers(indices)
            z = state.z[:, first:stop, heads].permute(2, 0, 1, 3)
            return self.pins.apply(place, z @ layer.w_o[heads][:, None], first, heads)
        if kind == "neuron":
            return self._neurons(layer, state, first, stop)[..., _numbers(indices)].permute(2, 0, 1)[..., None]
        if kind == "embed":
            rows = self.base.activation(place)[None, :, first:stop]
            return self.pins.apply(place, rows.clone(), first).expand(n, -1, -1, -1)
        kept = {
            "attn_out": state.attn_out,
            "mlp_out": state.mlp_out,
            "resid_pre": state.pre,
            "resid_mid": state.mid,
            "resid_post": state.post,
        }[kind]
        return there(kept)[None, :, first:stop].expand(n, -1, -1, -1)

    # --- attention ------------------------------------------------------------------------------------

    def _from_part(
        self, kind: str, index: int, found: list[int], after: Float[Tensor, "cell batch pos d"], first: int
    ) -> Join:
        """From new queries, keys, values or patterns to the `z` of the query heads that they reach."""
        layer, state = self.layers[index], self.state.layers[index]
        attn = layer.block.attn

        def written(heads: list[int], z: Tensor) -> tuple[list[int], Tensor]:
            return heads, self.pins.apply(("head", index), z, first, heads)

        if kind == "head.pattern":
            _, _, v = self._heads(layer, state, found, first)
            return self._from_z(index, [written(found, after @ v)], first)
        if kind == "head.q":
            q = self._turned(after, attn.q_norm, layer, first) * attn.scale
            _, k, v = self._heads(layer, state, found, first)
            z = one_head(layer, q, k, v, first, found, self.pins, self.sight)
            return self._from_z(index, [written(found, z)], first)
        if kind == "head.k":
            after = self._turned(after, attn.k_norm, layer, first)
        # Keys and values reach all later queries of every head of their group.
        reached = []
        for member in range(layer.group):
            heads = [kv * layer.group + member for kv in found]
            q, k, v = self._heads(layer, state, heads, first)
            kept = k if kind == "head.k" else v
            new = torch.cat((kept[:, :, :first], after, kept[:, :, first + after.shape[2] :]), 2)
            k, v = (new, v) if kind == "head.k" else (k, new)
            reached.append(written(heads, one_head(layer, q, k, v, first, heads, self.pins, self.sight)))
        return self._from_z(index, reached, first)

    def _from_z(self, index: int, reached: Sequence[tuple[list[int], Tensor]], first: int) -> Join:
        """From new `z`, of one head a cell or of several in turn, to what attention adds."""
        layer, state = self.layers[index], self.state.layers[index]
        cells, _, length, _ = reached[0][1].shape
        norm = layer.block.attn.post_norm
        if norm is None:
            changes = [
                self._result(index, heads, z - state.z[:, first : first + length, heads].permute(2, 0, 1, 3), first)
                for heads, z in reached
            ]
            return self._from_attention(index, torch.stack(changes).sum(0) if changes[1:] else changes[0], first)
        # A norm divides by what is left, which must not be the rounding of a difference: all heads are summed again.
        whole = state.z[None, :, first : first + length].repeat(cells, 1, 1, 1, 1)
        for heads, z in reached:
            whole[torch.arange(cells), :, :, heads] = z
        return self._after_norm(index, norm, attended(layer, whole, first, self.pins), first)

    def _from_result(self, index: int, heads: list[int], before: Tensor, after: Tensor, first: int) -> Join:
        """From a new result of one head a cell to what attention adds."""
        layer, state = self.layers[index], self.state.layers[index]
        place: Place = ("head.result", index)
        norm = layer.block.attn.post_norm
        if norm is None:
            return self._from_attention(index, after - before, first)
        cells, _, length, _ = after.shape
        whole = state.z[None, :, first : first + length].repeat(cells, 1, 1, 1, 1)
        whole[torch.arange(cells), :, :, heads] = 0
        pinned = sorted({there(write.index) for write in self.pins.at(place)})
        whole[..., pinned, :] = 0
        raw = layer.out(whole.flatten(0, 2).flatten(1)).view_as(after) + after
        for head in pinned:
            others = [cell for cell, own in enumerate(heads) if own != head]
            raw[others] += self.part(place, [head], first, first + length)
        return self._after_norm(index, norm, raw, first)

    def _after_norm(self, index: int, norm: Norm, raw: Float[Tensor, "cell batch pos d_model"], first: int) -> Join:
        """From attention's output before its post-norm."""
        return self._after_attention(index, self.pins.apply(("attn_out", index), norm(raw), first), first)

    def _result(
        self, index: int, heads: list[int], change: Float[Tensor, "cell batch pos d_head"], first: int
    ) -> Float[Tensor, "cell batch pos d_model"]:
        """What a change of one `z` a cell adds to the output of attention."""
        result = (change.flatten(1, 2) @ self.layers[index].w_o[heads]).unflatten(1, change.shape[1:3])
        return self.pins.through(("head.result", index), result, first, heads)

    def _from_attention(self, index: int, change: Float[Tensor, "cell batch pos d_model"], first: int) -> Join:
        """A change of attention's output, which no norm follows."""
        state = self.state.layers[index]
        kept = state.attn_out[:, first : first + change.shape[2]]
        return self._after_attention(index, kept + self.pins.through(("attn_out", index), change, first), first)

    def _after_attention(self, index: int, out: Float[Tensor, "cell batch pos d_model"], first: int) -> Join:
        """From what attention adds now."""
        layer, state = self.layers[index], self.state.layers[index]
        stop = first + out.shape[2]
        rows = state.pre[:, first:stop] + out
        if layer.has_mid:
            return Join(index, within=True, rows=self._stream(("resid_mid", index), rows, first))
        if state.mlp_out is not None:
            rows = rows + state.mlp_out[:, first:stop]
        return self._leave(index, rows, first)

    # --- MLP ------------------------------------------------------------------------------------------

    def _neurons(self, layer: Layer, state: LayerState, first: int, stop: int) -> Float[Tensor, "batch pos d_mlp"]:
        rows = state.read_by_mlp[:, first:stop]
        units = layer.neurons(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        return self.pins.apply(("neuron", layer.index), units[None], first)[0]

    def _from_neurons(
        self, index: int, neurons: list[int], change: Float[Tensor, "cell batch pos 1"], first: int
    ) -> Join:
        layer, state = self.layers[index], self.state.layers[index]
        block = there(layer.block.mlp)
        change = change * block.down.weight[:, neurons].T[:, None, None]
        if block.post_norm is not None:
            units = self._neurons(layer, state, first, first + change.shape[2])
            raw = layer.down(units.flatten(0, 1)).unflatten(0, units.shape[:2])
            change = passed(change, raw, block.post_norm)
        kept = there(state.mlp_out)[:, first : first + change.shape[2]]
        return self._after_mlp(index, kept + self.pins.through(("mlp_out", index), change, first), first)

    def _after_mlp(self, index: int, out: Float[Tensor, "cell batch pos d_model"], first: int) -> Join:
        """From what the MLP adds now."""
        state, stop = self.state.layers[index], first + out.shape[2]
        read = state.pre + state.attn_out if state.mid is None else state.mid
        return self._leave(index, read[:, first:stop] + out, first)

    # --- edges ----------------------------------------------------------------------------------------

    def _edge(self, writes: Sequence[Write], receiver: Place, message: Tensor, first: int) -> Join:
        """One more edge a cell, from one sender to one head (or stream) each."""
        stop = first + message.shape[2]
        kind, index = receiver
        layer, state, pins = self.layers[index], self.state.layers[index], self.pins
        heads = [write.receiver[1] for write in writes if write.receiver is not None]
        if kind in PARTS:
            rows = state.pre[:, first:stop] + message[0]
            own = _numbers(heads)
            parts = torch.stack([project_head(layer, kind, rows, head) for head in own])
            return self._from_part(kind, index, own, pins.apply(receiver, parts, first, own), first)
        if kind == "head":
            return self._edge_to_heads(layer, state, _numbers(heads), message[0], first)
        if kind == "mlp_out":
            norm = there(layer.block.mlp).post_norm
            heard = state.read_by_mlp[None, :, first:stop] + message
            units = layer.neurons(heard.flatten(0, 2)).unflatten(0, heard.shape[:3])
            out = layer.down(pins.apply(("neuron", index), units, first).flatten(0, 2)).view_as(heard)
            out = out if norm is None else norm(out)
            out = pins.apply(receiver, out.clone(), first)
            return self._after_mlp(index, out.expand(len(writes), -1, -1, -1), first)
        kept = {"resid_pre": state.pre, "resid_mid": state.mid, "resid_post": state.post}[kind]
        rows = there(kept)[:, first:stop] + pins.through(receiver, message.expand(len(writes), -1, -1, -1), first)
        return (
            self._enter(index + 1, rows, first)
            if kind == "resid_post"
            else Join(index, within=kind == "resid_mid", rows=rows)
        )

    def message(self, write: Write, first: int, stop: int, pins: Pins) -> Float[Tensor, "1 batch pos d_model"]:
        """What the sender of an edge tells its receiver in this run; `pins` carries the edge out."""
        kind, index = write.place
        part = self.part(write.place, [write.index], first, stop)
        change = pins.change(write, part, first)
        if kind == "embed":
            return change * self.embed_scale
        layer, state = self.layers[index], self.state.layers[index]
        if kind == "head":
            kept = None if state.attn_raw is None else state.attn_raw[:, first:stop]
            return passed(change @ layer.w_o[there(write.index)], kept, layer.block.attn.post_norm)
        if kind == "neuron":
            block = there(layer.block.mlp)
            units = self._neurons(layer, state, first, stop)
            raw = layer.down(units.flatten(0, 1)).unflatten(0, units.shape[:2])
            return passed(change * block.down.weight[:, there(write.index)], raw, block.post_norm)
        return change

    def _edge_to_heads(
        self, layer: Layer, state: LayerState, heads: list[int], message: Float[Tensor, "batch pos d_model"], first: int
    ) -> Join:
        """Queries, keys and values of one head a cell, all read from a stream that it alone sees."""
        attn, index = layer.block.attn, layer.index
        stop = first + message.shape[1]
        heard = torch.cat((state.pre[:, first:stop] + message, state.pre[:, stop:]), 1)
        found = []
        for kind, norm in zip(PARTS, (attn.q_norm, attn.k_norm, None), strict=True):
            own = heads if kind == "head.q" else [head // layer.group for head in heads]
            part = torch.stack([project_head(layer, kind, heard, head) for head in own])
            part = self.pins.apply((kind, index), part, first, own)
            found.append(part if kind == "head.v" else self._turned(part, norm, layer, first))
        q, k, v = found
        _, kept_k, kept_v = self._heads(layer, state, heads, first)
        k, v = (torch.cat((kept[:, :, :first], new), 2) for kept, new in ((kept_k, k), (kept_v, v)))
        z = one_head(layer, q * attn.scale, k, v, first, heads, self.pins, self.sight)
        z = self.pins.apply(("head", index), z, first, heads)
        return self._from_z(index, [(heads, z)], first)

    # --- the run --------------------------------------------------------------------------------------

    def _written(
        self, writes: Sequence[Write], before: Float[Tensor, "cell batch pos d"], first: int
    ) -> Float[Tensor, "cell batch pos d"]:
        """Each cell's part after its own write; the writes differ in their index alone."""
        write, stop = writes[0], first + before.shape[2]
        if len(writes) == 1 or write.origin is None or write.index is None:
            return self.pins.write(write, before.clone(), first)
        whole, found = write.origin.activation(write.place), _numbers([write.index for write in writes])
        if write.place[0] == "neuron":
            source = whole[:, first:stop, found].permute(2, 0, 1)[..., None]
        elif write.place[0] == "head.pattern":
            source = whole[:, found, first:stop].transpose(0, 1)
        else:
            source = whole[:, first:stop, found].permute(2, 0, 1, 3)
        return torch.where(write.where.entries[:, first:stop], source, before)

    def _heads(self, layer: Layer, state: LayerState, heads: list[int], first: int) -> tuple[Tensor, Tensor, Tensor]:
        """Queries from `first` on, keys and values everywhere, of one query head a cell."""
        kv = [head // layer.group for head in heads]
        q = state.q[:, first:, heads].permute(2, 0, 1, 3)
        return q, state.k[:, :, kv].permute(2, 0, 1, 3), state.v[:, :, kv].permute(2, 0, 1, 3)

    def _turned(self, part: Tensor, norm: Norm | None, layer: Layer, first: int) -> Tensor:
        """Queries or keys of one head a cell, as the scores need them."""
        attn = layer.block.attn
        return turned(part[..., None, :], attn, norm, self.sight, first, cells=True)[..., 0, :]

    def _leave(self, index: int, rows: Float[Tensor, "cell batch pos d_model"], first: int) -> Join:
        """The stream at the end of a block, before the edits of it."""
        return self._enter(index + 1, self._stream(("resid_post", index), rows, first), first)

    def _enter(self, index: int, rows: Float[Tensor, "cell batch pos d_model"], first: int) -> Join:
        """The stream that enters a block, before the edits of it."""
        return Join(index, within=False, rows=self._stream(("resid_pre", index), rows, first))

    def _stream(
        self, place: Place, rows: Float[Tensor, "cell batch pos d_model"], first: int
    ) -> Float[Tensor, "cell batch pos d_model"]:
        stop = first + rows.shape[2]
        messages = {edge: told[None, :, first:stop] for edge, told in self.state.messages.items()}
        return stream(place, rows, first, self.pins, messages)


def _equal(
    before: Float[Tensor, "#cell batch pos d"], after: Float[Tensor, "cell batch pos d"]
) -> Bool[Tensor, " cell"]:
    """Which cells are the same to the last bit."""
    return (before == after).flatten(1).all(1)


def _numbers(indices: Sequence[int | None]) -> list[int]:
    return [there(index) for index in indices]
