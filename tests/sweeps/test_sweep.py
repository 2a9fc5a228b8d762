"""Sweeps: axes, cells, statistics and order, against plain hooks and numpy."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformer_lens.utilities.statistics import bootstrap_ci, derive_generator, sign_flip_permutation_pvalue

import circuitboard as cb
from circuitboard.errors import InterventionError
from circuitboard.metrics import corrected
from circuitboard.sweeps import result
from tests.board.prompts import CLEAN, pair, plain_values
from tests.tiny_models import N_HEADS, N_LAYERS, tiny

N_POS = CLEAN.shape[1]
PINNED = (cb.head(1, 2).zero(), cb.attn_out(0).at([1, -1]).patch())


@pytest.fixture(scope="module")
def model():
    return tiny("gpt2")


@pytest.fixture(scope="module")
def board(model):
    board = cb.Board(model, pair())
    yield board
    board.close()


@pytest.fixture(scope="module")
def sweep(board):
    return board.sweep("head", by="pos")


AXES = {
    ("head", "all"): (("layer", "head"), (N_LAYERS, N_HEADS)),
    ("head", "pos"): (("layer", "pos", "head"), (N_LAYERS, N_POS, N_HEADS)),
    ("resid_pre", "all"): (("layer",), (N_LAYERS,)),
    ("resid_pre", "pos"): (("layer", "pos"), (N_LAYERS, N_POS)),
    ("attn_out", "pos"): (("layer", "pos"), (N_LAYERS, N_POS)),
    ("mlp_out", "all"): (("layer",), (N_LAYERS,)),
    ("head.q", "all"): (("layer", "head"), (N_LAYERS, N_HEADS)),
    ("head.k", "pos"): (("layer", "pos", "head"), (N_LAYERS, N_POS, N_HEADS)),
    ("head.pattern", "pos"): (("layer", "pos", "head"), (N_LAYERS, N_POS, N_HEADS)),
    ("head.result", "all"): (("layer", "head"), (N_LAYERS, N_HEADS)),
    ("resid_mid", "pos"): (("layer", "pos"), (N_LAYERS, N_POS)),
    ("resid_post", "all"): (("layer",), (N_LAYERS,)),
    ("neuron", "all"): (("layer", "neuron"), (N_LAYERS, 128)),
}


@pytest.mark.parametrize(("over", "by"), AXES)
def test_axes_and_their_order(board, over, by):
    axes, shape = AXES[over, by]
    found = board.sweep(over, by=by)
    assert found.grid.axes == axes
    assert found.grid.shape == shape
    for tensor in (found.values, found.effect, found.normalized, found.stderr, *found.ci(n_resamples=5)):
        assert tensor.shape == shape
        assert tensor.dtype is torch.float32
    assert found.per_prompt.shape == (*shape, len(CLEAN))
    for index, cell in zip(np.ndindex(shape), found.grid.cells, strict=True):
        at = dict(zip(axes, index, strict=True))
        assert (cell.site.kind, cell.site.layer, cell.site.head) == (over, at["layer"], at.get("head"))
        assert cell.site.index == at.get("head", at.get("neuron"))
        assert cell.site.positions == (None if by == "all" else (at["pos"],))
        assert cell.how == "patch"


@pytest.mark.parametrize("how", ["patch", "zero"])
@pytest.mark.parametrize("base", ["clean", "corrupted"])
@pytest.mark.parametrize("pinned", [(), PINNED], ids=["bare", "on top of edits"])
def test_every_cell_is_what_plain_hooks_give(model, how, base, pinned):
    board = cb.Board(model, pair(), base=base)
    if pinned:
        board.edit(*pinned)
    for over, by in (("head", "all"), ("resid_pre", "pos")):
        found = board.sweep(over, by=by, how=how)
        flat = found.per_prompt.flatten(0, -2)
        for values, cell in zip(flat, found.grid.cells, strict=True):
            expected = plain_values(model, [*pinned, cell], base)
            torch.testing.assert_close(values, expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(found.effect, found.values - board.value, rtol=0, atol=1e-5)
        torch.testing.assert_close(found.baseline, board.values)
    board.close()


def test_a_sweep_leaves_the_board_as_it_was(board):
    before = (board.desk.shown, board.history)
    board.sweep("head")
    assert (board.desk.shown, board.history) == before


def test_labels_lie_at_each_prompt_s_own_position(board, model):
    found = board.sweep("head", positions="S2", layers=1)
    for head in range(N_HEADS):
        expected = []
        for prompt, position in enumerate([2, 1, 3]):
            expected.append(plain_values(model, [cb.head(1, head).at(position).patch()])[prompt])
        torch.testing.assert_close(found.per_prompt[0, head], torch.stack(expected), rtol=0, atol=1e-5)
    at_end = board.sweep("resid_pre", by="pos", positions="END")
    assert at_end.grid.positions == (N_POS - 1,)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(None, (0, 1, 2)), (1, (1,)), ([2, 0], (2, 0)), (range(1, 3), (1, 2)), (torch.tensor([0, 2]), (0, 2)), (np.int64(2), (2,)), (iter([1]), (1,))],
)  # fmt: skip
def test_layers_in_the_order_given(board, layers, expected):
    found = board.sweep("resid_pre", layers=layers)
    assert found.grid.layers == expected
    assert all(type(layer) is int for layer in found.grid.layers)
    everything = board.sweep("resid_pre")
    torch.testing.assert_close(found.values, everything.values[list(expected)], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("positions", "columns"),
    [(None, (0, 1, 2, 3, 4)), (0, (0,)), ([-1, 1], (1, 4)), (slice(1, 3), (1, 2)), ([0, 0], (0,)), (["END", 2], (2, 4))],
)  # fmt: skip
def test_positions_of_the_pos_axis(board, positions, columns):
    found = board.sweep("resid_pre", by="pos", positions=positions)
    assert found.grid.positions == columns
    everything = board.sweep("resid_pre", by="pos")
    torch.testing.assert_close(found.values, everything.values[:, list(columns)], rtol=0, atol=1e-6)


def test_normalized_is_0_at_the_corrupted_run_and_1_at_the_clean_one(board):
    clean, corrupted = board.baselines.clean, board.baselines.corrupted
    found = board.sweep("resid_pre")
    expected = (found.values - corrupted) / (clean - corrupted)
    torch.testing.assert_close(found.normalized, expected, rtol=1e-4, atol=1e-5)
    assert float(found.normalized[0]) == pytest.approx(0, abs=1e-4), "resid_pre 0 patched everywhere is the other run"


def test_stderr_and_interval_are_those_of_numpy(sweep):
    effects = (sweep.per_prompt - sweep.baseline).double().numpy()
    n = effects.shape[-1]
    np.testing.assert_allclose(sweep.stderr.numpy(), effects.std(-1, ddof=1) / math.sqrt(n), atol=1e-6)
    low, high = (bound.numpy() for bound in sweep.ci(0.9))
    # With three prompts there are 27 resamples, so the exact bootstrap distribution is known.
    means = np.sort([effects[..., list(draw)].mean(-1) for draw in itertools.product(range(n), repeat=n)], axis=0)
    assert (low <= effects.mean(-1) + 1e-6).all()
    assert (high >= effects.mean(-1) - 1e-6).all()
    np.testing.assert_allclose(low, np.quantile(means, 0.05, axis=0), atol=0.35 * np.ptp(means, axis=0).max())
    assert (low >= means[0] - 1e-6).all()
    assert (high <= means[-1] + 1e-6).all()
    again = sweep.ci(0.9)[0].numpy()
    np.testing.assert_array_equal(low, again)


def test_statistics_are_those_of_transformer_lens(sweep):
    effects = sweep.per_prompt - sweep.baseline
    assert torch.equal(sweep.statistics.effect(), effects)
    low, high = bootstrap_ci(effects, confidence=0.9, generator=derive_generator(0, "bootstrap", "mean"))
    assert all(map(torch.equal, sweep.ci(0.9), (low, high)))
    assert torch.equal(sweep.pvalue(), sign_flip_permutation_pvalue(effects))
    # Of eight patterns of signs, the pattern found and its mirror are always as extreme.
    assert float(sweep.pvalue().min()) >= 2 / 8


def test_statistics_do_not_depend_on_how_many_cells_are_held_at_once(sweep, monkeypatch):
    whole = sweep.ci()
    monkeypatch.setattr(result, "_CHUNK_NUMBERS", 7 * 3 * 1000)
    for found, expected in zip(sweep.ci(), whole, strict=True):
        assert torch.equal(found, expected)


def test_p_values_are_corrected_for_the_cells_that_have_one(sweep):
    alone = sweep.pvalue()
    for how in ("holm", "fdr"):
        found = sweep.pvalue(correct=how)
        assert found.shape == alone.shape
        assert (found >= alone).all()
        torch.testing.assert_close(found, corrected(alone, how))
    assert sweep.pvalue_floor() == 2 / 8
    spoilt = replace(sweep, per_prompt=sweep.per_prompt.clone())
    spoilt.per_prompt[0] = torch.nan
    assert torch.equal(spoilt.pvalue(correct="holm").isnan(), spoilt.effect.isnan())
    with pytest.raises(InterventionError) as caught:
        sweep.pvalue(correct="bonferroni")
    assert caught.value.code == "unknown_correction"
    assert "'holm' or 'fdr'" in caught.value.message


def test_one_prompt_has_no_spread(model):
    board = cb.Board(model, cb.PromptPair(CLEAN[0], CLEAN[1], answer=1, wrong=2))
    found = board.sweep("head")
    assert found.stderr.isnan().all()
    assert all(bound.isnan().all() for bound in found.ci())
    assert found.pvalue().isnan().all()
    assert found.pvalue(correct="fdr").isnan().all()
    assert math.isnan(found.pvalue_floor())
    assert found.values.isfinite().all()
    board.close()


def test_the_table_has_a_row_for_every_cell(sweep):
    table = sweep.to_dataframe()
    columns = ["site", "layer", "pos", "head", "value", "effect", "normalized", "stderr", "exact"]
    assert list(table.columns) == columns
    assert table.exact.all()
    assert len(table) == N_LAYERS * N_POS * N_HEADS
    row = table.iloc[(1 * N_POS + 2) * N_HEADS + 3]
    assert (row.site, row.layer, row.pos, row["head"]) == ("1.3 @ 2", 1, 2, 3)
    assert row.value == pytest.approx(float(sweep.values[1, 2, 3]))
    assert row.effect == pytest.approx(float(sweep.effect[1, 2, 3]))


def test_top_is_by_size_of_the_effect_and_keeps_the_order_of_equals(board):
    table = board.sweep("head").top(5)
    sizes = table.effect.abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert len(table) == 5
    assert sizes[0] == pytest.approx(float(board.sweep("head").effect.abs().max()))
    assert list(table.index) == [0, 1, 2, 3, 4]
    assert len(board.sweep("head").top(1000)) == N_LAYERS * N_HEADS


def _made(sweep, values):
    """The same sweep with other numbers in its first cells."""
    per_prompt = sweep.per_prompt.clone()
    for cell, value in enumerate(values):
        per_prompt.flatten(0, -2)[cell] = value
    return replace(sweep, per_prompt=per_prompt)


def test_what_is_not_finite_comes_last_and_is_never_0(sweep):
    spoiled = _made(sweep, [math.nan, math.inf, -math.inf])
    table = spoiled.top(10_000)
    assert not np.isfinite(table.effect[-3:]).any()
    assert np.isfinite(table.effect[:-3]).all()
    first = spoiled.to_dataframe().effect[:3].tolist()
    assert math.isnan(first[0])
    assert first[1:] == [math.inf, -math.inf]
    assert math.isnan(spoiled.effect.flatten()[0])
    assert math.isnan(spoiled.normalized.flatten()[0])


def test_nan_in_one_prompt_is_nan_in_the_mean(sweep):
    per_prompt = sweep.per_prompt.clone()
    per_prompt[0, 0, 0, 1] = math.nan
    spoiled = replace(sweep, per_prompt=per_prompt)
    assert math.isnan(spoiled.effect[0, 0, 0])
    assert math.isnan(spoiled.values[0, 0, 0])
    assert math.isnan(spoiled.stderr[0, 0, 0])
    assert spoiled.effect.isnan().sum() == 1


def test_equal_baselines_have_no_normalized_effect(model):
    board = cb.Board(model, cb.PromptPair(CLEAN, CLEAN, answer=[1, 2, 3], wrong=[4, 5, 6]))
    found = board.sweep("head")
    assert found.normalized.isnan().all()
    assert found.effect.abs().max() < 1e-5
    board.close()


def test_it_says_what_it_is(board, sweep):
    assert repr(sweep) == (
        "Sweep(patch head, layer 3 × pos 5 × head 4, logit_diff in logits, n=3; .top(5), .values, .effect)"
    )
    half = replace(sweep, exact=torch.arange(60).reshape(3, 5, 4) < 20)
    assert ", n=3, 20 of 60 cells exact; " in repr(half)
    assert half.to_dataframe().exact.sum() == 20
    own = cb.Board(board.model, pair(), metric=lambda logits: logits[:, -1, 0])
    assert "in its own unit" in repr(own.sweep("mlp_out"))
    own.close()


def test_what_the_user_writes_into_it_does_not_reach_the_board(board):
    found = board.sweep("head")
    before = (board.value, board.normalized, board.baselines, board.values.tolist())
    for tensor in (found.baseline, found.clean, found.corrupted, found.per_prompt):
        tensor.fill_(99)
    assert (board.value, board.normalized, board.baselines, board.values.tolist()) == before


def test_cells_are_reported_as_they_come_each_once(board):
    seen = []
    grid = board.desk.maps.grid("head", by="pos")
    found = board.desk.maps.start(grid, lambda cells, values: seen.append((list(cells), values.clone()))).result()
    assert sorted(index for cells, _ in seen for index in cells) == list(range(len(grid.cells)))
    flat = found.per_prompt.flatten(0, -2)
    for cells, values in seen:
        torch.testing.assert_close(values, flat[cells])
