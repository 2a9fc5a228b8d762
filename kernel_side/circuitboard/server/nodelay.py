"""Send each kernel message to the browser at once.

jupyter_server leaves Nagle's algorithm on for the websockets that carry kernel messages: a small
message waits until the browser has acknowledged the one before, and browsers acknowledge late (up to
40 ms). A click on a board is answered by a few small messages, so nearly all of its time would be
spent waiting. Setting TCP_NODELAY when such a websocket opens takes the wait away.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

_MARK = "_circuitboard_nodelay"


def send_kernel_messages_at_once(log: logging.Logger | logging.LoggerAdapter[Any]) -> bool:
    """Set TCP_NODELAY on every kernel websocket that opens from now on, in this server.

    Calling it again changes nothing. Whatever cannot be done is logged as a warning and costs only
    speed: the server and its websockets work as before.

    Returns
    -------
    bool
        Whether kernel websockets will be set.
    """
    try:
        from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

        opened: Any = KernelWebsocketHandler.open
        if getattr(opened, _MARK, False):
            return True

        @functools.wraps(opened)
        def open_at_once(handler: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                handler.set_nodelay(True)
            except Exception as error:  # noqa: BLE001 -- a slower board is better than a closed websocket
                log.warning("circuitboard: could not set TCP_NODELAY on a kernel websocket: %r", error)
            return opened(handler, *args, **kwargs)

        setattr(open_at_once, _MARK, True)
        KernelWebsocketHandler.open = open_at_once  # type: ignore[method-assign, assignment]
    except Exception as error:  # noqa: BLE001 -- an extension must not keep the server from starting
        log.warning(
            "circuitboard: this version of jupyter_server has no kernel websockets that can be set to "
            "TCP_NODELAY (%r); clicks will be answered more slowly.",
            error,
        )
        return False
    return True
