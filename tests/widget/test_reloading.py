"""After a restart: what is offered to bring a kept board back, and when it is only said how."""

from __future__ import annotations

import json

import pytest

import circuitboard as cb
from circuitboard.errors import ProtocolError
from circuitboard.files import autosave
from circuitboard.widget import reloading
from tests.tiny_models import tiny


@pytest.fixture(autouse=True)
def kept_here(monkeypatch, tmp_path):
    monkeypatch.setattr(autosave, "folder", lambda: tmp_path)
    monkeypatch.setattr(reloading, "folder", lambda: tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "work/notes-b.ipynb")
    monkeypatch.delenv(autosave.ENVIRONMENT, raising=False)


@pytest.fixture
def names(monkeypatch):
    found = {}
    monkeypatch.setattr(reloading, "namespace", lambda: found)
    return found


def kept(board):
    board.edit(cb.head(1, 0).zero())
    board.autosave.flush()
    return autosave.file_of(board.desk)


@pytest.fixture
def demo_board():
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(2, model=model), autosave=True)
    yield board
    board.close()


def test_the_newest_of_this_notebook_comes_back_by_the_code_that_is_offered(names, demo_board):
    path = kept(demo_board)
    for text in ("null", json.dumps(path.name)):
        found = reloading.offer(text)
        assert found["possible"]
        assert found["words"] == "demo, 1 edit"
        assert "cb.Board.load(cb.Board.last_saved())" in found["code"]
    space = {}
    exec(found["code"], space)  # noqa: S102
    assert space["board"].value == pytest.approx(demo_board.value)
    space["board"].close()


def test_another_board_than_the_newest_is_loaded_by_its_file(names, demo_board):
    path = kept(demo_board)
    other = cb.Board(demo_board.model, demo_board.pair, autosave=True)
    kept(other)
    other.close()
    assert repr(str(path)) in reloading.offer(json.dumps(path.name))["code"]


def test_a_model_that_is_loaded_already_is_not_loaded_again(names, demo_board):
    kept(demo_board)
    names["mine"] = cb.load("demo")
    assert "last_saved(), mine)" in reloading.offer()["code"]


def test_a_model_that_was_passed_is_asked_for_in_words_unless_it_is_there(names, make_board):
    model = tiny("native")
    kept(make_board(model=model, autosave=True))
    found = reloading.offer()
    assert not found["possible"]
    assert "cannot be loaded by name" in found["words"]
    assert found["code"].splitlines()[1].endswith("last_saved(), model)")
    names.update(other=cb.load("demo"), passed=model)
    found = reloading.offer()
    assert found["possible"]
    assert "last_saved(), passed)" in found["code"]


@pytest.mark.parametrize("text", ["null", '"nothing.board.json"', '"../../etc/passwd"', '"a/b.board.json"'])
def test_what_is_not_kept_is_said(names, text):
    found = reloading.offer(text)
    assert (found["possible"], found["code"]) == (False, None)
    assert "Run the cell" in found["words"]


def test_a_damaged_file_is_said(names, demo_board):
    kept(demo_board).write_text("{")
    found = reloading.offer()
    assert (found["possible"], found["code"]) == (False, None)
    assert "cut short" in found["words"]


@pytest.mark.parametrize("text", ["", "3", "[]", "nothing"])
def test_what_is_no_name_is_an_error_of_ours(text):
    with pytest.raises(ProtocolError):
        reloading.offer(text)


def test_notebooks_with_names_that_begin_alike_are_told_apart(names, demo_board, monkeypatch):
    kept(demo_board)
    monkeypatch.setenv("JPY_SESSION_NAME", "notes.ipynb")
    assert not reloading.offer()["possible"]


def test_a_metric_of_ones_own_is_asked_for_until_it_is_there(names, demo_board):
    def mine(logits):
        return logits[:, -1, 0]

    board = cb.Board(demo_board.model, demo_board.pair, metric={"of mine": mine}, autosave=True)
    kept(board)
    found = reloading.offer()
    assert not found["possible"]
    assert "'of mine' is a function" in found["words"]
    names["mine"] = mine
    found = reloading.offer()
    assert found["possible"]
    assert found["code"].splitlines()[1] == "board = cb.Board.load(cb.Board.last_saved(), metric={'of mine': mine})"
    space = {"mine": mine}
    exec(found["code"], space)  # noqa: S102
    assert space["board"].value == pytest.approx(board.value)
    space["board"].close()
    board.close()


def test_the_edits_counted_are_those_of_where_the_board_stands(names, demo_board):
    kept(demo_board)
    demo_board.undo()
    demo_board.autosave.flush()
    assert reloading.offer()["words"] == "demo, 0 edits"
