"""What a board answers: exactly one answer a request, with its id."""

from __future__ import annotations

from typing import Literal

import msgspec

from circuitboard.protocol.comparison import ComparedMaps, ComparedState, ComparedToken
from circuitboard.protocol.detail import (
    AttentionView,
    CircuitView,
    DirectView,
    EditEffect,
    LensRow,
    NeuronTable,
    PartRefused,
    PositionEffects,
    WritesView,
)
from circuitboard.protocol.drawing import ErrorInfo, Real, Setup, Snapshot


class Answer(msgspec.Struct, frozen=True, tag_field="kind"):
    """An answer to the request of this id."""

    id: str


class Done(Answer, frozen=True, tag="done"):
    """Carried out; the `SnapshotEvent` that shows it has at least this revision."""

    revision: int


class Superseded(Answer, frozen=True, tag="superseded"):
    """A step was carried out, but something newer came before its numbers were computed.

    For `Detail` and `Compare`: it was not read, since a newer one was asked for.
    """


class Failed(Answer, frozen=True, tag="failed"):
    """Refused or failed; the board is as it was."""

    error: ErrorInfo


class Welcome(Answer, frozen=True, tag="welcome"):
    """Everything a view needs to draw; `seq` is the number of the last event sent."""

    seq: int
    setup: Setup
    snapshot: Snapshot


class Verified(Answer, frozen=True, tag="verified"):
    """How far the engine is from plain hooks on the user's model, in units of the metric.

    `disagrees` names the part that is too far from it; for "unedited" the numbers are of the logits of the unedited run.
    """

    max_abs_error: Real
    tolerance: float
    ok: bool
    tier: str
    disagrees: Literal["unedited", "edited"] | None = None


class Code(Answer, frozen=True, tag="code"):
    """Python that makes the board as it is."""

    text: str


class Detailed(Answer, frozen=True, tag="detailed"):
    """What a component does in the state `revision`; a part is null if it is not of this kind, or refused.

    All have `effect`. A head has `attention` and, if they were asked for, `by_position` and `circuit`; what an MLP or
    a neuron writes, and a residual stream at a position, have `neurons` and `lens`. What writes to the stream has
    `direct` and `writes`. `refused` names what this kind has but could not be given here. `position` is the column
    that was read, `row` and `source` those between which a head was looked at. Buffers: see `AttentionView`.
    """

    revision: int
    site: str
    prompt: int
    position: int
    row: int
    source: int | None
    effect: EditEffect | None
    direct: DirectView | None
    writes: WritesView | None
    circuit: CircuitView | None
    attention: AttentionView | None
    by_position: PositionEffects | None
    neurons: NeuronTable | None
    lens: list[LensRow] | None
    refused: list[PartRefused]
    elapsed_ms: float


class Exported(Answer, frozen=True, tag="exported"):
    """Text, and the name and media type of a file that could hold it.

    The CSV has the columns site, value, effect, exact: the metric with the cell edited, that minus the metric of the
    map's state (for a cell that is edited already: the metric, and with minus without), and true, or false for an
    estimate. What is not known is empty.
    """

    text: str
    filename: str
    media_type: str


class Saved(Answer, frozen=True, tag="saved"):
    """Written: to which file, its whole path, and how many bytes."""

    path: str
    size: int


class Compared(Answer, frozen=True, tag="compared"):
    """Two states of the board on the same prompts.

    `change` is right minus left, mean over prompts; `stderr`, `low` and `high` are its standard error and its 95 %
    bootstrap interval, paired: of the differences within each prompt; null for a single prompt, the interval also for
    over 1,000. `maps` is null unless they were asked for, or if `refused` says why they cannot be had. `runs` is what
    both maps take: one for each cell that is not known already. `revision` is the state of the board that this was read in. Buffers: see
    `ComparedMaps`.
    """

    revision: int
    left: ComparedState
    right: ComparedState
    change: Real
    stderr: Real | None
    low: Real | None
    high: Real | None
    prompt: int
    tokens: list[ComparedToken]
    runs: int
    maps: ComparedMaps | None
    refused: ErrorInfo | None
    elapsed_ms: float
