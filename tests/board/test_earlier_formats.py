"""Promise 25: files of every earlier format open, and hold what they held.

`files/format_N.board.json` were written by the last revision of each format, on the demo model.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

import circuitboard as cb
from circuitboard.files import saved as saved_format

FILES = Path(__file__).parent / "files"
LATEST = saved_format.FORMAT_VERSION

EDITS = {
    1: ["zero 1.1 @ END (off)", "scale resid_pre 2 @ 1:3 ×0", "patch attn_out 0"],
    2: ["zero 1.1.q @ S2, END (off)", "scale attn_out 0 ×0", "zero 0.3 -> 2.0.q"],
    3: [
        "zero 1.1",
        "add resid_pre 1 @ 3 + 0 · a tensor [128] (off)",
        "set 0.3 = 0",
        "patch 2.2 from Run('When John and Mary went …', 1 edits)",
    ],
    4: ["zero 1.1 (off)", "scale 2.0 ×0 (off)", "zero 0.3 @ 2"],
    5: ["patch 1.1", "zero 0.3", "scale 2.0 ×0.25"],
}


@pytest.fixture(scope="module")
def demo():
    return cb.load("demo")


def load(path, model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the numbers in the file are those of today
        return cb.Board.load(path, model)


def test_there_is_a_file_of_each_format():
    assert sorted(FILES.glob("*.json")) == [FILES / f"format_{n}.board.json" for n in range(1, LATEST)]
    for n in range(1, LATEST):
        assert json.loads((FILES / f"format_{n}.board.json").read_text())["version"] == n


@pytest.mark.parametrize("version", range(1, LATEST))
def test_a_file_of_an_earlier_format_opens_as_it_was(demo, tmp_path, version):
    board = load(FILES / f"format_{version}.board.json", demo)
    assert [str(edit) for edit in board.edits] == EDITS[version]
    saved = json.loads((FILES / f"format_{version}.board.json").read_text())
    assert board.values.tolist() == pytest.approx(saved["values"], abs=1e-4)
    assert len(board.history.nodes) == len(saved["states"])
    board.save(tmp_path / "now.board.json")
    assert json.loads((tmp_path / "now.board.json").read_text())["version"] == LATEST
    now = load(tmp_path / "now.board.json", demo)
    assert now.history == board.history
    for _ in saved["states"][1:]:
        board.undo()
        now.undo()
        assert now.edits == board.edits
        assert now.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
    assert not board.history.can_undo
    now.close()
    board.close()


def test_names_and_notes_of_format_4_are_there(demo):
    board = load(FILES / "format_4.board.json", demo)
    assert board.edits[0].name == "first"
    assert board.edits[1].group == "early"
    assert [node.note for node in board.history.nodes].count("finding") == 1
    board.close()


def test_a_file_that_was_cut_to_its_last_states_opens(demo, tmp_path):
    saved = json.loads((FILES / "format_4.board.json").read_text())
    saved["states"] = saved["states"][-2:]
    (tmp_path / "cut.board.json").write_text(json.dumps(saved))
    board = load(tmp_path / "cut.board.json", demo)
    assert [str(edit) for edit in board.edits] == EDITS[4]
    board.undo()
    board.undo()
    assert board.edits == ()
    board.close()


def test_the_command_reads_them(capsys):
    from circuitboard.cli import main

    assert main(["run", str(FILES / "format_1.board.json")]) == 0
    assert "holds" in capsys.readouterr().out
