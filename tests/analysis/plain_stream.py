"""Activations of runs with hooks written by hand, and the logit lens and direct effects done with plain tensors."""

from __future__ import annotations

import torch

from tests.board.prompts import ANSWERS, CLEAN, WRONG

TWO_PROMPTS = torch.tensor([[5, 6, 7, 8, 9, 10], [9, 8, 7, 6, 5, 4]])
"""Prompts without a corrupted run."""


def plain_cache(model, hooks=(), tokens=CLEAN):
    """Every activation of a run with hooks, as TransformerLens names them."""
    seen = {}
    with torch.no_grad(), model.hooks(fwd_hooks=list(hooks)):
        logits, cache = model.run_with_cache(tokens, use_cache=False)
    seen.update(cache.cache_dict if hasattr(cache, "cache_dict") else cache)
    return logits, seen


def asked(model, answers=ANSWERS, wrong=WRONG):
    """W_U[answer] − W_U[wrong] and the same of its bias, [batch, d_model] and [batch]."""
    with torch.no_grad():
        rows = torch.eye(model.cfg.d_model)
        bias = model.unembed(torch.zeros(1, 1, model.cfg.d_model))[0, 0]
        weight = model.unembed(rows[None])[0] - bias  # [d_model, d_vocab]
    return (weight[:, answers] - weight[:, wrong]).T, bias[answers] - bias[wrong]


def frozen_norm(model, stream):
    """The final norm as a function that is linear but for its bias: its scale stays what it is for `stream` [batch, d]."""
    norm = model.ln_final
    inner = norm.original_component
    centre = not norm.uses_rms_norm and type(inner).__name__ != "Identity"
    weight = getattr(inner, "weight", None)
    bias = getattr(inner, "bias", None)
    with torch.no_grad():
        there = norm(stream)
        centred = stream - stream.mean(-1, keepdim=True) if centre else stream
        factor = torch.ones(stream.shape[-1]) if weight is None else weight
        factor = 1 + factor if norm.uses_weight_offset and weight is not None else factor
        offset = torch.zeros(stream.shape[-1]) if bias is None else bias
        # The scale is read off the module's own output, at the largest entry of each row.
        best = (centred * factor).abs().argmax(-1, keepdim=True)
        scale = ((there - offset).gather(-1, best) / (centred * factor).gather(-1, best)).detach()

    def apply(x):
        with torch.no_grad():
            y = x - x.mean(-1, keepdim=True) if centre else x
            return y * scale * factor + offset

    assert torch.allclose(apply(stream), there, atol=1e-5)
    return apply
