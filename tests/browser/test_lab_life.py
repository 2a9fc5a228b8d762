"""Promises 8, 11, 12, 13: kernels that restart, die, are busy, are watched by two pages, or lose their connection.

How soon a board says that its kernel is gone is recorded with each test (`disconnected_s`), not asserted: the machine
that runs the tests decides on that too.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import LabNotebook

SETUP = [
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(2, model=model))\nboard",
]
PATIENCE = 60_000
GONE = """(ask) => new Promise((resolve) => {
    const board = document.querySelector('.jp-NotebookPanel [data-cb="board"]');
    const start = performance.now();
    new MutationObserver((_, observer) => {
        if (board.dataset.state !== "disconnected") return;
        observer.disconnect();
        resolve((performance.now() - start) / 1000);
    }).observe(board, { attributes: true, attributeFilter: ["data-state"] });
    if (ask === "restart") void window.cbTestNotebook.sessionContext.session.kernel.restart();
})"""


def head(board, layer, index):
    return board.locator(f'[data-cb="head"][data-layer="{layer}"][data-head="{index}"]')


@pytest.fixture
def notebook(run_cells):
    notebook = run_cells(*SETUP)
    # Jupyter's own words about a kernel that died lie over everything until they are read.
    words = notebook.page.locator("dialog.jp-Dialog", has_text="Kernel Restarting")
    notebook.page.add_locator_handler(words, lambda dialog: dialog.locator("button").first.click())
    board = notebook.board
    head(board, 3, 0).click()
    expect(board.locator('[data-cb="edit"]')).to_have_count(1)
    wait_until_kept(notebook)
    yield notebook
    notebook.page.remove_locator_handler(words)


def wait_until_kept(notebook):
    kept = "__import__('circuitboard.files.autosave', fromlist=['file_of']).file_of(board.desk).exists()"
    while not notebook.python(kept):
        notebook.page.wait_for_timeout(100)


def comes_back(notebook, value):
    """One click loads the board again, in its place, with its edits and its history."""
    output = notebook.page.locator('[data-cb="lab-output"]')
    expect(output).to_have_attribute("data-state", "gone")
    output.locator('[data-cb="lab-reload-saved"]').click()
    expect(output).to_have_attribute("data-state", "live", timeout=PATIENCE)
    board = notebook.board
    expect(board).to_have_count(1)
    expect(board.locator('[data-cb="edit"]')).to_have_count(1, timeout=PATIENCE)
    assert notebook.python("board.value") == pytest.approx(value, abs=1e-5)
    board.locator('[data-cb="undo"]').click()
    expect(board.locator('[data-cb="edit"]')).to_have_count(0)


def test_a_restarted_kernel_is_said_and_its_board_comes_back(notebook, record_property):
    value = notebook.python("board.value")
    record_property("disconnected_s", notebook.page.evaluate(GONE, "restart"))
    expect(notebook.page.locator('[data-cb="lab-bar"]')).to_contain_text("The kernel was restarted")
    comes_back(notebook, value)


def test_a_killed_kernel_is_said_and_its_board_comes_back(notebook, record_property):
    value, pid = notebook.python("board.value"), notebook.python("__import__('os').getpid()")
    notebook.page.evaluate(f"() => {{ window.cbGone = ({GONE})('wait') }}")
    os.kill(pid, signal.SIGKILL)
    record_property("disconnected_s", notebook.page.evaluate("() => window.cbGone"))
    expect(notebook.page.locator('[data-cb="lab-bar"]')).to_contain_text("The kernel died")
    comes_back(notebook, value)


def test_a_board_whose_model_was_passed_says_what_to_run(run_cells):
    make = "import sys\nsys.path.insert(0, {root!r})\nimport torch\nimport circuitboard as cb\nfrom tests.tiny_models import tiny\n"
    notebook = run_cells(
        make.format(root=str(Path.cwd()))
        + "tokens = torch.tensor([[5, 6, 7, 8, 9]])\n"
        + "board = cb.Board(tiny('native'), cb.PromptPair(tokens, tokens.flip(1), answer=1, wrong=3))\n"
        + "board.edit(cb.head(1, 2).zero())\nboard"
    )
    output = notebook.page.locator('[data-cb="lab-output"]')
    expect(output).to_have_attribute("data-state", "live")
    wait_until_kept(notebook)
    notebook.restart_kernel()
    output.locator('[data-cb="lab-reload-saved"]').click()
    bar = output.locator('[data-cb="lab-bar"]')
    expect(bar).to_contain_text("cannot be loaded by name", timeout=PATIENCE)
    expect(bar.locator("pre")).to_contain_text("cb.Board.load(cb.Board.last_saved(), model)")


def test_a_busy_cell_blocks_no_click_and_an_interrupt_breaks_nothing(notebook):
    board = notebook.board
    notebook.run_cell("import time\ntime.sleep(20)", wait=False)
    expect(notebook.page.locator(".jp-NotebookPanel .jp-InputPrompt").last).to_have_text("[*]:")
    head(board, 0, 3).click()
    expect(board.locator('[data-cb="edit"]')).to_have_count(2, timeout=15_000)
    expect(notebook.page.locator(".jp-NotebookPanel .jp-InputPrompt").last).to_have_text("[*]:")
    notebook.interrupt_kernel()
    # The kernel's status is idle after a click too; what is asked before the cell has failed would fail with it.
    expect(notebook.page.locator(".jp-NotebookPanel .jp-InputPrompt").last).to_have_text(re.compile(r"^\[\d+\]:$"))
    head(board, 0, 3).click()
    expect(board.locator('[data-cb="edit"]')).to_have_count(1)
    assert notebook.python("len(board.edits)") == 1


def test_two_pages_of_one_kernel_agree(lab, notebook):
    name = notebook.page.evaluate("() => window.cbTestNotebook.context.path")
    second = notebook.page.context.new_page()
    # JupyterLab would send a second page of the same workspace to one with a name of its own, in the middle of all.
    second.goto(f"{lab.url}/lab/workspaces/second/tree/{name}?token={lab.token}&reset")
    second.wait_for_function("() => window.jupyterapp !== undefined", timeout=PATIENCE)
    second.evaluate("() => window.jupyterapp.restored.then(() => null)")
    second.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=PATIENCE)
    second.evaluate(
        """async () => {
            window.cbTestNotebook = window.jupyterapp.shell.currentWidget;
            await window.cbTestNotebook.sessionContext.ready;
        }"""
    )
    other = LabNotebook(second)
    other.command("circuitboard:open")
    board, theirs = notebook.board, other.panel.locator('[data-cb="board"]')
    expect(theirs.locator('[data-cb="edit"]')).to_have_count(1, timeout=PATIENCE)
    head(board, 0, 1).click()
    head(theirs, 0, 2).click()
    for one in (board, theirs):
        expect(one.locator('[data-cb="edit"]')).to_have_count(3)
    value = notebook.python("board.value")
    for one in (board, theirs):
        shown = float(one.locator('[data-cb="metric"]').get_attribute("data-value"))
        assert shown == pytest.approx(value, abs=1e-4)
    other.page.close()


def test_a_lost_connection_loses_no_click(notebook):
    """The connection ends in the moment of a click, as when a computer goes to sleep, and is made again."""
    board, page = notebook.board, notebook.page
    page.evaluate(
        """() => {
            const { kernel } = window.cbTestNotebook.sessionContext.session;
            window.cbStates = [];
            const board = document.querySelector('.jp-NotebookPanel [data-cb="board"]');
            new MutationObserver(() => window.cbStates.push(board.dataset.state)).observe(board, {
                attributes: true, attributeFilter: ["data-state"],
            });
            board.querySelector('[data-cb="head"][data-layer="0"][data-head="3"]').click();
            void kernel.reconnect();
        }"""
    )
    page.wait_for_function(
        "() => window.cbTestNotebook.sessionContext.session.kernel.connectionStatus === 'connected'", timeout=PATIENCE
    )
    expect(board).to_have_attribute("data-state", "idle", timeout=PATIENCE)
    expect(board.locator('[data-cb="edit"]')).to_have_count(2)
    assert "disconnected" in page.evaluate("() => window.cbStates")
    head(board, 0, 1).click()
    expect(board.locator('[data-cb="edit"]')).to_have_count(3)
    assert notebook.python("len(board.edits)") == 3
