"""Something breaks while a number is computed: the board goes back to the last state whose numbers are known."""

from __future__ import annotations

import itertools
import threading

import pytest
import torch

import circuitboard as cb
from circuitboard.steps.step import Add
from tests.board.prompts import pair, plain_values
from tests.tiny_models import N_LAYERS

FIRST, SECOND, THIRD = cb.head(0, 1).zero(), cb.attn_out(1).at([0, -1]).patch(), cb.mlp_out(2).zero()


@pytest.fixture
def board(model):
    """On the tier that calls the model's own blocks, where failures are put."""
    board = cb.Board(model, pair(), engine="replay")
    yield board
    board.close()


class Breaks:
    """Stands in for `adapter.block`: raises in one layer, a number of times, then works again."""

    def __init__(self, monkeypatch, board, error, *, layer=1, times=1):
        self._block = board.desk.lab.adapter.block
        self._error, self._layer, self.times = error, layer, times
        self.seen = []
        monkeypatch.setattr(board.desk.lab.adapter, "block", self)

    def __call__(self, layer, resid, call):
        self.seen.append((layer, resid.shape[0]))
        if layer == self._layer and self.times:
            self.times -= 1
            raise self._error
        return self._block(layer, resid, call)


@pytest.mark.parametrize("layer", range(N_LAYERS))
@pytest.mark.parametrize("error", [RuntimeError("the device is gone"), torch.OutOfMemoryError("no memory"), KeyboardInterrupt()], ids=["runtime", "memory", "interrupt"])  # fmt: skip
def test_a_failed_edit_leaves_the_last_good_state(board, model, monkeypatch, error, layer):
    board.edit(THIRD)
    before = (board.desk.shown, board.history, board.edits, board.values.tolist())
    Breaks(monkeypatch, board, error, layer=layer)
    with pytest.raises((cb.EngineError, KeyboardInterrupt)) as caught:
        board.edit(FIRST)
    assert error in (caught.value, caught.value.__cause__)
    assert (board.desk.shown, board.history, board.edits, board.values.tolist()) == before
    board.edit(FIRST)
    torch.testing.assert_close(board.values, plain_values(model, [THIRD, FIRST]), rtol=0, atol=1e-5)
    board.undo()
    torch.testing.assert_close(board.values, plain_values(model, [THIRD]), rtol=0, atol=1e-5)
    assert board.verify().ok


def test_no_hook_stays_behind(board, monkeypatch):
    Breaks(monkeypatch, board, RuntimeError("the device is gone"), layer=0)
    with pytest.raises(cb.EngineError, match="the device is gone"):
        board.edit(FIRST)
    twin = board.desk.lab.adapter._model
    assert not any(point.fwd_hooks or point._forward_hooks for point in twin.hook_dict.values())


def test_steps_that_built_on_the_failed_one_fail_with_it(board, model, monkeypatch):
    board.edit(FIRST)
    shown = board.desk.shown
    gate = threading.Event()
    Breaks(monkeypatch, board, RuntimeError("the device is gone"))
    hold = board.desk.worker.submit(lambda _cancel: gate.wait(10))
    steps = [
        board.desk.step(lambda h, edit=edit: Add((edit,)).applied(h)) for edit in (cb.head(0, 3).zero(), SECOND, THIRD)
    ]
    undo = board.desk.step(lambda h: h.undone())
    gate.set()
    assert hold.result() is True
    with pytest.raises(cb.EngineError, match="device"):
        steps[0].result()
    for job in (*steps[1:], undo):
        with pytest.raises(cb.InterventionError) as caught:
            job.result()
        assert caught.value.code == "earlier_step_failed"
    assert board.desk.shown is shown
    assert [edit.intervention for edit in board.edits] == [FIRST]
    board.edit(SECOND)
    torch.testing.assert_close(board.values, plain_values(model, [FIRST, SECOND]), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("by", "times"), [("all", 2), ("pos", 4)])
def test_out_of_memory_in_a_sweep_halves_the_batch_and_gives_the_same_map(board, monkeypatch, by, times):
    board.edit(FIRST)
    expected = board.sweep("head", by=by, how="patch").per_prompt
    breaks = Breaks(monkeypatch, board, torch.OutOfMemoryError("no memory"), layer=2, times=times)
    found = board.sweep("head", by=by, how="patch").per_prompt
    assert breaks.times == 0
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    n_prompts = 3
    cells = [rows // n_prompts for layer, rows in breaks.seen if layer == 2][: times + 1]
    assert cells[0] == (4 if by == "all" else 20)
    assert all(smaller == larger // 2 for larger, smaller in itertools.pairwise(cells))


def test_out_of_memory_with_one_cell_is_one_clear_error(board, monkeypatch):
    board.edit(FIRST)
    before = board.desk.shown
    Breaks(monkeypatch, board, torch.OutOfMemoryError("no memory"), layer=2, times=1_000)
    with pytest.raises(cb.EngineError) as caught:
        board.sweep("head")
    assert caught.value.code == "out_of_memory"
    assert "fewer or shorter prompts" in caught.value.message
    monkeypatch.undo()
    assert board.desk.shown is before
    assert board.sweep("head").values.isfinite().all()


def test_other_errors_in_a_sweep_pass_through(board, monkeypatch):
    breaks = Breaks(monkeypatch, board, RuntimeError("CUDA error: device-side assert"), layer=2)
    with pytest.raises(cb.EngineError, match="device-side") as caught:
        board.sweep("head")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert breaks.times == 0, "it was not tried again"
    assert board.sweep("head").values.isfinite().all()


def test_an_activation_that_is_never_computed_is_an_error_not_a_silence(board, monkeypatch):
    """A block that skips its attention, as some models do by configuration."""
    adapter = board.desk.lab.adapter
    monkeypatch.setattr(adapter, "block", lambda layer, resid, call: resid)
    before = board.desk.shown
    with pytest.raises(cb.EngineError) as caught:
        board.edit(FIRST)
    assert caught.value.code == "edit_never_happened"
    assert board.desk.shown is before
    with pytest.raises(cb.EngineError):
        board.sweep("head")


def test_the_hooked_tier_notices_a_hook_that_never_fires(model, monkeypatch):
    board = cb.Board(model, pair(), engine="hooked")
    point = board.desk.lab.adapter._hook_points["blocks.0.attn.hook_z"]
    monkeypatch.setitem(board.desk.lab.adapter._hook_points, "blocks.0.attn.hook_z", type(point)())
    with pytest.raises(cb.EngineError) as caught:
        board.edit(FIRST)
    assert caught.value.code == "edit_never_happened"
    assert board.edits == ()
    board.edit(SECOND)
    board.close()
