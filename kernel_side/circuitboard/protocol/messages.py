"""The messages between a board and its views: the one definition of the protocol.

A view sends a *request* with an id of its own making and gets exactly one *answer* with that id. The
kernel sends *events* to every view, numbered without gaps by `seq`; a view that misses one asks with
`Hello` and starts afresh from the `Welcome`. Arrays travel beside the JSON as binary buffers (see
`MapEvent`); numbers that may be NaN or infinite travel as `Real`, since JSON has no word for them.

TypeScript types are generated from this file (`npm run codegen`).
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from circuitboard.address import How, Per

PROTOCOL_VERSION = 3

Base = Literal["clean", "corrupted"]
Mode = Literal["zero", "mean", "resample", "patch"]
MapOver = Literal["head", "resid_pre"]
MapStatus = Literal["computing", "done", "cancelled", "failed"]
EditKind = Literal[
    "embed",
    "resid_pre",
    "head.q",
    "head.k",
    "head.v",
    "head.pattern",
    "head",
    "head.result",
    "attn_out",
    "resid_mid",
    "neuron",
    "mlp_out",
    "resid_post",
    "edge",
]


class Real(msgspec.Struct, frozen=True):
    """A number that may be NaN or infinite: `special` names it then and `value` is null."""

    value: float | None = None
    special: Literal["nan", "inf", "-inf"] | None = None

    @classmethod
    def of(cls, x: float) -> Real:
        if math.isfinite(x):
            return cls(float(x))
        return cls(special="nan" if math.isnan(x) else "inf" if x > 0 else "-inf")


class ErrorInfo(msgspec.Struct, frozen=True):
    """An error in words: `code` is stable, `message` is for people."""

    code: str
    message: str
    where: str | None = None


# --- what a view draws ----------------------------------------------------------------------------


class TokenColumn(msgspec.Struct, frozen=True):
    """One column of one prompt: its token in both runs and the labels that name it.

    Prompts that are shorter than others are padded on the left: `padding` columns hold no token.
    """

    clean: str
    corrupted: str | None
    differs: bool
    labels: list[str]
    padding: bool


class PromptRow(msgspec.Struct, frozen=True):
    """One prompt of the data set, column by column, with the tokens that the metric compares."""

    columns: list[TokenColumn]
    answer: str
    wrong: str | None


class ModeInfo(msgspec.Struct, frozen=True):
    """Something a click can do; `refused` says why it cannot be done here, null when it can."""

    mode: Mode
    refused: str | None = None


class EngineInfo(msgspec.Struct, frozen=True):
    """The engine tier in use ("wavefront", "replay", "hooked") and why it was chosen."""

    tier: str
    why: str


class Setup(msgspec.Struct, frozen=True):
    """What stays the same while a board lives."""

    protocol: int
    version: str
    model: str
    dtype: str
    device: str
    n_layers: int
    n_heads: int
    n_positions: int
    prompts: list[PromptRow]
    has_corrupted: bool
    modes: list[ModeInfo]
    maps: list[MapOver]
    engine: EngineInfo


class Baselines(msgspec.Struct, frozen=True):
    """The metric on the two unedited runs, mean over prompts; `corrupted` is null without one."""

    clean: Real
    corrupted: Real | None


class MetricView(msgspec.Struct, frozen=True):
    """A metric of the edited run. `change` is against the state before the last step; null for all but the first.

    `values` and `base_values` are per prompt, edited and unedited. `stderr` is the standard error of `value` over
    prompts, `low` and `high` its 95 % bootstrap interval; null for a single prompt, the interval also for over 1,000.
    """

    name: str
    unit: str
    value: Real
    values: list[Real]
    base_values: list[Real]
    stderr: Real | None
    low: Real | None
    high: Real | None
    change: Real | None
    baselines: Baselines


class EditRow(msgspec.Struct, frozen=True):
    """One edit in force or switched off, in the order in which they act.

    `site` is the component or the edge by name. `kind`, `layer` and `index` (the head or neuron, null for sites that
    a layer has one of) are those of the component; for an edge `kind` is "edge" and the others its receiver's.
    `positions` are columns of the prompt that is looked at, null for all.
    `what` says the edit in words: "zero 9.6", "add 31.892 + 2 · a tensor [1]".
    `effect` is the metric with minus without this edit, the others in force; null until computed.
    `norm_change` is the Euclidean norm of what the edit changed in the activation it acts on, null
    for an edit that is switched off.
    """

    site: str
    kind: EditKind
    layer: int
    index: int | None
    how: str
    what: str
    strength: Real | None
    positions: list[int] | None
    at: str
    enabled: bool
    effect: Real | None
    norm_before: Real | None
    norm_change: Real | None


class TopToken(msgspec.Struct, frozen=True):
    """A likely next token: probability and logit in the edited run and in the unedited base run."""

    token: str
    token_id: int
    prob: Real
    base_prob: Real
    logit: Real
    base_logit: Real


class TopTokens(msgspec.Struct, frozen=True):
    """The likeliest tokens at the answer position of one prompt."""

    prompt: int
    at: str
    rows: list[TopToken]


class View(msgspec.Struct, frozen=True):
    """What the panel is set to; shared by all views of a board.

    `positions` are columns of the token tensor, which is padded on the left where prompts differ in length; null means
    that clicks act at all positions.
    """

    mode: Mode = "zero"
    positions: list[int] | None = None
    map: MapOver = "head"
    prompt: int = 0


class Snapshot(msgspec.Struct, frozen=True):
    """The state of the board. `revision` grows with every change of the edits or the base run."""

    revision: int
    base: Base
    metric: MetricView
    more_metrics: list[MetricView]
    edits: list[EditRow]
    can_undo: bool
    can_redo: bool
    top_tokens: TopTokens
    view: View
    latency_ms: float | None


# --- requests: view → kernel ----------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    id: str


class Hello(Request, frozen=True, tag="hello"):
    """Ask for everything. Answered by `Welcome`, followed by a `MapEvent`."""


class Click(Request, frozen=True, tag="click"):
    """Edit this component with the current mode, or take its edit back if it is edited.

    `site` is an address without positions ("9.6", "resid_pre 5"); `positions` null means all.
    """

    site: str
    positions: list[int] | None = None


class Remove(Request, frozen=True, tag="remove"):
    """Remove the edit at this index of `Snapshot.edits`."""

    index: int
    revision: int


class Toggle(Request, frozen=True, tag="toggle"):
    """Switch the edit at this index of `Snapshot.edits` off, or on again."""

    index: int
    revision: int


class SetStrength(Request, frozen=True, tag="set_strength"):
    """Give the edit at this index of `Snapshot.edits` another strength; only scale and add have one."""

    index: int
    revision: int
    strength: float


class Move(Request, frozen=True, tag="move"):
    """Have the edit at one index of `Snapshot.edits` act at another."""

    index: int
    to: int
    revision: int


class EditSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One intervention in words.

    `site` is an address, with positions ("9.6 @ END"); `values` are what "set" and "add" take, one number or one per
    dimension.
    """

    site: str
    how: How
    strength: float | None = None
    values: list[float] | None = None
    seed: int | None = None
    per: Per | None = None


class Apply(Request, frozen=True, tag="apply"):
    """Add edits, all in one step."""

    edits: list[EditSpec]


class Undo(Request, frozen=True, tag="undo"):
    pass


class Redo(Request, frozen=True, tag="redo"):
    pass


class Clear(Request, frozen=True, tag="clear"):
    pass


class SetBase(Request, frozen=True, tag="set_base"):
    """Choose which run is edited."""

    base: Base


class SetView(Request, frozen=True, tag="set_view"):
    """Change what the panel is set to; what is absent stays as it is."""

    mode: Mode | UnsetType = UNSET
    positions: list[int] | UnsetType | None = UNSET
    map: MapOver | UnsetType = UNSET
    prompt: int | UnsetType = UNSET


class CancelMap(Request, frozen=True, tag="cancel_map"):
    """Stop the map where it is."""


class ResumeMap(Request, frozen=True, tag="resume_map"):
    """Compute what a stopped map still lacks."""


class Verify(Request, frozen=True, tag="verify"):
    """Run the current edits again with plain hooks. Answered by `Verified`."""


class CopyCode(Request, frozen=True, tag="copy_code"):
    """Ask for Python that rebuilds this state. Answered by `Code`."""


AnyRequest = (
    Hello
    | Click
    | Remove
    | Toggle
    | SetStrength
    | Move
    | Apply
    | Undo
    | Redo
    | Clear
    | SetBase
    | SetView
    | CancelMap
    | ResumeMap
    | Verify
    | CopyCode
)


# --- answers: kernel → the view that asked ---------------------------------------------------------


class Answer(msgspec.Struct, frozen=True, tag_field="kind"):
    id: str


class Done(Answer, frozen=True, tag="done"):
    """Carried out; the `SnapshotEvent` that shows it has at least this revision."""

    revision: int


class Superseded(Answer, frozen=True, tag="superseded"):
    """Carried out, but something newer came before its numbers were computed."""


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
    text: str


AnyAnswer = Done | Superseded | Failed | Welcome | Verified | Code


# --- events: kernel → every view -------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, tag_field="kind"):
    seq: int


class SnapshotEvent(Event, frozen=True, tag="snapshot"):
    snapshot: Snapshot


class BusyEvent(Event, frozen=True, tag="busy"):
    """A step is being computed that takes longer than a blink; ends with the next snapshot or error."""

    what: str


class MapEvent(Event, frozen=True, tag="map"):
    """A map of effects, whole at every event.

    Two buffers follow, both in row-major order of `shape`: `effect`, float32 little-endian, the
    metric of the cell minus the metric of the current state (for a cell that is edited already: with
    minus without its edits); and `known`, uint8: 0 nothing known, 1 exact, 2 an estimate that exact numbers
    will replace. `done` counts the exact ones. `shape` is [layer, head] or [layer, pos].
    `revision` is the state that the map belongs to: a view draws it as stale once the snapshot's is
    another.
    """

    map_id: int
    revision: int
    over: MapOver
    how: Mode
    base: Base
    positions: list[int] | None
    n_edits: int
    shape: list[int]
    done: int
    total: int
    status: MapStatus
    error: ErrorInfo | None
    elapsed_ms: float


AnyEvent = SnapshotEvent | BusyEvent | MapEvent
AnyMessage = AnyAnswer | AnyEvent
