"""AtP* on models where components act through one other: no more false negatives than without its drops."""

from __future__ import annotations

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb
from tests.board.prompts import pair
from tests.sweeps.attribution.bench import bench
from tests.tiny_models import tiny

V, T = 12, 8


def induction_model():
    """Two layers of one real head each, without norms, worked out by hand.

    The stream holds a token (V), the token before it (V), a position (T) and what is said next (V). Head 0.0 attends
    to the position before and copies its token into the second part; head 1.0 looks for the position whose previous
    token is the present one, and says the token there. Head 0.1 and 1.1 do nothing.
    """
    d_head = 12
    config = TransformerBridgeConfig(
        d_model=3 * V + T, d_head=d_head, n_heads=2, n_layers=2, n_ctx=T, d_vocab=V, attn_only=True,
        normalization_type=None, act_fn="relu", seed=0, init_weights=True,
    )  # fmt: skip
    model = TransformerBridge.boot_native(config).eval()
    named = {name.replace("._original_component", ""): value for name, value in model.original_model.named_parameters()}
    token, before, position, said = slice(0, V), slice(V, 2 * V), slice(2 * V, 2 * V + T), slice(2 * V + T, 3 * V + T)
    with torch.no_grad():
        for value in named.values():
            value.zero_()
        named["tok_embed.weight"][:, token] = torch.eye(V)
        named["pos.weight"][:, position] = torch.eye(T)
        named["head.weight"][:, said] = 8 * torch.eye(V)
        sharp = 3 * d_head**0.5
        q, k, v, o = (named[f"layers.0.attn.{part}.weight"] for part in "qkvo")
        q[:T, position] = sharp * torch.eye(T)
        k[1:T, position] = torch.eye(T)[:-1]
        v[:V, token] = torch.eye(V)
        o[before, :V] = torch.eye(V)
        q, k, v, o = (named[f"layers.1.attn.{part}.weight"] for part in "qkvo")
        q[:V, token] = sharp * torch.eye(V)
        k[:V, before] = torch.eye(V)
        v[:V, token] = torch.eye(V)
        o[said, :V] = torch.eye(V)
    return model


@pytest.fixture(scope="module")
def induction():
    clean = torch.tensor([[3, 7, 5, 9, 2, 4, 8, 3], [6, 1, 10, 4, 8, 2, 5, 6]])
    corrupted = clean.clone()
    corrupted[:, -1] = torch.tensor([5, 4])
    return bench(induction_model(), cb.PromptPair(clean, corrupted, answer=[7, 1], wrong=[9, 8]))


def missed(estimate, exact):
    """Cells with a third of the largest effect that an estimate puts below a tenth of it."""
    exact, estimate = exact.mean(-1).abs(), estimate.mean(-1).abs()
    return int(((exact > exact.max() / 3) & (estimate < exact.max() / 10)).sum())


def test_the_head_that_acts_through_the_other_layer_alone_is_found(induction):
    cells = [cb.head(0, 0).zero(), cb.head(1, 0).zero(), cb.head(0, 1).zero(), cb.head(1, 1).zero()]
    exact, atp, star = induction.exact(cells), induction.estimate(cells), induction.estimate(cells, method="atp*")
    assert exact[0].mean() < -1
    assert exact[2:].abs().max() == 0
    assert atp[0].mean().abs() > 0.3 * exact[0].mean().abs()
    assert star[0].mean().abs() >= atp[0].mean().abs()
    assert star[0].sign().tolist() == exact[0].sign().tolist()
    assert star[2:].abs().max() == 0


@pytest.mark.parametrize("how", ["zero", "patch"])
@pytest.mark.parametrize("over", ["head", "head.q", "head.k", "head.v", "attn_out", "resid_pre", "resid_post"])
def test_no_more_is_missed_than_by_plain_atp(induction, over, how):
    for by in ("all", "pos"):
        cells = induction.cells(over, by=by, how=how)
        exact = induction.exact(cells)
        if exact.abs().max() < 1e-3:
            continue
        atp, star = induction.estimate(cells), induction.estimate(cells, method="atp*")
        assert missed(star, exact) <= missed(atp, exact), by


@pytest.mark.parametrize("family", ["gpt2", "attention_only"])
def test_no_cell_comes_out_smaller_than_without_drops(family):
    at = bench(tiny(family), pair())
    for over in ("head", "head.v", "attn_out", "resid_pre"):
        cells = at.cells(over)
        atp, star = at.estimate(cells), at.estimate(cells, method="atp*")
        assert (star.abs() >= atp.abs() * (1 - 1e-4) - 1e-6).all()
        assert (star.mean(-1).abs() >= atp.mean(-1).abs() * (1 - 1e-4) - 1e-6).all()
