"""The table of prompts, and which of them stand out."""

from __future__ import annotations

import math

import pytest
import torch

import circuitboard as cb
from circuitboard.analysis import outliers
from circuitboard.errors import MetricError
from tests.board.prompts import ANSWERS, WRONG, plain_values


def test_each_row_is_its_prompts_own(board):
    board.edit(cb.head(1, 2).zero())
    frame = board.per_prompt()
    before, after = plain_values(board.model), plain_values(board.model, [cb.head(1, 2).zero()])
    assert sorted(frame["prompt"]) == [0, 1, 2]
    assert frame["change"].abs().is_monotonic_decreasing
    for row in frame.itertuples():
        assert row.value == pytest.approx(float(after[row.prompt]), abs=1e-5)
        assert row.base_value == pytest.approx(float(before[row.prompt]), abs=1e-5)
        assert row.change == pytest.approx(row.value - row.base_value, abs=1e-6)
        assert (row.answer, row.wrong) == (str(ANSWERS[row.prompt]), str(WRONG[row.prompt]))
        logits = board.logits()[row.prompt]
        assert row.top_token == str(int(logits.argmax()))
        assert row.top_prob == pytest.approx(float(logits.softmax(-1).max()), abs=1e-6)
    assert frame.set_index("prompt").loc[1, "text"] == "9 8 7 6 5"
    assert not frame["outlier"].any()


def test_on_the_corrupted_run_it_shows_the_corrupted_prompts(board_of):
    board = board_of("gpt2", base="corrupted")
    frame = board.per_prompt().set_index("prompt")
    assert frame.loc[1, "text"] == "9 28 7 6 5"
    assert frame["change"].tolist() == [0, 0, 0]
    assert frame.loc[0, "base_value"] == pytest.approx(float(plain_values(board.model, base="corrupted")[0]), abs=1e-5)


def test_texts_are_shown_as_they_were_given():
    model = cb.load("demo")
    pair = cb.tasks.ioi(4, seed=0, model=model)
    board = cb.Board(model, pair)
    frame = board.per_prompt().set_index("prompt")
    assert [frame.loc[prompt, "text"] for prompt in range(4)] == list(pair.clean)
    board.close()


def test_another_metric_of_the_board(board_of):
    board = board_of("gpt2", metric=["logit_diff", "prob"])
    board.edit(cb.head(1, 2).zero())
    frame = board.per_prompt(on="prob").set_index("prompt")
    probs = board.logits().softmax(-1)
    assert frame.loc[2, "value"] == pytest.approx(float(probs[2, ANSWERS[2]]), abs=1e-6)
    with pytest.raises(MetricError) as refusal:
        board.per_prompt(on="rank")
    assert refusal.value.code == "unknown_metric"


def test_outliers_by_hand():
    # Quartiles 2.25 and 4.75: fences at −1.5 and 8.5.
    values = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 8.6])
    assert outliers(values).tolist() == [False] * 5 + [True]
    assert outliers(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 8.4])).tolist() == [False] * 6
    assert outliers(torch.tensor([1.0, 2.0, 900.0])).tolist() == [False] * 3
    assert outliers(torch.tensor([1.0, 2.0, math.nan, math.inf])).tolist() == [False, False, True, True]
    assert outliers(torch.full((5,), 0.1) + torch.tensor([0, 0, 0, 0, 1e-8])).tolist() == [False] * 5


def test_a_prompt_that_stands_out_is_marked(board_of):
    def first_token(logits):
        return logits[:, -1, 0] * 0 + torch.tensor([0.0, 0, 0, 0, 0, 0, 0, 9])[: len(logits)] * logits[:, -1, 0]

    tokens = torch.randint(0, 60, (8, 5), generator=torch.Generator().manual_seed(0))
    board = board_of("gpt2", cb.PromptPair(tokens, answer=1), metric=first_token)
    board.edit(cb.head(1, 2).zero())
    frame = board.per_prompt()
    assert frame["prompt"][0] == 7
    assert frame["outlier"].tolist() == [True] + [False] * 7
