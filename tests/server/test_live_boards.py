"""Boards of real kernels of a real server, and what the server makes of files that no kernel of ours wrote."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from circuitboard.protocol.board_file import MAX_BOARDS, MAX_BYTES, folder_of, kernel_of
from circuitboard.server.boards import boards_of
from circuitboard.widget.announcement import Announcements

SETUP = """
import os, torch
torch.set_num_threads(1)
import circuitboard as cb
from tests.tiny_models import tiny
clean = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
def make(**options):
    return cb.Board(tiny("native"), cb.PromptPair(clean, clean.flip(1), answer=[1, 2], wrong=[3, 4]), **options)
board = make()
"""
LOG = logging.getLogger("circuitboard.test")


def run(client, code: str) -> None:
    reply = client.execute_interactive(code, timeout=300, output_hook=lambda _message: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def eventually(found, expected, patience: float = 30):
    deadline = time.monotonic() + patience
    while (now := found()) != expected:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)


@pytest.fixture
def kernel(server):
    kernel = server.start_kernel()
    client = server.client(kernel)
    yield kernel, client
    client.stop_channels()
    server.ask("DELETE", f"/api/kernels/{kernel}", server.with_token)


@pytest.mark.timeout(300)
def test_the_boards_of_a_kernel_come_change_and_go(server, kernel):
    kernel, client = kernel
    assert server.boards() == {"kernels": []}
    run(client, SETUP)

    def listed():
        return [
            (one["board"], one["edits"], one["base"]) for each in server.boards()["kernels"] for one in each["boards"]
        ]

    eventually(listed, [(1, 0, "clean")])
    (each,) = server.boards()["kernels"]
    assert each["kernel"] == kernel
    assert each["unreadable"] == 0
    first = each["boards"][0]
    assert (first["model"], first["prompts"], first["metric"]) == ("native", 2, "logit_diff")
    assert first["engine"] in ("wavefront", "replay", "hooked")
    run(client, "board.edit(cb.head(1, 2).zero()); value = board.value; other = make(base='corrupted')")
    eventually(listed, [(1, 1, "clean"), (2, 0, "corrupted")])
    now = server.boards()["kernels"][0]["boards"][0]["value"]
    assert now != first["value"]
    run(client, f"assert abs(value - {now}) < 1e-6")
    folder = folder_of(server.runtime, kernel)
    assert folder.stat().st_mode & 0o077 == 0
    run(client, "nan = make(metric=lambda logits: logits[:, -1, 0].exp() + float('inf'))")
    eventually(lambda: [one["value"] for one in server.boards()["kernels"][0]["boards"]][2:], [None])
    run(client, "nan.close(); other.close(); del other; import gc; gc.collect()")
    eventually(listed, [(1, 1, "clean")])
    run(client, "del board; gc.collect()")
    eventually(listed, [])
    run(client, "board = make()")
    eventually(listed, [(4, 0, "clean")])


@pytest.mark.timeout(300)
def test_a_killed_or_restarted_kernel_has_no_boards(server, kernel):
    kernel, client = kernel
    run(client, SETUP)
    eventually(lambda: len(server.boards()["kernels"]), 1)
    folder = folder_of(server.runtime, kernel)
    pid = json.loads((folder / "1.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    # The server starts a killed kernel again by itself, under the same id; what it had is known to be lost.
    gone = {"kernels": [{"kernel": kernel, "boards": [], "unreadable": 0, "lost": 1}]}
    eventually(server.boards, gone)
    answer = server.ask("POST", f"/api/kernels/{kernel}/restart", server.with_token)
    assert answer.status == 200
    assert server.boards() == gone
    assert (folder / "1.json").exists()  # what it left is not believed, and goes with the next board
    again = server.client(kernel)
    run(again, SETUP)
    eventually(lambda: [one["board"] for each in server.boards()["kernels"] for one in each["boards"]], [1])
    assert json.loads((folder / "1.json").read_text())["pid"] != pid
    again.stop_channels()
    server.ask("DELETE", f"/api/kernels/{kernel}", server.with_token)
    eventually(folder.exists, False)


def summary(**changes):
    whole = {
        "board": 1, "model": "m", "prompts": 1, "base": "clean", "edits": 0, "metric": "logit_diff", "unit": "logits",
        "value": 0.5, "engine": "hooked", "cell": None,
    }  # fmt: skip
    return whole | changes


def file_of(**changes):
    whole = {
        "format": "circuitboard.live", "version": 1, "pid": os.getpid(),
        "started": psutil.Process().create_time(), "summary": summary(),
    }  # fmt: skip
    return json.dumps(whole | changes).encode()


@pytest.fixture
def folder(tmp_path):
    found = folder_of(tmp_path, "k")
    found.mkdir(parents=True)
    return found


def listed(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, LOG.name):
        return boards_of(["k", "none"], tmp_path, LOG).kernels


def test_a_good_file_is_listed(folder, tmp_path, caplog):
    (folder / "1.json").write_bytes(file_of())
    (found,) = listed(tmp_path, caplog)
    assert (found.kernel, found.unreadable, found.boards[0].value) == ("k", 0, 0.5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04pickle",
        file_of()[:-9],
        file_of(version=2),
        file_of(format="other"),
        file_of(pid=-1),
        file_of(more=1),
        file_of(summary=summary(model="x" * 201)),
        file_of(summary=summary(value="nan")),
        file_of(summary=summary(base="neither")),
        b" " * (MAX_BYTES + 1) + file_of(),
        b"[" * 10_000,
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_no_board_is_skipped_and_said(folder, tmp_path, caplog, data):
    (folder / "1.json").write_bytes(data)
    (folder / "2.json").write_bytes(file_of(summary=summary(board=2)))
    (found,) = listed(tmp_path, caplog)
    assert [one.board for one in found.boards] == [2]
    assert found.unreadable == 1
    assert "1.json is skipped" in caplog.text


def test_links_pipes_and_folders_are_not_opened(folder, tmp_path, caplog):
    (tmp_path / "elsewhere.json").write_bytes(file_of())
    (folder / "1.json").symlink_to(tmp_path / "elsewhere.json")
    os.mkfifo(folder / "2.json")
    (folder / "3.json").mkdir()
    (folder / "../up.json").write_bytes(file_of())
    (folder / "notes.txt").write_bytes(file_of())
    (folder / ".tmp").write_bytes(file_of())
    (found,) = listed(tmp_path, caplog)
    assert (found.boards, found.unreadable) == ([], 3)


def test_a_linked_folder_is_not_followed(folder, tmp_path, caplog):
    (folder / "1.json").write_bytes(file_of())
    folder_of(tmp_path, "linked").symlink_to(folder)
    assert boards_of(["linked"], tmp_path, LOG).kernels == []


def test_a_process_that_is_gone_or_another_has_no_boards(folder, tmp_path, caplog):
    (folder / "1.json").write_bytes(file_of(pid=2**22 + 1))
    (folder / "2.json").write_bytes(file_of(started=psutil.Process().create_time() - 100))
    (found,) = listed(tmp_path, caplog)
    assert (found.boards, found.unreadable, found.lost) == ([], 0, 2)


def test_a_process_that_was_killed_and_not_yet_waited_for_has_no_boards(folder, tmp_path, caplog):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = psutil.Process(process.pid).create_time()
        (folder / "1.json").write_bytes(file_of(pid=process.pid, started=started))
        assert listed(tmp_path, caplog)[0].lost == 0
        process.kill()
        eventually(lambda: listed(tmp_path, caplog)[0].lost, 1)


def test_no_more_are_read_than_a_kernel_may_have(folder, tmp_path, caplog):
    for number in range(1, MAX_BOARDS + 21):
        (folder / f"{number}.json").write_bytes(file_of(summary=summary(board=number)))
    (found,) = listed(tmp_path, caplog)
    assert [one.board for one in found.boards] == list(range(21, MAX_BOARDS + 21))


def test_only_connection_files_of_a_server_name_a_kernel(tmp_path):
    assert kernel_of(tmp_path / "kernel-0a-1b.json") == "0a-1b"
    for other in ("kernel-.json", "kernel-a.b.json", "other.json", "kernel-" + "x" * 101 + ".json"):
        assert kernel_of(tmp_path / other) is None


def test_a_process_forked_from_a_kernel_neither_lists_nor_takes_away(tmp_path, monkeypatch):
    announcements = Announcements(tmp_path / "kernel-k.json", "k")
    folder = folder_of(tmp_path, "k")
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    announcements.add(object())
    announcements.end()
    assert folder.exists()
    monkeypatch.undo()
    announcements.end()
    assert not folder.exists()


def test_what_other_kernels_left_is_swept_and_what_lives_stays(tmp_path):
    for kernel in ("k", "lives", "gone"):
        folder_of(tmp_path, kernel).mkdir(parents=True)
        (folder_of(tmp_path, kernel) / "1.json").write_bytes(file_of())
    (tmp_path / "kernel-lives.json").write_text("{}")
    announcements = Announcements(tmp_path / "kernel-k.json", "k")
    assert sorted(path.name for path in (tmp_path / "circuitboard").iterdir()) == ["lives"]
    announcements.end()
