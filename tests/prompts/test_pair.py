"""Prompt pairs: what is accepted becomes the model's own tokens, what cannot be compared is refused with a reason."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from functools import cache

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import PromptPair, Prompts

CLEAN = "When John and Mary went to the shops, John gave the bag to"
CORRUPTED = "When John and Mary went to the shops, Mary gave the bag to"
N_CTX = 16


@cache
def _demo():
    return load("demo", device="cpu")


@cache
def _without_tokenizer():
    config = TransformerBridgeConfig(
        d_model=8, d_head=4, n_heads=2, n_layers=1, n_ctx=N_CTX, d_vocab=50, init_weights=True, seed=0
    )
    return TransformerBridge.boot_native(config)


def _refused(code, *args, model=None, **kwargs):
    with pytest.raises(PromptError) as caught:
        PromptPair(*args, **kwargs).bind(model or _demo())
    assert caught.value.code == code
    return caught.value.message


@pytest.mark.parametrize("prepend_bos", [True, False, None])
def test_tokens_are_those_of_the_model(prepend_bos):
    prompts = PromptPair(CLEAN, CORRUPTED, answer=" Mary", wrong=" John", prepend_bos=prepend_bos).bind(_demo())
    assert isinstance(prompts, Prompts)
    assert torch.equal(prompts.clean_tokens, _demo().to_tokens(CLEAN, prepend_bos=prepend_bos).cpu())
    assert torch.equal(prompts.corrupted_tokens, _demo().to_tokens(CORRUPTED, prepend_bos=prepend_bos).cpu())
    assert prompts.clean_tokens.dtype == torch.int64
    assert prompts.answer_ids.tolist() == [_demo().to_single_token(" Mary")]
    assert prompts.wrong_ids.tolist() == [_demo().to_single_token(" John")]
    assert (prompts.answer_str, prompts.wrong_str) == ([" Mary"], [" John"])
    assert prompts.prepend_bos is (prepend_bos is not False)
    assert prompts.str_tokens("clean") == [_demo().to_str_tokens(CLEAN, prepend_bos=prepend_bos)]
    assert (prompts.n, prompts.answer_position) == (1, prompts.n_positions - 1)
    assert (prompts.clean_text, prompts.corrupted_text) == ([CLEAN], [CORRUPTED])


def test_a_data_set_takes_one_answer_for_all_or_one_each():
    each = PromptPair([CLEAN, CORRUPTED], [CORRUPTED, CLEAN], answer=[" Mary", " John"], wrong=[" John", " Mary"]).bind(
        _demo()
    )
    one = PromptPair([CLEAN, CORRUPTED], answer=" Kate").bind(_demo())
    assert each.n == 2
    assert each.answer_ids.tolist() == each.wrong_ids.tolist()[::-1]
    assert one.answer_ids.tolist() == [_demo().to_single_token(" Kate")] * 2
    assert one.corrupted_tokens is None
    assert one.wrong_ids is None


def test_token_ids_work_without_a_tokenizer():
    pair = PromptPair(
        torch.tensor([[1, 2, 3], [4, 5, 6]]),
        torch.tensor([[1, 9, 3], [4, 9, 6]]),
        answer=[7, 8],
        wrong=9,
        labels={"X": 1},
    )
    prompts = pair.bind(_without_tokenizer())
    assert prompts.clean_tokens.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert prompts.str_tokens("corrupted") == [["1", "9", "3"], ["4", "9", "6"]]
    assert prompts.answer_str == ["7", "8"]
    assert not prompts.prepend_bos
    assert pair.table(1)["differs"].tolist() == [False, True, False]


def test_the_users_tensor_is_copied():
    tokens = torch.tensor([1, 2, 3], dtype=torch.int32)
    pair = PromptPair(tokens, answer=7)
    tokens[0] = 40
    assert pair.bind(_without_tokenizer()).clean_tokens.tolist() == [[1, 2, 3]]


def test_labels_are_resolved_per_prompt():
    pair = PromptPair(
        [CLEAN, CORRUPTED], answer=" Kate", labels={"END": -1, "S2": [10, 10], "first": torch.tensor([2, 4])}
    )
    assert pair.bind(_demo()).labels == {"END": [14, 14], "S2": [10, 10], "first": [2, 4]}


def test_table_shows_tokens_differences_labels_and_checks():
    pair = PromptPair(CLEAN, CORRUPTED, answer=" Mary", wrong=" John", labels={"S2": 10})
    pair.bind(_demo())
    table = pair.table()
    assert table.columns.tolist() == ["clean", "corrupted", "differs", "labels", "clean_id", "corrupted_id"]
    assert table.index[table["differs"]].tolist() == [10]
    assert table.loc[10, ["clean", "corrupted", "labels"]].tolist() == [" John", " Mary", "S2"]
    assert [check["check"] for check in table.attrs["checks"]] == [
        "answer is one token",
        "wrong answer is one token",
        "BOS prepended",
        "clean and corrupted are aligned",
    ]
    with pytest.raises(PromptError, match="no prompt 1"):
        pair.table(1)


def test_tokens_are_there_after_binding_only():
    pair = PromptPair(CLEAN, CORRUPTED, answer=" Mary")
    for name in ("clean_tokens", "corrupted_tokens", "answer_ids", "wrong_ids"):
        with pytest.raises(PromptError, match=r"make a Board or call pair.bind\(model\)") as caught:
            getattr(pair, name)
        assert caught.value.code == "not_bound"
    prompts = pair.bind(_demo())
    assert pair.bind(_demo()) is prompts
    assert pair.clean_tokens is prompts.clean_tokens
    assert pair.wrong_ids is None


def test_another_model_reads_the_pair_anew():
    pair = PromptPair(torch.tensor([1, 2, 3]), answer=7)
    first = pair.bind(_without_tokenizer())
    second = pair.bind(_demo())
    assert first.answer_str == ["7"]
    assert second.answer_str == [_demo().to_string([7])]
    assert pair.bind(_demo()) is second


def test_a_pair_is_frozen():
    with pytest.raises(FrozenInstanceError):
        PromptPair(CLEAN, answer=" Mary").clean = ("other",)


def test_answers_must_be_one_token():
    message = _refused("answer_not_one_token", CLEAN, answer=" Mary and")
    assert "' Mary', ' and'" in message
    _refused("answer_not_one_token", CLEAN, answer="")
    _refused("answer_not_one_token", CLEAN, answer=" Mary", wrong=" John John")


def test_unequal_lengths_show_where_the_prompts_part():
    message = _refused(
        "unequal_lengths",
        CLEAN,
        "When John and Mary went to the shops, then Mary gave the bag to".replace("then ", "and "),
        answer=" Mary",
    )
    assert "15 clean but 16 corrupted" in message
    assert "position 10" in message
    assert "' John'" in message


def test_prompts_past_the_context_are_refused_at_the_boundary():
    PromptPair(torch.ones(N_CTX, dtype=torch.int64), answer=7).bind(_without_tokenizer())
    assert str(N_CTX) in _refused(
        "prompt_too_long", torch.ones(N_CTX + 1, dtype=torch.int64), answer=7, model=_without_tokenizer()
    )
    assert "128" in _refused("prompt_too_long", " clock" * 128, answer=" clock")
    PromptPair(" clock" * 127, answer=" clock").bind(_demo())


@pytest.mark.parametrize(
    "empty", ["", [], [CLEAN, ""], torch.empty(0, dtype=torch.int64), torch.empty((2, 0), dtype=torch.int64)]
)
def test_empty_prompts_are_refused(empty):
    _refused("empty_prompts", empty, answer=" Mary")
    _refused("empty_prompts", CLEAN, empty, answer=" Mary")


def test_text_needs_a_tokenizer():
    _refused("no_tokenizer", CLEAN, answer=3, model=_without_tokenizer())
    _refused("no_tokenizer", torch.tensor([1, 2]), answer=" Mary", model=_without_tokenizer())


@pytest.mark.parametrize("token", [-1, 50, 10**12])
def test_token_ids_outside_the_vocabulary_are_refused(token):
    _refused("token_out_of_range", torch.tensor([1, token]), answer=3, model=_without_tokenizer())
    _refused("token_out_of_range", torch.tensor([1, 2]), answer=token, model=_without_tokenizer())
    _refused("token_out_of_range", torch.tensor([1, 2]), answer=3, wrong=token, model=_without_tokenizer())


def test_equal_answers_are_refused():
    assert "prompt 1" in _refused("answer_equals_wrong", [CLEAN, CLEAN], answer=" Mary", wrong=[" John", " Mary"])
    _refused("answer_equals_wrong", CLEAN, answer=" Mary", wrong=_demo().to_single_token(" Mary"))


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (([CLEAN, CLEAN], [CORRUPTED]), {"answer": " Mary"}),
        (([CLEAN, CLEAN],), {"answer": [" Mary"]}),
        ((CLEAN,), {"answer": " Mary", "wrong": [" John", " Kate"]}),
    ],
)
def test_counts_must_agree(args, kwargs):
    _refused("count_mismatch", *args, **kwargs)


@pytest.mark.parametrize(
    "clean",
    [
        3,
        b"bytes",
        None,
        [CLEAN, 3],
        torch.tensor([1.0]),
        torch.tensor([True]),
        torch.ones((1, 1, 1), dtype=torch.int64),
    ],
)
def test_prompts_of_wrong_types_are_refused(clean):
    _refused("bad_prompt", clean, answer=" Mary")


@pytest.mark.parametrize("answer", [None, 1.0, True, b" Mary", [None]])
def test_answers_of_wrong_types_are_refused(answer):
    _refused("bad_prompt", CLEAN, answer=answer)


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        ({"all": 1}, "bad_label"),
        ({"<b>": 1}, "bad_label"),
        ({3: 1}, "bad_label"),
        ({"S": 1.5}, "bad_label"),
        ({"S": True}, "bad_label"),
        ({"S": [1, 2]}, "bad_label"),
        (["S"], "bad_label"),
        ({"S": 15}, "label_out_of_range"),
        ({"S": -16}, "label_out_of_range"),
    ],
)
def test_labels_are_checked(labels, code):
    _refused(code, CLEAN, answer=" Mary", labels=labels)


def test_unknown_words_are_refused():
    assert "position 5" in _refused("unknown_word", "When John and Mary quarrelled about", answer=" Mary")
    _refused("unknown_word", CLEAN, answer=" Zebedee")


def test_bos_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(type(_demo()), "to_tokens", lambda *_, **__: torch.tensor([[5, 6]]))
    _refused("no_bos", CLEAN, answer=3, prepend_bos=True)
