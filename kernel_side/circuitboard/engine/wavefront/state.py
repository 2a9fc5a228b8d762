"""What is kept of a run: enough to go on from any layer, and to compute any part again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.wavefront.turn import turned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine.wavefront.layer import Layer
    from circuitboard.engine.wavefront.sight import Sight
    from circuitboard.interventions import Write
    from circuitboard.runs import CachedRun


@dataclass(frozen=True, eq=False)
class LayerState:
    """The activations of one block, with the edits there carried out.

    Parameters
    ----------
    pre, mid, post
        The residual stream before, between and after, [batch, pos, d_model]; `mid` is None where there is none.
    q, k, v
        [batch, pos, head, d_head]; q scaled, q and k normed and turned as the scores need them.
    z
        [batch, pos, head, d_head].
    attn_raw
        The output of attention before its post-norm, None where there is no such norm.
    attn_out, mlp_out
        What attention and MLP add, [batch, pos, d_model]; `mlp_out` is None without an MLP.
    private
        For heads that receive edges: the keys and values that this head alone sees, [batch, pos, d_head].
    """

    pre: Float[Tensor, "batch pos d_model"]
    q: Float[Tensor, "batch pos head d_head"]
    k: Float[Tensor, "batch pos kv d_head"]
    v: Float[Tensor, "batch pos kv d_head"]
    z: Float[Tensor, "batch pos head d_head"]
    attn_raw: Float[Tensor, "batch pos d_model"] | None
    attn_out: Float[Tensor, "batch pos d_model"]
    mid: Float[Tensor, "batch pos d_model"] | None
    mlp_out: Float[Tensor, "batch pos d_model"] | None
    post: Float[Tensor, "batch pos d_model"]
    private: Mapping[int, tuple[Tensor, Tensor]]

    @property
    def read_by_mlp(self) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream that the MLP reads."""
        return self.pre if self.mid is None else self.mid

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor kept."""
        for value in vars(self).values():
            if isinstance(value, torch.Tensor):
                yield value
        for pair in self.private.values():
            yield from pair


@dataclass(frozen=True, eq=False)
class State:
    """A run, kept whole.

    Parameters
    ----------
    layers
        One per block.
    messages
        For each edge in force, what its sender adds to what the receiver reads, [batch, pos, d_model].
    """

    layers: tuple[LayerState, ...]
    messages: Mapping[Write, Float[Tensor, "batch pos d_model"]]

    @property
    def final(self) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream that is unembedded."""
        return self.layers[-1].post

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor kept."""
        for layer in self.layers:
            yield from layer.tensors()
        yield from self.messages.values()


def state_of(run: CachedRun, layers: tuple[Layer, ...], sight: Sight) -> State:
    """The state of an unedited run, from what hooks recorded of it."""
    last = len(layers) - 1
    states = []
    for layer in layers:
        index, attn = layer.index, layer.block.attn
        pre, z = run.activation(("resid_pre", index)), run.activation(("head", index))
        attn_out = run.activation(("attn_out", index))
        q, k = (run.activation((kind, index)) for kind in ("head.q", "head.k"))
        states.append(
            LayerState(
                pre=pre,
                q=turned(q, attn, attn.q_norm, sight) * attn.scale,
                k=turned(k, attn, attn.k_norm, sight),
                v=run.activation(("head.v", index)),
                z=z,
                attn_raw=None if attn.post_norm is None else layer.out(z.flatten(0, 1).flatten(1)).view_as(pre),
                attn_out=attn_out,
                mid=pre + attn_out if layer.has_mid else None,
                mlp_out=None if layer.block.mlp is None else run.activation(("mlp_out", index)),
                post=run.activation(("resid_post", last) if index == last else ("resid_pre", index + 1)),
                private={},
            )
        )
    return State(tuple(states), {})
