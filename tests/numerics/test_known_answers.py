"""Promise 2: answers known without running anything, one of them from a model worked out by hand."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.tiny_models import FAMILIES, Size, tiny, tiny_of_size

CLEAN = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
CORRUPTED = torch.tensor([[5, 6, 17, 8, 9], [9, 8, 27, 6, 5]])


@pytest.fixture(params=FAMILIES)
def board(request):
    board = cb.Board(tiny(request.param), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    yield board
    board.close()


def test_patching_everything_is_the_other_run(board):
    outcome = board.edit(cb.resid_pre(0).patch())
    assert outcome.value == pytest.approx(board.baselines.corrupted, abs=1e-5)
    assert board.normalized == pytest.approx(0, abs=1e-4)


def test_scaling_by_one_changes_nothing_and_says_so(board):
    before = board.value
    outcome = board.edit(cb.head(1, 2).scale(1), cb.attn_out(0).scale(1.0))
    assert outcome.value == pytest.approx(before, abs=1e-6)
    assert [receipt.changed for receipt in outcome.receipts] == [False, False]
    assert "changed nothing" in str(outcome.receipts[0])


def test_scaling_by_zero_is_zeroing(board):
    scaled = board.preview(cb.head(1, 2).at([1, 3]).scale(0))
    zeroed = board.preview(cb.head(1, 2).at([1, 3]).zero())
    assert scaled.values.tolist() == pytest.approx(zeroed.values.tolist(), abs=1e-6)


def test_patching_before_the_first_difference_changes_nothing_and_says_so(board):
    outcome = board.edit(cb.resid_pre(1).at([0, 1]).patch())
    assert outcome.change == pytest.approx(0, abs=1e-6)
    assert not outcome.receipts[0].changed


def test_zeroing_all_heads_of_a_layer_leaves_the_output_bias(board):
    model = board.model
    heads = board.preview(*(cb.head(0, head).zero() for head in range(4)))
    with torch.no_grad():
        _, cache = model.run_with_cache(CLEAN)
        hook = ("blocks.0.attn.hook_z", lambda z, hook: z * 0)
        with model.hooks(fwd_hooks=[hook]):
            _, silent = model.run_with_cache(CLEAN)
    bias_only = silent["blocks.0.hook_attn_out"]
    assert torch.allclose(bias_only, bias_only[:1, :1].expand_as(bias_only), atol=1e-6)
    assert heads.receipts[0].norm_before == pytest.approx(
        float(cache["blocks.0.attn.hook_z"][:, :, 0].flatten(1).norm(dim=1).mean()), rel=1e-4
    )


def test_a_model_worked_out_by_hand():
    """One layer, no attention pattern to speak of: the answer is a sum that fits on paper.

    W_E maps token t to the unit vector e_t; head 0 copies (W_V·W_O = 2·identity on its two dimensions) and attends
    evenly, since W_Q = W_K = 0; W_U reads the residual stream as it is. For the tokens (1, 2) the last row is
    e_2 + 2·(e_1 + e_2)/2 = e_1 + 2·e_2, so logit(2) − logit(1) = 1. Without the head it is e_2: the difference is 1;
    with the head patched from (1, 1), whose mean is e_1, it is e_2 + 2·e_1: the difference is −1.
    """
    from transformer_lens import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config = TransformerBridgeConfig(
        d_model=4, d_head=4, n_heads=1, n_layers=1, n_ctx=4, d_vocab=4, attn_only=True, normalization_type=None,
        positional_embedding_type="rotary", act_fn="relu", seed=0, init_weights=True,
    )  # fmt: skip
    model = TransformerBridge.boot_native(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.zero_()
            if name.endswith("weight") and parameter.shape == (4, 4):
                kind = name.split(".")[-3] if name.split(".")[-2] == "_original_component" else name.split(".")[-2]
                scale = {"q": 0.0, "k": 0.0, "o": 2.0}.get(kind, 1.0)
                parameter.copy_(scale * torch.eye(4))
    pair = cb.PromptPair(torch.tensor([[1, 2]]), torch.tensor([[1, 1]]), answer=2, wrong=1)
    board = cb.Board(model, pair)
    assert board.logits()[0].tolist() == pytest.approx([0, 1, 2, 0])
    assert board.value == pytest.approx(1)
    assert board.edit(cb.head(0, 0).zero()).value == pytest.approx(1)
    assert board.top_tokens(1).token_id.tolist() == [2, 1], "the likeliest, then the wrong answer"
    board.undo()
    assert board.edit(cb.head(0, 0).patch()).value == pytest.approx(-1)
    assert board.baselines.corrupted == pytest.approx(-3)
    board.close()


def test_a_norm_of_nothing_is_nothing_in_every_cell():
    """Without the only head there is nothing to add, whatever takes it away; a norm would blow up what rounding leaves."""
    model = tiny_of_size("gemma2", Size(layers=1, heads=1, kv_heads=1, d_model=8))
    with_one = cb.Board(model, cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    nothing = with_one.preview(cb.attn_out(0).zero()).value
    for over in ("head", "head.v", "attn_out"):
        assert float(with_one.sweep(over, how="zero").values) == pytest.approx(nothing, abs=1e-7)
    for way in (cb.head(0, 0).result.zero(), cb.edge(cb.embed(), cb.head(0, 0)).zero()):
        assert with_one.preview(way).value == pytest.approx(nothing, abs=1e-7)
    with_one.close()
