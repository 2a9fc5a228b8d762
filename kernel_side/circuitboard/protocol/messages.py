"""The messages between a board and its views: the one definition of the protocol.

A view sends a *request* with an id of its own making and gets exactly one *answer* with that id. The
kernel sends *events* to every view, numbered without gaps by `seq`; a view that misses one asks with
`Hello` and starts afresh from the `Welcome`. Arrays travel beside the JSON as binary buffers (see
`MapEvent` and `AttentionView`); numbers that may be NaN or infinite travel as `Real`, since JSON has no word for
them.

TypeScript types are generated from this package (`npm run codegen`).
"""

from __future__ import annotations

from circuitboard.protocol.answers import (
    Answer,
    Code,
    Detailed,
    Done,
    Exported,
    Failed,
    Superseded,
    Verified,
    Welcome,
)
from circuitboard.protocol.detail import (
    AttentionView,
    DetailPart,
    DirectView,
    LensRow,
    LensToken,
    NeuronRow,
    NeuronTable,
    PartRefused,
    PositionEffects,
)
from circuitboard.protocol.drawing import (
    Base,
    Baselines,
    EditKind,
    EditRow,
    EngineInfo,
    ErrorInfo,
    HistoryNode,
    MapOver,
    MetricView,
    Mode,
    ModeInfo,
    PromptRow,
    Real,
    Setup,
    Snapshot,
    TokenColumn,
    TopToken,
    TopTokens,
    Tree,
    View,
)
from circuitboard.protocol.events import (
    BusyEvent,
    Event,
    MapEvent,
    MapStatus,
    SnapshotEvent,
)
from circuitboard.protocol.requests import (
    Apply,
    CancelMap,
    Clear,
    Click,
    CopyCode,
    Detail,
    EditSpec,
    Export,
    Hello,
    Move,
    Redo,
    Remove,
    Request,
    Restore,
    ResumeMap,
    SetBase,
    SetStrength,
    SetView,
    Toggle,
    Undo,
    Verify,
)

PROTOCOL_VERSION = 5

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
    | Restore
    | Clear
    | SetBase
    | SetView
    | CancelMap
    | ResumeMap
    | Verify
    | CopyCode
    | Detail
    | Export
)
AnyAnswer = Done | Superseded | Failed | Welcome | Verified | Code | Detailed | Exported
AnyEvent = SnapshotEvent | BusyEvent | MapEvent
AnyMessage = AnyAnswer | AnyEvent

__all__ = [
    "PROTOCOL_VERSION",
    "Answer",
    "AnyAnswer",
    "AnyEvent",
    "AnyMessage",
    "AnyRequest",
    "Apply",
    "AttentionView",
    "Base",
    "Baselines",
    "BusyEvent",
    "CancelMap",
    "Clear",
    "Click",
    "Code",
    "CopyCode",
    "Detail",
    "DetailPart",
    "Detailed",
    "DirectView",
    "Done",
    "EditKind",
    "EditRow",
    "EditSpec",
    "EngineInfo",
    "ErrorInfo",
    "Event",
    "Export",
    "Exported",
    "Failed",
    "Hello",
    "HistoryNode",
    "LensRow",
    "LensToken",
    "MapEvent",
    "MapOver",
    "MapStatus",
    "MetricView",
    "Mode",
    "ModeInfo",
    "Move",
    "NeuronRow",
    "NeuronTable",
    "PartRefused",
    "PositionEffects",
    "PromptRow",
    "Real",
    "Redo",
    "Remove",
    "Request",
    "Restore",
    "ResumeMap",
    "SetBase",
    "SetStrength",
    "SetView",
    "Setup",
    "Snapshot",
    "SnapshotEvent",
    "Superseded",
    "Toggle",
    "TokenColumn",
    "TopToken",
    "TopTokens",
    "Tree",
    "Undo",
    "Verified",
    "Verify",
    "View",
    "Welcome",
]
