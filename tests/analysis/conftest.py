from __future__ import annotations

import contextlib

import pytest

import circuitboard as cb
from tests.analysis.plain_stream import TWO_PROMPTS
from tests.board.prompts import pair
from tests.tiny_models import tiny


@pytest.fixture
def make_board():
    """Boards with edits, on two prompts without a corrupted run if not told otherwise; closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(model, *edits, prompts=None, **options):
            board = cb.Board(model, prompts or cb.PromptPair(TWO_PROMPTS, answer=[1, 2], wrong=[3, 4]), **options)
            stack.callback(board.close)
            if edits:
                board.edit(*edits)
            return board

        yield make


@pytest.fixture
def board_of(make_board):
    """Boards on tiny models."""
    return lambda family, prompts=None, *, compatibility=False, **options: make_board(
        tiny(family, compatibility=compatibility), prompts=prompts or pair(), **options
    )


@pytest.fixture
def board(board_of):
    return board_of("gpt2")
