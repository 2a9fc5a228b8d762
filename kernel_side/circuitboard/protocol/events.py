"""What a board tells every view: events, numbered without gaps by `seq`."""

from __future__ import annotations

from typing import Literal

import msgspec

from circuitboard.protocol.drawing import Base, ErrorInfo, MapOver, Mode, Setup, Snapshot

MapStatus = Literal["computing", "done", "cancelled", "failed"]
MapBuffer = Literal["cells", "effect", "known", "stderr", "index"]


class Event(msgspec.Struct, frozen=True, tag_field="kind"):
    """Something that every view is told."""

    seq: int


class SnapshotEvent(Event, frozen=True, tag="snapshot"):
    """The board has changed, or more is known of it.

    With a `setup` the model was measured again: it takes the place of the one before, and what maps said is of a model
    that is no more.
    """

    snapshot: Snapshot
    setup: Setup | None = None


class BusyEvent(Event, frozen=True, tag="busy"):
    """A step is being computed that takes longer than a blink; ends with the next snapshot or error."""

    what: str


class MapEvent(Event, frozen=True, tag="map"):
    """A map of effects, or what has changed in it.

    `buffers` names the buffers that follow, in order. Each holds one number a cell, little-endian: `effect`, float32,
    the metric of the cell minus the metric of the state that the map belongs to (for a cell that is edited already:
    with minus without its edits); `known`, uint8: 0 nothing known, 1 exact, 2 an estimate that exact numbers will
    replace; with several prompts `stderr`, float32, the standard error of an exact effect over them, NaN where there
    is none; for "neuron" `index`, int32: the neuron of each cell, −1 until they are chosen.

    Without `cells` they are of all cells, in row-major order of `shape`. With `cells`, uint32, they are of these alone,
    and the others are as in the map event numbered `since`, or as yet unknown where that is null. A view that has not
    seen that event says `Hello`, after which the next map is whole.

    `shape` is [layer, head] for "head"; [layer, pos] for "resid_pre", "attn_out" and "mlp_out"; [head, pos] for
    "head_pos"; [layer, rank] for "neuron": those of each layer that are edited, then those with the largest estimate.
    `layers` are the layers of the rows, or the one layer of "head_pos"; a model may lack some. `positions` are those
    that each cell edits, null for all and where the cells are positions. `done` counts the exact cells.
    `revision` is the state that the map belongs to: a view draws it as stale once the snapshot's is another.
    `elapsed_ms` is what it took, waiting for steps included.
    """

    map_id: int
    revision: int
    over: MapOver
    how: Mode
    base: Base
    positions: list[int] | None
    n_edits: int
    layers: list[int]
    shape: list[int]
    done: int
    total: int
    status: MapStatus
    error: ErrorInfo | None
    elapsed_ms: float
    buffers: list[MapBuffer]
    since: int | None
