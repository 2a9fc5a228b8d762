"""A view refers to its board weakly: what is displayed keeps nothing alive that the user has let go of."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from circuitboard.board import Board


class BoardRef:
    """One board, as long as somebody else refers to it."""

    def __init__(self, board: Board) -> None:
        self._board = weakref.ref(board)

    def __call__(self) -> Board:
        """The board.

        Raises
        ------
        EngineError
            `board_gone` once it was collected.
        """
        board = self._board()
        if board is None:
            raise gone()
        return board

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self._board() is not None


def gone() -> EngineError:
    """The refusal of whatever is asked of a board that nobody refers to any more."""
    return EngineError(
        "This board is gone: nothing in the notebook refers to it any more. Make it again, and keep it in a variable: board = cb.Board(…).",
        code="board_gone",
    )
