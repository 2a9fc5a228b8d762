"""The Jupyter server extension: it makes clicks quick and lists live boards, and does nothing else.

The wheel ships a configuration file that enables it. It has one route, which only reads, and keeps no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.server.nodelay import send_kernel_messages_at_once

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["_jupyter_server_extension_points", "_load_jupyter_server_extension"]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "circuitboard.server"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    from jupyter_server.utils import url_path_join

    from circuitboard.protocol.boards import BOARDS_PATH
    from circuitboard.server.handler import BoardsHandler

    send_kernel_messages_at_once(server.log)
    server.web_app.add_handlers(
        ".*$", [(url_path_join(server.web_app.settings["base_url"], BOARDS_PATH), BoardsHandler)]
    )
