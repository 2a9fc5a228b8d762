"""Sweeps that tell what they find as they go: order, estimates, cancelling, waiting."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import CancelToken
from circuitboard.errors import Cancelled
from circuitboard.interventions import compile_plan
from circuitboard.sweeps import Ground
from circuitboard.sweeps import sweep as sweeping
from circuitboard.sweeps.attribution import attribute
from tests.board.prompts import pair
from tests.tiny_models import tiny


@pytest.fixture
def board():
    board = cb.Board(tiny("gpt2"), pair())
    yield board
    board.close()


@pytest.fixture
def estimated(board, monkeypatch):
    """A board that estimates: each effect from the first prompt alone, so that it is wrong for the others."""
    board.edit(cb.head(1, 2).zero())
    exact = board.sweep("head", by="pos")
    effects = (exact.per_prompt - exact.baseline).flatten(0, -2)
    guess = effects[:, :1].expand_as(effects).clone()
    asked = []

    def estimate(ground, cells, cancel):
        asked.append((ground.run, cells))
        cancel.check()
        return guess

    monkeypatch.setattr(Ground, "estimate", estimate)
    monkeypatch.setattr(sweeping, "FIRST_SLICE", 8)
    return board, exact, guess, asked


def test_it_ends_as_the_sweep(board):
    board.edit(cb.head(0, 1).zero())
    stream = board.sweep_async("head", by="pos", order="layer")
    found = stream.result()
    assert stream.done
    assert found.exact.all()
    expected = board.sweep("head", by="pos")
    torch.testing.assert_close(found.per_prompt, expected.per_prompt, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.baseline, expected.baseline)
    assert found.grid.shape == expected.grid.shape


def test_batches_hold_each_cell_once_with_its_site(board):
    stream = board.sweep_async("head", order="layer")
    batches = list(stream)
    cells = [cell for batch in batches for cell in batch.cells]
    assert sorted(cells) == list(range(len(stream.grid.cells)))
    flat = stream.result().per_prompt.flatten(0, -2)
    for batch in batches:
        assert batch.exact
        assert batch.sites == tuple(stream.grid.cells[cell].site for cell in batch.cells)
        torch.testing.assert_close(batch.values, flat[list(batch.cells)])
    assert [batch.cells for batch in stream] == [batch.cells for batch in batches], "it can be looked through again"


def test_the_estimate_comes_first_then_exact_cells_by_its_size(estimated):
    board, exact, guess, asked = estimated
    stream = board.sweep_async("head", by="pos")
    first, *others = list(stream)
    assert not first.exact
    assert first.cells == tuple(range(len(stream.grid.cells)))
    torch.testing.assert_close(first.values, exact.baseline + guess)
    assert asked[0][0] is board.desk.shown.run
    order = guess.mean(-1).abs().argsort(descending=True, stable=True).tolist()
    found = [set(batch.cells) for batch in others]
    assert all(batch.exact for batch in others)
    seen = 0
    for size in (8, 16, 32, 4):
        expected = set(order[seen : seen + size])
        while expected:
            batch = found.pop(0)
            assert batch <= expected
            expected -= batch
        seen += size
    assert found == []
    torch.testing.assert_close(stream.result().per_prompt, exact.per_prompt, rtol=0, atol=1e-5)


def test_what_is_known_is_exact_or_an_estimate_or_nothing(estimated, slow_engine):
    board, exact, guess, _ = estimated
    gate = slow_engine(board, batches=1)
    stream = board.sweep_async("head", by="pos")
    gate.reached.wait(20)
    partial = stream.partial()
    assert 0 < int(partial.exact.sum()) <= 8
    known = partial.exact.flatten()
    flat = partial.per_prompt.flatten(0, -2)
    torch.testing.assert_close(flat[known], exact.per_prompt.flatten(0, -2)[known], rtol=0, atol=1e-5)
    torch.testing.assert_close(flat[~known], (exact.baseline + guess)[~known])
    assert f"{int(known.sum())} of 60 cells exact" in repr(stream)
    with pytest.raises(TimeoutError, match="of 60 cells are exact"):
        stream.result(timeout=0.05)
    stream.cancel()
    gate.open.set()
    with pytest.raises(Cancelled):
        stream.result()
    assert torch.equal(stream.partial().exact, partial.exact), "nothing came after the cancel"
    assert len(list(stream)) == 2, "the estimate and one batch"


def test_the_estimate_is_that_of_attribution_patching(board):
    board.edit(cb.head(1, 2).zero())
    first, *others = list(board.sweep_async("head", by="pos"))
    grid, lab, run = board.desk.maps.grid("head", by="pos"), board.desk.lab, board.desk.shown.run
    own = compile_plan(grid.cells, lab.adapter, lab.prompts, lab.supply("clean")).writes
    effects = attribute(
        lab.adapter, run, own, metric=lab.metric, reading=lab.reading(run.plan.base), cancel=CancelToken()
    )
    assert not first.exact
    torch.testing.assert_close(first.values, board.values + effects, rtol=0, atol=1e-6)
    assert sorted(cell for batch in others for cell in batch.cells) == list(range(60))


def test_a_metric_without_a_gradient_has_no_estimate():
    board = cb.Board(tiny("gpt2"), pair(), metric=lambda logits: logits[:, -1].argmax(-1).float())
    batches = list(board.sweep_async("head"))
    assert batches
    assert all(batch.exact for batch in batches)
    board.close()


def test_without_an_estimate_nothing_is_claimed(board, slow_engine):
    gate = slow_engine(board, batches=0)
    stream = board.sweep_async("head", order="layer")
    gate.reached.wait(20)
    partial = stream.partial()
    assert partial.per_prompt.isnan().all()
    assert not partial.exact.any()
    assert not stream.done
    gate.open.set()
    assert stream.result(timeout=20).exact.all()


def test_a_step_of_the_board_goes_first(board, slow_engine):
    gate = slow_engine(board, batches=1, seconds=0.05)
    stream = board.sweep_async("head", by="pos", order="layer")
    gate.open.set()
    before = board.value
    board.edit(cb.head(2, 1).zero())
    assert not stream.done
    assert float(stream.result().baseline.mean()) == pytest.approx(before, abs=1e-6)


def test_a_sweep_that_fails_says_why(board, monkeypatch):
    def failing(*_args, **_options):
        raise RuntimeError("no more")
        yield

    monkeypatch.setattr(board.desk.lab.choice.engine, "sweep", failing)
    stream = board.sweep_async("head")
    for ask in (lambda: list(stream), stream.result):
        with pytest.raises(cb.EngineError, match="no more") as caught:
            ask()
        assert isinstance(caught.value.__cause__, RuntimeError)


def test_several_threads_see_all_of_it(board):
    stream = board.sweep_async("head", by="pos", order="layer")
    found = [[], [], []]
    threads = [threading.Thread(target=lambda mine=mine: mine.extend(b.cells for b in stream)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found[0] == found[1] == found[2] != []


class Gate:
    """Lets a sweep through up to a point, and holds it there until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()


@pytest.fixture
def slow_engine(monkeypatch):
    """Hold a board's sweep after so many batches of one cell each."""

    def hold(board, *, batches, seconds=0.0):
        gate = Gate()
        engine = board.desk.lab.choice.engine
        sweep = engine.sweep

        def one_by_one(current, cells, *, columns=None, cancel):
            for index, cell in enumerate(cells):
                if index == batches:
                    gate.reached.set()
                    assert gate.open.wait(20)
                cancel.check()
                time.sleep(seconds)
                for found in sweep(current, [cell], columns=columns, cancel=cancel):
                    yield replace(found, cells=[index])

        monkeypatch.setattr(engine, "sweep", one_by_one)
        return gate

    return hold
