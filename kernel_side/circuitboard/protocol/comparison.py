"""Two states of a board side by side, as they are sent."""

from __future__ import annotations

import msgspec

from circuitboard.protocol.drawing import Base, MapOver, Mode, Real, Side


class ComparedEdit(msgspec.Struct, frozen=True):
    """An edit of a state, in words."""

    what: str
    enabled: bool
    name: str | None
    group: str | None


class ComparedState(msgspec.Struct, frozen=True):
    """One of the two; `values` is the metric of each prompt, `value` their mean."""

    node: int
    label: str
    note: str | None
    base: Base
    edits: list[ComparedEdit]
    value: Real
    stderr: Real | None
    values: list[Real]


class ComparedToken(msgspec.Struct, frozen=True):
    """A token that is among the likeliest of either state, or an answer of the prompt."""

    token: str
    token_id: int
    left_prob: Real
    right_prob: Real
    left_logit: Real
    right_logit: Real
    side: Side | None = None


class ComparedMaps(msgspec.Struct, frozen=True):
    """The maps of both states, all cells exact; fields as in `MapEvent`.

    Buffers: `effect` of the left and of the right state, float32 little-endian, row-major.
    """

    over: MapOver
    how: Mode
    positions: list[int] | None
    layers: list[int]
    shape: list[int]
    elapsed_ms: float
