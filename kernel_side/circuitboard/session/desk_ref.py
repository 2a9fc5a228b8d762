"""A view refers to its board weakly: what is displayed keeps nothing alive that the user has let go of."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk


class DeskRef:
    """One board, as long as somebody else refers to it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = weakref.ref(desk)

    def __call__(self) -> Desk:
        """The board.

        Raises
        ------
        EngineError
            `board_gone` once it was collected.
        """
        desk = self._desk()
        if desk is None:
            raise gone()
        return desk

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self._desk() is not None


def gone() -> EngineError:
    """The refusal of whatever is asked of a board that nobody refers to any more."""
    return EngineError(
        "This board is gone: nothing in the notebook refers to it any more. Make it again, and keep it in a variable: board = cb.Board(…).",
        code="board_gone",
    )
