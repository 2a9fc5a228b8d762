"""What a detail panel draws of one component."""

from __future__ import annotations

from typing import Literal

import msgspec

from circuitboard.protocol.drawing import ErrorInfo, Mode, Real

DetailPart = Literal["attention", "effect", "direct", "writes", "circuit", "by_position", "neurons", "lens"]


class AttentionView(msgspec.Struct, frozen=True):
    """Where a head looks in one prompt.

    Two buffers come with the answer, float32 little-endian in row-major order of `shape`, [dest, src]: the pattern of
    the edited run and that of the unedited base run. Rows and columns are the prompt's own tokens, padding left out;
    the first is column `first_column` of the token tensor.
    """

    tokens: list[str]
    shape: list[int]
    first_column: int


class DirectView(msgspec.Struct, frozen=True):
    """What the component adds to logit(answer) − logit(wrong) by itself, with the final norm's scale held (DLA).

    Mean over prompts, in logits, in the edited run and in the unedited base run; `stderr` is that of `value`, null for
    a single prompt.
    """

    value: Real
    stderr: Real | None
    base_value: Real


class EditEffect(msgspec.Struct, frozen=True):
    """What editing the component does to the metric, and by which way; means over prompts.

    `total` is the exact effect: for a component that is edited, the metric with minus without its own edits (for a
    head, those of any of its parts); else the metric with `how` done to it minus without, the other edits in force.
    `direct` is how much the edit changes what the component adds to logit(answer) − logit(wrong) by itself, in logits,
    the final norm's scale held where it is without the edit; `later` is `total` − `direct`, where the metric is the
    logit difference. `note` says why one of the two is null. Standard errors are null for a single prompt.
    """

    how: str
    edited: bool
    at: list[int] | None
    total: Real
    total_stderr: Real | None
    direct: Real | None
    direct_stderr: Real | None
    later: Real | None
    later_stderr: Real | None
    note: str | None


class MovedToken(msgspec.Struct, frozen=True):
    """A token, and what is added to its logit: minus the mean over the vocabulary."""

    token: str
    token_id: int
    logit: Real


class Moves(msgspec.Struct, frozen=True):
    """The tokens that are raised most and lowered most, the most first."""

    up: list[MovedToken]
    down: list[MovedToken]


class WritesView(msgspec.Struct, frozen=True):
    """What the component adds by itself to the logits of the prompt that was asked for, read at the column `position`.

    Through the final norm, held at its scale in the run, and the unembedding, minus the mean over the vocabulary, in
    logits: in the edited run, in the unedited base run, and the former minus the latter.
    """

    position: int
    current: Moves
    base: Moves
    change: Moves


class CircuitView(msgspec.Struct, frozen=True):
    """The OV and the QK circuit of a head between two columns, in the edited run (Elhage et al. 2021).

    `copying`: what it would add to the logits at `row` if it attended to `source` alone, as in `WritesView`. `keys`:
    the tokens whose embeddings the query at `row` scores highest and lowest as keys at `source`, in units of the score,
    whose differences are differences of log attention; null where the model's attention is not taken apart, and
    `keys_refused` says why.
    """

    row: int
    source: int
    copying: Moves
    keys: Moves | None
    keys_refused: ErrorInfo | None


class PositionEffects(msgspec.Struct, frozen=True):
    """The effect of editing a head at each position alone, on top of the edits in force, mean over prompts.

    `columns` are those of the token tensor; `how` is what is done; the unit is the metric's.
    """

    how: Mode
    columns: list[int]
    effects: list[Real]


class NeuronRow(msgspec.Struct, frozen=True):
    """A neuron at one position of each prompt, means over prompts.

    `activation` and `base_activation` are after the non-linearity, edited and unedited; `direct` is its part of the
    direct logit attribution, in logits; `congruence` is W_out · (W_U[answer] − W_U[wrong]); `effect` is the exact
    change of the metric when it is edited on top of the edits in force, `estimate` that of attribution patching.
    Standard errors are null for a single prompt.
    """

    index: int
    activation: Real
    base_activation: Real
    direct: Real
    direct_stderr: Real | None
    congruence: Real
    estimate: Real
    effect: Real
    effect_stderr: Real | None


class NeuronTable(msgspec.Struct, frozen=True):
    """The neurons of one layer that matter most at a position, largest |estimate| first.

    Without an estimate (the metric has no gradient) they are those with the largest |direct|; `ordered_by` says which.
    """

    layer: int
    how: Mode
    ordered_by: Literal["estimate", "direct"]
    rows: list[NeuronRow]


class LensToken(msgspec.Struct, frozen=True):
    """A likely next token, read from an early layer; `prob` is its softmax probability."""

    token: str
    token_id: int
    prob: Real


class LensRow(msgspec.Struct, frozen=True):
    """One residual stream read through the final norm and the unembedding (the logit lens).

    `logit_diff` is logit(answer) − logit(wrong), in logits, and `prob` the answer's probability, means over prompts,
    edited and unedited; `tokens` are the likeliest ones of the prompt that was asked for, in the edited run.
    """

    site: str
    layer: int
    logit_diff: Real
    base_logit_diff: Real
    prob: Real
    tokens: list[LensToken]


class PartRefused(msgspec.Struct, frozen=True):
    """A part that this model or this prompt cannot give, and why."""

    part: DetailPart
    error: ErrorInfo
