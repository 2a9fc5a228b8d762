"""Prompts that may mean something else are told, with a code and a place, and never refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from functools import cache

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import PromptPair, tasks
from circuitboard.prompts.notes import Note, notes_of_prompts
from circuitboard.prompts.notes.spelling import Spelling
from tests.prompts.tasks.tokenizers_of_our_own import reader
from tests.tiny_models import tiny

CLEAN = "When John and Mary went to the shops, John gave the bag to"
CORRUPTED = "When John and Mary went to the shops, Mary gave the bag to"
NAMES = {"answer": " Mary", "wrong": " John"}


@cache
def _demo():
    return load("demo", device="cpu")


def _notes(*args, model=None, **options):
    pair = PromptPair(*args, **options)
    pair.bind(model or reader("words"))
    return {note.code: note for note in pair.notes}


def test_plain_prompts_have_none():
    assert _notes(CLEAN, CORRUPTED, **NAMES) == {}
    assert _notes(CLEAN, CORRUPTED, model=_demo(), **NAMES) == {}
    assert _notes(CLEAN, CORRUPTED, prepend_bos=False, **NAMES) == {}
    assert _notes(torch.tensor([[1, 2, 3]]), answer=4, model=tiny("gpt2")) == {}


@pytest.mark.parametrize("name", tasks.list().index)
def test_what_a_task_makes_is_plain(name):
    """Tasks may tell what they left out; all else would be a fault."""
    for kind in ("words", "digits") if name == "greater_than" else ("words",):
        pair = tasks.make(name, 6, model=reader(kind))
        assert [note for note in pair.notes if note.where != "task"] == []


def test_a_note_is_a_frozen_value_with_a_place():
    note = _notes(CLEAN, CLEAN, **NAMES)["clean_is_corrupted"]
    assert note.where == "corrupted"
    assert str(note) == note.text
    with pytest.raises(FrozenInstanceError):
        note.code = "other"
    assert note == Note(note.code, note.text, note.where)
    assert hash(note) == hash(Note(note.code, note.text, note.where))


@pytest.mark.parametrize(
    ("code", "where", "given"),
    [
        ("prompt_ends_in_space", "clean", {"clean": f"{CLEAN} ", "corrupted": None}),
        ("prompt_ends_in_space", "corrupted", {"corrupted": f"{CORRUPTED}\t", "clean": f"{CLEAN}\n"}),
        ("prompt_ends_in_space", "clean, prompt 1", {"clean": [CLEAN, f"{CLEAN} "], "corrupted": None}),
        ("invisible_characters", "clean", {"clean": f"{CLEAN}\u200b", "corrupted": None}),
        ("invisible_characters", "clean", {"clean": f"\ufeff{CLEAN}", "corrupted": None}),
        ("invisible_characters", "clean", {"clean": CLEAN.replace("to the", "to\u00a0the"), "corrupted": None}),
        ("invisible_characters", "clean", {"clean": CLEAN.replace("to the", "to \u202ethe"), "corrupted": None}),
        ("special_as_text", "clean", {"clean": f"<bos>{CLEAN}", "corrupted": None}),
        ("special_as_text", "clean", {"clean": f"<|im_start|>{CLEAN}", "corrupted": None}),
        ("bos_twice", "clean", {"clean": f"<|end|>{CLEAN}", "corrupted": None, "prepend_bos": True}),
        ("bos_twice", "clean", {"clean": f"\n <|end|>{CLEAN}", "corrupted": None}),
        ("ends_in_eos", "clean", {"clean": f"{CLEAN}<|end|>", "corrupted": None}),
        ("clean_is_corrupted", "corrupted", {"corrupted": CLEAN}),
        ("clean_is_corrupted", "corrupted, prompt 0", {"clean": [CLEAN, CLEAN], "corrupted": [CLEAN, CORRUPTED]}),
        ("prompts_repeat", "clean, prompt 2", {"clean": [CLEAN, CORRUPTED, CLEAN], "corrupted": None}),
        ("ends_in_answer", "clean", {"clean": f"{CLEAN} Mary", "corrupted": None}),
        ("labels_same_position", "labels", {"labels": {"S": 4, "IO": 4, "END": -1}}),
        ("answer_without_space", "answer", {"answer": "Mary", "wrong": "John"}),
        ("spaces_differ", "answer", {"answer": "Mary"}),
    ],
)
def test_each_kind_is_told(code, where, given):
    values = {"clean": CLEAN, "corrupted": CORRUPTED, **NAMES} | given
    note = _notes(values.pop("clean"), values.pop("corrupted"), **values)[code]
    assert note.where == where
    assert note.text[0].isupper() or note.text[0].isdigit()
    assert note.text.endswith(".")
    assert len(note.text) < 400


def test_what_holds_of_both_runs_is_said_once():
    notes = PromptPair(f"{CLEAN} ", f"{CORRUPTED} ", **NAMES).notes
    assert [(note.code, note.where) for note in notes] == [("prompt_ends_in_space", "clean; corrupted")]


def test_texts_tell_before_a_model_has_read_them():
    pair = PromptPair([f"{CLEAN} ", CLEAN], [f"{CLEAN} ", CORRUPTED], **NAMES)
    assert [(note.code, note.where) for note in pair.notes] == [
        ("prompt_ends_in_space", "clean, prompt 0; corrupted, prompt 0"),
        ("clean_is_corrupted", "corrupted, prompt 0"),
    ]


def test_ids_tell_padding_unknown_words_and_ids_without_text():
    tokenizer = _demo().tokenizer
    bos, pad, unknown = tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id

    def codes(*ids):
        return set(_notes(torch.tensor([ids]), answer=" Mary", model=_demo()))

    assert codes(bos, 30, 31) == set()
    assert codes(pad, bos, 30) == {"padding_in_prompt"}
    assert codes(bos, 30, pad) == {"padding_in_prompt"}
    assert codes(bos, unknown, 30) == {"unknown_token"}
    assert codes(bos, bos, 30) == {"bos_twice"}
    # Where padding, BOS and EOS are one token, a single one at either end is not padding.
    end = reader("words").tokenizer.eos_token_id
    assert "padding_in_prompt" in _notes(torch.tensor([[40, 41, end, end]]), answer=" Mary")
    assert "padding_in_prompt" not in _notes(torch.tensor([[end, 40, 41]]), answer=" Mary")


def test_an_id_beyond_the_tokenizer_is_told():
    bound = PromptPair(torch.tensor([[3, 4]]), answer=5).bind(tiny("gpt2"))
    object.__setattr__(bound, "token_str", lambda token: f"⟨id {token}⟩")
    assert [note.code for note in notes_of_prompts(bound, None)] == ["token_without_text"]


def test_eos_that_was_put_first_for_want_of_a_bos_is_told():
    """TransformerLens lends a tokenizer without BOS its EOS."""
    model = reader.__wrapped__("words")
    backend = model.tokenizer.backend_tokenizer
    model.tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")  # noqa: S106
    assert model.tokenizer.bos_token_id == model.tokenizer.eos_token_id
    note = _notes(CLEAN, CORRUPTED, model=model, **NAMES)["eos_as_bos"]
    assert "<|end|>" in note.text
    assert note.where == "clean, corrupted"
    assert _notes(CLEAN, CORRUPTED, model=model, prepend_bos=False, **NAMES) == {}


def test_a_word_is_spelled_with_and_without_its_space_and_its_capital():
    tokenizer = reader("words").tokenizer
    spelling = Spelling(tokenizer)
    with_space, without = spelling.single(" Mary"), spelling.single("Mary")
    assert with_space != without
    assert without in spelling.variants(with_space)
    assert spelling.spaced(without) == with_space
    assert spelling.begins_word(with_space) is True
    assert spelling.begins_word(without) is False
    assert spelling.begins_word(tokenizer.bos_token_id) is None
    assert spelling.single(" no single token") is None
    assert spelling.variants(tokenizer.convert_tokens_to_ids("Ġ")) == ()


def _with_another_special_token():
    model = reader.__wrapped__("words")
    doc = next(
        token
        for word, token in model.tokenizer.get_vocab().items()
        if word.isalpha() and len(word) > 5 and word.isascii()
    )
    model.tokenizer.add_special_tokens({"additional_special_tokens": [model.tokenizer.convert_ids_to_tokens(doc)]})
    return model, doc


def test_special_tokens_of_which_there_are_more_are_padding_too():
    """A tokenizer may have another token for padding than the one that the ids were padded with."""
    model, doc = _with_another_special_token()
    for ids in ([doc, doc, 40, 41], [40, 41, doc, doc]):
        assert "padding_in_prompt" in _notes(torch.tensor([ids]), answer=" Mary", model=model)
    assert _notes(torch.tensor([[doc, 40, 41]]), answer=" Mary", model=model) == {}


def test_an_unknown_token_that_is_written_out_is_read_and_told():
    """What the user writes is meant; only a word that turned into it is not."""
    assert set(_notes(" John gave<unk> to", answer=" Mary", model=_demo())) == {"unknown_token"}
    with pytest.raises(PromptError) as caught:
        _notes(" John gave<unk> xylophone to", answer=" Mary", model=_demo())
    assert caught.value.code == "unknown_word"
    # Byte-level tokenizers know every word, and lend the name to another special token.
    model, doc = _with_another_special_token()
    model.tokenizer.unk_token = model.tokenizer.convert_ids_to_tokens(doc)
    assert _notes(f"{model.tokenizer.unk_token}{CLEAN}", answer=" Mary", model=model) == {}


def test_a_number_may_end_in_its_answer_and_one_of_several_may_have_come_before():
    years = PromptPair("The war lasted from 17", answer={" Mary", "17"})
    years.bind(reader("words"))
    assert years.notes == ()
    assert _notes("The war lasted from 17", answer="17") == {}


def test_joiners_of_an_emoji_and_of_a_script_are_part_of_it():
    def codes(text):
        return {note.code for note in PromptPair(text, answer=5).notes}

    for text in ("I love \u2764\ufe0f", "\U0001f468\u200d\U0001f469", "\u0645\u06cc\u200c\u062e"):
        assert codes(text) == set()
    for text in ("pay\u200dpal", "a\ufe0f", "300 \u212a", "\u1112\u1161"):
        assert codes(text) == {"invisible_characters"}


def test_notes_on_some_prompts_are_sentences():
    notes = _notes([f"{CLEAN} ", f"{CORRUPTED} ", CLEAN], answer=" Mary")
    assert notes["prompt_ends_in_space"].text.startswith("2 of 3 clean prompts end in a space.")
    notes = _notes([f"{CLEAN} ", CORRUPTED, CLEAN], answer=" Mary")
    assert notes["prompt_ends_in_space"].text.startswith("1 of 3 clean prompts ends in a space.")


def test_a_pair_shows_its_notes_where_it_is_shown():
    pair = PromptPair(CLEAN, CLEAN, **NAMES)
    pair.bind(reader("words"))
    (note,) = pair.notes
    assert note.text in repr(pair)
    table = pair.table()
    assert table.attrs["notes"] == [note]
    assert note.text in repr(table)
    assert note.text in table._repr_html_()
    assert "answer is one token: ' Mary'" in repr(table)
    assert note.text not in repr(table.head(3)), "a part is a plain table"


def test_a_hostile_token_is_text_in_the_table():
    pair = PromptPair("<script>alert(1)</script> ", answer=" Mary")
    pair.bind(reader("words"))
    assert "<script>" not in pair.table()._repr_html_()
