"""The same sweep under several corruptions."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.errors import CircuitboardError, PromptError
from tests.tiny_models import tiny

CLEAN = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])
OTHERS = {"first": torch.tensor([[15, 6, 7, 8], [19, 8, 7, 6]]), "last": torch.tensor([[5, 6, 7, 18], [9, 8, 7, 16]])}


@pytest.fixture(scope="module")
def board():
    pair = cb.PromptPair(CLEAN, OTHERS["first"], answer=[1, 2], wrong=[3, 4])
    made = cb.Board(tiny("gpt2"), pair, metric={"mine": lambda logits: logits[:, -1, 5], "ld": "logit_diff"})
    made.edit(cb.head(0, 2).scale(2))
    yield made
    made.close()


def test_each_sweep_is_that_of_a_board_with_this_corruption(board):
    found = board.compare(OTHERS, by="pos", on="ld", layers=[1, 2])
    assert list(found.sweeps) == ["first", "last"]
    for name, corrupted in OTHERS.items():
        pair = cb.PromptPair(CLEAN, corrupted, answer=[1, 2], wrong=[3, 4])
        alone = cb.Board(tiny("gpt2"), pair)
        alone.edit(cb.head(0, 2).scale(2))
        expected = alone.sweep("head", by="pos", layers=[1, 2])
        torch.testing.assert_close(found.sweeps[name].per_prompt, expected.per_prompt, rtol=0, atol=1e-5)
        share = expected.effect / (alone.baselines.clean - alone.baselines.corrupted)
        torch.testing.assert_close(found.shares[name], share, rtol=0, atol=1e-4)
        column = found.table[name, "effect"].reindex([str(cell.site) for cell in expected.grid.cells])
        np.testing.assert_allclose(column.to_numpy(), share.flatten().numpy(), atol=1e-4)
        alone.close()


def test_ranks_and_flags_follow_the_effects(board):
    found = board.compare(OTHERS, over="head", by="pos", on="ld")
    table = found.table
    for name in OTHERS:
        sizes = table[name, "effect"].abs().to_numpy()[table[name, "rank"].to_numpy().argsort()]
        assert (np.diff(sizes) <= 1e-6).all(), "the largest first; what is equal but for rounding in any order"
        assert sorted(table[name, "rank"]) == list(range(1, len(table) + 1))
    ranks = table.xs("rank", axis=1, level=1)
    assert (table["", "rank_depends"] == ((ranks.min(axis=1) <= 10) & (ranks.max(axis=1) > 20))).all()
    sure = {
        name: (2 * found.sweeps[name].stderr / (sweep.clean.mean() - sweep.corrupted.mean()).abs()).flatten().numpy()
        for name, sweep in found.sweeps.items()
    }
    sites = [str(cell.site) for cell in found.sweeps["first"].grid.cells]
    signs = {}
    for name in OTHERS:
        effects = table[name, "effect"].reindex(sites).to_numpy()
        signs[name] = np.where(effects > sure[name], 1, np.where(effects < -sure[name], -1, 0))
    expected = signs["first"] * signs["last"] < 0
    assert table["", "sign_depends"].reindex(sites).to_list() == expected.tolist()
    assert len(found.flagged) == (table["", "sign_depends"] | table["", "rank_depends"]).sum()
    assert str(len(found.flagged)) in repr(found)


def test_a_task_is_compared_by_the_names_of_its_corruptions():
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(8, model=model))
    found = board.compare(["s2_io", "abc"])
    same = board.sweep("head")
    torch.testing.assert_close(found.sweeps["s2_io"].per_prompt, same.per_prompt, rtol=0, atol=1e-5)
    assert not found.sweeps["abc"].per_prompt.allclose(same.per_prompt)
    board.close()


def test_pictures_are_vector_graphics_with_text(board):
    svg = board.compare(OTHERS, on="ld").plot()._repr_svg_()
    assert svg.count("<svg") == 1
    assert ">first<" in svg
    assert ">last<" in svg
    svg = board.sweep("head", by="pos", on="ld").plot()._repr_svg_()
    assert "change of ld (logits)" in svg


def test_without_matplotlib_the_extra_is_named(board, monkeypatch):
    sweep = board.sweep("head")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(CircuitboardError, match=r"circuitboard\[plot\]"):
        sweep.plot()


@pytest.mark.parametrize(
    ("corruptions", "code"),
    [
        ("abc", "too_few_corruptions"),
        ({"first": OTHERS["first"]}, "too_few_corruptions"),
        (["s2_io", "abc"], "no_recipe"),
        ({"first": OTHERS["first"], "short": OTHERS["last"][:, 1:]}, "unequal_lengths"),
        ({"first": OTHERS["first"], "other": cb.PromptPair(OTHERS["last"], CLEAN, answer=1)}, "clean_differs"),
        ({"first": OTHERS["first"], "none": cb.PromptPair(CLEAN, answer=1)}, "no_corrupted_run"),
    ],
)
def test_what_cannot_be_compared_is_refused(board, corruptions, code):
    before = board.desk.shown
    with pytest.raises(PromptError) as caught:
        board.compare(corruptions)
    assert caught.value.code == code
    assert board.desk.shown is before
