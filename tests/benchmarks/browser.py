"""How long a click takes from the mouse to the changed number, in a real JupyterLab."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.lab import CHROMIUM_ARGUMENTS, Lab

CELL = """import circuitboard as cb, torch
torch.set_num_threads(1)
model = cb.load("demo")
board = cb.Board(model, cb.tasks.ioi(1, seed=0, model=model))
board"""

CLICKS = """async ([board, warm, counted]) => {
    const metric = board.querySelector('[data-cb="metric"]');
    const cell = board.querySelector('[data-cb="head"][data-layer="3"][data-head="0"]');
    const times = [];
    for (let i = 0; i < warm + counted; i++) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        const changed = new Promise((resolve) => {
            const observer = new MutationObserver(() => { observer.disconnect(); resolve(performance.now()); });
            observer.observe(metric, { attributes: true, attributeFilter: ["data-value"] });
        });
        const start = performance.now();
        cell.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        times.push((await changed) - start);
    }
    return times.slice(warm);
}"""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the click's event to the changed `data-value`."""

    setting: str
    median_ms: float
    p95_ms: float


def measure_latency(*, nodelay: bool, clicks: int = 50) -> Latency:
    """Click a head of the demo model `clicks` times, 200 ms apart."""
    folder = Path(tempfile.mkdtemp(prefix="circuitboard-bench-"))
    try:
        with Lab(folder, server_extension=nodelay) as lab, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
            page = browser.new_page()
            notebook = lab.open(page, lab.write_notebook("latency.ipynb", [CELL]))
            notebook.run_all()
            notebook.board.locator('[data-cb="head"][data-effect]:not([data-effect=""])').first.wait_for()
            times = sorted(page.evaluate(CLICKS, [notebook.board.element_handle(), 5, clicks]))
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    setting = "TCP_NODELAY (as installed)" if nodelay else "without our server extension"
    return Latency(setting, statistics.median(times), times[int(0.95 * len(times))])
