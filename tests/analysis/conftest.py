from __future__ import annotations

import contextlib

import pytest

import circuitboard as cb
from tests.board.prompts import pair
from tests.tiny_models import tiny


@pytest.fixture
def board_of():
    """Boards on tiny models, closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(family, prompts=None, *, compatibility=False, **options):
            board = cb.Board(tiny(family, compatibility=compatibility), prompts or pair(), **options)
            stack.callback(board.close)
            return board

        yield make


@pytest.fixture
def board(board_of):
    return board_of("gpt2")
