"""One unedited run, kept whole enough to start from and to patch from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.models.adapter import places_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import BlockCall, ModelAdapter, Place


@dataclass(frozen=True, eq=False)
class CachedRun:
    """The clean or the corrupted run.

    Parameters
    ----------
    name
        "clean" or "corrupted".
    tokens
        Int64 [batch, pos].
    logits
        Float [batch, read, d_vocab]: the answer position alone, or all positions.
    activations
        Every place that can be edited, [batch, pos, d_model] or [batch, pos, head, d_head].
    calls
        How each block was called; empty where blocks cannot be replayed.
    """

    name: str
    tokens: Int[Tensor, "batch pos"]
    logits: Float[Tensor, "batch read d_vocab"]
    activations: Mapping[Place, Float[Tensor, "batch pos ..."]]
    calls: tuple[BlockCall, ...]


def record_run(adapter: ModelAdapter, name: str, tokens: Int[Tensor, "batch pos"], reads: Reads) -> CachedRun:
    """Run the model once without edits and keep what edits and replays need."""
    recording = adapter.record(tokens, list(places_of(adapter)))
    logits = recording.logits if reads == "all" else recording.logits[:, -1:].clone()
    return CachedRun(name, tokens, logits, recording.activations, recording.calls)
