"""Work that waits for quiet: done once after a burst, at the latest after a while, and never twice at once."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from circuitboard.engine.clock import CLOCK
from circuitboard.files.later import Later
from tests.clock import StandingClock


def until(found, patience=300):
    deadline = time.monotonic() + patience
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def make():
    made = []

    def later(work, quiet_s=0.05, at_most_s=10.0, clock=CLOCK):
        made.append(Later(work, quiet_s=quiet_s, at_most_s=at_most_s, name="test-later", clock=clock))
        return made[-1]

    yield later
    for one in made:
        one.end()
    assert not [thread for thread in threading.enumerate() if thread.name == "test-later"]


def test_a_burst_is_done_once_and_the_next_one_again(make):
    done, clock = [], StandingClock()
    later = make(lambda: done.append(clock.now()), quiet_s=200, clock=clock)
    for _ in range(100):
        later.ask()
        clock.advance(1)
    assert done == []
    clock.advance(200)
    until(lambda: done)
    assert done == [300]
    later.flush()  # nothing is left of the burst
    assert done == [300]
    later.ask()
    clock.advance(200)
    until(lambda: len(done) == 2)
    assert done == [300, 500]


def test_a_burst_without_end_is_done_all_the_same(make):
    done, clock = [], StandingClock()
    later = make(lambda: done.append(clock.now()), quiet_s=10, at_most_s=20, clock=clock)
    for _ in range(19):
        later.ask()
        clock.advance(1)
    assert done == []
    later.ask()
    clock.advance(1)
    until(lambda: done)
    assert done == [20]


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
        assert go_on.wait(300)
        done.append(1)

    later = make(work, quiet_s=0)
    later.ask()
    assert begun.wait(300)
    later.ask()
    threading.Timer(0.1, go_on.set).start()
    later.flush()
    assert len(done) == 2


def test_after_the_end_nothing_is_done(make):
    done = []
    clock = StandingClock()
    later = make(lambda: done.append(1), quiet_s=1, clock=clock)
    later.ask()
    later.end()
    later.ask()
    later.flush()
    clock.advance(100)
    assert not [thread for thread in threading.enumerate() if thread.name == "test-later"]
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


def test_asking_again_wakes_no_one(make):
    clock = StandingClock()
    later = make(lambda: None, quiet_s=100, at_most_s=100, clock=clock)
    waits = []
    clock.wait = lambda changed, _seconds: (waits.append(1), changed.wait())
    later.ask()
    until(lambda: waits)
    for _ in range(10_000):
        later.ask()
    assert [thread.name for thread in threading.enumerate()].count("test-later") == 1
    assert waits == [1]


def test_what_is_put_off_is_done_then_or_with_the_next_question(make):
    done, clock = [], StandingClock()
    later = make(lambda: done.append(clock.now()), quiet_s=1, at_most_s=10, clock=clock)
    later.ask(500)
    clock.advance(499)
    assert done == []
    clock.advance(1)
    until(lambda: done)
    later.ask(3600)
    later.ask()
    clock.advance(1)
    until(lambda: len(done) == 2)
    later.ask()
    later.ask(3600)  # what is asked for now is not put off by it
    clock.advance(1)
    until(lambda: len(done) == 3)
    assert done == [500, 501, 502]
    later.ask(3600)
    later.flush()
    assert len(done) == 4
