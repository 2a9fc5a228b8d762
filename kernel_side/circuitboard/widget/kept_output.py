"""Keeps what a notebook saves of a board as new as the board: its still picture follows the map and the edits.

The output of a cell is what the kernel sent when the cell ran, and then no map was known yet. So the kernel sends the
output again, as Jupyter's own `update_display_data`, once the board has been quiet for a while. JupyterLab with the
extension puts it in the place of the old one without touching the live view; front ends that do not know the display's
id pass it over.
"""

from __future__ import annotations

import hashlib
import logging
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from anywidget import AnyWidget

from circuitboard.board.kernel import kernel_app
from circuitboard.files.later import Later
from circuitboard.protocol.output import DISPLAY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable


QUIET_S, AT_MOST_S = 1.0, 10.0
"""How long after a change the output follows, and how long it may lag while changes go on."""

Bundle = tuple[dict[str, Any], dict[str, Any]]

W = TypeVar("W", bound=AnyWidget)

_log = logging.getLogger(__name__)


class KeptOutput(Generic[W]):
    """The output of one widget.

    Parameters
    ----------
    widget
        Held weakly.
    make
        Makes its mime bundle, data and metadata; None where there is none any more. Must not refer to the widget.
    """

    def __init__(self, widget: W, make: Callable[[W], Bundle | None]) -> None:
        self._widget = weakref.ref(widget)
        self._make = make
        self._last: bytes | None = None
        self._later = Later(self._send, quiet_s=QUIET_S, at_most_s=AT_MOST_S, name="circuitboard-output")
        weakref.finalize(widget, self._later.stop).atexit = False

    def shown(self, html: str) -> None:
        """Remember the picture that an output was made with."""
        self._last = _mark(html)

    def sent(self, content: dict[str, Any], _buffers: list[bytes]) -> None:
        """Take note of a message to the views: one that changes the picture has the output follow."""
        if content["kind"] == "snapshot" or (content["kind"] == "map" and content["status"] != "computing"):
            self._later.ask()

    def flush(self) -> None:
        """Send now what is waiting."""
        self._later.flush()

    def close(self) -> None:
        """Send no more."""
        self._later.stop()

    def _send(self) -> None:
        widget, app = self._widget(), kernel_app()
        if widget is None or app is None or app.kernel.iopub_socket is None:
            return
        made = self._make(widget)
        if made is None:
            return
        data, metadata = made
        mark = _mark(data.get("text/html", ""))
        if mark == self._last:
            return
        self._last = mark
        content = {
            "data": data,
            "metadata": metadata,
            "transient": {"display_id": f"{DISPLAY_PREFIX}{widget.model_id}"},
        }
        app.kernel.session.send(
            app.kernel.iopub_socket, "update_display_data", content, parent={}, ident=b"update_display_data"
        )


def _mark(html: str) -> bytes:
    return hashlib.blake2b(html.encode(), digest_size=16).digest()
