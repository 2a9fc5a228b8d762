"""A user's own table: what it says is what the prompts are, and every unusable row is told at once."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

import circuitboard as cb
from circuitboard.errors import PromptError
from circuitboard.models import load
from tests.tiny_models import tiny

CLEAN = "When John and Mary went to the shops, John gave the bag to"
CORRUPTED = "When John and Mary went to the shops, Mary gave the bag to"
SHORT = "When Tom and Kate went to the park, Tom"
GOOD = {"clean": CLEAN, "corrupted": CORRUPTED, "answer": " Mary", "wrong": " John"}
OTHER = {"clean": SHORT, "corrupted": SHORT.replace("Kate", "Anna"), "answer": " gave", "wrong": " handed"}


@cache
def demo():
    return load("demo", device="cpu")


def read(table, **options):
    return cb.tasks.from_table(table, model=demo(), **options)


def refused(code, table, **options):
    with pytest.raises(PromptError) as caught:
        read(table, **options)
    assert caught.value.code == code
    return caught.value.message


def as_file(tmp_path, kind, rows):
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("kind", ["frame", "dicts", "csv", "jsonl"])
def test_every_kind_of_table_gives_the_same_prompts(tmp_path, kind):
    rows = [{**GOOD, "label:S2": 10, "label:END": -1}, {**OTHER, "label:S2": -1, "label:END": -1}]
    table = {"frame": pd.DataFrame, "dicts": list}.get(kind, lambda rows: as_file(tmp_path, kind, rows))(rows)
    expected = cb.PromptPair(
        [CLEAN, SHORT],
        [CORRUPTED, OTHER["corrupted"]],
        answer=[" Mary", " gave"],
        wrong=[" John", " handed"],
        labels={"S2": [10, -1], "END": -1},
    ).bind(demo())
    pair = read(table)
    found = pair.bind(demo())
    assert torch.equal(found.clean_tokens, expected.clean_tokens)
    assert torch.equal(found.corrupted_tokens, expected.corrupted_tokens)
    assert found.answer_ids.tolist() == expected.answer_ids.tolist()
    assert found.wrong_ids.tolist() == expected.wrong_ids.tolist()
    assert found.labels == expected.labels
    assert pair.notes == ()
    assert pair.recipe is None


def test_several_answers_are_lists_or_separated_in_a_stated_way(tmp_path):
    sets = ((demo().to_single_token(" Mary"), demo().to_single_token(" Kate")),)
    for table, options in (
        ([{"clean": CLEAN, "answer": [" Mary", " Kate"]}], {}),
        (as_file(tmp_path, "jsonl", [{"clean": CLEAN, "answer": [" Mary", " Kate"]}]), {}),
        (as_file(tmp_path, "csv", [{"clean": CLEAN, "answer": " Mary| Kate"}]), {}),
        (as_file(tmp_path / "other", "csv", [{"clean": CLEAN, "answer": " Mary; Kate"}]), {"separator": ";"}),
        (pd.DataFrame([{"clean": CLEAN, "answer": " Mary| Kate"}]), {"separator": "|"}),
    ):
        prompts = read(table, **options).bind(demo())
        assert prompts.answers.sets == sets
        assert prompts.wrongs is None
    assert "position 1 of [' Mary', '<unk>', ' Kate']" in refused(
        "bad_row", [{"clean": CLEAN, "answer": " Mary| Kate"}]
    )


def test_columns_may_have_other_names():
    table = pd.DataFrame([{"prompt": CLEAN, "target": " Mary", "place": 10, "id": 7, "source": "mine"}])
    pair = read(table, clean="prompt", answer="target", labels=["place"])
    assert pair.bind(demo()).labels == {"place": [10]}
    assert [note.text for note in pair.notes] == ["columns not used: id, source"]


def test_places_may_be_words_that_occur_once():
    (s1, io), end = (
        (read([{**GOOD, "label:X": word}]).bind(demo()).labels["X"][0] for word in ("When John", "Mary")),
        -1,
    )
    assert demo().tokenizer.decode([demo().to_tokens(CLEAN)[0, s1]]) == " John"
    assert demo().tokenizer.decode([demo().to_tokens(CLEAN)[0, io]]) == " Mary"
    assert read([{**GOOD, "label:X": str(end)}]).bind(demo()).labels["X"] == [14]
    assert "occur 2 times" in refused("bad_row", [{**GOOD, "label:X": "John"}])
    assert "occur 0 times" in refused("bad_row", [{**GOOD, "label:X": "Kate"}])


def test_token_ids_are_prompts_too():
    rows = [{"clean": [1, 2, 3], "answer": 7}, {"clean": [4, 5], "answer": np.int64(8)}]
    pair = cb.tasks.from_table(rows, model=tiny("native"))
    assert pair.clean_tokens.tolist() == [[1, 2, 3], [0, 4, 5]]
    assert pair.answer_ids.tolist() == [7, 8]


BAD = [
    ({**GOOD, "clean": None}, "it has no 'clean'"),
    ({**GOOD, "answer": float("nan")}, "it has no 'answer'"),
    ({**GOOD, "wrong": None}, "it has no 'wrong', which other rows have"),
    ({**GOOD, "corrupted": None}, "it has no 'corrupted', which other rows have"),
    ({**GOOD, "answer": " Zebedee"}, "[unknown_word]"),
    ({**GOOD, "answer": " Mary gave"}, "[answer_not_one_token]"),
    ({**GOOD, "answer": " John"}, "[answer_equals_wrong]"),
    ({**GOOD, "answer": []}, "[empty_answers]"),
    ({**GOOD, "answer": 3.5}, "[bad_prompt]"),
    ({**GOOD, "clean": SHORT}, "[unequal_lengths]"),
    ({**GOOD, "clean": ""}, "[empty_prompts]"),
    ({**GOOD, "clean": 3}, "neither text nor a list of token ids"),
    ({**GOOD, "clean": " bag" * 200, "corrupted": " bag" * 200}, "[prompt_too_long]"),
    ({**GOOD, "label:S2": None}, "[label_missing]"),
    ({**GOOD, "label:S2": 99}, "[label_out_of_range]"),
    ({**GOOD, "label:S2": 1.5}, "[bad_label]"),
    ({**GOOD, "label:S2": "John"}, "[bad_label]"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_row_is_told_with_its_number_and_reason(row, reason):
    good = {**GOOD, "label:S2": 10}
    message = refused("bad_row", [good, {"label:S2": 10, **row}, good])
    assert message.startswith("1 of 3 rows cannot be used:\n  row 1: ")
    assert reason in message
    assert "prompt 0" not in message
    pair = read([good, {"label:S2": 10, **row}, good], on_bad="drop")
    assert len(pair) == 2
    (note,) = [note for note in pair.notes if note.where == "task"]
    assert note.text.startswith("dropped row 1: ")


def test_all_bad_rows_are_told_together(tmp_path):
    rows = [{**GOOD, "label:S2": 10}, *({"label:S2": 10, **row} for row, _ in BAD)]
    message = refused("bad_row", rows)
    assert message.startswith(f"{len(BAD)} of {len(rows)} rows cannot be used:")
    for number, (_, reason) in enumerate(BAD, 1):
        (line,) = (line for line in message.splitlines() if line.startswith(f"  row {number}: "))
        assert reason in message
        assert line
    assert 'on_bad="drop"' in message
    lines = [json.dumps(GOOD), "{", "", "[1]", json.dumps({**GOOD, "answer": " bag bag"})]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    message = refused("bad_row", path)
    assert "row 1 (line 2): it is no JSON" in message
    assert "row 2 (line 4): it is no JSON object" in message
    assert "row 3 (line 5): The answer ' bag bag' is 2 tokens" in message
    refused("bad_row", rows[1:], on_bad="drop")


def test_a_csv_row_of_another_width_and_a_broken_quote_are_told(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f'clean,answer\n"{CLEAN}", Mary\n"{CLEAN}"\n"{SHORT}", gave,3\n"a"b, c\n')
    message = refused("bad_row", path)
    assert "row 1 (line 3): it has 1 cells, but there are 2 columns" in message
    assert "row 2 (line 4): it has 3 cells" in message
    assert "row 3 (line 5): it and what follows are no CSV" in message
    assert len(read(path, on_bad="drop")) == 1


def test_rows_of_a_frame_keep_their_index_in_messages():
    frame = pd.DataFrame([GOOD, {**GOOD, "answer": " John"}], index=["a", "b"])
    assert "row 1 (index 'b'): " in refused("bad_row", frame)


def test_a_column_that_is_empty_throughout_is_as_good_as_none():
    pair = read([{**GOOD, "wrong": None}, {**OTHER, "wrong": None}])
    assert pair.wrong is None
    assert pair.corrupted is not None


@pytest.mark.parametrize(
    ("table", "options", "code"),
    [
        ([], {}, "empty_prompts"),
        (pd.DataFrame(columns=["clean", "answer"]), {}, "empty_prompts"),
        (3, {}, "bad_table"),
        ([1, 2], {}, "bad_table"),
        ("rows.xlsx", {}, "bad_table"),
        ("there/is/none.csv", {}, "no_such_file"),
        ([{"clean": CLEAN}], {}, "missing_column"),
        ([GOOD], {"corrupted": "other"}, "missing_column"),
        ([GOOD], {"labels": ["S2"]}, "missing_column"),
        ([GOOD], {"on_bad": "ignore"}, "bad_task_option"),
        ([GOOD], {"separator": ""}, "bad_task_option"),
        ([{"clean": CLEAN, "answer": " Mary"}] * 10_001, {}, "bad_task_size"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_table_is_refused(table, options, code):
    refused(code, table, **options)


def test_files_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"clean,answer\n\xff\xfe,a\n")
    refused("bad_table", path)
    path.write_text("clean,clean\na,b\n")
    refused("bad_table", path)
    path.write_text("")
    refused("empty_prompts", path)


def test_a_table_makes_a_board():
    board = cb.Board(demo(), read([{**GOOD, "label:S2": 10}, {**OTHER, "label:S2": -1}]))
    board.edit(cb.head(3, 3).at("S2").patch())
    assert board.verify().ok
    board.close()


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_label_that_one_prompt_lacks_is_refused_with_that_prompt(missing):
    pair = cb.PromptPair([CLEAN, SHORT, SHORT], answer=" Mary", labels={"S2": [10, missing, 3], "END": -1})
    with pytest.raises(PromptError, match="Label 'S2' has no position in prompt 1 of 3") as caught:
        pair.bind(demo())
    assert caught.value.code == "label_missing"
