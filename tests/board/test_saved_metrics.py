"""A metric that is a function is saved as its text and asked for at load; nothing that a file holds is ever run."""

from __future__ import annotations

import functools
import json
import operator

import pytest
import torch

import circuitboard as cb
from circuitboard.metrics import source_of
from tests.board.prompts import pair
from tests.tiny_models import tiny


def mine(logits):
    """How likely token 3 is."""
    return logits[:, -1].softmax(-1)[:, 3]


def other(logits):
    return logits[:, -1, 3] * 2


class Weighted:
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, logits):
        return logits[:, -1, 1] * self.weight

    def read(self, logits):
        return logits[:, -1, 2] * self.weight


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.board.json"


@pytest.fixture
def save(path):
    """Saves a board with these metrics and an edit; returns its value."""

    def save(metric):
        board = cb.Board(tiny("gpt2"), pair(), metric=metric)
        board.edit(cb.head(1, 1).zero())
        board.save(path)
        board.close()
        return board.value

    return save


def test_it_comes_back_with_the_function(save, path):
    value = save({"p3": mine, "KL": "kl"})
    loaded = cb.Board.load(path, tiny("gpt2"), metric={"p3": mine})
    assert loaded.value == pytest.approx(value, abs=1e-6)
    assert [metric.name for metric in loaded.desk.lab.metrics] == ["p3", "KL"]
    loaded.close()
    cb.Board.load(path, tiny("gpt2"), metric=mine).close()


def test_without_it_the_text_and_the_line_to_type_are_shown(save, path):
    save({"p3": mine})
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny("gpt2"))
    assert caught.value.code == "metric_needed"
    assert f"cb.Board.load({str(path)!r}, model, metric={{'p3': mine}})" in caught.value.message
    assert '    """How likely token 3 is."""\n    return logits[:, -1].softmax(-1)[:, 3]' in caught.value.message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"p3": mine, "p4": mine}, "'p4'"),
        ({"KL": mine}, "'KL'"),
        ({"p3": "prob"}, "'prob'"),
        ({"p3": None}, "None"),
        ("prob", "'prob'"),
        ([mine], "mine"),
        (3, "3"),
    ],
)
def test_what_is_not_asked_for_is_refused(save, path, given, words):
    save({"p3": mine, "KL": "kl"})
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny("gpt2"), metric=given)
    assert caught.value.code == "unknown_metric"
    assert words in caught.value.message
    save("kl")
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny("gpt2"), metric=mine)
    assert caught.value.code == "unknown_metric"


def test_one_of_two_is_not_enough(save, path):
    save({"a": mine, "b": other})
    with pytest.raises(cb.SessionFileError, match="'b' read") as caught:
        cb.Board.load(path, tiny("gpt2"), metric={"a": mine})
    assert "'a' read" not in caught.value.message
    assert "metric={'a': mine, 'b': other})" in caught.value.message
    with pytest.raises(cb.SessionFileError, match="asks for 'a', 'b'"):
        cb.Board.load(path, tiny("gpt2"), metric=mine)


def test_another_function_of_that_name_is_told(save, path):
    save({"p3": mine})
    with pytest.warns(UserWarning, match="the text of the metric 'p3' is another one"):
        cb.Board.load(path, tiny("gpt2"), metric={"p3": other}).close()


def closure(weight):
    def weighted(logits):
        return logits[:, -1, 1] * weight

    return weighted


KINDS = {
    "a lambda": (lambda logits: logits[:, -1, 4], "<lambda>", "lambda logits: logits[:, -1, 4]", "a lambda"),
    "a closure": (closure(2.0), "weighted", "def weighted(logits):\n    return", "it uses weight from around it"),
    "an object": (Weighted(2.0), "Weighted", "class Weighted:", "an object of this class"),
    "a method": (Weighted(2.0).read, "Weighted.read", "def read(self, logits):", "a method of a Weighted"),
    "a partial": (functools.partial(mine), "partial", "def mine(logits):", "a functools.partial of it, with nothing"),
    "a wrapped one": (functools.wraps(mine)(closure(1.0)), "mine", "def mine(logits):", None),
}


@pytest.mark.parametrize(("function", "name", "text", "remark"), KINDS.values(), ids=KINDS)
def test_every_kind_of_function_is_told_for_what_it_is(save, path, function, name, text, remark):
    save({"it": function})
    saved = json.loads(path.read_text())["metric"]["it"]
    assert saved["function"] == name
    assert text in saved["source"]
    assert remark is None or remark in saved["remark"]
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny("gpt2"))
    assert remark is None or remark in caught.value.message
    cb.Board.load(path, tiny("gpt2"), metric={"it": function}).close()


def test_without_text_that_is_said(save, path):
    scope = {}
    exec("def typed(logits):\n    return logits[:, -1, 0]", scope)  # noqa: S102  a function whose text nobody kept
    save(scope["typed"])
    with pytest.raises(cb.SessionFileError, match=r"'typed' was typed \(its Python text cannot be read\)"):
        cb.Board.load(path, tiny("gpt2"))
    found = source_of(operator.itemgetter)
    assert found.text is None
    assert source_of(len).remark == "a builtin or compiled function"


def test_the_text_is_that_of_when_the_board_was_made(tmp_path, save, path):
    module = tmp_path / "of_today.py"
    module.write_text("def read(logits):\n    return logits[:, -1, 0]\n")
    scope = {}
    exec(compile(module.read_text(), str(module), "exec"), scope)  # noqa: S102
    board = cb.Board(tiny("gpt2"), pair(), metric=scope["read"])
    module.write_text("def other():\n    return 1\n")
    board.save(path)
    board.close()
    assert json.loads(path.read_text())["metric"]["read"]["source"].endswith("return logits[:, -1, 0]")


def test_what_a_file_says_is_only_text(save, path, tmp_path):
    save({"p3": mine})
    saved = json.loads(path.read_text())
    sprung = tmp_path / "sprung"
    hostile = f"__import__('pathlib').Path({str(sprung)!r}).touch()"
    saved["metric"] = {
        f"\x1b[2J{hostile}": {
            "function": hostile,
            "source": "\x1b]0;x\x07" + f"{hostile}\n" * 5_000,
            "remark": "\u202e",
        }
    }
    path.write_text(json.dumps(saved))
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny("gpt2"))
    assert caught.value.code == "metric_needed"
    assert len(caught.value.message) < 2_500
    assert caught.value.message.replace("\n", "").isprintable()
    assert not sprung.exists()


@pytest.mark.parametrize(
    "metric",
    [{"function": 3}, {}, {"function": "f", "source": 3}, {"function": "f", "code": "x"}, None, ["kl"]],
    ids=str,
)
def test_damaged_functions_are_refused(save, path, metric):
    save({"p3": mine})
    saved = json.loads(path.read_text())
    saved["metric"] = {"p3": metric}
    path.write_text(json.dumps(saved))
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.load(path, tiny("gpt2"), metric={"p3": mine})
    assert caught.value.code == "bad_session_file"


def test_the_command_says_what_it_lacks(save, path, capsys):
    from circuitboard.cli import main

    save({"p3": mine})
    assert main(["run", str(path)]) == 2
    assert "[metric_needed]" in capsys.readouterr().err


def test_a_vector_beside_it_is_kept(save, path):
    board = cb.Board(tiny("gpt2"), pair(), metric=mine)
    board.edit(cb.resid_pre(0).add(torch.ones(32)))
    board.save(path)
    loaded = cb.Board.load(path, board.model, metric={"mine": mine})
    assert loaded.edits == board.edits
    loaded.close()
    board.close()
