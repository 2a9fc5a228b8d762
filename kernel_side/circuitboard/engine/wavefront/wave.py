"""The wave: cells that start at one position go up the layers together, joining where their own edit acts.

Only positions from the first changed one on are computed; they attend to the keys and values kept of the run and to
each other's. Where one position alone has changed, the first attention after it changes one column of its scores.
In the last layer only the rows that are read are computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.wavefront.attention import PARTS, kept_scores
from circuitboard.engine.wavefront.rows import attention, attention_to_one, mlp, stream
from circuitboard.errors import there

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Kind
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.engine.wavefront.join import Join
    from circuitboard.engine.wavefront.joins import Launch
    from circuitboard.engine.wavefront.layer import Layer
    from circuitboard.engine.wavefront.rows import Attended
    from circuitboard.interventions import Write


@dataclass(frozen=True, eq=False)
class Riders:
    """Cells on the way, and the rows of theirs that have changed.

    Parameters
    ----------
    cells
        Which ones.
    start
        The position of their first row.
    rows
        The residual stream, [cell, batch, pos, d_model].
    messages
        For each edge in force, what its sender tells in each cell, [cell, batch, pos, d_model], same rows.
    """

    cells: tuple[int, ...]
    start: int
    rows: Float[Tensor, "cell batch pos d_model"]
    messages: Mapping[Write, Tensor]


def together(*riders: Riders | None) -> Riders | None:
    """All of them, in order; None if there are none."""
    found = [one for one in riders if one is not None]
    if len(found) < 2:  # noqa: PLR2004  nothing to join
        return found[0] if found else None
    return Riders(
        tuple(cell for one in found for cell in one.cells),
        found[0].start,
        torch.cat([one.rows for one in found]),
        {edge: torch.cat([one.messages[edge] for one in found]) for edge in found[0].messages},
    )


@dataclass(frozen=True, eq=False)
class Wave:
    """One pass over the layers for cells that start at one position.

    Parameters
    ----------
    launch
        The run that they start from.
    first
        The first changed position of every cell.
    read
        The first position whose final residual stream is wanted: the last one, or `first`.
    """

    launch: Launch
    first: int
    read: int

    def run(
        self, joins: Sequence[tuple[Sequence[int], Join]], cancel: CancelToken
    ) -> Float[Tensor, "cell batch pos d_model"]:
        """The final residual stream of cells 0, 1, …, each named by one join, at positions from `read` on."""
        layers = self.launch.layers
        by_layer: dict[tuple[int, bool], list[Riders]] = {}
        for cells, join in joins:
            by_layer.setdefault((join.layer, join.within), []).append(self._riders(cells, join))
        rows: Riders | None = None
        row: Riders | None = None
        for layer in layers[min(layer for layer, _ in by_layer) :]:
            cancel.check()
            joining = by_layer.pop((layer.index, False), [])
            rows = together(rows, *(one for one in joining if not self._alone(one)))
            row = together(row, *(one for one in joining if self._alone(one)))
            rows, row = self._through(layer, rows, row, by_layer.pop((layer.index, True), []))
        done = [self._final(one) for one in (rows, row, *by_layer.pop((len(layers), False), [])) if one is not None]
        assert not by_layer  # noqa: S101  every join is in some layer
        final = there(together(*done))
        order = torch.empty(len(final.cells), dtype=torch.long)
        order[list(final.cells)] = torch.arange(len(final.cells))
        return final.rows[order.to(final.rows.device)]

    def _through(
        self, layer: Layer, rows: Riders | None, row: Riders | None, joining: Sequence[Riders]
    ) -> tuple[Riders | None, Riders | None]:
        """One block: what comes out of it as many rows, and as the first row alone."""
        launch, state = self.launch, self.launch.state.layers[layer.index]
        last = layer.index == len(launch.layers) - 1
        start = self.read if last else self.first
        if row is not None and self._hears(layer):
            rows, row = together(rows, self._spread(row, state.pre)), None
        middle: list[Riders] = []
        if rows is not None:
            found = attention(layer, rows.rows, self.first, start, state, launch.pins, launch.sight, rows.messages)
            rows = self._told(self._from(rows, start), found.messages)
            middle.append(self._plus(layer, rows, found, start))
        if row is not None:
            scores = kept_scores(layer, state, start, launch.sight)
            found = attention_to_one(
                layer, row.rows[:, :, 0], self.first, start, scores, state, launch.pins, launch.sight
            )
            spread = self._told(self._from(self._spread(row, state.pre), start), found.messages)
            middle.append(self._plus(layer, spread, found, start, row))
        out = together(*middle)
        if layer.block.mlp is None or layer.block.parallel:
            return (None if out is None else self._leave(layer, out, start)), None
        whole = [self._from(one, start) for one in joining if not self._alone(one)]
        alone = together(*(one for one in joining if self._alone(one)))
        out = together(out, *whole)
        if out is not None:
            out = self._leave(layer, self._fed(layer, out, start), start)
        if alone is not None and (not last or start == self.first):
            alone = self._leave(layer, self._fed(layer, alone, self.first), self.first)
        return out, alone

    def _plus(self, layer: Layer, riders: Riders, found: Attended, start: int, row: Riders | None = None) -> Riders:
        """The stream after attention, and in parallel blocks after the MLP that ran beside it.

        With `row`, that is all that has changed of what such an MLP reads.
        """
        pins, state = self.launch.pins, self.launch.state.layers[layer.index]
        if layer.block.mlp is None:
            return Riders(riders.cells, riders.start, riders.rows + found.attn_out, riders.messages)
        if not layer.block.parallel:
            rows = stream(("resid_mid", layer.index), riders.rows + found.attn_out, start, pins, riders.messages)
            return Riders(riders.cells, riders.start, rows, riders.messages)
        if row is None:
            out, sent = mlp(layer, riders.rows, start, pins, riders.messages)
            return self._told(
                Riders(riders.cells, riders.start, riders.rows + found.attn_out + out, riders.messages), sent
            )
        beside = there(state.mlp_out)[None, :, start:].expand_as(riders.rows)
        sent = {}
        if start == self.first:
            out, told = mlp(layer, row.rows, start, pins, row.messages)
            beside = torch.cat((out, beside[:, :, 1:]), 2)
            sent = {edge: self._padded(one, self.launch.state.messages[edge]) for edge, one in told.items()}
        riders = Riders(riders.cells, riders.start, riders.rows + found.attn_out + beside, riders.messages)
        return self._told(riders, sent)

    def _fed(self, layer: Layer, riders: Riders, start: int) -> Riders:
        """The stream after the MLP."""
        out, sent = mlp(layer, riders.rows, start, self.launch.pins, riders.messages)
        return self._told(Riders(riders.cells, riders.start, riders.rows + out, riders.messages), sent)

    def _leave(self, layer: Layer, riders: Riders, start: int) -> Riders:
        """The stream between two blocks, after edges and edits of it."""
        pins, index = self.launch.pins, layer.index
        rows = stream(("resid_post", index), riders.rows, start, pins, riders.messages)
        rows = stream(("resid_pre", index + 1), rows, start, pins, riders.messages)
        return Riders(riders.cells, riders.start, rows, riders.messages)

    def _riders(self, cells: Sequence[int], join: Join) -> Riders:
        """Joining cells: one row, or as many as the wave has."""
        n = self.launch.sight.n_positions - self.first
        messages = {
            edge: told[None, :, self.first :].expand(len(cells), -1, -1, -1)
            for edge, told in self.launch.state.messages.items()
        }
        if join.rows.shape[2] == 1 and n > 1:
            return Riders(
                tuple(cells), self.first, join.rows, {edge: told[:, :, :1] for edge, told in messages.items()}
            )
        riders = Riders(tuple(cells), self.first, join.rows, messages)
        if join.rows.shape[2] < n:
            riders = self._spread(riders, self.launch.kept(join))
        return riders

    def _spread(self, riders: Riders, kept: Float[Tensor, "batch pos d_model"]) -> Riders:
        """All rows of cells of which only the first few have changed."""
        messages = self.launch.state.messages
        told = {
            edge: self._padded(one[:, :, : riders.rows.shape[2]], messages[edge])
            for edge, one in riders.messages.items()
        }
        return Riders(riders.cells, riders.start, self._padded(riders.rows, kept), told)

    def _padded(
        self, some: Float[Tensor, "cell batch some d_model"], run: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "cell batch rows d_model"]:
        """Rows from the wave's first position on, those that have not changed taken from the run."""
        rest = run[None, :, self.first + some.shape[2] :]
        return torch.cat((some, rest.expand(some.shape[0], -1, -1, -1)), 2)

    def _from(self, riders: Riders, start: int) -> Riders:
        """The rows from `start` on."""
        skip = start - riders.start
        if not skip:
            return riders
        return Riders(
            riders.cells,
            start,
            riders.rows[:, :, skip:],
            {edge: told[:, :, skip:] for edge, told in riders.messages.items()},
        )

    def _final(self, riders: Riders) -> Riders:
        """The final stream of cells at the positions that are read."""
        if self._alone(riders):
            riders = self._spread(riders, self.launch.state.final)
        return self._from(riders, self.read)

    def _told(self, riders: Riders, sent: Mapping[Write, Tensor]) -> Riders:
        """With what senders have just told."""
        return Riders(riders.cells, riders.start, riders.rows, {**riders.messages, **sent}) if sent else riders

    def _alone(self, riders: Riders) -> bool:
        """Whether one row of several is all that has changed."""
        several = self.launch.sight.n_positions - self.first > 1
        return several and riders.start == self.first and riders.rows.shape[2] == 1

    def _hears(self, layer: Layer) -> bool:
        """Whether an edge in force ends in the attention of a block."""
        kinds: tuple[Kind, ...] = ("head", *PARTS)
        return any(self.launch.pins.received_by((kind, layer.index)) for kind in kinds)
