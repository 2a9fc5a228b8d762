"""Promise 18 and the saved notebook: without its kernel a board's output shows what was last seen, and the way back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import SHUT_DOWN, page_of

SETUP = [
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(2, model=model))\nboard",
]
KEPT = """(words) => {
    for (const cell of window.cbTestNotebook.content.widgets) {
        const { outputs } = cell.model;
        for (let i = 0; outputs !== undefined && i < outputs.length; i += 1) {
            const html = (outputs.get(i).toJSON().data ?? {})["text/html"];
            if (typeof html === "string" && html.includes("<svg") && html.includes(words)) return true;
        }
    }
    return false;
}"""
PATIENCE = 60_000


def html_of(notebook: dict) -> str:
    (html,) = [
        "".join(output["data"]["text/html"])
        for cell in notebook["cells"]
        for output in cell["outputs"]
        if "text/html" in output.get("data", {})
    ]
    return html


@pytest.fixture(scope="module")
def live(lab, chromium):
    """A notebook that was run, clicked and saved, and the board's value."""
    page = page_of(chromium, [])
    notebook = lab.open(page, lab.write_notebook("saved.ipynb", SETUP))
    notebook.run_all()
    board = notebook.board
    board.locator('[data-cb="head"][data-layer="3"][data-head="0"]').click()
    board.locator('[data-cb="edit"]').wait_for()
    # What the kernel first displayed knew neither the map nor the edit.
    page.wait_for_function(KEPT, arg="zero 3.0", timeout=PATIENCE)
    expect(board).to_have_count(1)
    value = notebook.python("board.value")
    notebook.command("docmanager:save")
    yield notebook, value
    page.evaluate(SHUT_DOWN)
    page.context.close()


@pytest.fixture
def saved(lab, live, request):
    """The saved notebook, as a file that is this test's own, and what it holds."""
    text = (lab.folder / "saved.ipynb").read_text()
    name = f"{request.node.name}.ipynb"
    (lab.folder / name).write_text(text)
    return name, json.loads(text)


def test_the_saved_output_carries_the_map_the_edits_and_the_way_back(saved):
    html = html_of(saved[1])
    for words in ("<svg", "zero 3.0", "Largest effects", "cb.Board.load"):
        assert words in html
    assert "<script" not in html
    assert len(html.encode()) < 200_000


def test_reopened_with_a_fresh_kernel_it_shows_the_picture_and_comes_back_with_one_click(lab, live, saved, page):
    value = live[1]
    notebook = lab.open(page, saved[0])
    output = page.locator('[data-cb="lab-output"]')
    expect(output).to_have_attribute("data-state", "still")
    expect(output.locator('[data-cb="still"] svg').first).to_be_visible()
    expect(output.locator('[data-cb="still"] table').first).to_be_visible()
    expect(output.locator('[data-cb="lab-bar"]')).to_contain_text("this kernel does not have it")
    # Jupyter's own renderer is still looking for the widget; what it finds must not be seen.
    page.wait_for_function(
        "() => document.querySelector('[data-cb=\"lab-output\"] .cb-lab-live')?.textContent.includes('not found')",
        timeout=PATIENCE,
    )
    expect(page.get_by_text("model not found")).to_be_hidden()
    assert notebook.python("'circuitboard' in __import__('sys').modules") is False, "opening runs nothing"
    output.locator('[data-cb="lab-reload-saved"]').click()
    expect(output).to_have_attribute("data-state", "live", timeout=PATIENCE)
    expect(notebook.board.locator('[data-cb="edit"]')).to_have_count(1, timeout=PATIENCE)
    shown = float(notebook.board.locator('[data-cb="metric"]').get_attribute("data-value"))
    assert shown == pytest.approx(value, abs=1e-4)
    assert notebook.python("board.value") == pytest.approx(value, abs=1e-5)


def test_when_its_kernel_is_shut_down_the_board_says_that_it_is_gone(live):
    page = live[0].page
    page.evaluate(SHUT_DOWN)
    expect(page.locator('[data-cb="lab-output"]')).to_have_attribute("data-state", "gone")


def test_without_any_kernel_the_picture_is_there(lab, saved, page):
    name, text = saved
    # No kernel of the language is installed, so JupyterLab asks for one.
    text["metadata"] = {"kernelspec": {"name": "no-such", "display_name": "None", "language": "no-such"}}
    (lab.folder / name).write_text(json.dumps(text))
    output = page.locator('[data-cb="lab-output"]')
    page.goto(f"{lab.url}/lab/tree/{name}?token={lab.token}&reset")
    page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").or_(
        page.locator(".jp-Dialog .jp-mod-reject")
    ).first.click(timeout=PATIENCE)
    expect(output).to_have_attribute("data-state", "still", timeout=PATIENCE)
    # Changed on disk, it is not trusted any more: the picture comes as an image.
    expect(output.locator(".cb-lab-picture img")).to_be_visible()
    expect(output.locator("table").first).to_be_visible()
    expect(output.locator('[data-cb="lab-bar"]')).to_contain_text("as it was saved")


def test_what_is_not_trusted_is_shown_as_a_picture_that_cannot_act(lab, saved, page):
    name, text = saved
    for cell in text["cells"]:
        for output in cell["outputs"]:
            html = "".join(output["data"]["text/html"])
            evil = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
            output["data"]["text/html"] = html.replace("<svg", f"{evil}<svg onload='window.hacked = 1'", 1)
    (lab.folder / name).write_text(json.dumps(text))
    lab.open(page, name)
    output = page.locator('[data-cb="lab-output"]')
    expect(output).to_have_attribute("data-state", "still")
    expect(output.locator('[data-cb="lab-bar"]')).to_contain_text("Trust this notebook")
    expect(output.locator(".cb-lab-picture img")).to_be_visible()
    expect(output.locator("table").first).to_be_visible()
    expect(output.locator("button")).to_have_count(0)
    expect(output.locator('[data-cb="board"]')).to_have_count(0)
    assert page.evaluate("() => window.hacked") is None


def test_as_a_page_it_is_read_with_javascript_off(lab, saved, chromium, tmp_path):
    convert(lab.folder / saved[0], tmp_path / "saved.html")
    with_scripts_off(chromium, tmp_path / "saved.html", "zero 3.0")


def test_run_by_nbconvert_it_carries_the_map_too(lab, chromium, tmp_path):
    name = lab.write_notebook("run-by-nbconvert.ipynb", [SETUP[0], SETUP[1] + ".edit(cb.head(3, 0).zero())\nboard"])
    convert(lab.folder / name, tmp_path / "run.html", "--execute")
    with_scripts_off(chromium, tmp_path / "run.html", "zero 3.0")


def convert(notebook: Path, page: Path, *options: str) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", f"--output={page}", *options, str(notebook)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr


def with_scripts_off(chromium, path: Path, words: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        still = page.locator('[data-cb="still"]')
        expect(still).to_be_visible()
        expect(still.locator("svg").first).to_be_visible()
        expect(still.locator("table").first).to_be_visible()
        expect(still).to_contain_text(words)
    finally:
        context.close()
