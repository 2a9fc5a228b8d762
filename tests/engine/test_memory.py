"""The memory budget: planned before anything runs, kept while it does, and reported."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.engine.memory import Budget, cells_per_batch, cells_per_wave
from circuitboard.engine.wavefront.wave import Wave
from circuitboard.errors import EngineError
from circuitboard.models.bridge import BridgeAdapter
from tests.tiny_models import tiny

MIB = 2**20
CLEAN = torch.arange(1, 25).reshape(1, -1).repeat(4, 1)


def board_of(**options):
    return cb.Board(tiny("gpt2"), cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1] * 4, wrong=[3] * 4), **options)


def test_the_default_is_a_stated_share_of_what_is_free():
    board = board_of()
    assert "25% of the" in board.engine.budget_why
    assert board.engine.budget_bytes > 16 * MIB
    assert "25% of the" in repr(board.engine)
    board.close()


@pytest.mark.parametrize("memory", [16 * MIB - 1, 0, -1, True, 1e9, "1 GB"])
def test_a_budget_that_is_none_is_refused(memory):
    with pytest.raises(EngineError, match="at least 16777216") as caught:
        board_of(memory=memory)
    assert caught.value.code == "bad_budget"


def test_prompts_that_do_not_fit_are_refused_before_they_run(monkeypatch):
    def ran(*_args, **_kwargs):
        raise AssertionError("the model was run")

    tokens = torch.arange(1, 33).reshape(1, -1).repeat(400, 1)
    monkeypatch.setattr(BridgeAdapter, "record", ran)
    with pytest.raises(EngineError, match="Use fewer or shorter prompts, or pass memory=") as caught:
        cb.Board(tiny("gpt2"), cb.PromptPair(tokens, tokens, answer=[1] * 400, wrong=[3] * 400), memory=16 * MIB)
    assert caught.value.code == "over_budget"


def test_a_small_budget_gives_the_same_map_in_more_waves(monkeypatch):
    large, small = board_of(), board_of(memory=16 * MIB)
    run, waves = Wave.run, []
    monkeypatch.setattr(Wave, "run", lambda wave, joins, cancel: waves.append(wave) or run(wave, joins, cancel))
    for how in ("zero", "patch"):
        maps, counts = [], []
        for board in (large, small):
            waves.clear()
            maps.append(board.sweep("neuron", how=how).per_prompt)
            counts.append(len(waves))
            assert board.engine.tier == "wavefront"
        torch.testing.assert_close(*maps, rtol=1e-5, atol=1e-5)
        # 384 cells, of which 42 fit into 4096 rows of 4 × 24 and 14 into 6 MiB.
        assert counts == [-(-384 // 42), -(-384 // 14)]
    large.close()
    small.close()


def test_batches_shrink_with_the_budget_and_never_to_nothing():
    """Worked out by hand for 4 prompts of 24 tokens: 32 dimensions, 4 heads of 8, 128 neurons, 60 tokens, 4 bytes a number.

    A wave: 12·32 + 4·4·8 + 4·4·24 + 2·128 = 1152 numbers a row and two for each of 2 logits: 442,432 bytes a cell.
    A replayed cell: 24 · (24·32 + 3·4·24) numbers a prompt and 60 logits a token: 428,544 bytes.
    """
    adapter = BridgeAdapter(tiny("gpt2"))
    budgets = [Budget(size, "") for size in (2**25, 2**23, 1)]
    assert [budget.batch for budget in budgets] == [12_582_912, 3_145_728, 0]
    waves = [cells_per_wave(adapter, budget, 4, 24, 24, 2) for budget in budgets]
    batches = [cells_per_batch(adapter, budget, 4, 24, reads="all") for budget in budgets]
    assert waves == [12_582_912 // 442_432, 3_145_728 // 442_432, 1]
    assert batches == [12_582_912 // 428_544, 3_145_728 // 428_544, 1]
    assert cells_per_wave(adapter, Budget(2**40, ""), 4, 24, 12, 2) == 4096 // (4 * 12)


def test_runs_kept_for_undo_stay_within_the_budget():
    board = board_of(memory=16 * MIB)
    for layer in range(3):
        for head in range(4):
            board.edit(cb.head(layer, head).scale(0.5))
    assert board.engine.memory_bytes <= board.engine.budget_bytes
    for _ in range(12):
        board.undo()
    assert board.value == pytest.approx(board.baselines.clean)
    board.close()
