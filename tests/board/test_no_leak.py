"""Boards made, used and closed leave nothing behind. The long form of this is a soak that is run by hand."""

from __future__ import annotations

import gc
import threading
import time
import weakref

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
        adapters.append(weakref.ref(board.lab.adapter))
        tensors.append(weakref.ref(board.lab.clean.activations["resid_pre", 0]))
        tensors.append(weakref.ref(board.shown.run.logits))
        if closed:
            board.close()
        del board
    assert _settled(lambda: threading.active_count() <= threads and not _workers())
    assert _settled(lambda: not any(ref() for ref in adapters)), "the copies of the model are gone"
    assert _settled(lambda: not any(ref() is not None for ref in tensors)), "and what was cached"


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
        twin = board.lab.adapter._model
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
