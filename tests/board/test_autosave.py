"""A board's state kept on disk: after steps, whole or not at all, few files, never in a click's way, and only if wanted."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch

import circuitboard as cb
from circuitboard.desk import lab
from circuitboard.files import KeptName, autosave, disk, new_name, quota, storage
from circuitboard.models.account.fingerprint import fingerprint
from tests.board.prompts import pair
from tests.tiny_models import FAMILIES, tiny

ROOT = Path(__file__).parents[2]

GONE = 2**22 + 1
"""No process has such a number."""


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The folder; saving is quick and wanted, and no notebook has a name."""
    monkeypatch.setattr(autosave, "folder", lambda: tmp_path / "state" / "autosave")
    monkeypatch.setattr(autosave, "QUIET_S", 0.05)
    monkeypatch.delenv(autosave.ENVIRONMENT, raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path / "state" / "autosave"


@pytest.fixture
def make(model):
    boards = []

    def board(**options):
        boards.append(cb.Board(options.pop("model", model), pair(), **{"autosave": True} | options))
        return boards[-1]

    yield board
    for one in boards:
        one.close()


def until(found, patience=300):
    deadline = time.monotonic() + patience
    while not (now := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return now


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_last_state_comes_back(make, model, kept):
    board = make()
    board.edit(cb.head(1, 1).zero())
    board.edit(cb.head(0, 2).scale(0.5))
    until(board.autosave.path.exists)
    until(lambda: json.loads(board.autosave.path.read_text())["states"][2:])
    assert cb.Board.last_saved() == board.autosave.path
    loaded = cb.Board.load(cb.Board.last_saved(), model)
    assert loaded.edits == board.edits
    assert loaded.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-6)
    loaded.undo()
    assert [str(edit) for edit in loaded.edits] == ["zero 1.1"]
    loaded.close()
    saved = json.loads(board.autosave.path.read_text())
    assert saved["model"]["weights"] is not None
    assert board.autosave.path.parent.stat().st_mode & 0o077 == 0


def test_a_board_that_was_never_stepped_leaves_nothing(make, kept):
    make().close()
    assert names(kept) == []
    with pytest.raises(cb.SessionFileError) as caught:
        cb.Board.last_saved()
    assert caught.value.code == "no_such_file"


@pytest.mark.parametrize(("option", "variable"), [(False, None), (None, None), (True, "0"), (True, "off"), (None, "0")])
def test_opting_out_and_running_outside_a_kernel_write_nothing(make, kept, monkeypatch, option, variable):
    if variable is not None:
        monkeypatch.setenv(autosave.ENVIRONMENT, variable)
    board = make(autosave=option)
    board.edit(cb.head(0, 0).zero())
    assert board.autosave is None
    board.close()
    assert names(kept) == []


def test_in_a_kernel_it_is_the_default(monkeypatch):
    assert not autosave.wanted(asked=None)
    monkeypatch.setattr(autosave, "_in_a_kernel", lambda: True)
    assert autosave.wanted(asked=None)
    assert not autosave.wanted(asked=False)


def test_a_click_waits_neither_for_hashing_nor_for_the_disk(make, kept, monkeypatch):
    hashing, go_on = threading.Event(), threading.Event()
    real = lab.fingerprint

    def slow(model):
        hashing.set()
        assert go_on.wait(300)
        return real(model)

    monkeypatch.setattr(lab, "fingerprint", slow)
    board = make()
    board.edit(cb.head(0, 0).zero())
    assert hashing.wait(300)
    for _ in range(20):
        board.toggle(0)
    assert not go_on.is_set()  # all of them came through while the hash was still being taken
    assert names(kept) == []
    go_on.set()
    until(board.autosave.path.exists)
    until(lambda: len(json.loads(board.autosave.path.read_text())["states"]) == 22)


def test_the_weights_are_hashed_once_a_board(make, monkeypatch):
    hashed = []
    real = lab.fingerprint
    monkeypatch.setattr(lab, "fingerprint", lambda model: hashed.append(1) or real(model))
    board = make()
    for _ in range(3):
        board.edit(cb.head(0, 0).zero())
        board.autosave.flush()
    assert len(hashed) == 1


def test_closing_writes_the_last_step_without_hashing(make, kept, monkeypatch):
    monkeypatch.setattr(autosave, "QUIET_S", 100.0)
    monkeypatch.setattr(lab, "fingerprint", lambda model: pytest.fail("hashed while closing"))
    board = make()
    board.autosave._later._quiet_s = 100.0
    board.edit(cb.head(0, 0).zero())
    path = board.autosave.path
    board.close()
    saved = json.loads(path.read_text())
    assert saved["states"][-1]["edits"][0]["site"] == "0.0"
    assert saved["model"]["weights"] is None
    assert not [thread for thread in threading.enumerate() if thread.name == "circuitboard-autosave"]


@pytest.mark.parametrize("known", [True, False], ids=["weights known", "weights unknown"])
def test_work_is_kept_though_the_model_was_trained_since(make, known):
    model = FAMILIES["gpt2"]().eval()
    board = make(model=model)
    board.edit(cb.head(0, 0).zero())
    if known:
        board.autosave.flush()
        before = json.loads(board.autosave.path.read_text())["model"]["weights"]
        board.edit(cb.head(0, 1).zero())
    with torch.no_grad():
        next(iter(model.original_model.parameters())).mul_(1.1)
    board.autosave.flush()
    assert board.autosave.problem is None
    saved = json.loads(board.autosave.path.read_text())
    assert len(saved["states"]) == (3 if known else 2)
    assert saved["model"]["weights"] == (before if known else None), "those that the numbers came from"
    board.refresh()
    board.autosave.flush()
    assert json.loads(board.autosave.path.read_text())["model"]["weights"] == fingerprint(model).weights


def test_weights_and_numbers_in_a_file_are_of_one_moment(make, tmp_path):
    model, path = FAMILIES["gpt2"]().eval(), tmp_path / "a.board.json"
    board = make(model=model, autosave=False)
    board.edit(cb.head(0, 0).zero())
    rounds = []

    def marks(bench):
        found = bench.fingerprint()
        rounds.append(found)
        if len(rounds) == 1:  # meanwhile, on another thread
            with torch.no_grad():
                next(iter(model.original_model.parameters())).mul_(1.1)
            board.refresh()
        return found

    path.write_bytes(storage.encoded(board.desk, marks).data)
    assert len(rounds) == 2
    saved = json.loads(path.read_text())
    assert saved["model"]["weights"] == fingerprint(model).weights != rounds[0].weights
    assert saved["values"] == pytest.approx(board.values.tolist(), abs=1e-6)


def test_a_long_name_of_a_notebook_is_a_name_of_a_file(make, kept, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", f"/home/me/{'数' * 70}𠀀𠀀.ipynb")
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    assert board.autosave.problem is None
    assert len(os.fsencode(board.autosave.path.name)) < 200
    assert cb.Board.last_saved() == board.autosave.path
    monkeypatch.setenv("JPY_SESSION_NAME", "𠀀" * 80 + ".ipynb")
    assert len(os.fsencode(autosave._notebook())) <= 120


def test_a_clock_that_is_set_makes_no_stranger_of_this_process(kept, monkeypatch):
    name = KeptName.of(new_name("board", 1))
    monkeypatch.setattr(psutil.Process, "create_time", lambda _process: 5.0)
    assert name.ours
    assert KeptName.of(new_name("board", 2)).ours


def test_a_reader_always_finds_a_whole_file(make):
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    path, stop, read = board.autosave.path, threading.Event(), []

    def look():
        while not stop.is_set():
            read.append(json.loads(path.read_text())["format"])

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(30):
        board.toggle(0)
        board.autosave.flush()
    stop.set()
    reader.join()
    assert len(read) > 10
    assert [name for name in names(path.parent) if name.startswith(".")] == []


def test_edits_and_numbers_in_a_file_belong_together(make, model):
    """Steps that come in while a file is made are in the next one, never half in this one."""
    board = make()
    board.autosave._later._quiet_s = 0.0
    for _ in range(30):
        board.edit(cb.head(0, 0).scale(0.9))
        time.sleep(0.005)
    until(lambda: len(json.loads(board.autosave.path.read_text())["states"]) == 31)
    cb.Board.load(board.autosave.path, model).close()  # warns if its numbers were others


def test_few_files_of_processes_that_are_gone_are_kept_and_the_newest(make, kept, monkeypatch):
    monkeypatch.setattr(quota, "FILES", 3)
    kept.mkdir(parents=True)
    for notebook in ("mine", "yours"):
        for n in range(6):
            path = kept / f"{notebook}-20260101-000000-{GONE}-{n}.board.json"
            path.write_text("{}")
            os.utime(path, (n, n))
    half = kept / ".x.board.json.abc"
    half.write_text("{")
    os.utime(half, (0, 0))
    (kept / ".y.board.json.abc").write_text("{")
    (kept / "notes.txt").write_text("mine")
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    left = [f"{notebook}-20260101-000000-{GONE}-{n}.board.json" for notebook in ("mine", "yours") for n in (3, 4, 5)]
    assert names(kept) == sorted([board.autosave.path.name, *left, ".y.board.json.abc", "notes.txt"])
    monkeypatch.setattr(quota, "ALL", 4)
    other = make()
    other.edit(cb.head(0, 0).zero())
    other.autosave.flush()
    left = [f"{notebook}-20260101-000000-{GONE}-{n}.board.json" for notebook in ("mine", "yours") for n in (4, 5)]
    assert set(left) == set(names(kept)) - {board.autosave.path.name, other.autosave.path.name} - {
        ".y.board.json.abc",
        "notes.txt",
    }


def test_the_file_of_an_open_board_stays_whatever_else_is_made(make, model, kept, monkeypatch):
    monkeypatch.setattr(quota, "DROPPED", 3)
    mine = make()
    mine.edit(cb.head(1, 1).zero())
    mine.autosave.flush()
    os.utime(mine.autosave.path, (1, 1))
    for n in range(20):
        other = cb.Board(model, pair(), autosave=True)
        other.edit(cb.head(0, n % 4).zero())
        other.close()
    assert mine.autosave.path.exists()
    assert len(names(kept)) <= 1 + 3 + 1
    loaded = cb.Board.load(mine.autosave.path, model)
    assert loaded.edits == mine.edits
    loaded.close()


OTHER = """
import sys
from circuitboard.files import new_name
print(new_name("board", 1), flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(120)
def test_the_file_of_a_process_that_lives_stays_and_goes_once_it_was_killed(make, kept, monkeypatch):
    monkeypatch.setattr(quota, "FILES", 0)
    kept.mkdir(parents=True)
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'kernel_side'}:{ROOT}"}
    command = [sys.executable, "-c", OTHER]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        path = kept / process.stdout.readline().strip()
        path.write_text("{}")
        os.utime(path, (1, 1))
        name = KeptName.of(path.name)
        another = path.with_name(path.name.replace(f"{process.pid}.", f"{process.pid}.1"))  # as if the number were new
        another.write_text("{}")
        assert name.notebook == "board"
        assert not name.ours
        quota.prune(kept, ())
        assert names(kept) == [path.name]
        process.send_signal(signal.SIGKILL)
        until(lambda: not name.lives(0.0, 0.0))  # also before anybody has looked after the process
        process.wait(30)
    quota.prune(kept, ())
    assert names(kept) == []


def test_processes_of_another_machine_count_as_alive_for_a_while(kept, monkeypatch):
    monkeypatch.setattr(quota, "FILES", 0)
    kept.mkdir(parents=True)
    name = new_name("board", 1)
    mark = KeptName.of(name).machine
    away = kept / name.replace(mark, "00000000")
    away.write_text("{}")
    quota.prune(kept, ())
    assert away.exists()
    os.utime(away, (1, 1))
    quota.prune(kept, ())
    assert not away.exists()


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "a-b.board.json",
        "n-20260101-000000-99999999999999999999.1.00000000-1.board.json",
        "\n.board.json",
        "n-20260101-000000-0-1.board.json",
    ],
)
def test_any_name_is_read(name):
    assert not KeptName.of(name).lives(1e9, 0.0)
    assert not KeptName.of(name).ours


def test_the_whole_history_is_kept_and_large_values_stay_small(make, model, monkeypatch, caplog):
    board = make()
    board.edit(cb.head(0, 0).zero())
    for _ in range(9):
        board.toggle(0)
    board.undo()
    board.undo()
    board.note("here")
    board.autosave.flush()
    loaded = cb.Board.load(board.autosave.path, model)
    assert loaded.history == board.history
    loaded.close()
    monkeypatch.setattr(autosave, "MAX_BYTES", len(board.autosave.path.read_bytes()) // 2)
    board.toggle(0)
    board.autosave.flush()
    loaded = cb.Board.load(board.autosave.path, model)
    assert loaded.edits == board.edits
    assert 2 <= len(loaded.history.nodes) < 12
    assert "older states are left out" in board.autosave.problem
    assert "older states are left out" in repr(board.autosave)
    loaded.close()
    before = board.autosave.path.read_bytes()
    with caplog.at_level(logging.WARNING):
        board.edit(cb.resid_pre(0).add(torch.ones(32)))
        monkeypatch.setattr(autosave, "MAX_BYTES", 500)
        board.autosave.flush()
    assert "more than the 500" in board.autosave.problem
    assert "not kept on disk" in caplog.text
    assert board.autosave.path.read_bytes() == before


def test_a_board_with_a_metric_of_ones_own_is_kept(make, model):
    def mine(logits):
        return logits[:, -1, 0]

    board = make(metric=mine)
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    assert board.autosave.problem is None
    loaded = cb.Board.load(board.autosave.path, model, metric={"mine": mine})
    assert loaded.edits == board.edits
    loaded.close()


def test_a_folder_that_cannot_be_written_is_said_once_and_hurts_nothing(make, kept, caplog):
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("a file where the folder should be")
    other, told = make(), []
    other.autosave.subscribe(lambda: told.append(other.autosave.problem))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            other.edit(cb.head(0, 0).zero())
            other.autosave.flush()
    assert caplog.text.count("not kept on disk") == 1
    assert other.autosave.problem is not None
    assert len(other.edits) == 3
    kept.unlink()
    other.edit(cb.head(0, 1).zero())
    other.autosave.flush()
    assert other.autosave.problem is None
    assert other.autosave.path.exists()
    assert [problem is None for problem in told] == [False, True]


def test_a_folder_that_goes_away_is_made_again(make, kept):
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    shutil.rmtree(kept)
    board.edit(cb.head(0, 1).zero())
    board.autosave.flush()
    assert board.autosave.problem is None
    assert len(json.loads(board.autosave.path.read_text())["states"]) == 3


@pytest.mark.parametrize("call", ["fsync", "open", "replace"])
def test_a_full_disk_loses_nothing_and_is_tried_again_without_a_step(make, monkeypatch, call):
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    before = board.autosave.path.read_bytes()

    def full(*_args, **_rest):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(autosave, "RETRY_S", 0.05)
    monkeypatch.setattr(disk.Path if call == "replace" else disk.os, call, full)
    board.edit(cb.head(0, 1).zero())
    board.autosave.flush()
    assert "No space left on device" in board.autosave.problem
    monkeypatch.undo()
    assert board.autosave.path.read_bytes() == before
    until(lambda: board.autosave.problem is None)
    assert len(json.loads(board.autosave.path.read_text())["states"]) == 3
    assert [name for name in names(board.autosave.path.parent) if name.startswith(".")] == []


def test_the_file_is_on_the_disk_before_it_takes_the_name_and_then_the_folder(make, monkeypatch):
    done = []
    fsync, replace = os.fsync, Path.replace

    def synced(handle):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    monkeypatch.setattr(disk.os, "fsync", synced)
    monkeypatch.setattr(disk.Path, "replace", lambda self, target: done.append("replace") or replace(self, target))
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    assert done == ["file", "replace", "folder"]


def test_whatever_goes_wrong_is_told_and_the_board_goes_on(make, monkeypatch):
    monkeypatch.setattr(lab, "fingerprint", lambda model: 1 / 0)
    board = make()
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    assert "ZeroDivisionError" in board.autosave.problem
    assert board.edit(cb.head(0, 1).zero()).receipts


def test_the_notebook_comes_first(make, kept, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/../etc/My notes <b>.ipynb")
    mine = make()
    assert mine.autosave.path.parent == kept
    assert mine.autosave.path.name.startswith("My_notes__b_-")
    mine.edit(cb.head(0, 0).zero())
    mine.autosave.flush()
    monkeypatch.setenv("JPY_SESSION_NAME", "/other.ipynb")
    other = make()
    other.edit(cb.head(0, 0).zero())
    other.autosave.flush()
    os.utime(mine.autosave.path, (1, 1))
    assert cb.Board.last_saved() == other.autosave.path
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/My notes <b>.ipynb")
    assert cb.Board.last_saved() == mine.autosave.path
    monkeypatch.setenv("JPY_SESSION_NAME", "/third.ipynb")
    assert cb.Board.last_saved() == other.autosave.path
    assert autosave.saved_boards() == [other.autosave.path, mine.autosave.path]


def test_it_keeps_no_board_alive(model):
    import weakref

    board = cb.Board(model, pair(), autosave=True)
    board.edit(cb.head(0, 0).zero())
    board.autosave.flush()
    here = weakref.ref(board)
    del board
    until(lambda: gc.collect() is not None and here() is None)
    until(lambda: not [one for one in threading.enumerate() if one.name == "circuitboard-autosave"])


KILLED = """
import sys, time, torch
torch.set_num_threads(1)
import circuitboard as cb
from tests.board.prompts import pair
from circuitboard.models.account.fingerprint import fingerprint
from tests.tiny_models import FAMILIES, tiny
board = cb.Board(tiny("gpt2"), pair(), autosave=True)
board.edit(cb.head(1, 1).zero())
while not board.autosave.path.exists():
    time.sleep(0.02)
print(board.value, flush=True)
if sys.argv[1] == "kill":
    time.sleep(60)
board.edit(cb.head(0, 1).zero())
"""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["kill", "exit"])
def test_a_process_that_is_killed_or_ends_loses_nothing(tmp_path, monkeypatch, how):
    env = os.environ | {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": f"{ROOT / 'kernel_side'}:{ROOT}"}
    command = [sys.executable, "-c", KILLED, how]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        value = float(process.stdout.readline())
        if how == "kill":
            process.send_signal(signal.SIGKILL)
        process.wait(60)
    monkeypatch.setattr(autosave, "folder", lambda: tmp_path / "circuitboard" / "autosave")
    loaded = cb.Board.load(cb.Board.last_saved(), tiny("gpt2"))
    assert [str(edit) for edit in loaded.edits] == (["zero 1.1"] if how == "kill" else ["zero 1.1", "zero 0.1"])
    if how == "kill":
        assert loaded.value == pytest.approx(value, abs=1e-6)
    loaded.close()
