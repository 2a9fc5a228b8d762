"""What the engine may ask of a model: the only door between our code and TransformerLens's.

The engine knows blocks, residual rows and named activations; how a library stores them is the
adapter's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from circuitboard.address import KINDS, Kind

if TYPE_CHECKING:
    import torch
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from circuitboard.models.account.account import Account
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.models.outlets import Outlets
    from circuitboard.models.shape import ModelShape, Place

Rewrite = Callable[["Tensor"], "Tensor"]
"""Takes an activation [batch, pos, ...] and returns what stands in its place, never the same tensor changed.

One that returns the very tensor that it was given only looks on.
"""


class PassEnded(Exception):  # noqa: N818  no error
    """Raised by a rewrite when the rest of a forward pass is not wanted; `forward` lets it through."""


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
        The activations asked for: [batch, pos, d_model], [batch, pos, head, d] for those of heads, [batch, pos,
        d_mlp] for neurons, [batch, head, dest, src] for patterns.
    calls
        One per block, empty where blocks cannot be called by themselves.
    """

    logits: Float[Tensor, "batch pos d_vocab"]
    activations: Mapping[Place, Float[Tensor, "batch ..."]]
    calls: tuple[BlockCall, ...] = field(default=())


class ModelAdapter(Protocol):
    """A model the engine can run. Only the engine's worker thread calls these methods, `refusal` apart.

    Where `real` is given, it is bool [batch, pos], False where a prompt is padded on the left: padding is not
    attended to, and positions count from each prompt's first real token.
    """

    name: str
    shape: ModelShape
    device: torch.device
    dtype: torch.dtype
    account: Account
    """What the model was when the adapter was made."""

    def hold_hooks(self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None) -> None:
        """Refuse from now on what hooks of the user's make impossible, by a run of these prompts; nothing without hooks."""

    def of_user(self) -> ModelAdapter:
        """The same adapter around the very model of the user's, to check what this one says."""

    def refusal(self, kind: Kind, layer: int) -> str | None:
        """Why this kind of site cannot be edited in this layer, or None if it can."""

    def same_as(self, place: Place) -> Place:
        """The place under which an activation is kept, for two places that are one in an unedited run."""

    def rewriting(self, rewrites: Mapping[Place, Rewrite]) -> AbstractContextManager[Mapping[Place, int]]:
        """Put `rewrites` in force; the value counts how often each one was called. Undone on exit, whatever happens."""

    def forward(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """A plain forward pass."""

    def traced(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """A forward pass that keeps autograd's graph, to be differentiated by what rewrites pass on.

        Use `torch.autograd.grad` on those tensors: `backward()` would fill the `.grad` of the user's parameters.

        Raises
        ------
        ModelError
            `no_gradient`, with the reason, for models that cannot be differentiated.
        """

    def enter(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream that enters the first block; the rest of the model is not run."""

    def record(
        self,
        tokens: Int[Tensor, "batch pos"],
        places: Sequence[Place],
        real: Bool[Tensor, "batch pos"] | None = None,
    ) -> Recording:
        """A forward pass that keeps the activations at `places` and how each block was called."""

    def block(
        self, layer: int, resid: Float[Tensor, "batch pos d_model"], call: BlockCall
    ) -> Float[Tensor, "batch pos d_model"]:
        """Run one block on a residual stream."""

    def require_replay(self) -> None:
        """Refuse a model whose blocks, called one by one, are not what the model computes.

        Raises
        ------
        ModelError
            `no_replay`, with the reason.
        """

    def anatomy(self) -> Anatomy:
        """The parts of the model as plain linear algebra.

        Raises
        ------
        ModelError
            `no_anatomy`, with the reason, for models that are not taken apart.
        """

    def outlets(self) -> Outlets:
        """Where the model writes into its residual stream and how it reads its logits from it.

        Raises
        ------
        ModelError
            `no_outlets`, with the reason.
        """

    def unembed(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        """Final norm, unembedding and whatever the architecture does to its logits.

        Raises
        ------
        ModelError
            `no_unembedding`, with the reason.
        """


def places_of(adapter: ModelAdapter) -> Iterator[Place]:
    """Every place of the model that can be edited, in the order of computation."""
    for layer in range(adapter.shape.n_layers):
        for kind in KINDS:
            if (kind != "embed" or layer == 0) and adapter.refusal(kind, layer) is None:
                yield kind, layer
