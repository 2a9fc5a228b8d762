"""Work that waits for quiet: done once after a burst, at the latest after a while, and never twice at once."""

from __future__ import annotations

import gc
import logging
import threading
import time

import pytest

from circuitboard.board.later import Later


def until(found, patience=10):
    deadline = time.monotonic() + patience
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def make():
    made = []

    def later(work, quiet_s=0.05, at_most_s=10.0):
        made.append(Later(work, quiet_s=quiet_s, at_most_s=at_most_s, name="test-later"))
        return made[-1]

    yield later
    for one in made:
        one.end()
    assert not [thread for thread in threading.enumerate() if thread.name == "test-later"]


def test_a_burst_is_done_once_and_the_next_one_again(make):
    done = []
    later = make(lambda: done.append(1), quiet_s=0.2)
    for _ in range(100):
        later.ask()
    until(lambda: done)
    time.sleep(0.3)
    assert len(done) == 1
    later.ask()
    until(lambda: len(done) == 2)


def test_a_burst_without_end_is_done_all_the_same(make):
    done = []
    later = make(lambda: done.append(time.monotonic()), quiet_s=10, at_most_s=0.2)
    start = time.monotonic()
    while not done:
        later.ask()
        assert time.monotonic() < start + 10
        time.sleep(0.01)
    assert done[0] - start >= 0.2


def test_flush_does_it_here_and_now_and_only_if_asked(make):
    threads = []
    later = make(lambda: threads.append(threading.current_thread()), quiet_s=100, at_most_s=100)
    later.flush()
    assert not threads
    later.ask()
    later.flush()
    later.flush()
    assert threads == [threading.current_thread()]


def test_flush_waits_for_what_is_being_done(make):
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        go_on.wait(10)
        done.append(1)

    later = make(work, quiet_s=0)
    later.ask()
    assert begun.wait(10)
    later.ask()
    threading.Timer(0.1, go_on.set).start()
    later.flush()
    assert len(done) == 2


def test_after_the_end_nothing_is_done(make):
    done = []
    later = make(lambda: done.append(1), quiet_s=0.1)
    later.ask()
    later.end()
    later.ask()
    later.flush()
    time.sleep(0.2)
    assert not done


def test_a_failure_is_logged_and_the_next_time_works(make, caplog):
    done = []

    def work():
        done.append(1)
        if len(done) == 1:
            raise ValueError("once")

    later = make(work)
    with caplog.at_level(logging.ERROR):
        later.ask()
        until(lambda: done)
        until(lambda: "test-later failed" in caplog.text)
        later.ask()
        until(lambda: len(done) == 2)


def test_asking_costs_next_to_nothing(make):
    later = make(lambda: None, quiet_s=100, at_most_s=100)
    gc.collect()
    start = time.perf_counter()
    for _ in range(10_000):
        later.ask()
    assert (time.perf_counter() - start) / 10_000 < 100e-6


def test_what_is_put_off_is_done_then_or_with_the_next_question(make):
    done = []
    later = make(lambda: done.append(time.monotonic()))
    start = time.monotonic()
    later.ask(0.5)
    until(lambda: done)
    assert done[0] - start >= 0.5
    later.ask(3600.0)
    later.ask()
    until(lambda: len(done) == 2)
    later.ask()
    later.ask(3600.0)  # what is asked for now is not put off by it
    until(lambda: len(done) == 3)
    later.ask(3600.0)
    later.flush()
    assert len(done) == 4
