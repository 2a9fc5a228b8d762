"""The new-board form's questions: values stay data, the reasons are said in words, and the cell makes what was chosen."""

from __future__ import annotations

import json
from types import SimpleNamespace

import msgspec
import pytest
import torch

import circuitboard as cb
from circuitboard.errors import ProtocolError
from circuitboard.form import form
from circuitboard.form.form_code import code_of
from circuitboard.protocol.form import Form, FormText, FormView, ModelInVariable, PairInVariable, TypedPrompts
from circuitboard.widget import view_settings, widget_of
from tests.tiny_models import tiny

CLEAN = "When John and Mary went to the store, John gave the book to"
CORRUPTED = "When John and Mary went to the store, Mary gave the book to"
TYPED = {
    "kind": "typed",
    "clean": {"text": CLEAN},
    "corrupted": {"text": CORRUPTED},
    "answer": " Mary",
    "wrong": " John",
}


@pytest.fixture
def names(monkeypatch):
    """The user's variables."""
    found = {}
    monkeypatch.setattr(form, "namespace", lambda: found)
    return found


def asked(**changes):
    values = {
        "model": {"kind": "name", "name": "demo"},
        "prompts": TYPED,
        "metric": "logit_diff",
        "base": "clean",
    } | changes
    return form.check(json.dumps(values))


def typed(**changes):
    return asked(prompts=TYPED | changes)


def test_two_prompts_are_aligned_and_what_differs_is_marked(names):
    found = asked()
    assert found["problems"] == []
    clean, corrupted = found["clean"], found["corrupted"]
    assert [at for at, differs in enumerate(clean["differs"]) if differs] == [10]
    assert (clean["tokens"][10], corrupted["tokens"][10]) == (" John", " Mary")
    assert [(one["field"], one["ok"]) for one in found["answers"]] == [("answer", True), ("wrong", True)]


def test_the_cell_makes_the_board_that_was_chosen(names):
    space = {}
    exec(compile(asked(base="corrupted", metric="log_prob", memory_mb=64)["code"], "cell", "exec"), space)  # noqa: S102
    board = space["board"]
    try:
        assert (board.base, board.desk.lab.metric.name, board.pair.clean) == ("corrupted", "log_prob", (CLEAN,))
        assert board.engine.budget_bytes == 64 * 2**20
    finally:
        board.close()


def test_names_in_use_are_left_alone(names):
    names.update(board=1, model=2, board_2=3)
    code = asked()["code"]
    assert "model_2 = cb.load('demo')" in code
    assert code.splitlines()[-1] == "board_3"


def test_a_model_in_a_variable_is_used_as_it_is(names):
    names["mine"] = cb.load("demo")
    assert [one["name"] for one in form.options()["variables"]["models"]] == ["mine"]
    code = asked(model={"kind": "variable", "name": "mine"})["code"]
    assert "cb.load" not in code
    assert "cb.Board(mine, pair)" in code


def test_prompts_and_pairs_in_variables_are_named_not_copied(names):
    names.update(text=CLEAN, pair=cb.PromptPair(CLEAN, CORRUPTED, answer=" Mary", wrong=" John"), _hidden="x")
    variables = form.options()["variables"]
    assert (variables["texts"], variables["pairs"]) == (["text"], ["pair"])
    assert "clean=text" in typed(clean={"variable": "text"})["code"]
    assert "cb.Board(model, pair)" in asked(prompts={"kind": "pair", "name": "pair"})["code"]


@pytest.mark.parametrize("n", [1, 8])
def test_a_task_shows_its_first_prompt_and_how_many_there_are(names, n):
    found = asked(prompts={"kind": "task", "task": "ioi", "n": n, "seed": 3})
    assert found["prompts"] == n
    assert found["clean"]["tokens"][0] == "<bos>"
    assert f"cb.tasks.ioi({n}, seed=3, model=model)" in found["code"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"answer": "Mary"}, "answer", "With a space before it"),
        ({"answer": " John Mary"}, "answer", "is 2 tokens"),
        ({"answer": ""}, "answer", "Give the next token"),
        ({"wrong": " Mary"}, "wrong", "Mary"),
        ({"corrupted": {"text": "When John went"}}, "corrupted", "15 clean but 4 corrupted"),
        ({"clean": {"text": "Zyzzyva"}}, "clean", "does not know"),
        ({"clean": {"variable": "nothing"}}, "clean", "no text in the variable"),
        ({"wrong": ""}, "metric", "wrong"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(names, changes, field, words):
    found = typed(**changes)
    assert found["code"] is None
    (problem,) = [one for one in found["problems"] if one["field"] == field]
    assert words in problem["message"]


@pytest.mark.parametrize(
    "prompts",
    [
        {"kind": "task", "task": "nothing", "n": 2, "seed": 0},
        {"kind": "task", "task": "ioi", "n": 0, "seed": 0},
        {"kind": "task", "task": "ioi", "n": 10**9, "seed": 0},
        {"kind": "pair", "name": "nothing"},
    ],
)
def test_prompts_that_are_none_are_refused_with_a_reason(names, prompts):
    found = asked(prompts=prompts)
    assert [one["field"] for one in found["problems"]] == ["prompts"]
    assert found["code"] is None


def test_a_large_model_is_not_loaded_for_a_look(names):
    assert asked(model={"kind": "name", "name": "smollm2-135m"})["load_first"] == "smollm2-135m"


def test_text_from_the_form_is_never_run(names):
    """Whatever is typed comes back as a Python literal of exactly that text, or not at all."""
    hostile = 'John\'); import os; os.abort(); (\'"""\\n\\'
    found = typed(clean={"text": hostile}, answer=hostile)
    assert found["code"] is None
    values = Form(ModelInVariable("model"), TypedPrompts(FormText(hostile), None, hostile, ""), "log_prob", "clean")
    given = code_of(values, ()).removeprefix("import circuitboard as cb\n").partition("board = ")[0]
    space = {"cb": SimpleNamespace(PromptPair=lambda **given: given)}
    exec(given, space)  # noqa: S102
    assert space["pair"] == {"clean": hostile, "answer": hostile}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"model": {"kind": "name", "name": "demo", "more": 1}}', "\ud800", '{"model": 3}']
)
def test_what_is_no_form_is_an_error_of_ours(names, text):
    with pytest.raises(ProtocolError):
        form.check(text)


def test_no_forward_pass_is_made(names, monkeypatch):
    names["mine"] = cb.load("demo")

    def refuse(*_args, **_kwargs):
        raise AssertionError("a forward pass")

    monkeypatch.setattr(type(names["mine"]), "forward", refuse)
    assert asked(model={"kind": "variable", "name": "mine"})["problems"] == []


def test_the_cell_says_of_the_view_what_is_not_the_panels_own():
    form = Form(ModelInVariable("model"), PairInVariable("pair"), "logit_diff", "clean")
    assert "set_view" not in code_of(form, ())
    lines = code_of(msgspec.structs.replace(form, view=FormView(live=False, colours="purple-green")), ()).splitlines()
    assert lines[1] == "from circuitboard.widget import set_view"
    assert lines[-2:] == ["set_view(board, live=False, colours='purple-green')", "board"]


def test_the_view_starts_as_it_is_told(make_board):
    board = make_board()
    view_settings.set_view(board, mode="patch", live=False, updates_per_second=8, colours="purple-green")
    view = widget_of(board).session.view
    assert (view.mode, view.live, view.colours) == ("patch", False, "purple-green")
    with pytest.raises(ProtocolError) as refused:
        view_settings.set_view(board, updates_per_second=31)
    assert refused.value.code == "bad_rate"
    with pytest.raises(ProtocolError, match='there are "orange-blue" and "purple-green"') as refused:
        view_settings.set_view(board, colours="red-green")
    assert refused.value.code == "bad_colours"


def test_a_mode_that_the_prompts_do_not_allow_is_left_out_with_a_warning(make_board):
    board = make_board(pair=cb.PromptPair(torch.tensor([[5, 6, 7]]), answer=1, wrong=3), model=tiny("native"))
    with pytest.warns(UserWarning, match="starts with zero, not patch"):
        view_settings.set_view(board, mode="patch")


def test_notes_are_told_before_the_board_is_made(names):
    found = typed(corrupted={"text": CLEAN})
    assert found["problems"] == []
    assert [(note["code"], note["where"]) for note in found["notes"]] == [("clean_is_corrupted", "corrupted")]
    assert found["code"] is not None, "told, not refused"
    assert asked()["notes"] == []
    assert found["clean"]["ids"] == cb.load("demo").to_tokens(CLEAN)[0].tolist()
