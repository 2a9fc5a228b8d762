"""The built VS Code extension with a real kernel at one end and a real page at the other.

Only VS Code itself is missing: its API is a stand-in, which runs in Node with the extension. The page is the
extension's own, under its own policy, with what VS Code gives to every web view: `acquireVsCodeApi`, a theme's
variables and a class of the body.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.kernel.front_end import FrontEnd

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "dist/vscode"
ADDRESS = "http://vscode.test"

SETUP = """
import torch
torch.set_num_threads(1)
import circuitboard as cb
model = cb.load("demo")
board = cb.Board(model, cb.tasks.ioi(8, model=model))
from circuitboard.board.display import made
made(board)
"""
"""A board of the demo model in the kernel, as a cell that ends in it leaves it."""

THEMES = {
    "light": {
        "--vscode-editor-background": "#ffffff",
        "--vscode-editor-foreground": "#3b3b3b",
        "--vscode-foreground": "#3b3b3b",
        "--vscode-focusBorder": "#005fb8",
        "--vscode-font-family": "system-ui, 'DejaVu Sans', sans-serif",
        "--vscode-button-background": "#005fb8",
        "--vscode-button-foreground": "#ffffff",
        "--vscode-inputValidation-infoBackground": "#f4f9ff",
        "--vscode-inputValidation-infoBorder": "#0078d4",
    },
    "dark": {
        "--vscode-editor-background": "#1f1f1f",
        "--vscode-editor-foreground": "#cccccc",
        "--vscode-foreground": "#cccccc",
        "--vscode-focusBorder": "#0078d4",
        "--vscode-font-family": "system-ui, 'DejaVu Sans', sans-serif",
        "--vscode-button-background": "#0078d4",
        "--vscode-button-foreground": "#ffffff",
        "--vscode-inputValidation-infoBackground": "#063b49",
        "--vscode-inputValidation-infoBorder": "#0078d4",
    },
}
"""The colours of VS Code's own light and dark themes that the panel asks for."""

PUT_ON = """([name, variables]) => {
  for (const [key, value] of Object.entries(variables)) document.documentElement.style.setProperty(key, value);
  document.body.className = `vscode-${name}`;
}"""

API = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
window.acquireVsCodeApi = () => ({
  postMessage: (message) => window.toHost(JSON.stringify(message)),
  setState: (state) => { window.keptState = state; },
});
"""


class VSCode:
    """The extension, a kernel and a page; all is carried by `pump`, on the thread that calls it.

    The kernel is the caller's, who stops it; those of `start_kernel` end with this.
    """

    def __init__(self, page: Page, kernel: FrontEnd) -> None:
        self.page = page
        self.kernel = kernel
        self._started: list[FrontEnd] = []
        self.posted: list[dict[str, Any]] = []
        self.report: dict[str, Any] = {}
        self.html = ""
        self.asked: list[str] = []
        self.alive = True
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue()
        self._held: list[tuple[int, Any]] = []
        node = shutil.which("node")
        assert node is not None, "Node is needed, as for building the extension"
        self._process = subprocess.Popen(
            [node, ROOT / "extension/vscode/test/live_host.mjs"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.from_page: list[dict[str, Any]] = []
        page.expose_function("toHost", self._take)
        page.add_init_script(API)
        page.on("request", lambda request: self.asked.append(request.url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.goto("about:blank")  # a page that still asks would find no host
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join(20)
        self._process.stdout.close()
        for kernel in self._started:
            kernel.stop()

    def order(self, name: str, **given: Any) -> None:
        """Have the host do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"order": name, **given}) + "\n")
        self._process.stdin.flush()

    def run(self, command: str) -> None:
        """Run a command of the extension, up to its end."""
        self.report = {}
        self.order("run", command=command)
        self.pump(lambda: self.report)

    def lose_kernel(self, status: str) -> None:
        """End the kernel's process, and what waits for it for ever, with what the Jupyter extension says then."""
        self.kernel.stop()
        self.alive = False
        self._held.clear()
        self.order("status", status=status)

    def start_kernel(self) -> None:
        """Another process in its place."""
        self.kernel = FrontEnd()
        self._started.append(self.kernel)
        self.alive = True
        self.order("status", status="idle")

    def open_page(self, theme: str) -> None:
        """Load the web view's page, as VS Code would."""
        script = (STAGE / "dist/webview.js").read_text("utf-8")
        self.page.route(
            f"{ADDRESS}/**",
            lambda route: (
                route.fulfill(body=script, content_type="text/javascript")
                if route.request.url.endswith(".js")
                else route.fulfill(body=self.html.replace("file:///webview", ADDRESS), content_type="text/html")
            ),
        )
        self.page.goto(ADDRESS)
        self.wear(theme)

    def wear(self, theme: str) -> None:
        self.page.evaluate(PUT_ON, [theme, THEMES[theme]])

    def pump(self, found: Any, timeout: float = 30.0) -> Any:
        """Carry what is to be carried until `found()` is something."""
        end = time.monotonic() + timeout
        while True:
            self._carry()
            result = found()
            if result:
                return result
            assert time.monotonic() < end, (
                f"waited in vain; last: {[str(message)[:200] for message in self.posted[-3:]]}"
            )

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.pump(lambda: time.monotonic() > end, seconds + 30)

    def settle(self) -> None:
        """Carry until the panel is idle."""
        board = self.page.locator("[data-cb=board]")
        self.pump(lambda: board.count() and board.get_attribute("data-state") in ("idle", "error"))

    def _carry(self) -> None:
        self.page.wait_for_timeout(1)
        for pair in tuple(self._held):
            id_, cell = pair
            if cell.ended_at is not None:
                self._held.remove(pair)
                self._answer(id_, cell)
        if self._held:
            self.kernel.pause(0.005)
        try:
            said = self._queue.get(timeout=0.005)
        except queue.Empty:
            return
        if "execute" in said:
            if self.alive:
                self._held.append((said["execute"], self.kernel.start(said["code"])))
        elif "post" in said:
            self.posted.append(said["post"])
            self.page.evaluate("message => window.postMessage(message, '*')", said["post"])
        elif "html" in said:
            self.html = said["html"]
        else:
            self.report = said

    def _answer(self, id_: int, cell: Any) -> None:
        items = [{"mime": mime, "json": value} for data in cell.data for mime, value in data.items()]
        if cell.error is not None:
            name, _, message = cell.error.partition(": ")
            items.append({"mime": "application/vnd.code.notebook.error", "json": {"name": name, "message": message}})
        self.order("outputs", id=id_, items=items)

    def _take(self, text: str) -> None:
        message = json.loads(text)
        self.from_page.append(message)
        self.order("page", message=message)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(json.loads(line))
