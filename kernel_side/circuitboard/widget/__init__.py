"""The panel: what a board shows of itself in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuitboard.board.display import newest
from circuitboard.errors import ModelError
from circuitboard.widget.still import html_of, still_of, text_of
from circuitboard.widget.widget import BoardWidget, widget_of

if TYPE_CHECKING:
    from circuitboard.board import Board

__all__ = ["BoardWidget", "mimebundle", "show_current", "widget_of"]


def mimebundle(board: Board, **kwargs: Any) -> Any:
    """What a notebook shows for a board: the panel; where there is none, a still picture of it, or its text.

    JupyterLab and VS Code take the panel while a kernel runs. GitHub, nbconvert (where the notebook holds no widget
    state) and editors without widgets take `text/html`, terminals `text/plain`.
    """
    widget = widget_of(board)
    bundle = widget._repr_mimebundle_(**kwargs)
    if bundle is not None:
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        still = still_of(board, *widget.session.drawn())
        data["text/html"] = html_of(still)
        data["text/plain"] = text_of(still, board)
    return bundle


def show_current() -> None:
    """Display the newest board of this kernel.

    Raises
    ------
    ModelError
        `no_board` if there is none yet.
    """
    from IPython.display import display

    board = newest()
    if board is None:
        raise ModelError(
            "This kernel has no board yet: make one with cb.Board(model, prompts) and run its cell.", code="no_board"
        )
    display(board)
