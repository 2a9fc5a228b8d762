"""What moves what a component reads, and who reads from a token."""

from __future__ import annotations

import msgspec

from circuitboard.protocol.answers import Answer
from circuitboard.protocol.drawing import Mode, Real


class TraceRow(msgspec.Struct, frozen=True):
    """One edge: `effect` is the exact change of the metric when it alone is edited, mean over prompts.

    For an edge that is edited already, with minus without. `stderr` is null for a single prompt.
    """

    sender: str
    edge: str
    effect: Real
    stderr: Real | None
    edited: bool


class Traced(Answer, frozen=True, tag="traced"):
    """The edges into `receiver` in the state `revision`, largest |effect| first; `omitted` smaller ones are left out.

    Effects are in the metric's unit, of doing `how` to what the receiver hears of the sender. With `by_estimate` those
    left out were not computed: their estimates (edge attribution patching) are smaller.
    """

    revision: int
    site: str
    part: str
    receiver: str
    how: Mode
    rows: list[TraceRow]
    omitted: int
    by_estimate: bool
    elapsed_ms: float


class ReaderRow(msgspec.Struct, frozen=True):
    """A head, how much it attends from `row` to the token in the prompt asked for, and what that does.

    `effect` is the exact change of the metric, mean over prompts, when this entry of its pattern is set to 0 and the
    rest of the row is left as it is.
    """

    site: str
    attention: Real
    effect: Real
    stderr: Real | None


class ReadBy(Answer, frozen=True, tag="read_by"):
    """The heads that attend most from the column `row`, where the answer is read, to the column `position`.

    The most attention first; `omitted` heads attend less.
    """

    revision: int
    position: int
    row: int
    prompt: int
    rows: list[ReaderRow]
    omitted: int
    elapsed_ms: float
