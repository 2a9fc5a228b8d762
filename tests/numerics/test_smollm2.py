"""A real model: the published-style numbers of the IOI pair on SmolLM2-135M, and equality with plain hooks."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.oracle import hooked_logits, logit_diff

pytestmark = pytest.mark.smollm2


@pytest.fixture(scope="module")
def board(smollm2):
    pair = cb.PromptPair(
        clean="When John and Mary went to the shops, John gave the bag to",
        corrupted="When John and Mary went to the shops, Mary gave the bag to",
        answer=" Mary",
        wrong=" John",
        prepend_bos=False,
    )
    board = cb.Board(smollm2, pair, base="corrupted")
    yield board
    board.close()


def test_baselines(board):
    assert board.engine.tier == "wavefront", board.engine.why
    assert board.baselines.clean == pytest.approx(3.1, abs=0.1)
    assert board.baselines.corrupted == pytest.approx(-4.2, abs=0.1)


def test_the_denoising_sweep_finds_23_3_and_equals_plain_hooks(board):
    sweep = board.sweep("head", how="patch")
    assert sweep.values.shape == (30, 9)
    assert sweep.top(1).site[0] == "23.3"
    assert float(sweep.normalized[23, 3]) == pytest.approx(0.74, abs=0.02)
    assert float(sweep.normalized[29, 1]) == pytest.approx(0.30, abs=0.02)
    prompts = board.prompts
    answer, wrong = prompts.answer_ids.tolist(), prompts.wrong_ids.tolist()
    scale = abs(board.baselines.clean - board.baselines.corrupted)
    for layer, head in [(0, 0), (7, 4), (16, 8), (23, 3), (29, 1), (29, 0)]:
        patch = [cb.head(layer, head).patch()]
        expected = logit_diff(
            hooked_logits(board.model, prompts.corrupted_tokens, prompts.clean_tokens, patch), answer, wrong
        )
        torch.testing.assert_close(sweep.per_prompt[layer, head], expected, rtol=0, atol=1e-4 * scale)


def test_a_click_on_the_best_head_restores_most_of_the_answer(board):
    board.edit(cb.head(23, 3).patch())
    assert board.normalized == pytest.approx(0.74, abs=0.02)
    assert board.top_tokens(1).token[0] == " Mary"
    assert board.verify().ok
    board.undo()
    assert board.value == pytest.approx(board.baselines.corrupted, abs=1e-5)
