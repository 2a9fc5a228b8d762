"""A bar in the cell for what takes longer than a second, and none for the rest."""

from __future__ import annotations

import threading
import time

import pytest

import circuitboard as cb
from circuitboard.desk import progress
from circuitboard.engine import CancelToken
from tests.tiny_models import tiny


@pytest.fixture
def board():
    import torch

    clean = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])
    made = cb.Board(tiny("gpt2"), cb.PromptPair(clean, clean.flip(1), answer=1, wrong=2), engine="hooked")
    yield made
    made.close()


def test_a_quick_sweep_draws_nothing(board, capsys):
    board.sweep("head")
    assert capsys.readouterr().err == ""


def test_a_slow_sweep_says_how_far_it_is(board, capsys, monkeypatch):
    check = CancelToken.check

    def slowly(token):
        time.sleep(0.02)
        check(token)

    monkeypatch.setattr(CancelToken, "check", slowly)
    monkeypatch.setattr(progress, "_DELAY_S", 0.1)
    threads = set(threading.enumerate())
    board.sweep("head")
    drawn = capsys.readouterr().err
    assert "patch head" in drawn
    assert "12/12" in drawn
    assert "cell/s" in drawn or "s/cell" in drawn
    assert set(threading.enumerate()) <= threads, "no thread is left behind"
