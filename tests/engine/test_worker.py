"""The worker: order, newest click wins, background work gives way, every job ends exactly once."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import time

import pytest

from circuitboard.engine import Worker
from circuitboard.errors import Cancelled, CircuitboardError


@pytest.fixture
def worker():
    worker = Worker("test worker")
    yield worker
    worker.close()


def _until_cancelled(cancel):
    while True:
        cancel.check()
        time.sleep(0.001)


def test_jobs_run_in_order_on_one_thread(worker):
    seen = []
    jobs = [worker.submit(lambda _cancel, i=i: seen.append((i, threading.current_thread().name))) for i in range(20)]
    for job in jobs:
        job.result()
    assert [i for i, _ in seen] == list(range(20))
    assert {name for _, name in seen} == {"test worker"}


def test_an_error_reaches_the_caller_and_the_worker_goes_on(worker):
    job = worker.submit(lambda _cancel: 1 / 0)
    with pytest.raises(CircuitboardError) as caught:
        job.result()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert worker.submit(lambda _cancel: "alive").result() == "alive"


def test_newest_click_wins(worker):
    started = threading.Event()

    def slow(cancel):
        started.set()
        _until_cancelled(cancel)

    first = worker.submit(slow, click=True, moves=True)
    started.wait(5)
    middle = [worker.submit(_until_cancelled, click=True, moves=True) for _ in range(50)]
    last = worker.submit(lambda _cancel: "newest", click=True, moves=True)
    assert last.future.result(5) == "newest"
    for job in (first, *middle):
        with pytest.raises(Cancelled):
            job.result()
        assert job.cancel.superseded


def test_a_step_from_python_is_never_skipped(worker):
    gate = threading.Event()
    step = worker.submit(lambda _cancel: gate.wait(5), moves=True)
    click = worker.submit(lambda _cancel: "click", click=True, moves=True)
    gate.set()
    assert step.result() is True
    assert click.result() == "click"


def test_background_work_gives_way_between_its_steps(worker):
    order = []
    gate = threading.Event()

    def background(_cancel):
        order.append("first")
        yield
        gate.wait(5)
        order.append("second")
        yield
        order.append("third")
        return "done"

    job = worker.submit_background(background)
    step = worker.submit(lambda _cancel: order.append("step"))
    gate.set()
    step.result()
    assert job.result() == "done"
    assert order.index("step") < order.index("third")


def test_cancelled_background_work_is_answered_and_cleaned_up(worker):
    started, cleaned = threading.Event(), threading.Event()

    def background(_cancel):
        try:
            while True:
                started.set()
                time.sleep(0.001)
                yield
        finally:
            cleaned.set()

    job = worker.submit_background(background)
    started.wait(5)
    job.cancel.cancel()
    with pytest.raises(Cancelled):
        job.future.result(5)
    assert cleaned.wait(5)


def test_closing_answers_what_waits(worker):
    started = threading.Event()

    def slow(cancel):
        started.set()
        _until_cancelled(cancel)

    running = worker.submit(slow)
    started.wait(5)
    waiting = worker.submit(lambda _cancel: None)
    worker.close()
    for job in (running, waiting):
        with pytest.raises(Cancelled):
            job.future.result(5)
    with pytest.raises(CircuitboardError, match="closed"):
        worker.submit(lambda _cancel: None)


def test_an_idle_worker_keeps_nothing_alive(worker):
    class Owner:
        pass

    owner = Owner()
    gone = threading.Event()
    import weakref

    weakref.finalize(owner, gone.set)
    worker.submit(lambda _cancel, owner=owner: owner).result()
    del owner
    gc.collect()
    assert gone.wait(2)


class InterruptAt:
    """Raises KeyboardInterrupt where Python takes signals: as the n-th function is entered or has returned."""

    def __init__(self, n):
        self.left = n

    def __call__(self, frame, event, _arg):
        # No locks in the boundary, and a walk through the whole stack; before a C function signals are not taken.
        # What is called when Python collects garbage cannot tell of an interrupt.
        where = frame.f_code.co_filename
        if "circuitboard/boundary" in where or "hypothesis" in where or event not in ("call", "return", "c_return"):
            return
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def interrupted(call, n):
    """Make a call with an interrupt at its n-th place: whether it came, and what the call did."""
    at, before = InterruptAt(n), sys.getprofile()
    try:
        sys.setprofile(at)
        found = call()
    except BaseException as error:  # noqa: BLE001  whatever it is, it is looked at
        found = error
    finally:
        sys.setprofile(before)
    return at.left <= 0, found


@pytest.mark.parametrize("tick", [None, lambda: None], ids=["plain", "with a tick"])
def test_an_interrupt_at_any_point_of_a_wait_is_an_interrupt(worker, tick, monkeypatch):
    monkeypatch.setattr("circuitboard.engine.worker._TICK_S", 0.001)
    for n in itertools.count(1):
        begun, gate = threading.Event(), threading.Event()

        def work(_cancel, begun=begun, gate=gate):
            begun.set()
            gate.wait(5)
            return "done"

        job = worker.submit(work)
        begun.wait(5)
        threading.Timer(0.003, gate.set).start()
        came, found = interrupted(lambda job=job: job.result(tick), n)
        gate.set()
        assert found == "done" if not came else isinstance(found, KeyboardInterrupt) or found == "done", (n, found)
        assert job.future.result(5) == "done" if not job.cancel.cancelled else job.future.wait(5)
        assert worker.submit(lambda _cancel: "alive").future.result(5) == "alive"
        if not came:
            break
    assert n > 20


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one within a callback of Python's own
def test_an_interrupt_at_any_point_of_a_submit_leaves_a_worker_that_works():
    for n in itertools.count(1):
        worker, done = Worker("test worker"), []
        came, _found = interrupted(lambda worker=worker, done=done: worker.submit(lambda _cancel: done.append(1)), n)
        assert worker.submit(lambda _cancel: "alive").future.result(5) == "alive"
        assert len(done) <= 1
        worker.close()
        if not came:
            break
    assert done == [1]
    assert n > 20


def stubborn(_cancel):
    """Does not end when it is told to, but the second time, which is Python's own."""
    told = 0
    while told < 2:
        try:
            yield
        except GeneratorExit:
            told += 1


@pytest.mark.parametrize(
    "work", [None, lambda: 1, lambda _cancel: 1, lambda _cancel: iter([1]), lambda _cancel: 1 / 0, stubborn]
)
def test_background_work_that_is_none_ends_with_an_error_and_the_worker_goes_on(worker, work):
    job = worker.submit_background(work, yielding=True)
    worker.submit(lambda _cancel: None, moves=True).result()
    job.cancel.cancel("enough")
    with pytest.raises(CircuitboardError):
        job.result()
    assert worker.submit(lambda _cancel: "alive").result() == "alive"
