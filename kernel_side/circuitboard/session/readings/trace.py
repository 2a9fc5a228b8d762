"""What moves what a component reads, and who reads from a token, as the panel is told."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING

import torch

from circuitboard.address import site as site_called
from circuitboard.analysis import edges_into, receiver_of, token_readers
from circuitboard.desk.ground import ground_of
from circuitboard.metrics import standard_error
from circuitboard.protocol import messages as m

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk
    from circuitboard.engine import CancelToken
    from circuitboard.session.reader import Reading

MOST_ROWS = 40
"""Edges that a list shows; the others are smaller."""


def trace_reading(request: m.Trace, desk: Desk, mode: m.Mode) -> Reading:
    """What a request asks for, to be read later, or the reason why it cannot be."""
    receiver = receiver_of(site_called(request.site), request.part, desk.lab.adapter)
    edges_into(ground_of(desk.lab, desk.shown.run), desk.shown.history.state, receiver, mode)

    def read(answered: str, cancel: CancelToken) -> Generator[None, None, tuple[m.Traced, list[bytes]]]:
        started, shown = time.perf_counter(), desk.shown
        ground = ground_of(desk.lab, shown.run)
        found = yield from edges_into(ground, shown.history.state, receiver, mode)(cancel)
        size = found.effects.mean(-1).abs().nan_to_num(nan=torch.inf)
        order = size.argsort(descending=True, stable=True).tolist()[:MOST_ROWS]
        several = ground.prompts.n > 1
        rows = [
            m.TraceRow(
                sender=found.edges[index].sender.name,
                edge=found.edges[index].name,
                effect=m.Real.of(float(found.effects[index].mean())),
                stderr=m.Real.of(float(standard_error(found.effects[index]))) if several else None,
                edited=index in found.edited,
            )
            for index in order
        ]
        return m.Traced(
            answered,
            revision=shown.revision,
            site=request.site,
            part=request.part,
            receiver=receiver.name,
            how=mode,
            rows=rows,
            omitted=found.omitted + len(found.edges) - len(rows),
            by_estimate=found.omitted > 0,
            elapsed_ms=_since(started),
        ), []

    return read


def readers_reading(request: m.Readers, desk: Desk) -> Reading:
    """What a request asks for, to be read later, or the reason why it cannot be."""
    token_readers(ground_of(desk.lab, desk.shown.run), request.position, request.prompt)

    def read(answered: str, cancel: CancelToken) -> Generator[None, None, tuple[m.ReadBy, list[bytes]]]:
        started, shown = time.perf_counter(), desk.shown
        ground = ground_of(desk.lab, shown.run)
        found = yield from token_readers(ground, request.position, request.prompt)(cancel)
        several = ground.prompts.n > 1
        rows = [
            m.ReaderRow(
                site="{}.{}".format(*head),
                attention=m.Real.of(float(share)),
                effect=m.Real.of(float(effect.mean())),
                stderr=m.Real.of(float(standard_error(effect))) if several else None,
            )
            for head, share, effect in zip(found.heads, found.attention, found.effects, strict=True)
        ]
        return m.ReadBy(
            answered,
            revision=shown.revision,
            position=request.position,
            row=ground.prompts.answer_position,
            prompt=request.prompt,
            rows=rows,
            omitted=found.omitted,
            elapsed_ms=_since(started),
        ), []

    return read


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
