"""A small random model with a view on its board."""

from __future__ import annotations

import time

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import CancelToken
from tests.tiny_models import tiny
from tests.widget.view import View

CLEAN = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
CORRUPTED = torch.tensor([[5, 6, 17, 8, 9], [9, 8, 27, 6, 5]])


@pytest.fixture(autouse=True)
def one_thread():
    """More threads than this would make tiny products slower, and tests beside this one too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_board():
    boards = []

    def make(**options):
        pair = options.pop("pair", None) or cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4])
        boards.append(cb.Board(options.pop("model", None) or tiny("native"), pair, **options))
        return boards[-1]

    yield make
    for board in boards:
        board.close()


@pytest.fixture
def board(make_board):
    return make_board()


@pytest.fixture
def make_view():
    """Views whose conversations are held to the rules when the test is over."""
    views = []

    def make(board):
        views.append(View(board))
        return views[-1]

    yield make
    for view in views:
        view.session.close()
        for request in view.asked:
            assert len(view.answers(request)) == 1, f"{request} got {view.answers(request)}"
        numbers = [arrived.message.seq for arrived in view.events]
        assert numbers == list(range(1, len(numbers) + 1))
        revisions = [snapshot.revision for snapshot in view.snapshots]
        assert revisions == sorted(revisions)


@pytest.fixture
def view(board, make_view):
    view = make_view(board)
    view.hello()
    view.map(0)
    return view


@pytest.fixture
def slow(monkeypatch):
    """Make every layer take this long, and tell when each began: each tier asks once a layer whether it should go on."""
    check = CancelToken.check

    def slow_down(seconds):
        began = []

        def slowly(token):
            check(token)
            began.append(time.monotonic())
            time.sleep(seconds)
            check(token)

        monkeypatch.setattr(CancelToken, "check", slowly)
        return began

    return slow_down


@pytest.fixture
def layers_of_step(board):
    """How often it was asked after `told`, until the newest step was taken."""
    steps = []
    board.subscribe(lambda _shown: steps.append(time.monotonic()))
    return lambda began, told: sum(told < layer < steps[-1] for layer in began)
