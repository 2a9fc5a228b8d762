"""A real JupyterLab server, and a notebook in it that is driven through JupyterLab's own objects.

The server is this checkout's: its labextension, its server extension and its Python come from the source
tree, whatever is installed. It has its own configuration, data, settings and workspaces, asks nothing of
the network, and keeps nothing.

Clicks on menus race with a page that is still loading, and the "idle" indicator shows before the kernel is
connected. So the helpers wait on the promises of `window.jupyterapp` and run commands by their ids; the
board itself is clicked with the mouse, like a user's.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.browser.fake_page import NO_OFFER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
KERNEL_SIDE = ROOT / "kernel_side"

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Whatever is not on this machine does not exist: a page that needs the network fails here.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]

SHUT_DOWN = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"
_PANEL = "window.jupyterapp.shell.currentWidget"

_FORGET = """
import gc, sys
for one in gc.get_objects() if "circuitboard" in sys.modules else ():
    if type(one) is sys.modules["circuitboard"].Board:
        one.close()
get_ipython().run_line_magic("reset", "-sf")
"""


def page_of(chromium: Browser, errors: list[str]) -> Page:
    """A page in a context of its own, of which every script's failure is noted."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000})
    context.add_init_script(NO_OFFER)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


class Lab:
    """A JupyterLab server on a folder of notebooks, as a context manager.

    Parameters
    ----------
    folder
        What it serves; notebooks are written there by `write_notebook`.
    environment
        Added to the server's and so to the kernels' environment.
    server_extension
        Whether the server sends kernel messages at once (TCP_NODELAY); off for comparisons.
    notebook
        Serve the classic document-centred Notebook 7 instead, which shares JupyterLab's parts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        server_extension: bool = True,
        notebook: bool = False,
    ) -> None:
        self.folder = folder
        self._notebook = notebook
        self.token = secrets.token_hex(16)
        self.url = ""
        self._environment = dict(environment or {})
        self._server_extension = server_extension
        self._own = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._own = Path(tempfile.mkdtemp(prefix="circuitboard-lab-"))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()  # asks the kernels to shut down too
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(20)
        shutil.rmtree(self._own, ignore_errors=True)

    @property
    def log(self) -> str:
        """All that the server has printed."""
        return (self._own / "log").read_text(errors="replace")

    def write_notebook(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook of code cells into the folder and return its name."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": uuid.uuid4().hex[:8],
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": source,
                }
                for source in cells
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook))
        return name

    def open(self, page: Page, name: str) -> LabNotebook:
        """Open a notebook of the folder in `page`; returns when its kernel answers."""
        place = f"notebooks/{name}?" if self._notebook else f"lab/tree/{name}?reset&"
        page.goto(f"{self.url}/{place}token={self.token}")
        page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
        page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell", timeout=60_000)
        page.evaluate(
            f"""async () => {{
                window.cbTestNotebook = {_PANEL};
                await window.cbTestNotebook.context.ready;
                await window.cbTestNotebook.sessionContext.ready;
                await window.cbTestNotebook.sessionContext.session.kernel.info;
            }}"""
        )
        return LabNotebook(page)

    def _start(self) -> None:
        command, environment = self._program()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            *command, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.folder}",
            "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
        ]  # fmt: skip
        with (self._own / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        self.url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                message = f"JupyterLab did not start:\n{self.log}"
                raise RuntimeError(message)
            try:
                urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def _program(self) -> tuple[list[str], dict[str, str]]:
        """What is run, and its environment."""
        own = self._own
        labextensions = own / "prefix/share/jupyter/labextensions"
        labextensions.mkdir(parents=True)
        (labextensions / "circuitboard").symlink_to(KERNEL_SIDE / "circuitboard/labextension")
        configuration = own / "config/jupyter_server_config.d"
        configuration.mkdir(parents=True)
        shipped = json.loads((KERNEL_SIDE / "circuitboard/server/config/circuitboard.json").read_text())
        shipped["ServerApp"]["jpserver_extensions"]["circuitboard.server"] = self._server_extension
        (configuration / "circuitboard.json").write_text(json.dumps(shipped))
        # JupyterLab would ask whether it may fetch news, in a dialog above the notebook.
        news = own / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        news.parent.mkdir(parents=True)
        news.write_text('{"fetchNews": "false", "checkForUpdates": false}')
        environment = {
            **os.environ,
            "JUPYTER_PATH": str(own / "prefix/share/jupyter"),
            "JUPYTER_CONFIG_DIR": str(own / "config"),
            "JUPYTER_DATA_DIR": str(own / "data"),
            "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
            "IPYTHONDIR": str(own / "ipython"),
            "PYTHONPATH": str(KERNEL_SIDE),
            "OMP_NUM_THREADS": "1",
            **self._environment,
        }
        command = [
            sys.executable, "-m", "notebook" if self._notebook else "jupyterlab",
            f"--ServerApp.jpserver_extensions={{'circuitboard.server': {self._server_extension}}}",
            *(["--JupyterNotebookApp.expose_app_in_browser=True"] if self._notebook else []),
        ]  # fmt: skip
        return command, environment


@dataclass(frozen=True)
class LabNotebook:
    """An open notebook; `page` is Playwright's."""

    page: Page

    @property
    def board(self) -> Locator:
        """The boards drawn in the notebook's own outputs."""
        return self.page.locator('.jp-NotebookPanel [data-cb="board"]')

    @property
    def panel(self) -> Locator:
        """The panel beside the notebook, drawn by the JupyterLab extension."""
        return self.page.locator('[data-cb="lab-panel"]')

    def command(self, name: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Run a JupyterLab command and wait until it is done."""
        self.page.evaluate(
            "([name, given]) => window.jupyterapp.commands.execute(name, given).then(() => null)",
            [name, dict(arguments or {})],
        )

    def run_all(self, *, wait: bool = True) -> None:
        """Run every cell; unless `wait` is false, return when the last one is done and none has failed."""
        self._activate()
        if not wait:
            self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
            return
        self.command("notebook:run-all-cells")
        errors = self.page.locator(".jp-NotebookPanel .jp-RenderedText[data-mime-type*='stderr'] .ansi-red-fg")
        if errors.count():
            raise AssertionError(self.page.locator(".jp-NotebookPanel .jp-OutputArea").all_inner_texts())

    def run_cell(self, source: str, *, wait: bool = True) -> None:
        """Add a cell at the end and run it like a user: in order, in the history, seen by the extension."""
        self._activate()
        self.page.evaluate(
            """async ([source, wait]) => {
                const { commands } = window.jupyterapp;
                const { content } = window.cbTestNotebook;
                content.activeCellIndex = content.widgets.length - 1;
                await commands.execute("notebook:insert-cell-below");
                // The focus may have gone back to a board by now, and its cell with it.
                content.activeCellIndex = content.widgets.length - 1;
                content.activeCell.model.sharedModel.setSource(source);
                const done = commands.execute("notebook:run-cell");
                if (wait) await done;
            }""",
            [source, wait],
        )

    def python(self, expression: str) -> Any:
        """What an expression is in the kernel, for values that are literals; leaves no trace in the notebook."""
        reply = self.page.evaluate(
            """async (expression) => {
                const { kernel } = window.cbTestNotebook.sessionContext.session;
                const request = { code: "", silent: true, user_expressions: { it: expression } };
                const { content } = await kernel.requestExecute(request).done;
                return content.user_expressions?.it ?? content;
            }""",
            expression,
        )
        if reply["status"] != "ok":
            raise AssertionError(f"{expression}: {reply['status']}: {reply.get('ename')}: {reply.get('evalue')}")
        return ast.literal_eval(reply["data"]["text/plain"])

    def copied(self, button: Locator) -> str:
        """What a click on this button leaves in the clipboard."""
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate("() => navigator.clipboard.writeText('')")
        button.click()
        return self.page.evaluate(
            """async () => {
                for (let tries = 0; tries < 1000; tries += 1) {
                    const text = await navigator.clipboard.readText();
                    if (text !== "") return text;
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }
                throw new Error("nothing was copied within 20 s");
            }"""
        )

    def revision(self) -> int:
        """Which revision `board` has when the panel waits for no answer any more."""
        # A click was sent before this, and by the time of this answer the panel says that it waits for the other one.
        self.python("None")
        self.board.locator("xpath=self::*[@data-state='idle']").wait_for()
        return self.python("board.desk.shown.revision")

    def restart_kernel(self) -> None:
        """Restart the kernel without the dialog that asks whether one is sure."""
        self.page.evaluate("() => window.cbTestNotebook.sessionContext.session.kernel.restart().then(() => null)")

    def interrupt_kernel(self) -> None:
        """Interrupt the running cell."""
        self.page.evaluate("() => window.cbTestNotebook.sessionContext.session.kernel.interrupt().then(() => null)")

    def start_over(self, cells: Sequence[str]) -> None:
        """Have these cells alone, run in a kernel with no names and no boards; it is the same kernel."""
        self.page.mouse.move(0, 0)
        self.page.evaluate(
            """async ([forget, sources]) => {
                const { content, sessionContext } = window.cbTestNotebook;
                const request = { code: forget, silent: true, store_history: false };
                const { content: reply } = await sessionContext.session.kernel.requestExecute(request).done;
                if (reply.status !== "ok") throw new Error(reply.evalue);
                const notebook = content.model.sharedModel;
                notebook.transact(() => {
                    notebook.deleteCellRange(0, notebook.cells.length);
                    notebook.insertCells(0, sources.map((source) => ({ cell_type: "code", source, metadata: {} })));
                });
            }""",
            [_FORGET, list(cells)],
        )
        self.run_all()

    def _activate(self) -> None:
        self.page.evaluate("() => window.jupyterapp.shell.activateById(window.cbTestNotebook.id)")
