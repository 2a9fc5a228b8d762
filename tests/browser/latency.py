"""How long a warm click takes until its metric is in the DOM, over the kernel's own compute time.

    python -m tests.browser.latency [--clicks 50] [--boards 1 5] [--model demo]

Measured in a real JupyterLab (headless, TCP_NODELAY on the kernel's websocket); in the blob harness, where the bundle
runs as VS Code loads it and the messages are carried by Playwright; and beside a notebook in VS Code (one board of the
demo model, through the built extension). A click is made when the board is idle, its
map done and the detail of the last click shown; the time ends when the board's DOM, and with it `data-value` of the metric, is of the next revision: some heads
of the demo model change nothing. What the kernel computed (`Outcome.latency_ms`) is
taken off: what is left is messages, queues and drawing. Nothing is asserted: the machine decides.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import queue
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.fake_page import NO_OFFER
from tests.browser.lab import CHROMIUM_ARGUMENTS, Lab
from tests.browser.vscode_host import SETUP, VSCode
from tests.kernel.front_end import FrontEnd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

WARM_UP = 5

# Resolves to the time from the click to the change (ms); the click itself is the board's own first-row heads in turn.
CLICK = """([board, layer, head]) => new Promise((resolve, reject) => {
    const cell = board.querySelector(`[data-cb="head"][data-layer="${layer}"][data-head="${head}"]`);
    if (cell === null) return reject(new Error(`no head ${layer}.${head}`));
    const before = board.dataset.revision;
    const patience = setTimeout(() => reject(new Error("no change within 20 s")), 20000);
    const observer = new MutationObserver(() => {
        if (board.dataset.revision === before) return;
        observer.disconnect();
        clearTimeout(patience);
        resolve(performance.now() - start);
    });
    observer.observe(board, { subtree: true, attributes: true, attributeFilter: ["data-value", "data-revision"] });
    const start = performance.now();
    cell.click();
})"""
REST = """(board) => board.dataset.state === "idle"
    && board.querySelector('[data-cb="detail"][data-status="loading"]') === null"""
IMPORTS = "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load({model!r})"
PAIR = (
    "pair = cb.PromptPair('When John and Mary went to the store, John gave the book to',\n"
    "    'When John and Mary went to the store, Mary gave the book to', answer=' Mary', wrong=' John')"
)
BOARD = "board_{i} = cb.Board(model, pair)\nboard_{i}"


def _heads(clicks: int, n_layers: int, n_heads: int) -> Iterator[tuple[int, int]]:
    """Each head twice running: a click edits it, the next takes the edit back."""
    cells = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    for i in range(clicks):
        yield cells[(i // 2) % len(cells)]


def _said(where: str, boards: int, totals: Sequence[float], computed: Sequence[float]) -> str:
    over = sorted(total - own for total, own in zip(totals, computed, strict=True))
    p95 = over[min(len(over) - 1, round(0.95 * (len(over) - 1)))]
    return (
        f"{where:10}  {boards} board{'s' if boards > 1 else ' '}  n={len(over)}  "
        f"over compute: median {statistics.median(over):6.1f} ms, p95 {p95:6.1f} ms  "
        f"(click to DOM: median {statistics.median(totals):6.1f} ms, compute {statistics.median(computed):5.1f} ms)"
    )


def in_jupyterlab(browser: Browser, model: str, boards: int, clicks: int) -> str:
    """Click in a notebook that shows `boards` boards; one line of figures."""
    folder = Path(tempfile.mkdtemp(prefix="circuitboard-latency-"))
    context = browser.new_context(viewport={"width": 1600, "height": 1400})
    context.add_init_script(NO_OFFER)
    try:
        with Lab(folder) as lab:
            cells = [IMPORTS.format(model=model), PAIR, *(BOARD.format(i=i) for i in range(boards))]
            notebook = lab.open(context.new_page(), lab.write_notebook("latency.ipynb", cells))
            notebook.run_all()
            page = notebook.page
            notebook.board.nth(boards - 1).wait_for()
            board = notebook.board.first.element_handle()
            page.wait_for_function(REST, arg=board, timeout=60_000)
            shape = notebook.python("(model.cfg.n_layers, model.cfg.n_heads)")
            totals, computed = [], []
            for i, (layer, head) in enumerate(_heads(clicks + WARM_UP, *shape)):
                total = page.evaluate(CLICK, [board, layer, head])
                page.wait_for_function(REST, arg=board, timeout=60_000)
                if i >= WARM_UP:
                    totals.append(total)
                    computed.append(notebook.python("float(board_0.shown.outcome.latency_ms)"))
            return _said("JupyterLab", boards, totals, computed)
    finally:
        context.close()
        shutil.rmtree(folder, ignore_errors=True)


PAGE = """<!doctype html><html lang="en"><head><title>latency</title><style id="css"></style></head><body><script>
  const listeners = [];
  const view = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  window.fromKernel = (i, content, buffers) => { for (const f of listeners[i]) f(content, buffers.map(view)); };
  window.show = async (source, count) => {
    const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    for (let i = 0; i < count; i += 1) {
      listeners.push(new Set());
      const el = document.body.appendChild(document.createElement("main"));
      const model = {
        send: (content) => window.toKernel(i, JSON.stringify(content)),
        on: (name, f) => name === "msg:custom" && listeners[i].add(f),
        off: (name, f) => listeners[i].delete(f),
      };
      module.default.render({ model, el });
    }
  };
</script></body></html>"""


def in_blob_harness(browser: Browser, model: str, boards: int, clicks: int) -> str:
    """Click in a page that imports the bundle from a blob and talks to sessions in this process; one line of figures."""
    import torch

    import circuitboard as cb
    from circuitboard.session.session import Session

    torch.set_num_threads(1)
    static = Path(cb.__file__).parent / "widget" / "static"
    loaded = cb.load(model)
    pair = cb.PromptPair(
        "When John and Mary went to the store, John gave the book to",
        "When John and Mary went to the store, Mary gave the book to",
        answer=" Mary",
        wrong=" John",
    )
    made = [cb.Board(loaded, pair) for _ in range(boards)]
    sent: queue.Queue[tuple[int, object, list[bytes]]] = queue.Queue()
    sessions = [
        Session(board.desk, lambda content, buffers, i=i: sent.put((i, content, buffers)))
        for i, board in enumerate(made)
    ]
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.expose_function("toKernel", lambda i, text: sessions[i].receive(json.loads(text)))
    page.set_content(PAGE)
    page.evaluate(
        "(css) => { document.getElementById('css').textContent = css; }", (static / "widget.css").read_text("utf-8")
    )

    def carry(page: Page) -> None:
        try:
            i, content, buffers = sent.get(timeout=0.001)
        except queue.Empty:
            page.evaluate("1")  # lets Playwright hand over what the page has sent
            return
        encoded = [base64.b64encode(buffer).decode() for buffer in buffers]
        page.evaluate("([i, content, buffers]) => fromKernel(i, content, buffers)", [i, content, encoded])

    def until(expression: str) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            carry(page)
            if sent.empty() and page.evaluate(expression):
                return
        raise TimeoutError(expression)

    page.evaluate("([source, count]) => show(source, count)", [(static / "widget.js").read_text("utf-8"), boards])
    rest = f"[...document.querySelectorAll('[data-cb=board]')].every({REST})"
    until(f"document.querySelectorAll('[data-cb=board]').length === {boards} && {rest}")
    totals, computed = [], []
    try:
        for i, (layer, head) in enumerate(_heads(clicks + WARM_UP, loaded.cfg.n_layers, loaded.cfg.n_heads)):
            page.evaluate(
                f"([layer, head]) => {{ window.took = null; const board = document.querySelector('[data-cb=board]');"
                f" ({CLICK})([board, layer, head]).then((ms) => {{ window.took = ms; }}); }}",
                [layer, head],
            )
            until("window.took !== null")
            total = page.evaluate("window.took")
            until(rest)
            if i >= WARM_UP:
                totals.append(total)
                computed.append(float(made[0].shown.outcome.latency_ms))
    finally:
        page.close()
        for session in sessions:
            session.close()
        for board in made:
            board.close()
    return _said("blob", boards, totals, computed)


def beside_vscode(browser: Browser, clicks: int) -> str:
    """Click in the panel beside a notebook, with the built VS Code extension between it and a kernel; one line."""
    page = browser.new_page(viewport={"width": 720, "height": 1100})
    with contextlib.ExitStack() as ends:
        kernel = FrontEnd()
        ends.callback(kernel.stop)
        host = ends.enter_context(VSCode(page, kernel))
        host.kernel.run(SETUP)
        host.run("circuitboard.openBeside")
        host.open_page("light")
        rest = f"[...document.querySelectorAll('[data-cb=board]')].some({REST})"
        host.pump(lambda: page.evaluate(rest), 60)
        totals, computed = [], []
        for i, (layer, head) in enumerate(_heads(clicks + WARM_UP, 4, 8)):
            page.evaluate(
                f"([layer, head]) => {{ window.took = null; const board = document.querySelector('[data-cb=board]');"
                f" ({CLICK})([board, layer, head]).then((ms) => {{ window.took = ms; }}); }}",
                [layer, head],
            )
            host.pump(lambda: page.evaluate("window.took !== null"))
            if i >= WARM_UP:
                totals.append(page.evaluate("window.took"))
                computed.append(float(host.kernel.run("print(board.desk.shown.outcome.latency_ms)")))
            host.pump(lambda: page.evaluate(rest))
    page.close()
    return _said("VS Code", 1, totals, computed)


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--clicks", type=int, default=50)
    options.add_argument("--boards", type=int, nargs="+", default=[1, 5])
    options.add_argument("--model", default="demo")
    given = options.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        for measure in (in_jupyterlab, in_blob_harness):
            for boards in given.boards:
                print(measure(browser, given.model, boards, given.clicks), flush=True)
        print(beside_vscode(browser, given.clicks), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
