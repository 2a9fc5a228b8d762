"""The anywidget around a session: a bundle of JavaScript, and messages back and forth."""

from __future__ import annotations

import atexit
import weakref
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from ipywidgets import Layout

from circuitboard.board.display import made
from circuitboard.session.publisher import Send
from circuitboard.session.session import Session
from circuitboard.widget.kept_output import KeptOutput

if TYPE_CHECKING:
    from collections.abc import Callable

    from circuitboard.board import Board

STATIC = Path(__file__).parent / "static"


class BoardWidget(anywidget.AnyWidget):
    """One board in the notebook; all its views share it.

    Its state in a saved notebook is the bundle's, nothing of the board: opening a notebook runs nothing.
    """

    # As text, not as paths: anywidget has a path tell each widget of changes of the file, and so keep it for ever.
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    @traitlets.default("_esm")
    def _script(self) -> str:
        return _bundle("widget.js")

    @traitlets.default("_css")
    def _style(self) -> str:
        return _bundle("widget.css")

    def __init__(self, board: Board) -> None:
        # A flex container such as HBox asks for a width of its own; the panel has none, it takes what it is given.
        super().__init__(layout=Layout(width="100%"))
        # Made with the widget, with a comm of its own; one that the user puts in its place is the user's.
        self._own_layout = self.layout
        _answer_while_cells_run(self.comm)
        self._listeners: tuple[Send, ...] = ()
        self._output: KeptOutput[BoardWidget] | None = None
        self._gone = False
        self._when_closed: list[Callable[[], object]] = []
        here = weakref.ref(board)
        self.session = Session(board.desk, self._post, board.autosave, lambda: made(here()))
        self.on_msg(lambda _widget, content, _buffers: self.session.receive(content))

    def keep_output(
        self, make: Callable[[BoardWidget], tuple[dict[str, Any], dict[str, Any]] | None], html: str
    ) -> None:
        """Have the displayed output follow the board; `html` is the picture that it has now."""
        if self._output is None:
            self._output = KeptOutput(self, make)
            self.listen(self._output.sent)
        self._output.shown(html)

    def _post(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.send(content, buffers)
        for listener in self._listeners:
            listener(content, buffers)

    def listen(self, listener: Send) -> None:
        """Have `listener` get every message that the views get, on the thread that sends it."""
        self._listeners = (*self._listeners, listener)

    def unlisten(self, listener: Send) -> None:
        """Stop that."""
        self._listeners = tuple(other for other in self._listeners if other != listener)

    def when_closed(self, callback: Callable[[], object]) -> None:
        """Call `callback` once the widget is closed, by hand or because its board is."""
        self._when_closed.append(callback)

    def close(self) -> None:
        """Answer what is still asked, then close the comm: the views are gone for good. The board stays."""
        if self._gone:
            return
        self._gone = True
        for board, widget in tuple(_widgets.items()):
            if widget is self:
                del _widgets[board]
        self.session.close()
        if self._output is not None:
            self._output.close()
        self._own_layout.close()
        super().close()
        while self._when_closed:
            self._when_closed.pop()()


@cache
def _bundle(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _answer_while_cells_run(comm: Any) -> None:
    """Let this comm's messages be handled on the thread that they name, not behind a running cell.

    Front ends send widget messages to a subshell, but the kernel routes comms back to its main shell. There is
    no public way to say otherwise; where the attribute is missing, clicks wait for the cell, and nothing is lost.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001


class _Exit:
    """Whether Python exits: IPython then drops the user's names, and with them boards that nobody has let go of."""

    begun = False

    def note(self) -> None:
        """Be told before IPython drops them: what is registered last is called first."""
        atexit.unregister(self._begin)
        atexit.register(self._begin)

    def _begin(self) -> None:
        self.begun = True


_exit = _Exit()
_widgets: weakref.WeakKeyDictionary[Board, BoardWidget] = weakref.WeakKeyDictionary()


def widget_of(board: Board) -> BoardWidget:
    """The board's widget, made when it is first shown and kept until the board is closed or nobody refers to it.

    Nothing on this side refers to the board: not the widget, which Jupyter keeps as long as its comm is open, nor its
    session. What does is the user: a variable, or the notebook's own history of outputs, `Out[n]` and `_`.
    """
    if board not in _widgets:
        widget, here = BoardWidget(board), weakref.ref(board)
        _widgets[board] = widget
        board.desk.on_close(widget.close)
        # Not when Python exits: a kernel that restarts closes no panel.
        _exit.note()
        board.desk.on_end(lambda: widget.close() if here() is None and not _exit.begun else None)
    return _widgets[board]
