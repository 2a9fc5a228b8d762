"""The panel in marimo, which asks an object what to display instead."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from circuitboard.widget.widget import widget_of

if TYPE_CHECKING:
    from circuitboard.board import Board


def element(board: Board) -> Any:
    """The board's panel as an element of marimo's.

    marimo closes the comm of a widget when the cell that first showed it runs again, so a widget without one
    is closed too, and another one takes its place; the board stays as it is.
    """
    widget = widget_of(board)
    if getattr(widget.comm, "_closed", False):
        widget.close()
        widget = widget_of(board)
    return import_module("marimo").ui.anywidget(widget)
