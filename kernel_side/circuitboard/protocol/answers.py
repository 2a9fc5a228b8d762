"""What a board answers: exactly one answer a request, with its id."""

from __future__ import annotations

import msgspec

from circuitboard.protocol.detail import AttentionView, DirectView, LensRow, NeuronTable, PartRefused, PositionEffects
from circuitboard.protocol.drawing import ErrorInfo, Real, Setup, Snapshot


class Answer(msgspec.Struct, frozen=True, tag_field="kind"):
    """An answer to the request of this id."""

    id: str


class Done(Answer, frozen=True, tag="done"):
    """Carried out; the `SnapshotEvent` that shows it has at least this revision."""

    revision: int


class Superseded(Answer, frozen=True, tag="superseded"):
    """A step was carried out, but something newer came before its numbers were computed.

    For `Detail`: it was not read, since a newer one was asked for.
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
    """How far the engine is from plain hooks, in units of the metric."""

    max_abs_error: Real
    tolerance: float
    ok: bool
    tier: str


class Code(Answer, frozen=True, tag="code"):
    """Python that makes the board as it is."""

    text: str


class Detailed(Answer, frozen=True, tag="detailed"):
    """What a component does in the state `revision`; a part is null if it is not of this kind, or refused.

    A head has `attention`, `direct` and `by_position`; what an MLP or a neuron writes, and a residual stream at a
    position, have `neurons` and `lens`, and `direct` where the component writes to the stream. `refused` names what
    this kind has but could not be given here. `position` is the column that was read. Buffers: see `AttentionView`.
    """

    revision: int
    site: str
    prompt: int
    position: int
    direct: DirectView | None
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
