"""The same widget in Notebook 7, whose parts are JupyterLab's: drawn, clicked, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.lab import Lab

PICTURES = Path(__file__).parent / "pictures"

SETUP = (
    "import torch\ntorch.set_num_threads(1)\nimport circuitboard as cb\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(8, model=model))\nboard",
)
HEAD = '[data-cb="head"][data-layer="3"][data-head="0"]'

ITS_OWN = "Cannot read properties of undefined (reading 'schema')"
"""Notebook 7.6 fails so by itself as it starts, also without our extension."""


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory):
    pytest.importorskip("notebook", reason="Notebook 7 is installed by the extra [dev]")
    with Lab(tmp_path_factory.mktemp("notebooks"), notebook=True) as server:
        yield server


@pytest.fixture
def page(chromium):
    """A page that fails the test if a script of ours fails."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1200})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert [error for error in errors if ITS_OWN not in error] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_board_is_drawn_and_a_click_is_a_run(notebook7, page, theme):
    notebook = notebook7.open(page, notebook7.write_notebook(f"{theme}.ipynb", SETUP))
    if theme == "dark":
        notebook.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
    notebook.run_all()
    board, metric = notebook.board, notebook.board.locator("[data-cb=metric]")
    board.locator(HEAD).wait_for(timeout=60_000)
    assert "cb-dark" in board.get_attribute("class") if theme == "dark" else True
    before = metric.get_attribute("data-value")
    board.locator(HEAD).click()
    page.wait_for_function("before => document.querySelector('[data-cb=metric]').dataset.value !== before", arg=before)
    assert notebook.python("[str(edit.intervention.site) for edit in board.edits]") == ["3.0"]
    assert float(metric.get_attribute("data-value")) == pytest.approx(notebook.python("board.value"), abs=1e-9)
    page.wait_for_timeout(1000)
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"notebook7-{theme}.png")


def test_our_extension_for_jupyterlab_loads_here_too(notebook7, page):
    notebook7.open(page, notebook7.write_notebook("commands.ipynb", SETUP))
    assert page.evaluate("window.jupyterapp.hasPlugin('circuitboard:plugin')")
    assert page.evaluate("window.jupyterapp.commands.hasCommand('circuitboard:open')")
