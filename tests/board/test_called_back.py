"""Promise 31: calls back into a board from what it calls, or from a forked child, end at once with a word of advice.

Every wait is limited by the suite's own timeout alone; a call that hung would fail there.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import circuitboard as cb
from circuitboard.steps import History
from tests.board.prompts import pair, plain_logits, plain_values
from tests.histories import pushed

EDIT, OTHER = cb.head(1, 2).zero(), cb.head(2, 1).zero()

CALLS = {
    "edit": lambda b: b.edit(OTHER),
    "undo": lambda b: b.undo(),
    "clear": lambda b: b.clear(),
    "note": lambda b: b.note("here"),
    "preview": lambda b: b.preview(OTHER),
    "sweep": lambda b: b.sweep("head").top(1),
    "estimate": lambda b: b.sweep("head", approximate="atp"),
    "verify": lambda b: b.verify(),
    "self_test": lambda b: b.self_test(),
    "logit_lens": lambda b: b.logit_lens(),
    "direct_logit_attribution": lambda b: b.direct_logit_attribution(),
    "self_repair": lambda b: b.self_repair(OTHER),
    "attention": lambda b: b.attention(0, 0),
    "neurons": lambda b: b.neurons(0),
    "max_activating": lambda b: b.max_activating(torch.tensor([1, 2, 3]), 0, 0),
    "compare_states": lambda b: b.compare_states(),
    "logits": lambda b: b.logits(1),
    "a job": lambda b: b.desk.verify(b.history.state).result(),
    "a job's future": lambda b: b.desk.verify(b.history.state).future.result(),
    "a sweep's job": lambda b: b.desk.maps.start(b.desk.maps.grid("head")).result(),
    "a stream": lambda b: b.sweep_async("head").result(),
    "a stream's batches": lambda b: list(b.sweep_async("head")),
    "a board": lambda b: cb.Board(b.model, pair()).edit(OTHER) and b.edit(OTHER),
}


def refused(call, board):
    """The error of a call, which must be one of ours that says what to do."""
    with pytest.raises(cb.EngineError) as caught:
        call(board)
    assert "sweep_async" in caught.value.message or "new board" in caught.value.message
    return caught.value.code


def test_a_listener_that_waits_is_refused_at_once(board, model):
    found = {}
    end = board.subscribe(lambda _shown: found.update({name: refused(call, board) for name, call in CALLS.items()}))
    board.edit(EDIT)
    end()
    assert found == dict.fromkeys(CALLS, "called_from_worker")
    assert len(board.history.nodes) == 2, "what was refused was never begun"
    board.edit(OTHER)
    torch.testing.assert_close(board.values, plain_values(model, [EDIT, OTHER]), rtol=0, atol=1e-5)


def test_a_listener_may_sweep_in_the_background(board, model):
    jobs, streams, steps = [], [], []

    def listener(_shown):
        grid = board.desk.maps.grid("head", how="zero")
        node = board.history.current
        jobs.append(board.desk.run_in_background(lambda cancel: board.desk.maps.of_state(node, grid, None, cancel)))
        jobs.append(board.desk.maps.start(grid))
        streams.append(board.sweep_async("head", how="zero"))
        if not steps:
            steps.append(board.desk.step(lambda h: h.noted(h.current, "heard")))

    end = board.subscribe(listener)
    board.edit(EDIT)
    steps[0].result()
    end()
    assert board.history.nodes[-1].note == "heard"
    expected = plain_values(model, [EDIT, cb.head(2, 3).zero()])
    # The step that the listener took came in the way of the first of each pair.
    found = [jobs[-2].result()[1], jobs[-1].result(), streams[-1].result()]
    for sweep in found:
        torch.testing.assert_close(sweep.per_prompt[2, 3], expected, rtol=0, atol=1e-5)


def test_work_in_the_background_that_waits_is_refused_at_once(board):
    def work(_cancel):
        yield
        return refused(CALLS["sweep"], board)

    assert board.desk.run_in_background(work).result() == "called_from_worker"


def test_boards_that_wait_for_each_other_in_a_circle_are_refused(model):
    one, other = cb.Board(model, pair()), cb.Board(model, pair())
    found = []
    one.subscribe(lambda _shown: found.append(other.edit(EDIT).value))
    other.subscribe(lambda _shown: found.append(refused(CALLS["preview"], one)))
    value = one.edit(EDIT).value
    assert found == ["called_from_worker", pytest.approx(value)], "one may wait for another, but not in a circle"
    one.close()
    other.close()


def test_a_metric_that_calls_the_board_is_refused_at_once(model):
    calls = CALLS | {
        "metrics": lambda b: b.metrics,
        "stream": lambda b: b.sweep_async("head"),
        "step": lambda b: b.desk.step(History.undone),
    }
    back = None

    def metric(logits):
        if back is not None:
            calls[back](board)
        return logits[:, -1, 7]

    board = cb.Board(model, pair(), metric=metric)
    board.edit(EDIT)
    for where in ("edit", "preview", "sweep", "metrics", "estimate"):
        for name in ("preview", "edit", "metrics", "sweep", "stream", "step"):
            back = name
            with pytest.raises(cb.EngineError) as caught:
                calls[where](board)
            assert caught.value.code == "called_from_worker", (where, name)
            assert len(caught.value.message) < 1000
    back = None
    assert len(board.history.nodes) == 2
    board.edit(OTHER)
    torch.testing.assert_close(board.values, plain_logits(model, [EDIT, OTHER])[:, -1, 7], rtol=0, atol=1e-5)
    board.close()


def test_a_move_that_takes_a_step_is_refused_at_once(board, model):
    calls = CALLS | {"step": lambda b: b.desk.step(History.undone)}
    hold = threading.Event()
    waiting = board.desk.worker.submit(lambda _cancel: hold.wait(10))
    board.desk.step(lambda h: pushed(h, "first", h.state.added([EDIT])))
    for name in ("edit", "sweep", "step"):
        with pytest.raises(cb.EngineError) as caught:
            board.desk.step(lambda h, name=name: calls[name](board) and h)
        assert caught.value.code == "called_from_worker"
    for wrong in (None, 3, "history"):
        with pytest.raises(cb.InterventionError, match="returns the one after the step"):
            board.desk.step(lambda _history, wrong=wrong: wrong)
    hold.set()
    waiting.result()
    board.edit(OTHER)
    torch.testing.assert_close(board.values, plain_values(model, [EDIT, OTHER]), rtol=0, atol=1e-5)


def test_what_a_listener_gets_is_a_copy(board, model):
    def spoil(shown):
        for tensor in (shown.run.logits, shown.outcome.values, shown.outcome.before):
            tensor.numpy().fill(7)

    board.subscribe(spoil)
    board.edit(EDIT)
    for tensor in (board.values, board.desk.shown.outcome.values):
        torch.testing.assert_close(tensor, plain_values(model, [EDIT]), rtol=0, atol=1e-5)
    torch.testing.assert_close(board.logits(), plain_logits(model, [EDIT])[:, -1], rtol=0, atol=1e-4)
    board.edit(OTHER)
    board.undo()
    torch.testing.assert_close(board.values, plain_values(model, [EDIT]), rtol=0, atol=1e-5)


def test_what_calls_return_is_a_copy(board, model):
    spoilt = [board.edit(EDIT), board.preview(OTHER), board.desk.step(lambda h: h.noted(h.current, "x")).result()]
    spoilt += [board.sweep("head"), board.compare_states()]
    for outcome in spoilt:
        for value in vars(outcome).values():
            if isinstance(value, torch.Tensor):
                value.zero_()
    frame = board.per_prompt()
    frame.loc[:, "value"] = 0
    board.values.zero_()
    board.logits().zero_()
    torch.testing.assert_close(board.values, plain_values(model, [EDIT]), rtol=0, atol=1e-5)
    change = plain_values(model, [EDIT, OTHER]) - plain_values(model, [EDIT])
    assert board.preview(OTHER).change == pytest.approx(float(change.mean()), abs=1e-5)
    assert board.baselines.clean == pytest.approx(float(plain_values(model).mean()), abs=1e-5)


def test_a_listener_that_fails_is_none_of_the_board_s_business(board, caplog):
    board.subscribe(lambda _shown: 1 / 0)
    told = []
    board.subscribe(told.append)
    board.edit(EDIT)
    assert len(told) == 1
    assert "ZeroDivisionError" in caplog.text


def joined(call):
    """Call on a thread of its own, and wait for that."""
    found = []
    thread = threading.Thread(target=lambda: found.append(_code(call)))
    thread.start()
    thread.join()
    return found[0]


def pooled(call):
    """The same, on one of a pool's threads."""
    with ThreadPoolExecutor(2) as pool:
        return pool.submit(lambda: next(pool.map(lambda _none: _code(call), [None]))).result()


@pytest.mark.parametrize("through", [joined, pooled])
def test_a_call_back_through_another_thread_that_is_waited_for_is_refused(model, through):
    found = {}
    names = ("preview", "edit", "a job", "a stream", "a stream's batches")
    asked = []

    def metric(logits):
        if asked:
            name = asked.pop()
            found[name] = through(lambda: CALLS[name](board))
        return logits[:, -1, 7]

    board = cb.Board(model, pair(), metric=metric)
    for name in names:
        asked.append(name)
        board.preview(EDIT)
    assert found == dict.fromkeys(names, "called_from_worker")
    heard = []
    end = board.subscribe(lambda _shown: heard.append(through(lambda: board.preview(OTHER))))
    board.edit(EDIT)
    end()
    assert heard == ["called_from_worker"]
    torch.testing.assert_close(
        board.preview(OTHER).values, plain_logits(model, [EDIT, OTHER])[:, -1, 7], rtol=0, atol=1e-5
    )
    board.close()


def test_other_threads_may_call_while_a_metric_waits_for_its_own(model):
    def metric(logits):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(logits[:, -1, 7].clone).result()

    board, found = cb.Board(model, pair(), metric=metric), {}

    def ask(head):
        found[head] = board.preview(cb.head(1, head).zero()).values

    threads = [threading.Thread(target=ask, args=(head,)) for head in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for head in range(4):
        expected = plain_logits(model, [cb.head(1, head).zero()])[:, -1, 7]
        torch.testing.assert_close(found[head], expected, rtol=0, atol=1e-5)
    board.close()


def test_a_listener_that_ends_its_thread_keeps_no_other_from_hearing(board):
    told = []

    def leave(_shown):
        raise SystemExit

    board.subscribe(leave)
    board.subscribe(told.append)
    board.edit(EDIT)
    assert len(told) == 1
    assert len(repr(told[0])) < 500


async def asynchronous(_shown):
    pass


@pytest.mark.parametrize("given", [None, 3, asynchronous])
def test_what_cannot_be_called_later_is_refused_now(board, given):
    for take in (
        board.subscribe,
        board.desk.on_move,
        board.desk.on_close,
        board.desk.on_end,
        board.desk.run_in_background,
    ):
        with pytest.raises(cb.InterventionError, match="function"):
            take(given)
    board.edit(EDIT)


@pytest.mark.parametrize(
    "call",
    [
        lambda b: b.desk.step(3),
        lambda b: b.desk.step(lambda _history: 3),
        lambda b: b.desk.state_at(0, None),
        lambda b: b.desk.remember({0: "much"}),
        lambda b: b.desk.remember([1.0]),
        lambda b: b.desk.maps.start("head"),
        lambda b: b.desk.maps.start(b.desk.maps.grid("head", how="zero"), 3),
        lambda b: b.to_python("head"),
        lambda b: b.per_prompt(torch.tensor([1, 2])),
        lambda b: b.neurons(0, order=torch.tensor([1, 2])),
        lambda b: b.sweep("head", per=torch.tensor([1, 2])),
        lambda b: cb.head(1, 2).add(torch.empty(8, device="meta")),
        lambda b: cb.head(1, 2).set(torch.ones(8).to_sparse()),
    ],
)
def test_what_is_given_in_place_of_something_else_is_refused_by_what_was_expected(board, call):
    with pytest.raises(cb.CircuitboardError) as caught:
        call(board)
    assert caught.value.code not in ("unexpected", "foreign_error", "yours_raised")
    assert board.edit(EDIT).value == pytest.approx(float(plain_values(board.model, [EDIT]).mean()), abs=1e-5)
    board.undo()


@pytest.mark.parametrize("seconds", [-1, float("nan"), "3", True])
def test_how_long_one_waits_is_a_number(board, seconds):
    stream = board.sweep_async("head", how="zero", layers=[0])
    with pytest.raises(cb.EngineError, match="seconds"):
        stream.result(seconds)
    with pytest.raises(cb.EngineError, match="tick is a function"):
        board.desk.verify(board.history.state).result(seconds)
    for long in (float("inf"), 1e300, 10**30, None):
        assert stream.result(long).exact.all()


def test_a_board_closed_by_its_listener_is_closed(model):
    board = cb.Board(model, pair())
    board.subscribe(lambda _shown: board.close())
    board.edit(EDIT)
    with pytest.raises(cb.EngineError, match="closed"):
        board.edit(OTHER)


def test_closing_goes_through_whatever_a_callback_does(model):
    board, done = cb.Board(model, pair()), []
    board.desk.on_close(lambda: 1 / 0)
    board.desk.on_close(lambda: done.append(1))
    with pytest.raises(cb.CircuitboardError) as caught:
        board.close()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert done == [1]
    with pytest.raises(cb.EngineError, match="closed"):
        board.edit(EDIT)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_forked_child_is_refused_at_once(board, model, busy):
    board.edit(EDIT)
    hold, begun = threading.Event(), threading.Event()

    def held(_cancel):
        with board.desk.timeline._lock, board.desk.worker._lock:
            begun.set()
            hold.wait(10)

    if busy:  # the locks are held in the moment of the fork, and nobody in the child will release them
        job = board.desk.worker.submit(held)
        begun.wait(10)
    read, write = os.pipe()
    closed = []
    board.desk.on_close(lambda: closed.append("callback"))
    child = os.fork()
    if child == 0:
        try:
            found = [_code(call, board) for name, call in CALLS.items() if name != "a board"]
            found.append(_code(lambda b: b.desk.step(History.undone), board))
            board.close()
            os.write(write, " ".join(found + closed).encode())
        finally:
            os._exit(0)
    os.close(write)
    hold.set()
    with os.fdopen(read) as pipe:
        assert set(pipe.read().split()) == {"called_from_fork"}
    os.waitpid(child, 0)
    if busy:
        job.result()
    board.edit(OTHER)
    torch.testing.assert_close(board.values, plain_values(model, [EDIT, OTHER]), rtol=0, atol=1e-5)


def _code(call, *given):
    try:
        call(*given)
    except cb.CircuitboardError as error:
        return error.code
    return "no_error"
