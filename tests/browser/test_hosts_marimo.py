"""The same widget in marimo: a board as the last line of a cell, clicked, and shown again when the cell runs again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = Path(__file__).parent / "pictures"

NOTEBOOK = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo
    import torch
    torch.set_num_threads(1)
    import circuitboard as cb
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(8, model=model))
    return board, mo


@app.cell
def _(mo):
    again = mo.ui.button(label="again")
    again
    return (again,)


@app.cell
def _(again, board):
    again
    board
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(params=["light", "dark"])
def marimo(request, tmp_path):
    """The address of a marimo server with that notebook, and the theme that it is set to."""
    pytest.importorskip("marimo", reason="marimo is installed by the extra [dev]")
    (tmp_path / "board.py").write_text(NOTEBOOK)
    settings = tmp_path / ".config/marimo/marimo.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[display]\ntheme = "{request.param}"\n')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config"), "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "kernel_side"),
    }  # fmt: skip
    command = [sys.executable, "-m", "marimo", "run", "board.py", "--headless", "--no-token", f"--port={port}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while True:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address, request.param
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def head(layer, number):
    return f'[data-cb="head"][data-layer="{layer}"][data-head="{number}"]'


def test_a_board_is_drawn_clicked_and_shown_again(marimo, page):
    address, theme = marimo
    page.goto(address)
    board, metric = page.locator("[data-cb=board]"), page.locator("[data-cb=metric]")
    board.locator(head(3, 0)).wait_for(timeout=90_000)
    assert f"cb-{theme}" in board.get_attribute("class")

    # marimo draws widgets in a shadow tree, which locators see into and the document's own queries do not.
    def until(found):
        deadline = time.monotonic() + 30
        while not found():
            assert time.monotonic() < deadline
            page.wait_for_timeout(20)

    def click(selector):
        before = metric.get_attribute("data-value")
        board.locator(selector).click()
        until(lambda: metric.get_attribute("data-value") != before)
        return float(metric.get_attribute("data-value"))

    once = click(head(3, 0))
    page.wait_for_timeout(1000)
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"marimo-{theme}.png")
    # marimo closes the comm of the view with its cell; the board itself goes on.
    first = board.element_handle()
    page.get_by_role("button", name="again").click()
    until(lambda: not first.evaluate("old => old.isConnected"))
    board.locator(head(2, 7)).wait_for()
    assert float(metric.get_attribute("data-value")) == pytest.approx(once)
    assert board.locator("[data-cb=edit]").count() == 1
    assert click(head(2, 7)) != pytest.approx(once, abs=1e-3)
