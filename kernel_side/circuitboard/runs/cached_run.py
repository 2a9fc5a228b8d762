"""One unedited run, kept whole enough to start from and to patch from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuitboard.address import Stays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from circuitboard.address import Kind
    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import BlockCall, ModelAdapter
    from circuitboard.models.shape import Place

_KEPT_FROM_THE_START: tuple[Kind, ...] = (
    "embed",
    "resid_pre",
    "head.q",
    "head.k",
    "head.v",
    "head",
    "attn_out",
    "mlp_out",
)
"""What every engine tier starts from. Others are large (patterns, neurons, results) or follow from these."""


@dataclass(frozen=True, eq=False)
class CachedRun(Stays):
    """The clean or the corrupted run; equal to itself alone.

    Parameters
    ----------
    name
        "clean" or "corrupted".
    tokens
        Int64 [batch, pos].
    logits
        Float [batch, read, d_vocab]: the answer position alone, or all positions.
    activations
        What has been recorded so far; ask `activation` instead, which records what is missing.
    calls
        How each block was called; empty where blocks cannot be replayed.
    adapter
        The model that was run.
    real
        Bool [batch, pos], False where a prompt is padded on the left; None without padding.
    """

    _instead: ClassVar[str] = (
        "It belongs to its board, and holds the model; a run that travels is a cb.Run, such as board.as_run()."
    )

    name: str
    tokens: Int[Tensor, "batch pos"]
    logits: Float[Tensor, "batch read d_vocab"]
    activations: dict[Place, Float[Tensor, "batch ..."]]
    calls: tuple[BlockCall, ...]
    adapter: ModelAdapter
    real: Bool[Tensor, "batch pos"] | None = None

    def activation(self, place: Place) -> Float[Tensor, "batch ..."]:
        """An activation of this run; on the worker thread only, and with no hooks in force, since it may have to be recorded."""
        self.fetch((place,))
        return self.activations[self.adapter.same_as(place)]

    def fetch(self, places: Iterable[Place]) -> None:
        """Record those of these activations that are not held yet, in one forward pass; on the worker thread only."""
        missing = {self.adapter.same_as(place) for place in places} - self.activations.keys()
        if missing:
            self.activations.update(self.adapter.record(self.tokens, sorted(missing), self.real).activations)

    def shared_prefix(self, base: CachedRun) -> int:
        """How many first columns hold the same tokens in both runs, in every prompt."""
        differs = (base.tokens != self.tokens).any(0)
        if base.real is not None and self.real is not None:
            differs = differs | (base.real != self.real).any(0)
        found = differs.nonzero()
        return int(found[0]) if len(found) else base.tokens.shape[1]

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor that lives as long as this run."""
        yield self.logits
        yield from tuple(self.activations.values())


def record_run(
    adapter: ModelAdapter,
    name: str,
    tokens: Int[Tensor, "batch pos"],
    reads: Reads,
    real: Bool[Tensor, "batch pos"] | None = None,
) -> CachedRun:
    """Run the model once without edits and keep what edits and replays need."""
    last = adapter.shape.n_layers - 1
    places: list[Place] = [(kind, layer) for layer in range(last + 1) for kind in _KEPT_FROM_THE_START]
    places = [place for place in [*places, ("resid_post", last)] if adapter.refusal(*place) is None]
    places = [place for place in places if place[0] != "embed" or place[1] == 0]
    recording = adapter.record(tokens, places, real)
    logits = recording.logits if reads == "all" else recording.logits[:, -1:].clone()
    return CachedRun(name, tokens, logits, dict(recording.activations), recording.calls, adapter, real)
