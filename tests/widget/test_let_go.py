"""Promise 24: a displayed board that nobody refers to any more is freed, with its thread, its comm and its memory."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest
from ipywidgets.widgets import widget as registry

import circuitboard as cb
from circuitboard.files import autosave
from circuitboard.widget import bridge, mimebundle, set_view, widget_of
from circuitboard.widget import widget as widgets
from tests.board.prompts import pair
from tests.tiny_models import tiny

N = 25


def settled(holds, seconds=60.0):
    """Whether something comes true while threads end and garbage is collected."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        gc.collect()
        time.sleep(0.1)
    return holds()


@pytest.fixture
def model():
    return tiny("attention_only")


@pytest.fixture
def comms():
    """How many comms are open, in Jupyter's registry and in ours."""
    return lambda: (len(registry._instances), len(widgets._widgets))


def watched(board):
    """Weak references to what a board takes memory for."""
    shown = board.desk.shown
    return [
        weakref.ref(one)
        for one in (
            board,
            board.desk.lab,
            board.desk.lab.adapter,
            board.desk.lab.clean,
            shown.run,
            widget_of(board).session,
        )
    ]


def dead(refs):
    return all(ref() is None for ref in refs)


def test_displayed_boards_go_with_their_last_name(model, comms):
    threads, before, refs = threading.active_count(), comms(), []
    for _ in range(N):
        b = cb.Board(model, pair())
        mimebundle(b)
        refs += watched(b)
        del b
    assert settled(lambda: dead(refs))
    assert settled(lambda: threading.active_count() <= threads)
    assert comms() == before


def test_a_board_that_a_view_worked_with_goes_too(model, comms):
    before, refs = comms(), []
    for _ in range(3):
        sent = []
        b = cb.Board(model, pair())
        view = widget_of(b)
        view.listen(lambda content, _buffers, sent=sent: sent.append(content["kind"]))
        mimebundle(b)
        for n, request in enumerate(
            [
                {"kind": "hello"},
                {"kind": "click", "site": "1.1"},
                {"kind": "detail", "site": "1.1"},
                {"kind": "undo"},
                {"kind": "copy_code"},
            ]
        ):
            view.session.receive(request | {"id": f"{n}"})
        set_view(b, colours="purple-green")
        view.session.compute_map()
        refs += watched(b)
        del b, view
    assert settled(lambda: dead(refs))
    assert comms() == before


@pytest.mark.parametrize("what", ["metric", "listener", "callback"])
def test_functions_of_the_user_s_that_refer_to_their_board_hold_nothing(model, comms, what):
    threads, before, refs = threading.active_count(), comms(), []

    def used():
        here = []

        def metric(logits):
            assert len(here) < 2
            return logits[:, -1, 3]

        b = cb.Board(model, pair(), metric=metric if what == "metric" else "kl")
        here.append(b)
        if what == "listener":
            b.subscribe(lambda _shown: here)
        if what == "callback":
            b.desk.on_move(lambda: here)
            b.desk.on_close(lambda: here)
            b.widget().when_closed(lambda: refs)
        mimebundle(b)
        for n, request in enumerate([{"kind": "hello"}, {"kind": "click", "site": "1.1"}, {"kind": "verify"}]):
            widget_of(b).session.receive(request | {"id": f"{n}"})
        widget_of(b).session.compute_map()
        b.refresh()
        return watched(b)

    refs += [ref for _ in range(3) for ref in used()]
    assert settled(lambda: dead(refs))
    assert settled(lambda: threading.active_count() <= threads)
    assert comms() == before


def test_a_board_that_is_shown_once_it_is_closed_goes_too(model, comms):
    threads, before = threading.active_count(), comms()
    b = cb.Board(model, pair())
    mimebundle(b)
    b.close()
    b.close()
    mimebundle(b)
    refs = watched(b)
    del b
    assert settled(lambda: dead(refs))
    assert settled(lambda: comms() == before)
    assert settled(lambda: threading.active_count() <= threads)


def test_a_board_goes_while_its_map_is_being_computed(model):
    b = cb.Board(model, pair())
    widget_of(b).session.receive({"kind": "hello", "id": "1"})
    refs = watched(b)
    del b
    assert settled(lambda: dead(refs))


def test_lines_of_a_host_without_comms_keep_none_alive(model):
    b = cb.Board(model, pair())
    line = bridge.answer('{"what": "attach"}').line
    assert bridge.answer(f'{{"what": "exchange", "line": "{line}"}}').state == "open"
    refs = watched(b)
    del b
    assert settled(lambda: dead(refs))
    assert bridge.answer(f'{{"what": "exchange", "line": "{line}"}}').state == "gone"
    assert line not in bridge._lines


def test_a_board_that_is_kept_on_disk_goes_and_its_file_stays(model, tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "folder", lambda: tmp_path)
    monkeypatch.delenv(autosave.ENVIRONMENT, raising=False)
    b = cb.Board(model, pair(), autosave=True)
    mimebundle(b)
    b.edit(cb.head(1, 1).zero())
    b.autosave.flush()
    path, refs = b.autosave.path, watched(b)
    del b
    assert settled(lambda: dead(refs))
    loaded = cb.Board.load(path, model)
    assert [str(edit) for edit in loaded.edits] == ["zero 1.1"]
    loaded.close()


def test_a_reference_of_the_user_s_keeps_it_as_it_is(model):
    out = {}
    out[1] = cb.Board(model, pair())
    mimebundle(out[1])
    widget = widget_of(out[1])
    gc.collect()
    out[1].edit(cb.head(1, 1).zero())
    assert widget_of(out[1]) is widget
    assert not widget.session.closed
    refs = watched(out[1])
    del widget
    out.clear()
    assert settled(lambda: dead(refs))


def test_a_widget_whose_board_is_gone_says_so(model):
    b = cb.Board(model, pair())
    widget = widget_of(b)
    answers = []
    widget.listen(lambda content, _buffers: answers.append(content))
    session = widget.session
    del b
    assert settled(lambda: session.closed)
    session.receive({"kind": "undo", "id": "late"})
    assert answers[-1]["kind"] == "failed"
    assert answers[-1]["error"]["code"] == "board_gone"
    assert "keep it in a variable" in answers[-1]["error"]["message"]
    assert widget.comm is None


def test_a_question_that_is_waiting_gets_its_answer(model):
    b = cb.Board(model, pair())
    widget, answers, go_on = widget_of(b), [], threading.Event()
    widget.listen(lambda content, _buffers: answers.append(content))
    b.subscribe(lambda _shown: go_on.wait(20))  # the worker is held up
    widget.session.receive({"kind": "click", "site": "1.1", "id": "1"})
    widget.session.receive({"kind": "verify", "id": "2"})
    session = widget.session
    del b, widget
    go_on.set()
    assert settled(lambda: session.closed)
    assert settled(lambda: {answer.get("id") for answer in answers if "id" in answer} == {"1", "2"})


def test_closing_is_still_said_as_closing(model):
    b = cb.Board(model, pair())
    session = widget_of(b).session
    answers = []
    widget_of(b).listen(lambda content, _buffers: answers.append(content))
    b.close()
    session.receive({"kind": "undo", "id": "late"})
    assert answers[-1]["error"]["code"] == "board_closed"


def test_what_cannot_be_kept_on_disk_is_shown_and_goes_again(model, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    monkeypatch.setattr(autosave, "folder", lambda: kept)
    monkeypatch.delenv(autosave.ENVIRONMENT, raising=False)
    b = cb.Board(model, pair(), autosave=True)
    widget, sent = widget_of(b), []
    widget.listen(lambda content, _buffers: sent.append(content))
    widget.session.receive({"kind": "hello", "id": "1"})
    kept.write_text("a file where the folder should be")
    b.edit(cb.head(1, 1).zero())
    b.autosave.flush()

    def unkept():
        return next((one["snapshot"]["unkept"] for one in reversed(sent) if one["kind"] == "snapshot"), "none yet")

    assert settled(lambda: unkept() == b.autosave.problem is not None)
    kept.unlink()
    b.edit(cb.head(1, 0).zero())
    b.autosave.flush()
    assert settled(lambda: unkept() is None)
    b.close()


EXITS = """
import atexit, weakref
class Other: pass
# As in a kernel: finalizers are there before the notebook, whose names are dropped when Python exits.
keep = Other(); weakref.finalize(keep, int)
names = {}
atexit.register(names.clear)
import circuitboard as cb
model = cb.load("demo")
names["board"] = cb.Board(model, cb.tasks.ioi(1, model=model))
names["board"].widget().when_closed(lambda: print("closed"))
atexit.register(lambda: print("exits"))
LETS_GO
"""


@pytest.mark.parametrize(
    ("lets_go", "printed"), [("", ["exits"]), ("names.clear(); import gc; gc.collect()", ["closed", "exits"])]
)
def test_a_kernel_that_ends_closes_no_panel(lets_go, printed):
    script = EXITS.replace("LETS_GO", lets_go)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert ended.stdout.split() == printed, ended.stderr
