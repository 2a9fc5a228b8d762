"""Boards made, used and closed leave nothing behind. The long form of this is a soak that is run by hand."""

from __future__ import annotations

import gc
import json
import threading
import time
import warnings
import weakref
from contextlib import closing

import pytest
import torch

import circuitboard as cb
from tests.board.prompts import pair
from tests.tiny_models import FAMILIES, tiny

N = 20


def _workers():
    return [thread for thread in threading.enumerate() if thread.name == "circuitboard"]


def _used(model, prompts):
    board = cb.Board(model, prompts)
    board.edit(cb.head(1, 2).zero(), cb.attn_out(0).at(1).patch())
    board.sweep("head")
    board.undo()
    board.preview(cb.resid_pre(1).patch())
    board.verify()
    return board


def _settled(holds, seconds=5.0):
    """Whether something comes true while threads end and garbage is collected."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        gc.collect()
        time.sleep(0.02)
    return holds()


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "dropped"])
def test_threads_and_models_of_boards_go_with_them(closed):
    model, prompts = tiny("attention_only"), pair()
    threads = threading.active_count()
    adapters, tensors = [], []
    for _ in range(N):
        board = _used(model, prompts)
        adapters.append(weakref.ref(board.desk.lab.adapter))
        tensors.append(weakref.ref(board.desk.lab.clean.activations["resid_pre", 0]))
        tensors.append(weakref.ref(board.desk.shown.run.logits))
        if closed:
            board.close()
        del board
    assert _settled(lambda: threading.active_count() <= threads and not _workers())
    assert _settled(lambda: not any(ref() for ref in adapters)), "the copies of the model are gone"
    assert _settled(lambda: not any(ref() is not None for ref in tensors)), "and what was cached"


def _fails(metric=None, **options):
    with pytest.raises(cb.CircuitboardError) as caught:
        cb.Board(tiny("attention_only"), pair(), metric=metric or "kl", **options)
    return caught.value


@pytest.mark.parametrize(
    "fails",
    [
        lambda: _fails(lambda _logits: 1 / 0),
        lambda: _fails(engine="fast"),
        lambda: _fails(base="neither"),
        lambda: _fails(memory=1),
    ],
    ids=["metric", "engine", "base", "memory"],
)
def test_a_board_that_cannot_be_made_leaves_no_thread(fails):
    """Though the error, which a notebook keeps, holds the board that was being made."""
    threads = threading.active_count()
    errors = [fails() for _ in range(3)]
    assert _settled(lambda: threading.active_count() <= threads and not _workers())
    assert errors


def test_a_file_that_cannot_be_loaded_leaves_no_thread(tmp_path):
    model = tiny("attention_only")
    with closing(cb.Board(model, pair())) as board:
        board.edit(cb.head(1, 2).zero())
        board.save(tmp_path / "a.board.json")
    saved = json.loads((tmp_path / "a.board.json").read_text())
    saved["values"] = [1.0, 2.0, 3.0]
    (tmp_path / "a.board.json").write_text(json.dumps(saved))
    threads, errors = threading.active_count(), []
    for _ in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what is a warning becomes the end of the load
            with pytest.raises(cb.CircuitboardError) as caught:
                cb.Board.load(tmp_path / "a.board.json", model)
            errors.append(caught.value)
    assert _settled(lambda: threading.active_count() <= threads and not _workers())
    assert "is now" in str(errors[0])


def test_the_user_s_model_never_gets_a_hook():
    model = FAMILIES["attention_only"]()

    def hooks():
        return [(*module._forward_hooks.values(), *module._forward_pre_hooks.values()) for module in model.modules()]

    model(torch.tensor([[1, 2, 3]]))  # TransformerLens leaves hooks of its own on a model that has run
    before = hooks()
    boards = [_used(model, pair()) for _ in range(3)]
    assert hooks() == before
    assert not any(point.fwd_hooks for point in model.hook_dict.values())
    for board in boards:
        twin = board.desk.lab.adapter._model
        assert not any(point.fwd_hooks or point._forward_hooks for point in twin.hook_dict.values())
        assert {p.data_ptr() for p in twin.parameters()} == {p.data_ptr() for p in model.parameters()}
        board.close()


def test_a_board_keeps_few_runs_however_many_edits_it_has_seen():
    board = cb.Board(tiny("attention_only"), pair())
    sizes = []
    for step in range(60):
        board.edit(cb.head(step % 3, step % 4).at(step % 5).zero())
        sizes.append(board.engine.memory_bytes)
    assert max(sizes[20:]) <= 1.2 * max(sizes[:20])
    board.close()
