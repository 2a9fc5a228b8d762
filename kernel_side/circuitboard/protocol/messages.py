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
    Compared,
    Detailed,
    Done,
    Exported,
    Failed,
    Saved,
    Superseded,
    Verified,
    Welcome,
)
from circuitboard.protocol.comparison import ComparedEdit, ComparedMaps, ComparedState, ComparedToken
from circuitboard.protocol.detail import (
    AttentionView,
    CircuitView,
    DetailPart,
    DirectView,
    EditEffect,
    LensRow,
    LensToken,
    MovedToken,
    Moves,
    NeuronRow,
    NeuronTable,
    PartRefused,
    PositionEffects,
    WritesView,
)
from circuitboard.protocol.drawing import (
    Base,
    Baselines,
    ColourMap,
    EditKind,
    EditRow,
    EngineInfo,
    ErrorInfo,
    GroupRow,
    HistoryNode,
    MapOver,
    MetricView,
    Mode,
    ModeInfo,
    PromptNote,
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
    MapBuffer,
    MapEvent,
    MapStatus,
    SnapshotEvent,
)
from circuitboard.protocol.requests import (
    Apply,
    CancelMap,
    Clear,
    Click,
    Compare,
    CopyCode,
    Detail,
    EditSpec,
    Export,
    Group,
    Hello,
    MapLook,
    Move,
    Note,
    Readers,
    Redo,
    Refresh,
    Remove,
    Rename,
    Request,
    Restore,
    ResumeMap,
    Save,
    SetBase,
    SetStrength,
    SetView,
    StepRequest,
    Toggle,
    Trace,
    Undo,
    Verify,
)
from circuitboard.protocol.trace import ReadBy, ReaderRow, Traced, TraceRow

PROTOCOL_VERSION = 6

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
    | Refresh
    | Verify
    | CopyCode
    | Detail
    | Trace
    | Readers
    | Export
    | Save
    | Group
    | Rename
    | Note
    | Compare
)
AnyAnswer = (
    Done | Superseded | Failed | Welcome | Verified | Code | Detailed | Traced | ReadBy | Exported | Saved | Compared
)
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
    "CircuitView",
    "Clear",
    "Click",
    "Code",
    "ColourMap",
    "Compare",
    "Compared",
    "ComparedEdit",
    "ComparedMaps",
    "ComparedState",
    "ComparedToken",
    "CopyCode",
    "Detail",
    "DetailPart",
    "Detailed",
    "DirectView",
    "Done",
    "EditEffect",
    "EditKind",
    "EditRow",
    "EditSpec",
    "EngineInfo",
    "ErrorInfo",
    "Event",
    "Export",
    "Exported",
    "Failed",
    "Group",
    "GroupRow",
    "Hello",
    "HistoryNode",
    "LensRow",
    "LensToken",
    "MapBuffer",
    "MapEvent",
    "MapLook",
    "MapOver",
    "MapStatus",
    "MetricView",
    "Mode",
    "ModeInfo",
    "Move",
    "MovedToken",
    "Moves",
    "NeuronRow",
    "NeuronTable",
    "Note",
    "PartRefused",
    "PositionEffects",
    "PromptNote",
    "PromptRow",
    "ReadBy",
    "ReaderRow",
    "Readers",
    "Real",
    "Redo",
    "Refresh",
    "Remove",
    "Rename",
    "Request",
    "Restore",
    "ResumeMap",
    "Save",
    "Saved",
    "SetBase",
    "SetStrength",
    "SetView",
    "Setup",
    "Snapshot",
    "SnapshotEvent",
    "StepRequest",
    "Superseded",
    "Toggle",
    "TokenColumn",
    "TopToken",
    "TopTokens",
    "Trace",
    "TraceRow",
    "Traced",
    "Tree",
    "Undo",
    "Verified",
    "Verify",
    "View",
    "Welcome",
    "WritesView",
]
