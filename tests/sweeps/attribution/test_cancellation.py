"""AtP*'s GradDrop: against layers detached by hand, and where direct and indirect effects cancel."""

from __future__ import annotations

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb
from circuitboard.address import Site
from tests.board.prompts import ANSWERS, CLEAN, CORRUPTED, WRONG, pair
from tests.oracle import logit_diff
from tests.sweeps.attribution.bench import bench
from tests.tiny_models import N_LAYERS, tiny

NAMES = {
    "head": "blocks.{}.attn.hook_z",
    "head.v": "blocks.{}.attn.hook_v",
    "neuron": "blocks.{}.mlp.hook_post",
    "mlp_out": "blocks.{}.hook_mlp_out",
    "attn_out": "blocks.{}.hook_attn_out",
    "resid_pre": "blocks.{}.hook_resid_pre",
    "resid_post": "blocks.{}.hook_resid_post",
}


def gradient_by_hand(model, name, dropped):
    """∂ Σ logit difference / ∂ activation with one layer's outputs detached; None drops nothing."""
    kept = []

    def keep(activation, hook):
        kept.append(activation.clone())
        return kept[-1]

    hooks = [(name, keep)]
    if dropped is not None:
        for output in ("hook_attn_out", "hook_mlp_out"):
            hooks.append((f"blocks.{dropped}.{output}", lambda activation, hook: activation.detach()))
    value = logit_diff(model.run_with_hooks(CLEAN, fwd_hooks=hooks), ANSWERS, WRONG).sum()
    (found,) = torch.autograd.grad(value, kept, allow_unused=True, materialize_grads=True)
    return found


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "neox", "gemma2"])
@pytest.mark.parametrize("layer", [0, 1])
def test_size_and_sign_are_those_of_layers_detached_by_hand(family, layer):
    model = tiny(family)
    at = bench(model, pair())
    with torch.no_grad():
        clean, corrupted = model.run_with_cache(CLEAN)[1], model.run_with_cache(CORRUPTED)[1]
    for kind, pattern in NAMES.items():
        name = pattern.format(layer)
        change = corrupted[name] - clean[name]
        index = None if at.adapter.shape.n_of(kind) is None else 1
        for columns in ([2], [1, -1]):

            def effect(dropped, name=name, change=change, index=index, columns=columns):
                entries = change * gradient_by_hand(model, name, dropped)
                entries = entries if index is None else entries[:, :, index]
                return entries[:, columns].flatten(1).sum(1)

            drops = N_LAYERS if kind.startswith("resid") else N_LAYERS - 1
            size = sum(effect(dropped).abs() for dropped in range(N_LAYERS)) / drops
            found = at.estimate([Site(kind, layer, index).at(columns).patch()], method="atp*")[0]
            sized = torch.maximum(size, effect(None).abs()) * effect(None).sign()
            if sized.mean().abs() < effect(None).mean().abs():
                sized = effect(None)
            torch.testing.assert_close(found, sized, rtol=1e-3, atol=1e-6)


def test_what_cancels_in_the_gradient_shows():
    """Worked out by hand.

    Neuron 0.0 is 1 and writes 1 on the stream, from where the logit reads it. Neuron 1.0 is relu(stream − 1/2) = 1/2
    and writes its negative there, so the gradient by neuron 0.0 is 1 − 1 = 0. Without neuron 0.0 the stream is 0
    rather than 1 − 1/2, since neuron 1.0 is silent then: the effect is −1/2. Holding layer 1 leaves the direct −1,
    holding layer 0 leaves nothing: GradDrop gives −(1 + 0)/(2 − 1) = −1.
    """
    config = TransformerBridgeConfig(
        d_model=4, d_head=2, n_heads=2, n_layers=2, n_ctx=4, d_vocab=4, d_mlp=8, normalization_type=None,
        act_fn="relu", seed=0, init_weights=True,
    )  # fmt: skip
    model = TransformerBridge.boot_native(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        first, second = (getattr(block.mlp, "in").original_component for block in model.blocks)
        outs = [block.mlp.out.original_component for block in model.blocks]
        first.bias[0] = 1
        outs[0].weight[0, 0] = 1
        second.weight[0, 0], second.bias[0] = 1, -0.5
        outs[1].weight[0, 0] = -1
        model.unembed.original_component.weight[0, 0] = 1
    at = bench(model, cb.PromptPair(torch.tensor([[1, 2]]), torch.tensor([[2, 1]]), answer=0, wrong=1))
    cell = [cb.neuron(0, 0).zero()]
    assert at.exact(cell).item() == -0.5
    assert at.estimate(cell, method="atp").item() == 0
    assert at.estimate(cell, method="atp*").item() == -1
