"""What is interrupted goes on, what is cancelled does not."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from circuitboard.engine import CancelToken, Worker, piece
from circuitboard.errors import Cancelled


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.close()


class Piece:
    """Work that ends when it is released, and tells that it has begun."""

    def __init__(self, result):
        self.result = result
        self.begun, self.released = threading.Event(), threading.Event()
        self.times = 0

    def __call__(self, cancel):
        self.times += 1
        self.begun.set()
        while not self.released.wait(0.001):
            cancel.check()
        return self.result


def work_of(*pieces):
    def work(cancel) -> Generator[None, None, list]:
        found = []
        for one in pieces:
            found.append((yield from piece(lambda one=one: one(cancel), cancel)))
        return found

    return work


def test_a_move_interrupts_the_piece_alone_and_the_work_goes_on(worker):
    first, second = Piece("a"), Piece("b")
    first.released.set()
    job = worker.submit_background(work_of(first, second))
    assert second.begun.wait(60)
    for n in range(3):
        second.begun.clear()
        assert worker.submit(lambda _cancel, n=n: n, moves=True).result() == n
        assert not job.done, "the move was answered in the middle of the piece"
        assert second.begun.wait(60)
    second.released.set()
    assert job.result() == ["a", "b"]
    assert (first.times, second.times) == (1, 4)


def test_work_that_is_no_piece_is_begun_again(worker):
    one, begun = Piece("a"), []

    def work(cancel) -> Generator[None, None, str]:
        begun.append(True)
        yield
        return one(cancel)

    job = worker.submit_background(work)
    assert one.begun.wait(60)
    one.begun.clear()
    worker.submit(lambda _cancel: None, moves=True).result()
    assert one.begun.wait(60)
    one.released.set()
    assert job.result() == "a"
    assert len(begun) == 2


@pytest.mark.parametrize("interrupted", [False, True])
def test_stopped_work_ends_though_it_was_interrupted_before(worker, interrupted):
    one = Piece("a")
    job = worker.submit_background(work_of(one))
    assert one.begun.wait(60)
    if interrupted:
        one.begun.clear()
        worker.submit(lambda _cancel: None, moves=True).result()
        assert one.begun.wait(60)
    job.cancel.cancel("it was stopped by hand")
    with pytest.raises(Cancelled, match="stopped by hand"):
        job.result()


def test_a_stop_is_not_lost_while_something_newer_has_its_turn():
    token = CancelToken(patient=True)
    token.supersede()
    assert token.interrupted
    token.cancel("it was stopped by hand")
    token.go_on()
    with pytest.raises(Cancelled, match="stopped by hand"):
        token.check()


def test_impatient_work_ends_with_what_comes():
    token = CancelToken()
    token.supersede()
    token.go_on()
    assert token.cancelled
    assert not token.interrupted
    assert token.superseded


def test_work_not_begun_waits_for_its_turn(worker):
    hold, job = Piece(None), None
    worker.submit(hold)
    assert hold.begun.wait(60)
    one = Piece("a")
    one.released.set()
    job = worker.submit_background(work_of(one))
    worker.submit(lambda _cancel: None, moves=True)
    hold.released.set()
    assert job.result() == ["a"]
    assert one.times == 1
