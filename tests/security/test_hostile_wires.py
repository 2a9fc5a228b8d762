"""What the form, VS Code's bridge, the list of boards and a kept board answer: hostile text travels as it is, as data.

A front end draws all of it as text (`extension/src/lab/hostile.test.tsx`), so what is escaped here would be seen escaped; and
where an answer is Python, the text is a literal in it.
"""

from __future__ import annotations

import ast
import json
import logging
import re
from types import SimpleNamespace

import msgspec
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

import circuitboard as cb
from circuitboard.board import display
from circuitboard.form import form
from circuitboard.protocol.bridge import BRIDGE
from circuitboard.protocol.output import BOARD_OUTPUT
from circuitboard.server.boards import boards_of
from circuitboard.widget import bridge, mimebundle, reloading
from circuitboard.widget.announcement import Announcements
from tests.security.hostile import NAMED, TOKENS, hostile
from tests.tiny_models import tiny

BEGUN = re.compile(r"H(\d+)H")
TYPED = {
    name: f"H{number}H\"'<i onx=1>&\n{{}}\\"
    for number, name in enumerate(("clean", "corrupted", "answer", "wrong"), 20)
}
"""What somebody types into the form; a line break and a backslash would end a literal that is not one."""


def texts(value):
    """Every string of an answer, with the names of the fields that it is in."""
    if isinstance(value, dict):
        return [(f"{name}.{at}".rstrip("."), text) for name, one in value.items() for at, text in texts(one)]
    if isinstance(value, list):
        return [found for one in value for found in texts(one)]
    return [("", value)] if isinstance(value, str) else []


def found_in(answer):
    """Which hostile texts an answer holds, all of them whole."""
    found = set()
    for at, text in texts(msgspec.to_builtins(answer)):
        if not BEGUN.search(text):
            continue
        # Code says its texts as literals; Python, asked what it reads there, gives them back.
        said = literals(text) if at.endswith("code") else [text]
        for one in said:
            for number in map(int, BEGUN.findall(one)):
                # Where a sentence names a text, it may do so as Python writes it.
                assert text_of(number) in one or repr(text_of(number)) in one, at
                found.add(number)
    return found


def text_of(number):
    if number in range(20, 24):
        return list(TYPED.values())[number - 20]
    return hostile(NAMED[number] if number < len(NAMED) else number - TOKENS)


def literals(code):
    """The texts in some Python that does nothing but name, call and give names."""
    tree = ast.parse(code)
    allowed = (ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.Assign, ast.Expr, ast.Call, ast.keyword)
    allowed += (ast.Attribute, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Dict, ast.BinOp, ast.operator)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), code
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names <= {"cb", "board", "model", "pair", "mine", "set_view"}
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def number(what):
    return NAMED.index(what) if what in NAMED else 20 + list(TYPED).index(what)


# --- the form -----------------------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch):
    found = {}
    monkeypatch.setattr(form, "namespace", lambda: found)
    return found


def test_what_the_form_offers(names):
    model = cb.load("demo")
    model.cfg.model_name = hostile("model")
    # A namespace may hold what is no name: it would be written into code.
    names.update({"mine": model, hostile("name"): "a text", f"{hostile('group')}()": model})
    answer = form.options()
    assert found_in(answer) == {number("model")}
    assert answer["variables"]["texts"] == []


def tokenizer():
    """One for which each of the texts is one token."""
    words = {text: token for token, text in enumerate(["<unk>", *TYPED.values()])}
    special = dict.fromkeys(("unk_token", "eos_token", "pad_token"), "<unk>")
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel(words)), **special)


@pytest.mark.parametrize("known", [True, False])
def test_what_the_form_says_of_texts_that_are_typed(names, monkeypatch, known):
    names["mine"] = tiny("gpt2") if known else cb.load("demo")
    if known:
        monkeypatch.setattr(names["mine"], "tokenizer", tokenizer())
    prompts = {name: {"text": text} if name in ("clean", "corrupted") else text for name, text in TYPED.items()}
    whole = {"model": {"kind": "variable", "name": "mine"}, "metric": "logit_diff", "base": "clean"}
    answer = form.check(json.dumps(whole | {"prompts": {"kind": "typed"} | prompts}))
    if not known:
        assert answer["code"] is None
        assert found_in(answer) == set()
        return
    assert answer["problems"] == []
    for strip in ("clean", "corrupted"):
        assert answer[strip]["tokens"][-1] == TYPED[strip].replace("\n", "⏎")
    assert found_in({"code": answer["code"]}) == {20, 21, 22, 23}
    # What is a token is named as it is shown, and said as Python would write it.
    shown = {name: TYPED[name].replace("\n", "⏎") for name in ("answer", "wrong")}
    assert [one["words"] for one in answer["answers"]] == [f"{shown[name]!r} is one token." for name in shown]


@pytest.mark.parametrize("field", ["model", "metric", "task", "pair"])
def test_what_the_form_says_of_a_choice_that_is_none(names, field):
    evil = "x'); __import__('os').system('true') #<i onx=1>"
    prompts = {"task": {"kind": "task", "task": evil, "n": 2, "seed": 0}, "pair": {"kind": "pair", "name": evil}}
    whole = {"model": {"kind": "name", "name": "demo"}, "metric": "logit_diff", "base": "clean"}
    whole["prompts"] = prompts.get(field, {"kind": "task", "task": "ioi", "n": 2, "seed": 0})
    if field == "model":
        whole["model"] = {"kind": "variable", "name": evil}
    if field == "metric":
        whole["metric"] = evil
    answer = form.check(json.dumps(whole))
    assert answer["code"] is None
    assert len(answer["problems"]) == 1


# --- the bridge, the list and a kept board --------------------------------------------------------------


def test_what_the_bridge_tells(board, monkeypatch):
    display.made(board)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))

    def told(what, **fields):
        bridge.exchange(json.dumps({"what": what, **fields}))
        assert shown[-1].keys() == {BRIDGE, "text/plain"}
        assert shown[-1]["text/plain"] == "circuitboard"
        return shown[-1][BRIDGE]

    line = told("attach")["line"]
    hello = {"kind": "hello", "id": "1"}
    answer = told("exchange", line=line, wait_s=1, requests=[hello])
    welcome = next(sent["content"] for sent in answer["messages"] if sent["content"]["kind"] == "welcome")
    there = found_in(welcome)
    assert set(map(number, set(NAMED) - {"answer", "wrong"})) | {TOKENS + token for token in (11, 32, 51, 53)} <= there
    evil = {"kind": "click", "id": hostile("name"), "site": hostile("state")}
    answer = told("exchange", line=line, since=answer["messages"][-1]["number"], wait_s=1, requests=[evil])
    failed = next(sent["content"] for sent in answer["messages"] if sent["content"].get("id") == evil["id"])
    assert found_in(failed) == {number("name"), number("state")}
    told("detach", line=line)


def test_what_the_list_of_boards_tells(board, tmp_path):
    connection = tmp_path / "kernel-k1.json"
    connection.write_text("{}")
    announcements = Announcements(connection, "k1")
    announcements.add(board)
    announcements.flush()
    answer = boards_of(["k1"], tmp_path, logging.getLogger("test"))
    assert found_in(answer) == {number("model"), number("metric")}
    announcements.end()


def test_what_is_said_of_a_kept_board(board, tmp_path, monkeypatch):
    monkeypatch.setattr(reloading, "folder", lambda: tmp_path)
    monkeypatch.setattr(reloading, "saved_boards", list)
    monkeypatch.setattr(reloading, "namespace", dict)
    board.save(tmp_path / "evil.board.json")
    offer = SimpleNamespace(**reloading.offer(json.dumps("evil.board.json")))
    assert not offer.possible
    assert found_in(vars(offer)) == {number("model")}
    assert literals(offer.code) == [str(tmp_path / "evil.board.json")]


def test_what_an_output_names_is_no_text_of_a_users(board):
    assert mimebundle(board)[0][BOARD_OUTPUT].keys() == {"model_id", "saved"}
