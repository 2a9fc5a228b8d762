"""A forward pass with nothing but an `Anatomy`: slow, obvious, whole T × T attention, written to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from circuitboard.models.anatomy import Anatomy, Attention


def plain_forward(
    anatomy: Anatomy, resid: torch.Tensor, real: torch.Tensor | None = None
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Logits [batch, pos, d_vocab] from the first resid_pre [batch, pos, d_model], and every activation on the way.

    Parameters
    ----------
    real
        Bool [batch, pos], False at padding; all real if None.
    """
    if real is None:
        real = torch.ones(resid.shape[:2], dtype=torch.bool)
    positions = anatomy.positions(real)
    seen: dict[str, torch.Tensor] = {}
    for layer, block in enumerate(anatomy.blocks):
        at = f"blocks.{layer}"
        seen[f"{at}.hook_resid_pre"] = resid
        attn_out = _attention(block.attn, block.ln1(resid), positions, real, f"{at}.attn", seen)
        seen[f"{at}.hook_attn_out"] = attn_out
        mid = resid + attn_out
        if block.mlp is None:
            resid = mid
        else:
            neurons = block.mlp.neurons(block.ln2(resid if block.parallel else mid))
            seen[f"{at}.mlp.hook_post"] = neurons
            mlp_out = block.mlp.down(neurons)
            if block.mlp.post_norm is not None:
                mlp_out = block.mlp.post_norm(mlp_out)
            seen[f"{at}.hook_mlp_out"] = mlp_out
            resid = mid + mlp_out
        seen[f"{at}.hook_resid_post"] = resid
    return anatomy.read_out(anatomy.unembed(anatomy.ln_final(resid))), seen


def _attention(
    attn: Attention,
    x: torch.Tensor,
    positions: torch.Tensor,
    real: torch.Tensor,
    at: str,
    seen: dict[str, torch.Tensor],
) -> torch.Tensor:
    n, t, _ = x.shape
    q, k, v = (part(x).view(n, t, -1, attn.d_head) for part in (attn.q, attn.k, attn.v))
    seen |= {f"{at}.hook_q": q, f"{at}.hook_k": k, f"{at}.hook_v": v}
    if attn.q_norm is not None:
        q, k = attn.q_norm(q), attn.k_norm(k)
    if attn.rotary is not None:
        cos, sin = (table.to(x.dtype).unsqueeze(2) for table in attn.rotary.tables(positions))
        q, k = attn.rotary.turn(q, cos, sin), attn.rotary.turn(k, cos, sin)
    group = attn.n_heads // attn.n_kv_heads
    q, k, v = q.transpose(1, 2), k.transpose(1, 2).repeat_interleave(group, 1), v.transpose(1, 2)
    v = v.repeat_interleave(group, 1)
    if attn.score_dtype is not None:
        q, k = q.to(attn.score_dtype), k.to(attn.score_dtype)
    scores = q @ k.transpose(-1, -2) * attn.scale
    if attn.softcap is not None:
        scores = attn.softcap * torch.tanh(scores / attn.softcap)
    query, key = torch.arange(t)[:, None], torch.arange(t)[None, :]
    hidden = key > query
    if attn.window is not None:
        hidden = hidden | (key <= query - attn.window)
    # What a padding query sees does not matter; itself, so that its softmax is no NaN.
    hidden = (hidden | ~real[:, None, None, :]) & (key != query)
    pattern = scores.masked_fill(hidden, -torch.inf).softmax(-1, dtype=attn.softmax_dtype).to(v.dtype)
    seen[f"{at}.hook_pattern"] = pattern
    z = (pattern @ v).transpose(1, 2)
    seen[f"{at}.hook_z"] = z
    out = attn.o(z.reshape(n, t, -1))
    return out if attn.post_norm is None else attn.post_norm(out)
