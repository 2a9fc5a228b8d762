"""Prompts of different lengths: padded on the left, positions counted in each prompt's own tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.address import positions_of
from circuitboard.errors import AddressError, PromptError
from circuitboard.models import load
from tests.tiny_models import D_VOCAB, tiny

SHORT, LONG = "When John and Mary went to the shops, John", "When John and Mary went to the shops, John gave the bag to"


def rows(*lengths):
    return [torch.arange(1, length + 1) for length in lengths]


def bind(*lengths, **options):
    return cb.PromptPair(rows(*lengths), answer=1, **options).bind(tiny("native"))


def test_shorter_texts_get_padding_in_front_and_their_ends_align():
    demo = load("demo", device="cpu")
    read = cb.PromptPair([SHORT, LONG], answer=" Mary", labels={"END": -1, "first": 0})
    prompts = read.bind(demo)
    alone = [demo.to_tokens(text)[0].tolist() for text in (SHORT, LONG)]
    assert prompts.token_ids("clean") == alone
    assert prompts.lengths == tuple(map(len, alone))
    by = len(alone[1]) - len(alone[0])
    pad = demo.tokenizer.pad_token_id
    assert prompts.clean_tokens[0].tolist() == [pad] * by + alone[0]
    assert prompts.real.tolist() == [[False] * by + [True] * len(alone[0]), [True] * len(alone[1])]
    assert prompts.labels == {"END": [len(alone[0]) - 1, len(alone[1]) - 1], "first": [0, 0]}
    assert prompts.resolve(("first", "END")) == ((by, len(alone[1]) - 1), (0, len(alone[1]) - 1))
    assert prompts.prepend_bos, "each begins with BOS, behind its padding"
    assert prompts.clean_text == [SHORT, LONG]


def test_equal_lengths_have_no_padding():
    assert bind(4, 4).real is None
    assert bind(4, 4).clean_tokens.tolist() == [[1, 2, 3, 4]] * 2
    assert bind(4).real is None


def test_a_padding_id_in_a_tensor_is_a_token():
    demo = load("demo", device="cpu")
    pad = demo.tokenizer.pad_token_id
    prompts = cb.PromptPair(torch.tensor([[pad, 5, 6], [4, 5, 6]]), answer=1).bind(demo)
    assert prompts.real is None
    assert prompts.lengths == (3, 3)


def test_without_a_tokenizer_padding_is_token_0():
    prompts = bind(2, 4)
    assert prompts.clean_tokens.tolist() == [[0, 0, 1, 2], [1, 2, 3, 4]]
    assert prompts.real.tolist() == [[False, False, True, True], [True] * 4]


def test_both_runs_share_their_padding():
    pair = cb.PromptPair(rows(2, 4), [row + 10 for row in rows(2, 4)], answer=1)
    prompts = pair.bind(tiny("native"))
    assert prompts.corrupted_tokens.tolist() == [[0, 0, 11, 12], [11, 12, 13, 14]]
    assert prompts.token_ids("corrupted") == [[11, 12], [11, 12, 13, 14]]


def test_a_pair_must_still_be_of_one_length():
    with pytest.raises(PromptError) as caught:
        cb.PromptPair(rows(2, 4), rows(3, 4), answer=1).bind(tiny("native"))
    assert caught.value.code == "unequal_lengths"
    assert "Prompt 0 has 2 clean but 3 corrupted" in caught.value.message


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([torch.tensor([1]), torch.tensor([], dtype=torch.int64)], "empty_prompts"),
        ([], "empty_prompts"),
        ([torch.tensor([1.0]), torch.tensor([1, 2])], "bad_prompt"),
        ([torch.tensor([[1, 2]]), torch.tensor([1])], "bad_prompt"),
        ([torch.tensor([1]), "a"], "bad_prompt"),
        ([torch.tensor([1]), torch.tensor([1, D_VOCAB])], "token_out_of_range"),
        ([torch.tensor([1]), torch.ones(33, dtype=torch.int64)], "prompt_too_long"),
    ],
    ids=str,
)
def test_other_lists_are_refused(given, code):
    with pytest.raises(PromptError) as caught:
        cb.PromptPair(given, answer=1).bind(tiny("native"))
    assert caught.value.code == code


def test_a_position_or_label_beyond_a_short_prompt_is_refused_for_that_prompt():
    prompts = bind(2, 4)
    with pytest.raises(AddressError, match="Position 3 does not exist in prompt 0, which has 2 tokens"):
        prompts.resolve((3,))
    with pytest.raises(PromptError, match="names position 3, but prompt 0 has 2 tokens") as caught:
        bind(2, 4, labels={"S2": 3})
    assert caught.value.code == "label_out_of_range"
    assert bind(2, 4, labels={"S2": [1, 3]}).labels == {"S2": [1, 3]}


@given(st.lists(st.integers(1, 8), min_size=1, max_size=4), st.data())
def test_columns_are_positions_that_leave_padded_prompts_alone(lengths, data):
    prompts = bind(*lengths)
    width = max(lengths)
    columns = data.draw(st.lists(st.integers(0, width - 1), min_size=1, max_size=3))
    found = prompts.resolve(prompts.at_columns(columns))
    for row, length in zip(found, lengths, strict=True):
        assert row == tuple(sorted({column for column in columns if column >= width - length}))


def test_columns_beyond_the_tensor_do_not_exist():
    prompts = bind(2, 4)
    for column in (-1, 4):
        with pytest.raises(AddressError) as caught:
            prompts.at_columns([column])
        assert caught.value.code == "position_out_of_range"


def test_positions_of_all_are_all_tokens():
    assert bind(2, 4).resolve(positions_of("all")) == ((2, 3), (0, 1, 2, 3))


def test_the_table_shows_no_padding():
    pair = cb.PromptPair(rows(2, 4), [row + 10 for row in rows(2, 4)], answer=1, labels={"END": -1})
    pair.bind(tiny("native"))
    table = pair.table(0)
    assert table.clean.tolist() == ["1", "2"]
    assert table.corrupted.tolist() == ["11", "12"]
    assert table.labels.tolist() == ["", "END"]
    checks = {check["check"]: check["found"] for check in table.attrs["checks"]}
    assert checks["padded on the left"] == "by 2, to 4 columns"
    assert checks["clean and corrupted are aligned"] == "2 tokens each, 2 differ"
    assert "padded on the left" not in {check["check"] for check in pair.table(1).attrs["checks"]}
    assert "2 token ids and 1 more" in repr(pair)
