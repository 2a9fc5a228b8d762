"""A decoder-only transformer as plain linear algebra: what the wavefront tier must know of a model.

Every tensor is the model's own parameter (a view of it, or a copy where its layout forces one). The functions
here say what each part computes, in the order in which the model does; `circuitboard.models.dissection` finds the
parts in a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F  # noqa: N812

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    Activation = Callable[[Tensor], Tensor]

NormKind = Literal["layer", "rms", "none"]


@dataclass(frozen=True, eq=False)
class Linear:
    """y = x · weightᵀ + bias.

    Parameters
    ----------
    weight
        Float [out, in].
    bias
        Float [out], or None.
    """

    weight: Float[Tensor, "out in"]
    bias: Float[Tensor, " out"] | None = None

    def __call__(self, x: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True, eq=False)
class Norm:
    """A normalisation of the last axis, computed in float32 at least, and given back in the input's dtype.

    Parameters
    ----------
    kind
        "layer": (x − mean) / √(var + eps); "rms": x / √(mean(x²) + eps); "none": x.
    weight, bias
        Float [d]; None where folded away or absent. A Gemma norm's weight is given here as 1 + w. An "rms" norm
        multiplies in the dtype of its weight: Llama's after rounding to the model's dtype, Gemma's before.
    eps
        Added under the root.
    precision
        The dtype that the model computes in whatever the input's, e.g. float32 for Llama's even in a float64 model;
        None: the input's, float32 at least.
    """

    kind: NormKind
    weight: Float[Tensor, " d"] | None = None
    bias: Float[Tensor, " d"] | None = None
    eps: float = 1e-5
    precision: torch.dtype | None = None

    def __call__(self, x: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows d"]:
        if self.kind == "none":
            return x
        if self.kind == "layer":
            # torch accumulates in float32 by itself where x is narrower.
            wide = x if self.precision is None else x.to(self.precision)
            return F.layer_norm(wide, x.shape[-1:], self.weight, self.bias, self.eps).to(x.dtype)
        wide = x.to(self.precision or torch.promote_types(x.dtype, torch.float32))
        normed = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        if self.weight is None:
            return normed.to(x.dtype)
        return (normed.to(self.weight.dtype) * self.weight).to(x.dtype)


@dataclass(frozen=True, eq=False)
class Rotary:
    """Rotary positions (Su et al. 2021, RoFormer): dimensions turned in pairs by an angle that grows with position.

    Parameters
    ----------
    tables
        Int positions [batch, pos] → (cos, sin), each [batch, pos, dims], in the model's dtype or wider. Ask for the
        positions of whole prompts at once: long-context scalings (Phi-3's longrope) depend on the largest of them.
    dims
        How many leading dimensions of a head are turned; the others pass.
    interleaved
        True: neighbours (0, 1), (2, 3), … form pairs (GPT-J); False: (0, dims/2), (1, dims/2 + 1), … (Llama).
    """

    tables: Callable[[Tensor], tuple[Tensor, Tensor]]
    dims: int
    interleaved: bool

    def turn(
        self,
        x: Float[Tensor, "*rows heads d_head"],
        cos: Float[Tensor, "*#rows 1 dims"],
        sin: Float[Tensor, "*#rows 1 dims"],
    ) -> Float[Tensor, "*rows heads d_head"]:
        """Turn q or k; the tables are those of the rows' positions, with an axis for heads."""
        turned = x[..., : self.dims]
        if self.interleaved:
            partner = torch.stack((-turned[..., 1::2], turned[..., ::2]), -1).flatten(-2)
        else:
            first, second = turned.chunk(2, -1)
            partner = torch.cat((-second, first), -1)
        turned = (turned * cos + partner * sin).to(x.dtype)
        return turned if self.dims == x.shape[-1] else torch.cat((turned, x[..., self.dims :]), -1)


@dataclass(frozen=True, eq=False)
class Attention:
    """Causal multi-head attention; query head h reads key-value head h // (n_heads // n_kv_heads).

    Parameters
    ----------
    q, k, v, o
        Projections: d_model → heads · d_head, head by head, and back.
    n_heads, n_kv_heads, d_head
        Sizes.
    scale
        What scores q · k are multiplied by, e.g. 1/√d_head.
    rotary
        None where positions do not enter here.
    q_norm, k_norm
        Norm of each head's q and k before they are turned (Qwen3, Gemma 3), or None. TransformerLens's hook_q and
        hook_k are before the norm, i.e. what the projections give, for every model.
    softcap
        Scores become softcap · tanh(scores / softcap) (Gemma 2), or None.
    window
        A query at position t sees keys at t − window + 1 … t, or None for all earlier ones.
    post_norm
        Norm of the output before it joins the residual stream (Gemma 2 and 3), or None. hook_attn_out is after it.
    score_dtype
        q and k are cast to it before their product (GPT-J, GPT-Neo: float32), or None.
    softmax_dtype
        The softmax is computed in it (float32 in most Hugging Face models, in a float64 model too), or in the
        scores' dtype if None. The pattern is cast to v's dtype afterwards.
    """

    q: Linear
    k: Linear
    v: Linear
    o: Linear
    n_heads: int
    n_kv_heads: int
    d_head: int
    scale: float
    rotary: Rotary | None = None
    q_norm: Norm | None = None
    k_norm: Norm | None = None
    softcap: float | None = None
    window: int | None = None
    post_norm: Norm | None = None
    score_dtype: torch.dtype | None = None
    softmax_dtype: torch.dtype | None = None


@dataclass(frozen=True, eq=False)
class Mlp:
    """A multi-layer perceptron: down(act(up(x))), or down(act(gate(x)) · up(x)) with a gate.

    Its neurons are what `down` reads. `act` acts on whole rows [..., d_mlp]: not all are elementwise (SoLU is not).
    `post_norm` is a norm of the output before it joins the residual stream (Gemma 2 and 3); hook_mlp_out is after it.
    """

    up: Linear
    down: Linear
    act: Activation
    gate: Linear | None = None
    post_norm: Norm | None = None

    def neurons(self, x: Float[Tensor, "*rows d_model"]) -> Float[Tensor, "*rows d_mlp"]:
        """The hidden units after the non-linearity."""
        return self.act(self.up(x)) if self.gate is None else self.act(self.gate(x)) * self.up(x)


@dataclass(frozen=True, eq=False)
class Block:
    """One layer.

    Sequential: mid = pre + attn(ln1(pre)); post = mid + mlp(ln2(mid)). Parallel: post = pre + attn(ln1(pre)) +
    mlp(ln2(pre)). Without an MLP, post = mid and there is no ln2.
    """

    ln1: Norm
    attn: Attention
    ln2: Norm | None = None
    mlp: Mlp | None = None
    parallel: bool = False


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The whole model after its embeddings.

    Parameters
    ----------
    blocks
        In order.
    ln_final
        Norm before the unembedding.
    unembed
        d_model → d_vocab.
    logit_softcap
        Logits become softcap · tanh(logits / softcap) (Gemma 2), or None.
    logit_scale
        What logits are multiplied by before that (1 for most).
    embed_scale
        A change Δ of hook_embed changes the first resid_pre by embed_scale · Δ; None where that is not so.
    """

    blocks: tuple[Block, ...]
    ln_final: Norm
    unembed: Linear
    logit_softcap: float | None = None
    logit_scale: float = 1.0
    embed_scale: float | None = 1.0

    def read_out(self, logits: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """What the architecture does to logits after the unembedding."""
        if self.logit_scale != 1.0:
            logits = logits * self.logit_scale
        return logits if self.logit_softcap is None else self.logit_softcap * torch.tanh(logits / self.logit_softcap)

    def positions(self, real: Bool[Tensor, "batch pos"]) -> Int[Tensor, "batch pos"]:
        """Positions of tokens, counted per prompt from its first real token; padding counts as 0."""
        return (real.long().cumsum(-1) - 1).clamp(min=0)
