"""How a board shows itself in a notebook: by whatever view was registered.

The board knows no views; they depend on it. The package wires the two together.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from circuitboard.errors import CircuitboardError

View = Callable[..., Any]

_views: list[View] = []
_elements: list[Callable[[Any], Any]] = []
_widgets: list[Callable[[Any], Any]] = []
_newest: list[weakref.ref[Any]] = []
_listeners: list[Callable[[Any], None]] = []


def register(
    view: View, element: Callable[[Any], Any] | None = None, widget: Callable[[Any], Any] | None = None
) -> None:
    """Show boards with `view(board, **kwargs)`, which returns a mime bundle, and in marimo with `element(board)`.

    `widget(board)` is what containers of ipywidgets take.
    """
    _views[:] = [view]
    _elements[:] = [] if element is None else [element]
    _widgets[:] = [] if widget is None else [widget]


def widget(board: Any) -> Any:
    """The widget that shows a board.

    Raises
    ------
    CircuitboardError
        `no_widget` if no view of boards was registered.
    """
    if not _widgets:
        raise CircuitboardError(
            "There is no widget for boards here, since this board was not made by way of `import circuitboard`.",
            code="no_widget",
        )
    return _widgets[-1](board)


def element(board: Any) -> Any:
    """What marimo shows for a board: its element, or its text if there is none."""
    return _elements[-1](board) if _elements else repr(board)


def mimebundle(board: Any, **kwargs: Any) -> Any:
    """What a notebook shows for a board: its view, or its text if there is none."""
    return _views[-1](board, **kwargs) if _views else {"text/plain": repr(board)}


def made(board: Any) -> None:
    """Remember the newest board, and tell who wants to know of boards."""
    if board is None:
        return
    _newest[:] = [weakref.ref(board)]
    for listener in tuple(_listeners):
        listener(board)


def on_made(listener: Callable[[Any], None]) -> None:
    """Call `listener` with each board that is made, and again when a view of it opens."""
    if listener not in _listeners:
        _listeners.append(listener)


def newest() -> Any:
    """The board made last, if it still exists."""
    return _newest[-1]() if _newest else None
