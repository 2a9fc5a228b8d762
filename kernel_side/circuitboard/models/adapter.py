"""What the engine may ask of a model: the only door between our code and TransformerLens's.

The engine knows blocks, residual rows and named activations; how a library stores them is the
adapter's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.address import Kind

Place = tuple["Kind", int]
"""A kind of activation and its layer, e.g. ("head", 3): the z of all heads of block 3."""

Rewrite = Callable[["Tensor"], "Tensor"]
"""Takes an activation [batch, pos, ...] and returns what stands in its place, never the same tensor changed."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a decoder-only transformer."""

    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_vocab: int
    n_ctx: int


@dataclass(frozen=True)
class BlockCall:
    """How a block was called, apart from the residual stream: masks, positions, rotary tables."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """One forward pass, kept.

    Parameters
    ----------
    logits
        Float [batch, pos, d_vocab].
    activations
        The activations asked for, [batch, pos, d_model], or [batch, pos, head, d_head] for heads.
    calls
        One per block, empty where blocks cannot be called by themselves.
    """

    logits: Float[Tensor, "batch pos d_vocab"]
    activations: Mapping[Place, Float[Tensor, "batch pos ..."]]
    calls: tuple[BlockCall, ...] = field(default=())


class ModelAdapter(Protocol):
    """A model the engine can run. Only the engine's worker thread calls these methods."""

    name: str
    shape: ModelShape
    device: torch.device
    dtype: torch.dtype

    def refusal(self, kind: Kind, layer: int) -> str | None:
        """Why this kind of site cannot be edited in this layer, or None if it can."""

    def rewriting(self, rewrites: Mapping[Place, Rewrite]) -> AbstractContextManager[Mapping[Place, int]]:
        """Put `rewrites` in force; the value counts how often each one was called. Undone on exit, whatever happens."""

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
        """A plain forward pass."""

    def record(self, tokens: Int[Tensor, "batch pos"], places: Sequence[Place]) -> Recording:
        """A forward pass that keeps the activations at `places` and how each block was called."""

    def block(
        self, layer: int, resid: Float[Tensor, "batch pos d_model"], call: BlockCall
    ) -> Float[Tensor, "batch pos d_model"]:
        """Run one block on a residual stream."""

    def unembed(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        """Final norm, unembedding and whatever the architecture does to its logits."""


def places_of(adapter: ModelAdapter) -> Iterator[Place]:
    """Every place of the model that can be edited, in the order of computation."""
    for layer in range(adapter.shape.n_layers):
        for kind in ("resid_pre", "head", "attn_out", "mlp_out"):
            if adapter.refusal(kind, layer) is None:
                yield kind, layer
