"""Fingerprints tell one tokenizer from another, not one call from another."""

from __future__ import annotations

import json

import pytest

import circuitboard as cb
from circuitboard.models.account.fingerprint import _definition, fingerprint


@pytest.fixture
def model():
    return cb.load("demo")


def mark(model):
    return fingerprint(model).tokenizer


def test_the_tokenizer_is_the_same_whatever_was_tokenized_last(model):
    fresh = mark(model)
    board = cb.Board(model, cb.PromptPair("When John", "When Mary", answer=" Mary", wrong=" John"), autosave=False)
    after = [mark(model)]
    model("John and Mary went")
    after.append(mark(model))
    tokenizer = model.tokenizer
    for options in (
        {"padding": True},
        {"padding": "max_length", "max_length": 9, "truncation": True},
        {"truncation": True, "max_length": 8, "padding": True, "pad_to_multiple_of": 8},
        {},
    ):
        tokenizer(["John and", "Mary"], **options)
        after.append(mark(model))
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    tokenizer(["John and", "Mary"], padding=True, truncation=True, max_length=4)
    after.append(mark(model))
    assert set(after) == {fresh}
    board.close()


def test_what_changes_tokens_changes_it(model):
    fresh = mark(model)
    model.tokenizer.add_tokens(["<another>"])
    added = mark(model)
    assert added != fresh
    model.tokenizer.add_special_tokens({"additional_special_tokens": ["<one more>"]})
    assert mark(model) not in (fresh, added)


def test_a_definition_keeps_everything_but_the_call():
    call = {"version": "1.0", "truncation": {"max_length": 5}, "padding": {"pad_token": '"added_tokens":'}}
    rest = {"added_tokens": [{"content": "<x>"}], "model": {"vocab": {"padding": 1, '"added_tokens":': 2}}}
    plain = json.dumps({**call, "truncation": None, "padding": None, **rest}, separators=(",", ":"))
    assert _definition(json.dumps({**call, **rest}, separators=(",", ":"))) == plain
    other = json.dumps({**rest, **call})
    assert _definition(other) == _definition(json.dumps({**rest, **call, "padding": None}))
    assert json.loads(_definition(other))["model"] == rest["model"]
