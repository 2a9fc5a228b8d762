"""What holds for every task and corruption: aligned, seeded, different, labelled, made again from its recipe."""

from __future__ import annotations

import json
from functools import cache

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb
from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import tasks
from tests.prompts.tasks.tokenizers_of_our_own import WITHOUT, reader

N = 10
NAMES = tuple(tasks.list().index)
EACH = [(name, corruption) for name in NAMES for corruption in tasks.corruptions(name)]
EMBEDDED = ("docstring", "induction", "ioi")


@cache
def demo():
    return load("demo", device="cpu")


@cache
def made(name, corruption, kind="words", seed=0):
    return tasks.make(name, N, seed=seed, model=reader(kind), corruption=corruption)


@cache
def without_tokenizer():
    config = TransformerBridgeConfig(
        d_model=8, d_head=4, n_heads=2, n_layers=1, n_ctx=40, d_vocab=50, init_weights=True, seed=0
    )
    return TransformerBridge.boot_native(config)


def refused(code, call):
    with pytest.raises(PromptError) as caught:
        call()
    assert caught.value.code == code
    return caught.value.message


@pytest.mark.parametrize(("name", "corruption"), EACH)
def test_prompts_are_different_aligned_and_changed(name, corruption):
    for kind in ("words", "digits"):
        pair = made(name, corruption, kind)
        prompts = pair.bind(reader(kind))
        clean, corrupted = prompts.token_ids("clean"), prompts.token_ids("corrupted")
        assert len(pair) == prompts.n == len(set(map(tuple, clean))) == N
        for one, other in zip(clean, corrupted, strict=True):
            assert len(one) == len(other)
            assert one != other
        assert prompts.wrongs is not None
        assert prompts.prepend_bos
        assert prompts.labels["END"] == [length - 1 for length in prompts.lengths]


@pytest.mark.parametrize(("name", "corruption"), EACH)
def test_the_seed_decides_and_nothing_else(name, corruption):
    pair, again = made(name, corruption), tasks.make(name, N, model=reader("words"), corruption=corruption)
    other = made(name, corruption, seed=1)
    assert torch.equal(pair.clean_tokens, again.clean_tokens)
    assert torch.equal(pair.corrupted_tokens, again.corrupted_tokens)
    assert pair.answer == again.answer
    assert pair.clean_tokens.tolist() != other.clean_tokens.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_corruptions_share_their_clean_prompts_answers_and_labels(name):
    first, *others = (made(name, corruption) for corruption in tasks.corruptions(name))
    model = reader("words")
    for other in others:
        assert torch.equal(first.clean_tokens, other.clean_tokens)
        assert (first.answer, first.wrong) == (other.answer, other.wrong)
        assert first.bind(model).labels == other.bind(model).labels
        assert first.corrupted_tokens.tolist() != other.corrupted_tokens.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_makes_the_pair_again(name):
    last = list(tasks.corruptions(name))[-1]
    pair = made(name, last)
    arguments = json.loads(json.dumps(dict(pair.recipe.arguments)))
    assert arguments["corruption"] == last
    again = tasks.make(pair.recipe.task, model=reader("words"), **arguments)
    written = eval(str(pair.recipe), {"cb": cb, "model": reader("words")})  # noqa: S307  that is the point
    for copy in (again, written):
        assert torch.equal(pair.corrupted_tokens, copy.corrupted_tokens)
        assert copy.recipe == pair.recipe
    first = next(iter(tasks.corruptions(name)))
    varied = tasks.vary(pair, model=reader("words"), corruption=first)
    assert torch.equal(varied.corrupted_tokens, made(name, first).corrupted_tokens)


def test_the_list_has_every_task_with_its_source_and_corruptions():
    table = tasks.list()
    functions = {name for name in tasks.__all__ if name not in {"corruptions", "from_table", "list", "make", "vary"}}
    assert set(table.index) == functions
    for name, row in table.iterrows():
        assert row["source"]
        assert "→" in row["asks"]
        assert row["corruptions"].split(", ") == list(tasks.corruptions(name))
        text = getattr(tasks, name).__doc__
        assert row["source"] in text
        assert all(f"{corruption!r}" in text for corruption in tasks.corruptions(name))
    assert "same_length" in table.loc["ioi", "options"]


@pytest.mark.parametrize("name", NAMES)
def test_a_tokenizer_without_words_is_refused_with_the_reason(name):
    message = refused("task_unsuitable", lambda: tasks.make(name, 4, model=reader("bytes")))
    assert message.startswith(f"The task '{name}' does not suit this model: ")


@pytest.mark.parametrize("name", NAMES)
def test_the_demo_model_has_the_tasks_of_its_language(name):
    if name in EMBEDDED:
        for corruption in tasks.corruptions(name):
            pair = tasks.make(name, N, model=demo(), corruption=corruption)
            assert pair.clean_tokens.shape == pair.corrupted_tokens.shape
            assert (pair.clean_tokens != pair.corrupted_tokens).any(-1).all()
    else:
        refused("task_unsuitable", lambda: tasks.make(name, 4, model=demo()))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_tokenizer_there_is_induction_only(name):
    if name == "induction":
        assert tasks.induction(3, model=without_tokenizer(), length=10).clean_tokens.shape == (3, 15)
    else:
        assert "induction works" in refused("no_tokenizer", lambda: tasks.make(name, 3, model=without_tokenizer()))


def test_words_that_are_not_one_token_are_told():
    (note,) = tasks.gendered_pronoun(4, model=reader("words")).notes
    assert note.text == "2 of 24 names of men left out, not one token: Evan, Simon"
    assert f"\n  {note}" in repr(tasks.gendered_pronoun(4, model=reader("words")))
    pair = tasks.gendered_pronoun(4, model=reader("words"))
    assert pair.table().attrs["notes"] == [note]
    for name in ("greater_than", "a_an", "capitals"):
        notes = made(name, next(iter(tasks.corruptions(name)))).notes
        assert any(word in note.text for note in notes for word in (*WITHOUT, "Afghanistan"))


def test_more_prompts_than_there_are_are_refused_with_the_number():
    message = refused("bad_task_size", lambda: tasks.a_an(5000, model=reader("words")))
    assert "only 60 different prompts" in message
    assert len(tasks.a_an(60, model=reader("words"))) == 60


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"name": "nothing"}, "unknown_task"),
        ({"corruption": "nothing"}, "unknown_corruption"),
        ({"corruption": None}, "unknown_corruption"),
        ({"order": "AABB"}, "bad_task_option"),
        ({"same_length": 1}, "bad_task_option"),
        ({"colour": "red"}, "bad_task_option"),
        ({"seed": 1.5}, "bad_task_option"),
        ({"name": "successor", "kind": "years"}, "bad_task_option"),
        ({"n": 0}, "bad_task_size"),
        ({"n": 10_001}, "bad_task_size"),
        ({"n": True}, "bad_task_size"),
    ],
    ids=str,
)
def test_unusable_arguments_are_refused(options, code):
    refused(code, lambda: tasks.make(**{"name": "ioi", "n": 2, "model": demo(), **options}))


def test_a_pair_of_ones_own_has_no_recipe():
    pair = cb.PromptPair(torch.tensor([1, 2]), answer=3)
    assert pair.recipe is None
    refused("no_recipe", lambda: tasks.vary(pair, model=demo(), corruption="abc"))
    refused("unknown_task", lambda: tasks.corruptions("nothing"))
