"""Several answers of a prompt: what is one prompt's set and what is one answer a prompt is never a guess."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import AnswerSets
from tests.tiny_models import D_VOCAB, tiny

CLEAN = "When John and Mary went to the shops, John gave the bag to"


@cache
def _demo():
    return load("demo", device="cpu")


def bind(n=2, **options):
    return cb.PromptPair(torch.arange(1, 4).repeat(n, 1), **options).bind(tiny("native"))


@pytest.mark.parametrize(
    ("given_answer", "meant"),
    [
        (5, [[5], [5]]),
        ([5, 6], [[5], [6]]),
        ((5, 6), [[5], [6]]),
        (torch.tensor([5, 6]), [[5], [6]]),
        ({5, 6}, [[5, 6], [5, 6]]),
        (frozenset({5, 6}), [[5, 6], [5, 6]]),
        ([{5, 6}, 7], [[5, 6], [7]]),
        ([(6, 5), [7]], [[6, 5], [7]]),
        ([[5, 6], {7, 8, 9}], [[5, 6], [7, 8, 9]]),
        (torch.tensor([[5, 6], [7, 8]]), [[5, 6], [7, 8]]),
        ([[5, 5], {6}], [[5], [6]]),
    ],
    ids=str,
)
def test_a_list_is_one_entry_a_prompt_and_a_set_is_alternatives(given_answer, meant):
    prompts = bind(answer=given_answer, wrong=1)
    assert prompts.answers.sets == tuple(map(tuple, meant))
    assert prompts.answers.single is all(len(ids) == 1 for ids in meant)
    if prompts.answers.single:
        assert prompts.answer_ids.tolist() == [ids[0] for ids in meant]
    else:
        assert prompts.answer_ids == [set(ids) for ids in meant]
    assert prompts.wrong_ids.tolist() == [1, 1]
    again = bind(answer=prompts.answers.to_list(), wrong=prompts.wrongs.to_list())
    assert torch.equal(again.answers.ids, prompts.answers.ids)
    assert torch.equal(again.answers.present, prompts.answers.present)


def test_of_a_single_prompt_the_set_is_an_entry_of_the_list():
    assert bind(1, answer=[[5, 6]]).answers.sets == ((5, 6),)
    assert bind(1, answer=[{5, 6}]).answers.sets == ((5, 6),)
    with pytest.raises(PromptError, match=r"2 entries for 1 prompt; .* written as a set") as caught:
        bind(1, answer=[5, 6])
    assert caught.value.code == "count_mismatch"


def test_shorter_sets_repeat_their_first_id():
    answers = bind(answer=[[9, 7, 8], 4]).answers
    assert answers.ids.tolist() == [[9, 7, 8], [4, 4, 4]]
    assert answers.present.tolist() == [[True, True, True], [True, False, False]]
    assert answers.ids.dtype == torch.int64


@given(st.lists(st.sets(st.integers(0, D_VOCAB - 1), min_size=1, max_size=5), min_size=1, max_size=4))
def test_padding_never_adds_or_loses_an_answer(sets):
    answers = AnswerSets.of(sets)
    assert [set(ids) for ids in answers.sets] == sets
    assert [set(row) for row in answers.ids.tolist()] == sets
    assert answers.present.sum(-1).tolist() == [len(ids) for ids in sets]


def test_strings_and_ids_mix_and_a_token_said_twice_counts_once():
    mary, john = (_demo().to_single_token(name) for name in (" Mary", " John"))
    prompts = cb.PromptPair(CLEAN, answer={" Mary", mary, " Kate"}, wrong=john).bind(_demo())
    assert prompts.answer_ids == [{mary, _demo().to_single_token(" Kate")}]
    assert prompts.wrong_str == [" John"]


def test_a_set_is_written_in_one_line():
    prompts = cb.PromptPair([CLEAN, CLEAN], answer=[[" Mary", " Kate"], " John"]).bind(_demo())
    assert prompts.answer_str == [" Mary | Kate", " John"]
    assert bind(1, answer=set(range(10, 30))).answer_str == ["10 | 11 | 12 | … | 29"]


def test_the_order_of_a_set_does_not_depend_on_the_process():
    assert cb.PromptPair(CLEAN, answer={" Mary", " Kate", 7, 3}).answer == ((3, 7, " Kate", " Mary"),)


def test_the_table_checks_every_alternative():
    pair = cb.PromptPair(CLEAN, answer=[[" Mary", " Kate"]], wrong=" John")
    pair.bind(_demo())
    checks = {check["check"]: check["found"] for check in pair.table().attrs["checks"]}
    assert checks["each answer is one token"].startswith("' Mary' = ")
    assert "' Kate' = " in checks["each answer is one token"]
    assert "wrong answer is one token" in checks


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"answer": set()}, "empty_answers"),
        ({"answer": [[], 5]}, "empty_answers"),
        ({"answer": 5, "wrong": [{1, 2}, ()]}, "empty_answers"),
        ({"answer": [{5, 6}]}, "count_mismatch"),
        ({"answer": {5, 6, 7}, "wrong": {7, 8}}, "answer_equals_wrong"),
        ({"answer": [5, 6], "wrong": [{6, 7}, {6, 7}]}, "answer_equals_wrong"),
        ({"answer": {5, 1.5}}, "bad_prompt"),
        ({"answer": {5, True}}, "bad_prompt"),
        ({"answer": [[5, [6]], 7]}, "bad_prompt"),
        ({"answer": {5, D_VOCAB}}, "token_out_of_range"),
        ({"answer": {5: 6}}, "bad_prompt"),
    ],
    ids=str,
)
def test_unusable_sets_are_refused(options, code):
    with pytest.raises(PromptError) as caught:
        bind(**options)
    assert caught.value.code == code


def test_each_alternative_must_be_one_token():
    with pytest.raises(PromptError, match="' Mary went' is 2 tokens") as caught:
        cb.PromptPair(CLEAN, answer={" Mary", " Mary went"}).bind(_demo())
    assert caught.value.code == "answer_not_one_token"


def test_an_overlap_names_the_token_and_the_prompt():
    with pytest.raises(PromptError, match=r"'6' = 6 is among the right and among the wrong answers of prompt 1"):
        bind(answer=[5, {6, 7}], wrong=[1, {6, 8}])


@pytest.mark.parametrize(
    ("n", "given_answer"),
    [
        (2, [(" Mary", " John"), (" John", " Mary")]),
        (2, ((" Mary", " John"), (" John", " Mary"))),
        (2, [[" Mary", " John"], [" John", " Mary"]]),
        (2, [[24, 25], [25, 24]]),
        (2, torch.tensor([[24, 25], [25, 24]])),
        (1, torch.tensor([[24, 25]])),
        (1, [(" Mary", " John")]),
    ],
    ids=str,
)
def test_right_and_wrong_in_one_argument_are_refused_with_the_two(n, given_answer):
    """What TransformerLens writes would be read as two answers that count alike."""
    with pytest.raises(PromptError) as caught:
        cb.PromptPair([CLEAN] * n, answer=given_answer)
    assert caught.value.code == "right_and_wrong"
    right = [row[0] for row in given_answer] if isinstance(given_answer, (list, tuple)) else given_answer[:, 0].tolist()
    assert f"answer={right!r}, wrong=[" in caught.value.message
    wrong = [row[1] for row in given_answer]
    wrong = [token.item() if isinstance(token, torch.Tensor) else token for token in wrong]
    cb.PromptPair([CLEAN] * n, answer=right, wrong=wrong)


@pytest.mark.parametrize(
    "given_answer",
    [
        [{" Mary", " John"}, {" John", " Mary"}],
        [(" Mary", " John"), " Mary"],
        [(" Mary", " John", " Kate"), (" John", " Mary", " Kate")],
        [(" Mary", " Mary"), (" John", " John")],
        {" Mary", " John"},
    ],
    ids=["sets", "a tuple and a token", "threes", "twins", "a set"],  # text of a set has no order
)
def test_what_can_only_be_alternatives_is_taken_as_these(given_answer):
    assert cb.PromptPair([CLEAN] * 2, answer=given_answer).answer


def test_a_pair_of_alternatives_can_be_given_on_saved_and_written_as_code(tmp_path):
    pair = cb.PromptPair([CLEAN] * 2, answer={" Mary", " John"})
    assert cb.PromptPair(pair.clean, answer=list(pair.answer)).answer == pair.answer
    with_board = cb.Board(_demo(), pair, metric="prob", autosave=False)
    with_board.save(tmp_path / "pair.board.json")
    loaded = cb.Board.load(tmp_path / "pair.board.json", _demo())
    assert loaded.value == with_board.value
    scope = {"model": _demo()}
    exec(compile(with_board.to_python(), "code", "exec"), {"cb": cb, "torch": torch, **scope}, scope)  # noqa: S102
    assert scope["board"].value == with_board.value
    for board in (with_board, loaded, scope["board"]):
        board.close()


@pytest.mark.parametrize("kind", [torch.tensor, np.array, pd.Series], ids=["torch", "numpy", "pandas"])
def test_an_array_in_a_list_is_no_list_of_alternatives(kind):
    with pytest.raises(PromptError) as caught:
        cb.PromptPair(CLEAN, answer=[kind([24, 25])])
    assert caught.value.code == "right_and_wrong"
    assert cb.PromptPair(CLEAN, answer=[[24, 25]]).answer == ((24, 25),)


def test_what_can_be_gone_over_but_once_is_read_once():
    pair = cb.PromptPair([CLEAN] * 2, answer=(name for name in (" Mary", " John")), wrong=iter([" John", " Mary"]))
    assert (pair.answer, pair.wrong) == ((" Mary", " John"), (" John", " Mary"))
    assert cb.PromptPair([CLEAN] * 2, answer=(name for name in (" Mary", " John"))).answer == pair.answer
    with pytest.raises(PromptError) as caught:
        cb.PromptPair([CLEAN] * 2, answer=zip([" Mary", " John"], [" John", " Mary"], strict=True))
    assert caught.value.code == "right_and_wrong"


def test_two_answers_for_one_prompt_are_shown_as_two_arguments():
    with pytest.raises(PromptError) as caught:
        cb.PromptPair(CLEAN, answer=(" Mary", " John"))
    assert caught.value.code == "count_mismatch"
    assert "answer=' Mary', wrong=' John'" in caught.value.message
