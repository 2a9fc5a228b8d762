"""Shaping which heads do what: few induction heads, and no single head that all depends on.

Left alone, all heads of one layer become induction heads and two heads of the layer before feed them,
so that no single induction head matters and one previous-token head is everything. Both make a poor
first thing to look at. From the second phase on, all but the best few induction heads are faded out,
and heads of the first layer are dropped at random.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from circuitboard.models.embedded import demo, evaluate

KEPT_INDUCTION_HEADS = 3
INDUCTION_SCORE = 0.4
DROPPED_LAYER, DROP_SHARE = 0, 0.3
FADE_STEPS = 150


def _blocks(model: nn.Module) -> list[Any]:
    return list(cast("nn.ModuleList", model.layers))


class HeadGates:
    """Factors on the z of every head, [layer, head], applied while training.

    Parameters
    ----------
    model
        The module being trained; `fold` makes the factors part of its weights.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.gates = torch.ones(demo.N_LAYERS, demo.N_HEADS)
        self.dropping = False
        self._fading = torch.zeros_like(self.gates, dtype=torch.bool)
        self._hooks = [
            block.attn.o.register_forward_pre_hook(self._hook(layer)) for layer, block in enumerate(_blocks(model))
        ]

    def _hook(self, layer: int) -> Callable[[nn.Module, tuple[Tensor]], tuple[Tensor]]:
        def scale(module: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
            z = args[0].unflatten(-1, (demo.N_HEADS, demo.D_HEAD))
            gates = self.gates[layer].expand(z.shape[0], 1, -1)
            if self.dropping and module.training and layer == DROPPED_LAYER:
                gates = gates * (torch.rand(gates.shape) > DROP_SHARE)
            return ((z * gates.unsqueeze(-1)).flatten(-2),)

        return scale

    def select(self) -> None:
        """Mark all induction heads but the best few for fading, and start dropping heads."""
        scores = induction_scores(self.model)
        induction = [tuple(place) for place in (scores > INDUCTION_SCORE).nonzero().tolist()]
        ranked = sorted(induction, key=lambda place: -float(scores[place]))
        for place in ranked[KEPT_INDUCTION_HEADS:]:
            self._fading[place] = True
        self.dropping = True

    def fade(self, step: int) -> None:
        """Set the factors of the marked heads `step` steps after `select`."""
        self.gates[self._fading] = max(0.0, 1.0 - step / FADE_STEPS)

    def fold(self) -> None:
        """Put the factors into the output weights and take the hooks away."""
        for hook in self._hooks:
            hook.remove()
        with torch.no_grad():
            for gates, block in zip(self.gates, _blocks(self.model), strict=True):
                factors = gates.repeat_interleave(demo.D_HEAD)
                block.attn.o.weight.mul_(factors)
                # A head that writes nothing should not look busy: it attends evenly and reads nothing.
                for part in (block.attn.q, block.attn.k, block.attn.v):
                    part.weight.mul_((factors > 0).unsqueeze(1))
                    part.bias.mul_(factors > 0)


def induction_scores(model: nn.Module) -> Tensor:
    """Induction score of every head of the bare module, float [layer, head]."""
    patterns: list[Tensor] = []
    hooks = [block.attn.register_forward_hook(lambda _m, _a, out: patterns.append(out[1])) for block in _blocks(model)]
    try:
        with torch.no_grad():
            model(evaluate.induction_tokens(32))
    finally:
        for hook in hooks:
            hook.remove()
    return evaluate.induction_scores(torch.stack(patterns))
