"""Promise 14 and 31: memory that runs out, in every library's words, is one clear error, and the board works on."""

from __future__ import annotations

import errno
import gc
import weakref

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import circuitboard as cb
from circuitboard.boundary import ran_out_of_memory
from circuitboard.engine import worker
from circuitboard.protocol.codec import error_info
from tests.board.prompts import pair, plain_values

FIRST, SECOND = cb.head(0, 1).zero(), cb.head(1, 2).zero()

WORDS = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    "cuda, from elsewhere": RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later."),
    "cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "cpu, windows": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes."),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 18.12 GB, other allocations: 1.2 GB, max: 18.13)."),
    "mps, one tensor": RuntimeError("Invalid buffer size: 24.00 GB"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "cudnn": RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    "python": MemoryError(),
    "numpy": np._core._exceptions._ArrayMemoryError((10**9,), np.dtype("f8")),
    "system": OSError(errno.ENOMEM, "Cannot allocate memory"),
    "c++": RuntimeError("std::bad_alloc"),
}
OTHERS = (
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)"),
    ValueError("out of memory lane"),
    OSError(errno.ENOSPC, "No space left on device"),
)

CALLS = {
    "edit": lambda b: b.edit(SECOND),
    "preview": lambda b: b.preview(SECOND),
    "sweep": lambda b: b.sweep("head"),
    "stream": lambda b: b.sweep_async("head", order="layer").result(),
    "atp": lambda b: b.sweep("head", approximate="atp"),
    "atp*": lambda b: b.sweep("head", approximate="atp*"),
    "verify": lambda b: b.verify(),
    "self_test": lambda b: b.self_test(),
    "logit_lens": lambda b: b.logit_lens(),
    "direct_logit_attribution": lambda b: b.direct_logit_attribution(),
    "self_repair": lambda b: b.self_repair(SECOND),
    "attention": lambda b: b.attention(0, 0),
    "neurons": lambda b: b.neurons(0),
    "max_activating": lambda b: b.max_activating(torch.tensor([1, 2, 3]), 0, 0),
    "compare_states": lambda b: b.compare_states(0, 1, over="head"),
}


def test_every_library_s_words_are_understood():
    assert all(map(ran_out_of_memory, WORDS.values()))
    assert not any(map(ran_out_of_memory, OTHERS))
    for error in WORDS.values():
        outer = cb.MetricError("The metric raised something.", code="metric_raised")
        outer.__cause__ = error
        assert ran_out_of_memory(outer)
        assert error_info(error).code == "out_of_memory", "in the panel too"
        assert "fewer or shorter prompts" in error_info(error).message


def test_the_words_are_those_of_the_library_that_is_installed():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert ran_out_of_memory(caught.value)
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**60, dtype=np.uint8)
    assert ran_out_of_memory(numpys.value)


@pytest.fixture
def full(monkeypatch):
    """Break every way into a board's model, for as long as it says."""
    error = None

    def install(board):
        adapter = board.desk.lab.adapter

        def breaking(call):
            def run(*args, **kwargs):
                if error is not None:
                    raise type(error)(*error.args)
                return call(*args, **kwargs)

            return run

        for name in ("forward", "traced", "block", "record", "unembed", "enter"):
            monkeypatch.setattr(adapter, name, breaking(getattr(adapter, name)))

        def set_error(value):
            nonlocal error
            error = value

        return set_error

    return install


@pytest.mark.parametrize("tier", ["hooked", "replay"])
def test_every_call_ends_in_one_clear_error_and_the_board_works_on(model, full, tier):
    board = cb.Board(model, pair(), engine=tier)
    board.edit(FIRST)
    before = (board.desk.shown, board.history, board.values.tolist())
    run_out = full(board)
    for error in (WORDS["cpu"], WORDS["cublas"], WORDS["python"], WORDS["cuda"]):
        for name, call in CALLS.items():
            run_out(error)
            with pytest.raises(cb.EngineError) as caught:
                call(board)
            assert caught.value.code == "out_of_memory", name
            assert "Board(memory=" in caught.value.message
            assert (board.desk.shown, board.history, board.values.tolist()) == before
            run_out(None)
    board.edit(SECOND)
    torch.testing.assert_close(board.values, plain_values(model, [FIRST, SECOND]), rtol=0, atol=1e-5)
    board.close()


def test_sweeps_halve_whatever_the_words(model, monkeypatch):
    board = cb.Board(model, pair(), engine="replay")
    expected = board.sweep("head", by="pos").per_prompt
    block, seen, error = board.desk.lab.adapter.block, [], None

    def small(layer, resid, call):
        seen.append(resid.shape[0])
        if resid.shape[0] > 3 * 5:
            raise error
        return block(layer, resid, call)

    monkeypatch.setattr(board.desk.lab.adapter, "block", small)
    for error in WORDS.values():  # noqa: B007  `small` raises it
        seen.clear()
        torch.testing.assert_close(board.sweep("head", by="pos").per_prompt, expected, rtol=0, atol=1e-5)
        assert max(seen) > 15
        assert min(seen) > 3
    board.close()


@pytest.mark.parametrize("error", [WORDS["cuda"], WORDS["cpu"]], ids=["cuda", "cpu"])
def test_the_lens_halves(model, monkeypatch, error):
    board = cb.Board(model, pair(), engine="replay")
    board.edit(FIRST)
    expected = board.logit_lens("all", mid=True)
    unembed, seen = board.desk.lab.adapter.unembed, []

    def small(rows):
        seen.append(rows.shape[1])
        if rows.shape[1] > 2:
            raise error
        return unembed(rows)

    monkeypatch.setattr(board.desk.lab.adapter, "unembed", small)
    found = board.logit_lens("all", mid=True)
    assert set(seen) == {5, 2, 1}
    for name in ("logit_diff", "prob", "top_ids", "top_logits", "top_probs"):
        for run in ("current", "base"):
            torch.testing.assert_close(
                getattr(getattr(found, run), name), getattr(getattr(expected, run), name), rtol=0, atol=1e-6
            )
    board.close()


def test_a_stream_goes_on_without_its_estimate(model, monkeypatch):
    board = cb.Board(model, pair(), engine="replay")
    expected = board.sweep("head").per_prompt

    def traced(*_args, **_options):
        raise WORDS["cpu"]

    monkeypatch.setattr(board.desk.lab.adapter, "traced", traced)
    stream = board.sweep_async("head", order="atp")
    torch.testing.assert_close(stream.result().per_prompt, expected, rtol=0, atol=1e-5)
    board.close()


def test_the_error_keeps_no_tensors_of_the_computation(model, monkeypatch):
    """Notebooks keep the last error; what its frames held would stay on the device."""
    board, held = cb.Board(model, pair(), engine="replay"), []

    def block(_layer, _resid, _call):
        large = torch.zeros(1000)
        held.append(weakref.ref(large))
        raise WORDS["cuda"]

    monkeypatch.setattr(board.desk.lab.adapter, "block", block)
    with pytest.raises(cb.EngineError) as caught:
        board.edit(FIRST)
    gc.collect()
    assert caught.value.__cause__ is WORDS["cuda"]
    assert held
    assert all(one() is None for one in held)
    board.close()


def test_a_metric_that_runs_out_of_memory(model):
    full = False

    def metric(logits):
        if full:
            raise WORDS["cpu"]
        return logits[:, -1, 7]

    board = cb.Board(model, pair(), metric=metric)
    full = True
    for call in (lambda: board.edit(FIRST), lambda: board.sweep("head"), lambda: board.metrics):
        with pytest.raises(cb.EngineError) as caught:
            call()
        assert caught.value.code == "out_of_memory"
    full = False
    board.edit(FIRST)
    board.close()


class Memory(TorchDispatchMode):
    """Runs out at an operation of torch, and stays so; counts them."""

    counting, seen, room, error = False, 0, None, None

    def __torch_dispatch__(self, call, _types, args=(), kwargs=None):
        if self.counting:
            Memory.seen += 1
            if self.room is not None and self.seen > self.room:
                raise self.error
        return call(*args, **(kwargs or {}))

    @classmethod
    def used(cls, call, room=None, error=None):
        """How many operations a call takes, with room for so many."""
        cls.counting, cls.seen, cls.room, cls.error = True, 0, room, error
        try:
            with cls():
                call()
        finally:
            cls.counting = False
        return cls.seen


@pytest.fixture
def everywhere(monkeypatch):
    """Count on workers' threads, too."""
    run, step = worker._run, worker.Worker._step

    def with_memory(call):
        def work(*args):
            with Memory():
                call(*args)

        return work

    monkeypatch.setattr(worker, "_run", with_memory(run))
    monkeypatch.setattr(worker.Worker, "_step", with_memory(step))


@pytest.mark.usefixtures("everywhere")
def test_wherever_it_runs_out_that_is_what_is_said(model, tmp_path):
    """Also where another failure was expected: no gradient, no fast tier, numbers that are none."""
    tier = "wavefront"
    board = cb.Board(model, pair(), engine=tier)
    board.edit(FIRST, cb.resid_pre(1).add(torch.ones(32)))
    board.save(tmp_path / "a.board.json")
    before, ones = (board.history, board.values.tolist()), torch.ones(32)
    calls = CALLS | {
        "board": lambda b: cb.Board(model, b.pair, engine=tier).close(),
        "load": lambda b: cb.Board.load(tmp_path / "a.board.json", model).close(),
        "refresh": lambda b: b.refresh(),
        "add": lambda b: cb.resid_pre(0).add(ones),
        "save": lambda b: b.save(tmp_path / "b.board.json"),
        "top_tokens": lambda b: b.top_tokens(),
        "metrics": lambda b: b.metrics,
    }
    for name, call in calls.items():
        if name in ("edit", "max_activating"):
            continue
        call(board)
        n = Memory.used(lambda call=call: call(board))
        for part in (0.0, 0.65, 0.85):
            with pytest.raises(cb.EngineError) as caught:
                Memory.used(lambda call=call: call(board), int(part * n), WORDS["cpu"])
            assert caught.value.code == "out_of_memory", (name, part)
            assert "Board(memory=" in caught.value.message
            assert (board.history, board.values.tolist()) == before
    board.close()


def test_a_board_that_lacks_memory_for_a_tier_takes_a_slower_one_and_says_so(model, monkeypatch):
    from circuitboard.engine import choose

    def full(*_args):
        raise WORDS["cpu"]

    monkeypatch.setattr(choose, "_wavefront", full)
    board = cb.Board(model, pair())
    assert board.engine.tier == "replay"
    assert "wavefront was dropped: there was no memory for it" in board.engine.why
    board.close()
    with pytest.raises(cb.EngineError) as caught:
        cb.Board(model, pair(), engine="wavefront")
    assert caught.value.code == "out_of_memory"
