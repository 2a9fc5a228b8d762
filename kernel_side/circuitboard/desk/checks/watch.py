"""The law of the board: its numbers are those of the user's model as it is now, or it says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.desk.checks import user_code
from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from circuitboard.models.account.account import Account


class Watch:
    """Compares a model with what it was when it was measured.

    Parameters
    ----------
    account
        What it was.

    Attributes
    ----------
    known
        What had changed when it was last compared; None if nothing had.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._looked: int | None = None
        self._found: str | None = None
        self.known: str | None = None
        user_code.watch_cells()

    def compare(self) -> str | None:
        """What has changed, as far as that costs microseconds; None if nothing is known to have."""
        self.known = self._account.written() or self._found
        return self.known

    def guard(self, *, closely: bool) -> None:
        """Guard a worker's jobs: closely before one is taken, at once before and after its work.

        Raises
        ------
        EngineError
            `model_changed`.
        """
        # Taken from an idle kernel's panel, a job is looked at when its work begins; once is enough on the way of a click.
        if not closely or not self._looked_already():
            self.require_unchanged(closely=closely)

    def require_idle(self) -> Callable[[], object]:
        """Refuse to run the user's model itself beside a cell that may use it at this moment, with hooks of its own.

        Returns
        -------
        Callable
            The same, to be asked later: no cell may have begun since, other than the one that asks here.

        Raises
        ------
        EngineError
            `model_busy`.
        """
        if user_code.runs_elsewhere():
            raise EngineError(
                "A cell is running that may use the model at this moment, and this runs the model itself; ask again when the cell has ended.",
                code="model_busy",
            )
        return (lambda: None) if user_code.runs() else self.require_idle

    def require_unchanged(self, *, closely: bool = True) -> None:
        """Go on, or say what is another in the model.

        Parameters
        ----------
        closely
            Look at hooks, parts and settings too, unless no code of the user's has run since that was done.

        Raises
        ------
        EngineError
            `model_changed`.
        """
        change = self._look() if closely else self.compare()
        if change is not None:
            raise EngineError(
                f"The model is no longer the one that this board measured: {change}. "
                "board.refresh() measures it again and keeps edits, history, names and what is selected.",
                code="model_changed",
            )

    def _looked_already(self) -> bool:
        now = user_code.stamp()
        return user_code.runs_elsewhere() or (now is not None and now == self._looked)

    def _look(self) -> str | None:
        if not self._looked_already():
            now = user_code.stamp()
            self._found = self.known = self._account.changed()
            self._looked = now if self._found is None else None
            return self._found
        return self.compare()
