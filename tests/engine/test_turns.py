"""Short turns while the worker computes, and as they were afterwards."""

from __future__ import annotations

import sys
import threading

import pytest

from circuitboard.engine import Worker
from circuitboard.engine.turns import TURN_S, short_turns


@pytest.fixture
def turn():
    before = sys.getswitchinterval()
    yield before
    assert sys.getswitchinterval() == pytest.approx(before)


def test_turns_are_short_while_a_job_runs(turn):
    worker = Worker("turns")
    assert worker.submit(lambda _cancel: sys.getswitchinterval()).result() == pytest.approx(TURN_S)
    assert worker.submit(lambda _cancel: 1).result() == 1
    worker.close()


def test_blocks_that_overlap_leave_what_was_before(turn):
    inside, leave = threading.Event(), threading.Event()

    def other():
        with short_turns():
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    with short_turns():
        thread.start()
        inside.wait(5)
    assert sys.getswitchinterval() == pytest.approx(TURN_S)
    leave.set()
    thread.join()


def test_even_shorter_turns_are_left_alone(turn):
    sys.setswitchinterval(TURN_S / 2)
    try:
        with short_turns():
            assert sys.getswitchinterval() == pytest.approx(TURN_S / 2)
    finally:
        sys.setswitchinterval(turn)


def test_an_error_ends_the_block(turn):
    with pytest.raises(ZeroDivisionError), short_turns():
        raise ZeroDivisionError
