"""What a view draws: the board's numbers and settings in the shape in which they are sent."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from circuitboard.address import Kind

Base = Literal["clean", "corrupted"]
Mode = Literal["zero", "mean", "resample", "patch"]
MapOver = Literal["head", "resid_pre", "attn_out", "mlp_out", "head_pos", "neuron"]
ColourMap = Literal["orange-blue", "purple-green"]
EditKind = Literal[Kind, "edge"]


class Real(msgspec.Struct, frozen=True):
    """A number that may be NaN or infinite: `special` names it then and `value` is null."""

    value: float | None = None
    special: Literal["nan", "inf", "-inf"] | None = None

    @classmethod
    def of(cls, x: float) -> Real:
        if math.isfinite(x):
            return cls(float(x))
        return cls(special="nan" if math.isnan(x) else "inf" if x > 0 else "-inf")

    @property
    def number(self) -> float:
        """What it stands for."""
        return float(self.special or "nan") if self.value is None else self.value


class ErrorInfo(msgspec.Struct, frozen=True):
    """An error in words: `code` is stable, `message` is for people."""

    code: str
    message: str
    where: str | None = None


class PromptNote(msgspec.Struct, frozen=True):
    """Something about the prompts that may not be meant: a stable `code`, a sentence, and what it is about."""

    code: str
    text: str
    where: str


class TokenColumn(msgspec.Struct, frozen=True):
    """One column of one prompt: its token in both runs and the labels that name it.

    `clean` and `corrupted` are names, as everywhere: they print, and only tokens of one id share one. Prompts that are
    shorter than others are padded on the left: `padding` columns hold no token.
    """

    clean: str
    corrupted: str | None
    differs: bool
    labels: list[str]
    padding: bool
    clean_id: int | None = None
    corrupted_id: int | None = None


class PromptRow(msgspec.Struct, frozen=True):
    """One prompt of the data set, column by column, with the tokens that the metric compares.

    `answer` and `wrong` name the alternatives that count alike; of many the first few, "…" and the last.
    """

    columns: list[TokenColumn]
    answer: list[str]
    wrong: list[str] | None


class ModeInfo(msgspec.Struct, frozen=True):
    """Something a click can do; `refused` says why it cannot be done here, null when it can."""

    mode: Mode
    refused: str | None = None


class EngineInfo(msgspec.Struct, frozen=True):
    """The engine tier in use ("wavefront", "replay", "hooked") and why it was chosen."""

    tier: str
    why: str


class Setup(msgspec.Struct, frozen=True):
    """What stays the same while a board lives; `maps` are those that the model has."""

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
    `positions` are columns of the prompt that is looked at, null for all. For a pattern they are those that attend, and
    `sources` those attended to; `renormalize` tells whether the rest of their rows makes up for the edit.
    `what` says the edit in words: "zero 9.6", "add 31.892 + 2 · a tensor [1]".
    `effect` is the metric with minus without this edit, the others in force; null until computed.
    `norm_change` is the Euclidean norm of what the edit changed in the activation it acts on, null
    for an edit that is switched off. `name` is what the user calls it, `group` the name of the group that it is in.
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
    name: str | None
    group: str | None
    sources: list[int] | None = None
    renormalize: bool = False


class GroupRow(msgspec.Struct, frozen=True):
    """Edits under one name; `effect` is the metric with minus without all of them, null until computed or if all are off."""

    name: str
    effect: Real | None


Side = Literal["answer", "wrong"]


class TopToken(msgspec.Struct, frozen=True):
    """A likely next token: probability and logit in the edited run and in the unedited base run.

    `rank` is 1 + how many tokens have a larger logit in the edited run, null where that is NaN; `side` tells the right
    and the wrong answers of the prompt.
    """

    token: str
    token_id: int
    prob: Real
    base_prob: Real
    logit: Real
    base_logit: Real
    rank: int | None = None
    side: Side | None = None


class TopTokens(msgspec.Struct, frozen=True):
    """The likeliest tokens at the answer position of one prompt, and after them its answers if they are not among these."""

    prompt: int
    at: str
    rows: list[TopToken]


class HistoryNode(msgspec.Struct, frozen=True):
    """One state that the board was in, and the step that led to it.

    `id` stays the node's own while the board lives. `parent` is the state that undo goes to, null for the first; of a
    history that is sent in part, the nearest such state that is sent. A long `label` is cut. `note` is what the user
    calls the state. `value` is the metric, mean over prompts; null
    for a state that has not been shown since the board has views, or whose numbers a newer click overtook.
    """

    id: int
    parent: int | None
    label: str
    value: Real | None
    note: str | None


class Tree(msgspec.Struct, frozen=True):
    """The history: states in the order in which they came about, the first one and the newest where there are many.

    `current` is the id of the state that is shown, `redo` that of the one that redo goes to. `omitted` says how many
    states are not sent; they can still be reached by undo and redo.
    """

    nodes: list[HistoryNode]
    current: int
    redo: int | None
    omitted: int


class View(msgspec.Struct, frozen=True):
    """What the panel is set to; shared by all views of a board.

    `positions` are columns of the token tensor, which is padded on the left where prompts differ in length; null means
    that clicks act at all positions. `map_layer` is the layer that the map "head_pos" shows. With `live` off, a step
    leaves the map as it is, stale; a change of what the map shows, or `ResumeMap`, has it computed. `colours` names the
    diverging map by the colour of negative effects and that of positive ones.
    """

    mode: Mode = "zero"
    positions: list[int] | None = None
    map: MapOver = "head"
    prompt: int = 0
    map_layer: int = 0
    live: bool = True
    colours: ColourMap = "orange-blue"


class Snapshot(msgspec.Struct, frozen=True):
    """The state of the board. `revision` grows with every change of the edits or the base run.

    `notes` are those of `Board.notes`.
    `model_changed` says what is another in the model than when these numbers were measured; null if nothing is. Steps
    are refused then until `Refresh`.
    `unkept` says why autosave cannot keep all of the board on disk; null where it can, or need not.
    """

    revision: int
    base: Base
    metric: MetricView
    more_metrics: list[MetricView]
    edits: list[EditRow]
    groups: list[GroupRow]
    can_undo: bool
    can_redo: bool
    history: Tree
    top_tokens: TopTokens
    notes: list[PromptNote]
    view: View
    latency_ms: float | None
    model_changed: str | None = None
    unkept: str | None = None
