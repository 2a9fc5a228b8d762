"""`GET /circuitboard/api/boards`: who may list the kernels may list their boards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from circuitboard.server.boards import boards_of


class BoardsHandler(APIHandler):
    """The live boards of this server's kernels, as `openapi.json` beside this file describes them. It changes nothing."""

    auth_resource = "kernels"
    _track_activity = False  # a panel that looks now and then keeps no idle server alive

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        manager = self.kernel_manager
        kernels = list(manager.list_kernel_ids())
        found = await asyncio.to_thread(boards_of, kernels, Path(manager.connection_dir), self.log)
        self.set_header("Cache-Control", "no-store")
        await self.finish(msgspec.json.encode(found))
