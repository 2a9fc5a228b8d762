"""A view's line to a board where the host has no comm: what was sent is kept until the view has fetched it.

A line is one more listener of the board's one session, so a view at the end of it and the views in the
notebook see the same messages, and every request gets its one answer from the same place.
"""

from __future__ import annotations

import base64
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from circuitboard.protocol.bridge import Sent

if TYPE_CHECKING:
    from circuitboard.board import Board
    from circuitboard.widget.widget import BoardWidget

MOST_MESSAGES = 512
MOST_BYTES = 16_000_000
"""What a line keeps for a view that does not fetch: past either bound it is cut, and the view has to attach again."""


class Line:
    """One view's line.

    Parameters
    ----------
    board
        The one at the other end.
    widget
        Whose session it speaks to.
    """

    def __init__(self, board: Board, widget: BoardWidget) -> None:
        self._board = weakref.ref(board)
        self._widget = widget
        self._waiting: deque[tuple[int, dict[str, Any], list[bytes]]] = deque()
        self._bytes = 0
        self._count = 0
        self._changed = threading.Condition()
        self.cut = False
        widget.listen(self._keep)

    @property
    def board(self) -> Board | None:
        """The one at the other end; None once nobody refers to it any more."""
        return self._board()

    @property
    def widget(self) -> BoardWidget:
        """Whose session it speaks to."""
        return self._widget

    def exchange(self, requests: list[Any], since: int, wait_s: float) -> list[Sent]:
        """Hand requests to the session and return what was sent after message number `since`.

        Parameters
        ----------
        requests
            As a view would send them through a comm.
        since
            The last message that the view has; it and those before are forgotten here.
        wait_s
            How long to wait for a first message after these requests, in seconds; without requests there is no wait.
        """
        with self._changed:
            self._forget(since)
            before = self._count
        for request in requests:
            self._widget.session.receive(request)
        with self._changed:
            if requests:
                # Not for their answers: one that takes long must not keep the numbers of a click from the view.
                self._changed.wait_for(lambda: self.cut or self._count > before, wait_s)
            kept = list(self._waiting)
        return [
            Sent(number, content, [base64.b64encode(buffer).decode("ascii") for buffer in buffers])
            for number, content, buffers in kept
        ]

    def close(self) -> None:
        """Keep nothing any more."""
        self._widget.unlisten(self._keep)
        with self._changed:
            self.cut = True
            self._waiting.clear()
            self._bytes = 0
            self._changed.notify_all()

    def _keep(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        with self._changed:
            if self.cut:
                return
            self._count += 1
            self._waiting.append((self._count, content, buffers))
            self._bytes += sum(map(len, buffers))
            too_much = len(self._waiting) > MOST_MESSAGES or self._bytes > MOST_BYTES
            self._changed.notify_all()
        if too_much:
            self.close()

    def _forget(self, since: int) -> None:
        while self._waiting and self._waiting[0][0] <= since:
            _, _, buffers = self._waiting.popleft()
            self._bytes -= sum(map(len, buffers))
