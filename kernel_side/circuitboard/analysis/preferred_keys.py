"""Which tokens a head's query looks for: the QK circuit from one position of a run."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812

from circuitboard.errors import EngineError, ModelError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import CancelToken
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.anatomy import Attention, Norm, Rotary
    from circuitboard.runs import CachedRun

_AT_ONCE = 4096
"""Tokens of the vocabulary between which a click can come in."""


def preferred_keys(
    adapter: ModelAdapter,
    base: CachedRun,
    queries: Float[Tensor, "batch pos head d_head"],
    layer: int,
    head: int,
    column: int,
    source: int,
    prompt: int,
    cancel: CancelToken,
) -> Generator[None, None, Float[Tensor, " d_vocab"]]:
    """How much the score of each token as a key differs from the mean; a generator that gives way, on the worker thread.

    scale · q(column) · k(token), with the query of this run and the key that W_K makes of ln1 of the token's embedding
    alone, turned as at `source` where positions are rotary (the QK circuit of Elhage et al. 2021, "A Mathematical
    Framework for Transformer Circuits", from a query that is computed rather than embedded). Before a soft-cap of
    scores. Later heads read more than embeddings, so for them it is a part of what they look for.

    Parameters
    ----------
    base
        The run that is edited: its tokens have the positions.
    queries
        Of the layer in the run that is read, before norms and positions.
    column, source
        Columns of the token tensor.

    Returns
    -------
    Tensor
        Float32, minus the mean over the vocabulary: differences of scores are differences of log attention.

    Raises
    ------
    EngineError
        `no_qk_circuit` for a model whose attention is not taken apart.
    """
    try:
        anatomy = adapter.anatomy()
    except ModelError as error:
        raise EngineError(
            f"What the query looks for cannot be told from the weights: {error.message}", code="no_qk_circuit"
        ) from error
    if anatomy.embed_scale is None or adapter.refusal("embed", 0) is not None:
        raise EngineError(
            f"{adapter.name} changes its token embeddings before the first block in a way that is not known here, so they cannot be read as keys.",
            code="no_qk_circuit",
        )
    block = anatomy.blocks[layer]
    attn = block.attn
    at = torch.arange(base.tokens.shape[1])[None] if base.real is None else anatomy.positions(base.real.cpu())
    row = at[prompt if len(at) > 1 else 0].to(adapter.device)
    query = _turned(queries[prompt, column, head], attn, attn.q_norm, row, column)
    kv = head // (attn.n_heads // attn.n_kv_heads)
    part = slice(kv * attn.d_head, (kv + 1) * attn.d_head)
    weight = attn.k.weight[part]
    bias = None if attn.k.bias is None else attn.k.bias[part]
    scores = []
    for first in range(0, adapter.shape.d_vocab, _AT_ONCE):
        cancel.check()
        ids = torch.arange(first, min(first + _AT_ONCE, adapter.shape.d_vocab))
        keys = F.linear(block.ln1(_embeddings(adapter, ids) * anatomy.embed_scale), weight, bias)
        scores.append(_turned(keys, attn, attn.k_norm, row, source).float() @ query.float() * attn.scale)
        yield
    found_scores = torch.cat(scores).double()
    return (found_scores - found_scores.mean()).float().cpu()


def _turned(
    x: Float[Tensor, "*rows d_head"],
    attn: Attention,
    norm: Norm | None,
    positions: Tensor,
    column: int,
) -> Float[Tensor, "*rows d_head"]:
    """Queries or keys of one head as scores need them, all at one position."""
    x = x if norm is None else norm(x)
    if attn.rotary is None:
        return x
    cos, sin = _tables(attn.rotary, positions, column)
    return attn.rotary.turn(x[..., None, :], cos, sin)[..., 0, :]


def _tables(rotary: Rotary, positions: Tensor, column: int) -> tuple[Tensor, Tensor]:
    """Tables of one position, of the whole prompt's: long-context scalings depend on its length."""
    cos, sin = rotary.tables(positions[None])
    return cos[0, column, None], sin[0, column, None]


def _embeddings(adapter: ModelAdapter, ids: Tensor) -> Float[Tensor, "token d_model"]:
    """Token embeddings as they enter the model, without positions."""
    width = min(adapter.shape.n_ctx, 128, len(ids))
    rows = F.pad(ids, (0, -len(ids) % width)).view(-1, width).to(adapter.device)
    kept: list[Tensor] = []

    def keep(activation: Tensor) -> Tensor:
        kept.append(activation.clone())
        return activation

    with adapter.rewriting({("embed", 0): keep}):
        adapter.enter(rows)
    return kept[0].flatten(0, 1)[: len(ids)]
