"""Promise 19: saving either writes the whole file or leaves what was there, and follows no link."""

from __future__ import annotations

import json
import os

import pytest
import torch

import circuitboard as cb
from circuitboard.files import disk
from tests.security.session_files import MODEL, board
from tests.tiny_models import FAMILIES, tiny


def test_saving_over_a_link_replaces_the_link_not_what_it_points_to(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.board.json").symlink_to("precious")
    made = board()
    made.save(tmp_path / "a.board.json")
    made.close()
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "a.board.json").is_symlink()


def test_saving_to_a_folder_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    made = board()
    with pytest.raises(cb.SessionFileError) as caught:
        made.save(tmp_path / "folder")
    assert caught.value.code == "cannot_write"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    made.close()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on Windows")
def test_saving_takes_the_place_of_no_pipe_and_no_device(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    made = board()
    for path in (tmp_path / "pipe", os.devnull):
        with pytest.raises(cb.SessionFileError, match="no regular file") as caught:
            made.save(path)
        assert caught.value.code == "cannot_write"
    made.close()


@pytest.mark.parametrize("name", ["a" * 243 + ".board.json", "é" * 120 + ".board.json"])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path, name):
    made = board()
    made.save(tmp_path / name)
    made.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), cb.SessionFileError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MemoryError(), cb.EngineError),
    ],
)
@pytest.mark.parametrize("where", ["replace", "write"])
def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch, error, told, where):
    path = tmp_path / "a.board.json"
    path.write_text("the old file")
    made = board()

    def fail(*_args, **_kwargs):
        raise error

    if where == "replace":
        monkeypatch.setattr(disk.Path, "replace", fail)
    else:
        fdopen = os.fdopen

        def broken(handle, mode):
            file = fdopen(handle, mode)
            file.close()
            fail()

        monkeypatch.setattr(disk.os, "fdopen", broken)
    with pytest.raises(told):
        made.save(path)
    monkeypatch.undo()
    assert path.read_text() == "the old file"
    assert [one.name for one in tmp_path.iterdir()] == ["a.board.json"]
    made.save(path)
    cb.Board.load(path, tiny(MODEL)).close()
    made.close()


def test_values_that_are_not_finite_are_null_in_the_file(tmp_path):
    broken = FAMILIES[MODEL]().eval()
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(float("nan"))
    pair = cb.PromptPair(torch.tensor([[5, 6]]), torch.tensor([[5, 7]]), answer=1, wrong=2)
    made = cb.Board(broken, pair)
    made.save(tmp_path / "nan.board.json")
    assert json.loads((tmp_path / "nan.board.json").read_text())["values"] == [None]
    cb.Board.load(tmp_path / "nan.board.json", broken).close()
    made.close()
