"""What the unedited runs say about the prompts is told by the board, with the right numbers, and nothing where all is plain."""

from __future__ import annotations

from functools import cache

import pytest
import torch

import circuitboard as cb
from circuitboard.models import load
from tests.board.prompts import pair
from tests.tiny_models import tiny

CLEAN = "When John and Mary went to the shops, John gave the bag to"
CORRUPTED = "When John and Mary went to the shops, Mary gave the bag to"


@cache
def _demo():
    return load("demo", device="cpu")


@pytest.fixture
def board_of():
    boards = []

    def make(*args, model=None, metric="logit_diff", **options):
        given = args[0] if isinstance(args[0], cb.PromptPair) else cb.PromptPair(*args, **options)
        boards.append(cb.Board(model or _demo(), given, metric=metric, autosave=False))
        return boards[-1]

    yield make
    for board in boards:
        board.close()


def codes(board):
    return {note.code for note in board.notes}


def test_the_first_sessions_board_has_none(board_of):
    board = board_of(CLEAN, CORRUPTED, answer=" Mary", wrong=" John")
    assert board.notes == ()
    assert "note" not in repr(board)


def test_an_answer_that_is_not_the_likeliest_is_told_with_rank_and_probability(board_of):
    board = board_of(CLEAN, CORRUPTED, answer=" Kate", wrong=" John")
    logits = _demo()(board.prompts.clean_tokens)[0, -1].detach()
    kate = int(board.prompts.answer_ids)
    rank = 1 + int((logits > logits[kate]).sum())
    (note,) = [note for note in board.notes if note.code == "answer_not_top"]
    assert rank > 1
    assert f"rank {rank} " in note.text
    assert "' Mary' with" in note.text
    assert note.where == "answer"
    assert note.text in repr(board)
    assert "wrong_likelier" in codes(board)


def test_clean_and_corrupted_swapped(board_of):
    swapped = board_of(CORRUPTED, CLEAN, answer=" Mary", wrong=" John")
    (note,) = [note for note in swapped.notes if note.code == "swapped"]
    assert note.where == "baselines"
    assert f"{swapped.baselines.clean:+.3g}".replace("-", "−") in note.text
    assert "swapped" in codes(board_of(CORRUPTED, CLEAN, answer=" Mary", wrong=" John", metric="rank"))
    assert "swapped" not in codes(board_of(CLEAN, CORRUPTED, answer=" Mary", wrong=" John", metric="rank"))
    # Of a function or a distance neither run can be called the better one.
    for metric in ("kl", "loss", lambda logits: -logits[:, -1, 24]):
        assert "swapped" not in codes(board_of(CLEAN, CORRUPTED, answer=" Mary", wrong=" John", metric=metric))


def test_baselines_that_lie_close_are_told_with_the_bound(board_of):
    other = CLEAN.replace("shops", "store")
    board = board_of(CLEAN, other, answer=" Mary", wrong=" Kate", metric="prob")
    assert abs(board.baselines.clean - board.baselines.corrupted) < 0.01
    (note,) = [note for note in board.notes if note.code == "baselines_close"]
    assert "closer than 0.01 probability" in note.text
    # In a data set the bound is two standard errors, where that is more.
    two = board_of([CLEAN, CORRUPTED], [CORRUPTED, CLEAN], answer=" Mary", wrong=" John")
    gaps = two.desk.lab.unedited("clean").clean - two.desk.lab.unedited("clean").corrupted
    assert float(gaps.mean().abs()) < 2 * float(gaps.std()) / 2**0.5
    assert any("two standard errors" in note.text for note in two.notes)


def test_clean_that_is_corrupted_is_said_once(board_of):
    board = board_of(CLEAN, CLEAN, answer=" Mary", wrong=" John")
    assert codes(board) == {"clean_is_corrupted"}
    assert board.notes == board.pair.notes


def test_logits_that_are_no_numbers_are_told(board_of):
    model = load("demo", device="cpu")
    with torch.no_grad():
        model.unembed.weight.data[24] = float("nan")
    board = board_of(CLEAN, CORRUPTED, answer=" Kate", wrong=" John", metric="log_prob", model=model)
    assert "logits_not_finite" in codes(board)
    assert "answer_not_top" not in codes(board)


def test_a_model_without_a_tokenizer_has_notes_too(board_of):
    board = board_of(pair(), model=tiny("gpt2"))
    (note,) = [note for note in board.notes if note.code == "answer_not_top"]
    logits = tiny("gpt2")(board.prompts.clean_tokens)[:, -1].detach()
    ranks = [1 + int((row > row[token]).sum()) for row, token in zip(logits, board.prompts.answer_ids, strict=True)]
    worst = max(range(3), key=lambda i: ranks[i])
    assert f"worst in prompt {worst}, '{int(board.prompts.answer_ids[worst])}' at rank {ranks[worst]} " in note.text


def test_notes_of_few_prompts_in_many_are_left_out(board_of):
    """One prompt in twenty is no news of a data set."""
    texts = [CLEAN.replace("shops", place) for place in ("shops", "store")] * 10
    board = board_of(texts, answer=[" Kate"] + [" Mary"] * 19, wrong=" John")
    assert "answer_not_top" not in codes(board)


def test_the_answer_and_the_wrong_one_are_always_among_the_top_tokens(board_of):
    board = board_of(CLEAN, CORRUPTED, answer=" Kate", wrong=" John")
    logits = _demo()(board.prompts.clean_tokens)[0, -1].detach()
    for k in (1, 3, 5):
        table = board.top_tokens(k)
        assert table.token_id.tolist()[:k] == logits.topk(k).indices.tolist()
        sides = table.set_index("token")["side"]
        assert (sides[" Kate"], sides[" John"]) == ("answer", "wrong")
        for row in table.to_dict("records"):
            assert row["rank"] == 1 + int((logits > logits[row["token_id"]]).sum())
            assert row["prob"] == pytest.approx(float(logits.softmax(-1)[row["token_id"]]), abs=1e-6)
        assert table["rank"].is_monotonic_increasing
    assert len(board.top_tokens(0)) == 0
    assert len(board.top_tokens(10_000)) == len(logits)
    board.edit(cb.head(3, 3).zero())
    assert set(board.top_tokens(2).side.dropna()) == {"answer", "wrong"}


def test_top_tokens_of_a_wide_model_are_as_wide_as_it_is(board_of):
    """Of two logits that float32 cannot tell apart the larger one is the likelier token."""
    model = tiny.__wrapped__("gpt2", double=True)
    board = board_of(pair(), model=model)
    logits = model(board.prompts.clean_tokens)[0, -1].detach()
    table = board.top_tokens(3)
    assert table.logit.tolist()[:3] == pytest.approx(logits.topk(3).values.tolist(), abs=1e-12)
    assert table.prob.tolist()[:3] == pytest.approx(logits.softmax(-1).topk(3).values.tolist(), abs=1e-12)


def test_of_many_alternatives_the_likeliest_is_listed(board_of):
    many = {" Mary", " Kate", " Anna", " Paul", " Alex", " Tom"} & set(_demo().tokenizer.get_vocab())
    assert len(many) > 4
    board = board_of(CLEAN, CORRUPTED, answer=many, wrong=" John")
    table = board.top_tokens(2)
    assert table[table.side == "answer"].token.tolist()[0] == " Mary"
    assert len(table) <= 4


def test_both_states_of_a_comparison_list_the_answers(board_of):
    board = board_of(CLEAN, CORRUPTED, answer=" Kate", wrong=" John")
    board.edit(cb.head(3, 3).zero())
    table = board.compare_states(0, 1).tokens(1)
    assert {" Kate", " John"} <= set(table.token)


@pytest.mark.smollm2
def test_a_forgotten_space_in_a_real_model(board_of, smollm2):
    model = smollm2
    places = ("The Eiffel Tower is in the city of", "The Colosseum is in the city of")
    without = board_of(*places, answer="Paris", wrong="Rome", model=model)
    notes = {note.code: note for note in without.notes}
    assert {"answer_variant_likelier", "wrong_variant_likelier", "answer_not_top"} <= set(notes)
    assert "' Paris'" in notes["answer_variant_likelier"].text
    assert "answer_without_space" in {note.code for note in without.pair.notes}
    within = board_of(*places, answer=" Paris", wrong=" Rome", model=model)
    assert within.notes == ()
    trailing = board_of(f"{places[0]} ", answer=" Paris", metric="prob", model=model)
    assert "prompt_ends_in_space" in codes(trailing)
