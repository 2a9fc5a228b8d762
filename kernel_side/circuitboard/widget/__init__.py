"""The panel: what a board shows of itself in a notebook."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import msgspec

from circuitboard.board.display import newest
from circuitboard.board.kernel import runs_alone
from circuitboard.errors import ModelError
from circuitboard.files.autosave import file_of
from circuitboard.protocol.entries import NO_BOARD
from circuitboard.protocol.output import BOARD_OUTPUT, WIDGET_VIEW, BoardOutput
from circuitboard.widget.announcement import announced
from circuitboard.widget.still import html_of, still_of, text_of
from circuitboard.widget.view_settings import set_view
from circuitboard.widget.widget import BoardWidget, widget_of

if TYPE_CHECKING:
    from circuitboard.board import Board

__all__ = ["BoardWidget", "mimebundle", "set_view", "show_current", "widget_of"]


def mimebundle(board: Board, **kwargs: Any) -> Any:
    """What a notebook shows for a board: the panel; where there is none, a still picture of it, or its text.

    JupyterLab and VS Code take the panel while a kernel runs. GitHub, nbconvert and editors without widgets take
    `text/html`, terminals `text/plain`. A program that runs the notebook for its outputs is given no panel, but waits
    for the map.
    """
    widget = widget_of(board)
    alone = runs_alone()
    if alone:
        widget.session.compute_map()
    bundle = widget._repr_mimebundle_(**kwargs)
    if bundle is None:
        return None
    found = bundle if isinstance(bundle, tuple) else (bundle, {})
    data, metadata = _completed(board, widget, *found)
    if alone:
        del data[WIDGET_VIEW], data[BOARD_OUTPUT]
        return data, metadata
    # The output is sent again as long as the board is there: it keeps neither of them.
    here, view = weakref.ref(board), data[WIDGET_VIEW]

    def again(widget: BoardWidget) -> tuple[dict[str, Any], dict[str, Any]] | None:
        board = here()
        return None if board is None else _completed(board, widget, {WIDGET_VIEW: view}, {})

    widget.keep_output(again, data["text/html"])
    return data, metadata


def _completed(
    board: Board, widget: BoardWidget, data: dict[str, Any], metadata: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A widget's bundle and all that stands in for it."""
    still = still_of(board, *widget.session.drawn())
    kept = file_of(board.desk)
    data[BOARD_OUTPUT] = msgspec.to_builtins(BoardOutput(widget.model_id, None if kept is None else kept.name))
    data["text/html"] = html_of(still)
    data["text/plain"] = text_of(still, board)
    return data, metadata


def show_current(number: int | None = None) -> None:
    """Display the newest board of this kernel, or the one that the server lists under this number.

    Raises
    ------
    ModelError
        `no_board` if there is none.
    """
    from IPython.display import display

    board = newest() if number is None else announced(number)
    if board is None:
        which = "no board yet" if number is None else f"no board {number} any more"
        raise ModelError(
            f"This kernel has {which}: make one with cb.Board(model, prompts) and run its cell.", code=NO_BOARD
        )
    display(board)
