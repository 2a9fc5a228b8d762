"""`board.sweep(approximate=…)`: what estimates say of themselves; that they are right is held by tests/sweeps/attribution."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.tiny_models import tiny

CLEAN = torch.tensor([[5, 6, 7, 8, 9, 10], [12, 11, 10, 9, 8, 7]])


def board_of(family, **options):
    return cb.Board(tiny(family), cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1, 2], wrong=[3, 4]), **options)


@pytest.mark.parametrize("method", ["atp", "atp*"])
def test_an_estimate_has_the_shape_of_the_sweep_and_is_not_called_exact(method):
    board = board_of("gpt2")
    exact = board.sweep("head", by="pos")
    estimate = board.sweep("head", by="pos", approximate=method)
    assert estimate.per_prompt.shape == exact.per_prompt.shape
    assert exact.exact.all()
    assert not estimate.exact.any()
    ranks = [effect.flatten().abs().argsort().argsort().double() for effect in (exact.effect, estimate.effect)]
    assert torch.corrcoef(torch.stack(ranks))[0, 1] > 0.5
    board.close()


def test_an_unknown_method_is_refused():
    board = board_of("gpt2")
    with pytest.raises(cb.InterventionError, match="'atp' or 'atp\\*'"):
        board.sweep("head", approximate="guess")
    board.close()


def test_atp_star_is_refused_where_attention_is_not_known():
    board = board_of("bloom")
    with pytest.raises(cb.EngineError, match="ALiBi") as caught:
        board.sweep("head.q", approximate="atp*")
    assert caught.value.code == "no_atp_star"
    assert board.sweep("head.q", approximate="atp").values.isfinite().all()
    board.close()


def test_an_estimate_that_costs_more_than_the_exact_sweep_says_so():
    """Counted by hand for three layers: "atp" 3 passes, "atp*" 1 + 2 · (1 + 3/2) = 6; a cell of layer l (3 − l)/3."""
    board = board_of("gpt2")
    assert board.sweep("resid_pre", how="zero").note is None, "nothing is estimated"
    two = board.sweep("attn_out", how="zero", approximate="atp")
    assert (
        two.note
        == "this estimate is worth about 3 forward passes, its cells computed exactly about 2, so leave out approximate"
    )
    assert two.note in repr(two)
    assert "about 6 forward passes" in board.sweep("attn_out", how="zero", approximate="atp*").note
    heads = board.sweep("head", how="zero", approximate="atp*")
    assert heads.note is None, "12 heads are 4 · (1 + 2/3 + 1/3) = 8 passes"
    assert "note" not in repr(heads)
    last = board.sweep("head", how="zero", positions=-1, approximate="atp*")
    assert "about 6 forward passes, its cells computed exactly about 1" in last.note
    board.close()
    hooked = board_of("gpt2", engine="hooked")
    assert hooked.sweep("attn_out", how="zero", approximate="atp").note is None, "three whole passes"
    hooked.close()
