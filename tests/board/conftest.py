from __future__ import annotations

import pytest

import circuitboard as cb
from tests.board.prompts import pair
from tests.tiny_models import tiny


@pytest.fixture
def model():
    return tiny("gpt2")


@pytest.fixture
def board(model):
    board = cb.Board(model, pair())
    yield board
    board.close()
