"""Plain TransformerLens hooks, written by hand: what every other way of computing must equal.

Nothing of Circuitboard's own interventions is used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

NAMES = {
    "head": "blocks.{}.attn.hook_z",
    "resid_pre": "blocks.{}.hook_resid_pre",
    "attn_out": "blocks.{}.hook_attn_out",
    "mlp_out": "blocks.{}.hook_mlp_out",
}


def hooked_logits(
    model: TransformerBridge, base: torch.Tensor, source: torch.Tensor | None, interventions: Sequence
) -> torch.Tensor:
    """Logits [batch, pos, d_vocab] of `base` with the interventions carried out one after the other by hooks."""
    with torch.no_grad():
        cache = None if source is None else model.run_with_cache(source)[1]
        hooks = [_hook(intervention, cache, base.shape[1]) for intervention in interventions]
        return model.run_with_hooks(base, fwd_hooks=hooks)


def logit_diff(logits: torch.Tensor, answers: Sequence[int], wrong: Sequence[int]) -> torch.Tensor:
    """Logit difference of each prompt at its last position."""
    return torch.stack([row[-1, a] - row[-1, w] for row, a, w in zip(logits, answers, wrong, strict=True)])


def _hook(intervention, cache, n_positions):
    site = intervention.site
    name = NAMES[site.kind].format(site.layer)
    every = range(n_positions)
    positions = set(every if site.positions is None else ())
    for entry in site.positions or ():
        spanned = not isinstance(entry, int)
        positions.update(every[slice(entry.start, entry.stop, entry.step)] if spanned else [every[entry]])

    def hook(activation, hook):
        activation = activation.clone()
        for position in positions:
            where = (slice(None), position) if site.head is None else (slice(None), position, site.head)
            if intervention.how == "zero":
                activation[where] = 0
            elif intervention.how == "patch":
                activation[where] = cache[name][where]
            else:
                activation[where] = activation[where] * intervention.strength
        return activation

    return name, hook
