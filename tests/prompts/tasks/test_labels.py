"""A task's labels name the words they say, for tokenizers of different habits."""

from __future__ import annotations

import pytest

from circuitboard.prompts import tasks
from circuitboard.prompts.tasks.ioi import TEMPLATES
from tests.prompts.tasks.tokenizers_of_our_own import reader


def labelled(pair, model, run="clean"):
    """Prompt by prompt: label → its token."""
    prompts = pair.bind(model)
    rows = prompts.str_tokens(run)
    return [
        {label: row[positions[i]].strip() for label, positions in prompts.labels.items()} for i, row in enumerate(rows)
    ]


@pytest.fixture(params=["words", "digits"])
def model(request):
    return reader(request.param)


def test_acronyms(model):
    pair = tasks.acronyms(10, model=model, corruption="third_word")
    for row, changed, answer, wrong in zip(
        labelled(pair, model), labelled(pair, model, "corrupted"), pair.answer, pair.wrong, strict=True
    ):
        assert (row["one"][0], row["two"][0], row["three"][0]) == (row["a"], row["b"], answer)
        assert changed == {**row, "three": changed["three"]}
        assert changed["three"][0] == wrong


def test_agreement(model):
    for corruption, changes in (
        ("number", {"subject"}),
        ("distractor", {"distractor"}),
        ("both", {"subject", "distractor"}),
    ):
        pair = tasks.subject_verb_agreement(30, model=model, corruption=corruption)
        numbers = set()
        for text, row, changed, answer in zip(
            pair.clean, labelled(pair, model), labelled(pair, model, "corrupted"), pair.answer, strict=True
        ):
            assert text.startswith(f"The {row['subject']} ")
            assert text.endswith(f" the {row['distractor']}")
            plural = row["subject"].endswith("s")
            assert answer[0] == (" are" if plural else " is")
            assert {label for label in row if row[label] != changed[label]} - {"END"} == changes
            assert all(row[label].removesuffix("s") == changed[label].removesuffix("s") for label in row)
            numbers.add((plural, row["distractor"].endswith("s")))
        assert len(numbers) == 4


def test_years(model):
    pair = tasks.greater_than(20, model=model)
    prompts = pair.bind(model)
    for i, (text, row) in enumerate(zip(pair.clean, labelled(pair, model), strict=True)):
        year = text.split(" year ")[1].split()[0]
        right, wrong = (
            {prompts.token_str(token) for token in side.sets[i]} for side in (prompts.answers, prompts.wrongs)
        )
        assert "1701" in pair.corrupted[i].replace(year[:2], "17")
        if model is reader("digits"):
            assert (row["century"], row["year"], row["again"]) == (year[1], year[3], year[1])
            assert right == {digit for digit in "0123456789" if digit > year[2]}
            assert wrong == {digit for digit in "0123456789" if digit < year[2]}
        else:
            assert (row["century"], row["year"], row["again"]) == (year[:2], year[2:], year[:2])
            assert right == {f"{ending:02}" for ending in range(100) if ending > int(year[2:])}
            assert right | wrong == {f"{ending:02}" for ending in range(100)}


def test_trees(model):
    for corruption in tasks.corruptions("a_an"):
        pair = tasks.a_an(20, model=model, corruption=corruption)
        for row, changed in zip(labelled(pair, model), labelled(pair, model, "corrupted"), strict=True):
            assert row["first"] == row["fruit"] == changed["first"] == changed["fruit"]
            assert row["second"][0] in "aeiou"
            assert changed["second"][0] not in "aeiou"
            assert (changed["second"] == row["first"]) is (corruption == "same_tree")


def test_pronouns(model):
    pair = tasks.gendered_pronoun(20, model=model)
    rows, changed = labelled(pair, model), labelled(pair, model, "corrupted")
    assert {
        (row["name"] in ("Mary", "Lisa", "Emily"), answer) for row, answer in zip(rows, pair.answer, strict=True)
    } >= {
        (False, " he"),
        (True, " she"),
    }
    assert all(row["name"] != other["name"] for row, other in zip(rows, changed, strict=True))
    person = tasks.gendered_pronoun(20, model=model, corruption="that_person")
    assert {text.split(" is ")[0] for text in person.corrupted} == {"That person"}


def test_successors(model):
    for kind, last in (("days", "Sunday"), ("months", "December"), ("numbers", "sixteen")):
        pair = tasks.successor(7, model=model, kind=kind, corruption="shuffled")
        for row, changed, answer, wrong in zip(
            labelled(pair, model), labelled(pair, model, "corrupted"), pair.answer, pair.wrong, strict=True
        ):
            assert wrong.strip() == row["three"]
            assert row["one"] != last or kind != "numbers"
            said = [row[label] for label in ("one", "two", "three")]
            mixed = [changed[label] for label in ("one", "two", "three")]
            assert sorted(said) == sorted(mixed)
            assert mixed not in (said, said[::-1])
            assert answer.strip() not in said


def test_brackets(model):
    pair = tasks.brackets(20, model=model)
    close = {"(": ")", "[": "]", "{": "}"}
    for row, changed, answer, wrong in zip(
        labelled(pair, model), labelled(pair, model, "corrupted"), pair.answer, pair.wrong, strict=True
    ):
        assert (close[row["inner"]], close[row["outer"]]) == (answer, wrong)
        assert (changed["inner"], changed["outer"]) == (row["outer"], row["inner"])


def test_capitals_of_one_length_or_of_all(model):
    short, every = (tasks.capitals(25, model=model, same_length=same) for same in (True, False))
    assert len(set(short.bind(model).lengths)) == 1
    assert len(set(every.bind(model).lengths)) > 1
    for pair in (short, every):
        for text, row, changed in zip(
            pair.clean, labelled(pair, model), labelled(pair, model, "corrupted"), strict=True
        ):
            assert row["relation"] == changed["relation"] == "capital"
            assert f"{row['country']} is" in text
            assert row["country"] != changed["country"]
    assert any("same_length=False keeps them" in note.text for note in short.notes)


def test_no_template_opens_with_a_name():
    assert len(TEMPLATES) == len(set(TEMPLATES)) == 15
    for template in TEMPLATES:
        assert not template.startswith("{")
        assert all(template.count("{" + word + "}") == 1 for word in ("first", "second", "giver"))


def test_all_templates_are_of_one_length_for_a_tokenizer_that_knows_their_words(model):
    pair = tasks.ioi(200, model=model)
    assert pair.bind(model).real is None
    assert not any("keeps them" in note.text for note in pair.notes)
    opened = {tuple(text.split()[i] for i in (0, 4)) for text in pair.clean}
    assert len(opened) >= 12
