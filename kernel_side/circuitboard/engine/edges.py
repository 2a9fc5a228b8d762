"""Edges by plain forward passes: what a receiver would be if it alone heard the edited senders.

For each receiver, from the first layer on:

1. A pass with all other edits shows each sender and what it adds to the residual stream.
2. Where that is more than the sender itself, one more pass with the sender edited shows what it then adds; the
   difference is the edge's message.
3. A receiver on the residual stream gets the messages added to it. Another is taken from a pass where the residual
   stream that its block reads has the messages added; of that pass nothing else is used.

Passes end as soon as they have shown what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING

import torch

from circuitboard.address import KINDS
from circuitboard.engine.passes import Arrived, Pass, When, moved, replaced, run_until
from circuitboard.interventions import part_of

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.address import Kind
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.engine.passes import Measure
    from circuitboard.interventions import Plan, Write
    from circuitboard.models.adapter import ModelAdapter, Rewrite
    from circuitboard.models.shape import Place

    Receiver = tuple[Place, int | None]

_STREAM = ("resid_pre", "resid_mid", "resid_post")


def arrivals(plan: Plan, adapter: ModelAdapter, cancel: CancelToken, measure: Measure) -> Arrived:
    """Find what the edges of a plan do to their receivers.

    Parameters
    ----------
    measure
        Called with each edge and its sender's part before and after, [batch, pos, d].
    """
    arrived, by_receiver = Arrived(), plan.by_receiver()
    for receiver in sorted(by_receiver, key=_moment):
        edges, place = by_receiver[receiver], receiver[0]
        message = torch.stack(list(_messages(edges, plan, arrived, adapter, cancel, measure))).sum(0)
        if place[0] in _STREAM:
            arrived = Arrived(arrived.parts, {**arrived.added, place: message})
        else:
            part = _heard(receiver, message, plan, arrived, adapter, cancel)
            arrived = Arrived({**arrived.parts, receiver: part}, arrived.added)
    return arrived


def _messages(
    edges: list[Write], plan: Plan, arrived: Arrived, adapter: ModelAdapter, cancel: CancelToken, measure: Measure
) -> Iterable[Tensor]:
    """What each edge adds to the residual stream, [batch, pos, d_model]."""
    senders = {edge.place for edge in edges}
    outputs = {_output(place) for place in senders}
    asis, sent, computed = Pass.of(plan, arrived, cancel), _Notes(senders), _Notes(outputs)
    for place in senders:
        asis.at(place, When.LEAVING, sent.taker(place))
    for place in outputs:
        asis.at(place, When.COMPUTED, computed.taker(place))
    # A message goes past all edits between the sender and its output, so what edits of results add stays as it is.
    results: set[Place] = {
        ("head.result", place[1]) for place in senders if place[0] == "head"
    } & plan.by_place().keys()
    first, last = _Notes(results), _Notes(results)
    for result in results:
        asis.at(result, When.COMPUTED, first.taker(result))
        asis.at(result, When.LEAVING, last.taker(result))
    run_until(lambda: all(notes.is_complete() for notes in (sent, computed, first, last)), adapter, plan.base, asis)

    for edge in edges:
        before = part_of(sent[edge.place], edge.place, edge.index)
        after = edge.applied(before)
        measure(edge, before, after)
        output = _output(edge.place)
        if output == edge.place:
            yield after - before
            continue
        edited, heard = Pass.of(plan, arrived, cancel), _Notes({output})
        edited.at(edge.place, When.LEAVING, partial(replaced, place=edge.place, index=edge.index, part=after))
        for result in results:
            edited.at(result, When.COMPUTED, partial(moved, by=last[result] - first[result]))
            edited.skip(result, When.WRITING)
        edited.at(output, When.COMPUTED, heard.taker(output))
        run_until(heard.is_complete, adapter, plan.base, edited)
        yield heard[output] - computed[output]


def _heard(
    receiver: Receiver, message: Tensor, plan: Plan, arrived: Arrived, adapter: ModelAdapter, cancel: CancelToken
) -> Tensor:
    """What a receiver is when the residual stream that its block reads has a message added to it."""
    (kind, layer), index = receiver
    read: Place = ("resid_mid" if kind == "mlp_out" and not adapter.shape.parallel else "resid_pre", layer)
    hearing, taken = Pass.of(plan, arrived, cancel), _Notes({receiver[0]})
    hearing.at(read, When.LEAVING, partial(moved, by=message))
    hearing.at(receiver[0], When.ARRIVING, taken.taker(receiver[0]))
    run_until(taken.is_complete, adapter, plan.base, hearing)
    return part_of(taken[receiver[0]], receiver[0], index)


class _Notes(dict["Place", "Tensor"]):
    """Activations to be noted during a pass."""

    def __init__(self, wanted: AbstractSet[Place]) -> None:
        super().__init__()
        self._wanted = wanted

    def is_complete(self) -> bool:
        return self.keys() >= self._wanted

    def taker(self, place: Place) -> Rewrite:
        """A step that notes what passes, and lets it pass."""

        def take(activation: Tensor) -> Tensor:
            self[place] = activation.clone()
            return activation

        return take


def _output(sender: Place) -> Place:
    """Where a sender joins the residual stream."""
    kind, layer = sender
    outputs: dict[Kind, Kind] = {"head": "attn_out", "neuron": "mlp_out", "embed": "resid_pre"}
    return outputs.get(kind, kind), layer


def _moment(receiver: Receiver) -> tuple[int, int, int]:
    (kind, layer), index = receiver
    return layer, KINDS.index(kind), -1 if index is None else index
