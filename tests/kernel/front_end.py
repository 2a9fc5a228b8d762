"""A front end of a real kernel: it does what JupyterLab does with a widget's comm, without a browser.

JupyterLab asks the kernel for one subshell per comm target (`commsOverSubshells: "perCommTarget"`) and names it
in the header of every comm message; so does this.
"""

from __future__ import annotations

import itertools
import os
import queue
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client import KernelManager

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass
class Cell:
    """A cell that was run: its output, and when the kernel was through with it."""

    request: str
    text: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    traceback: list[str] = field(default_factory=list)
    began: bool = False
    ended_at: float | None = None


class FrontEnd:
    """Starts a kernel and speaks its protocol."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._told = Path(self._folder.name) / "told"
        self._manager = KernelManager(kernel_name="python3")
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
        self._manager.start_kernel(cwd=str(ROOT), env=env)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE_S)
        self._cells: dict[str, Cell] = {}
        self._subshells: dict[str, str] = {}
        self._ids = itertools.count()
        self.comms: dict[str, str] = {}
        self.closed_comms: list[str] = []
        self.messages: list[tuple[float, str, dict[str, Any], int]] = []
        self.asked: list[str] = []
        info = self._request("control", "kernel_info_request", {})
        self.supports_subshells = "kernel subshells" in info.get("supported_features", [])

    def stop(self) -> None:
        self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        self._folder.cleanup()

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    # --- cells --------------------------------------------------------------------------------------

    def start(self, code: str) -> Cell:
        """Run a cell, and wait until it runs."""
        request = self._client.execute(code)
        cell = self._cells[request] = Cell(request)
        self.wait(lambda: cell.began)
        return cell

    def until_told(self, code: str) -> Cell:
        """Run a cell in which `told()` is false until `tell_to_end`, however long that takes."""
        self._told.unlink(missing_ok=True)
        return self.start(f"told = __import__('pathlib').Path({str(self._told)!r}).exists\n{code}")

    def tell_to_end(self, cell: Cell) -> Cell:
        """Have a cell that waits for it end; it must have run all the while."""
        assert cell.ended_at is None, cell.error
        self._told.touch()
        return self.finish(cell)

    def finish(self, cell: Cell, timeout: float = PATIENCE_S) -> Cell:
        self.wait(lambda: cell.ended_at, timeout)
        return cell

    def run(self, code: str) -> str:
        """Run a cell and return what it printed; its error fails the test."""
        cell = self.finish(self.start(code), 60)
        assert cell.error is None, cell.error
        return cell.text.strip()

    def show(self, expression: str) -> str:
        """Display a board and return the id of its widget."""
        cell = self.finish(self.start(expression))
        assert cell.error is None, cell.error
        (view,) = [data[WIDGET_VIEW]["model_id"] for data in cell.data if WIDGET_VIEW in data]
        return view

    # --- comms --------------------------------------------------------------------------------------

    def send(self, comm: str, content: object) -> None:
        """A custom message of a view, the way ipywidgets wraps it."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        subshell = self._subshell(self.comms[comm])
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)

    def tell(self, comm: str, kind: str, **fields: Any) -> str:
        """Send a request without waiting; the value is its id."""
        request = f"k{next(self._ids)}"
        self.asked.append(request)
        self.send(comm, {"kind": kind, "id": request, **fields})
        return request

    def ask(self, comm: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        request = self.tell(comm, kind, **fields)
        return self.wait(lambda: next(iter(self.answers(request)), None))

    def answers(self, request: str) -> list[dict[str, Any]]:
        return [content for _, _, content, _ in self.messages if content.get("id") == request]

    def events(self, kind: str | None = None) -> list[tuple[float, dict[str, Any]]]:
        found = [(at, content) for at, _, content, _ in self.messages if "seq" in content and "id" not in content]
        return [(at, content) for at, content in found if kind in (None, content["kind"])]

    def wait(self, found, timeout: float = PATIENCE_S) -> Any:
        """Read what the kernel sends until `found()` is something."""
        end = time.monotonic() + timeout
        while True:
            result = found()
            if result:
                return result
            assert time.monotonic() < end, f"waited in vain; last: {self.messages[-3:]}"
            self._read(0.2)

    def pause(self, seconds: float) -> None:
        """Read what the kernel sends for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def _read(self, timeout: float) -> None:
        try:
            message = self._client.get_iopub_msg(timeout=timeout)
        except queue.Empty:
            return
        kind, content = message["msg_type"], message["content"]
        now = time.monotonic()
        cell = self._cells.get(message["parent_header"].get("msg_id", ""))
        if kind == "comm_open":
            self.comms[content["comm_id"]] = content["target_name"]
        elif kind == "comm_close":
            self.closed_comms.append(content["comm_id"])
        elif kind == "comm_msg" and content["data"].get("method") == "custom":
            self.messages.append((now, content["comm_id"], content["data"]["content"], len(message["buffers"])))
        elif cell is not None and kind == "execute_input":
            cell.began = True
        elif cell is not None and kind == "stream":
            cell.text += content["text"]
        elif cell is not None and kind in ("display_data", "execute_result"):
            cell.data.append(content["data"])
        elif cell is not None and kind == "error":
            cell.error = f"{content['ename']}: {content['evalue']}"
            cell.traceback = content["traceback"]
        elif cell is not None and kind == "status" and content["execution_state"] == "idle":
            cell.ended_at = now

    def _subshell(self, target: str) -> str | None:
        if self.supports_subshells and target not in self._subshells:
            reply = self._request("control", "create_subshell_request", {})
            self._subshells[target] = reply["subshell_id"]
        return self._subshells.get(target)

    def _request(self, channel: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        message = self._client.session.msg(kind, content)
        getattr(self._client, f"{channel}_channel").send(message)
        while True:
            reply = getattr(self._client, f"get_{channel}_msg")(timeout=PATIENCE_S)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply["content"]
