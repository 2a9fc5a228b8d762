"""The panel beside a notebook in VS Code: the built extension, a real kernel, a real page under the extension's policy."""

from __future__ import annotations

import base64
import contextlib
import time
from pathlib import Path

import pytest

from tests.browser.vscode_host import ADDRESS, SETUP, STAGE, VSCode
from tests.kernel.front_end import FrontEnd

PICTURES = Path(__file__).parent / "pictures"


def head(layer, number):
    return f"[data-cb=head][data-layer='{layer}'][data-head='{number}']"


@pytest.fixture(scope="module")
def kernel():
    """The kernel of all tests but those that end it, or want one that is new."""
    kernel = FrontEnd()
    yield kernel
    kernel.stop()


@pytest.fixture
def new_kernel():
    kernel = FrontEnd()
    yield kernel
    kernel.stop()


@pytest.fixture
def host_of(page):
    if not (STAGE / "dist/extension.js").is_file():
        pytest.skip("the VS Code extension is not built: npm run build:vscode")
    page.set_viewport_size({"width": 720, "height": 1100})
    with contextlib.ExitStack() as hosts:
        yield lambda kernel: hosts.enter_context(VSCode(page, kernel))


@pytest.fixture
def beside(host_of, kernel):
    """The panel, open on a board of the demo model."""
    yield opened_beside(host_of(kernel))
    kernel.run("board.close()")


def opened_beside(host):
    host.kernel.run(SETUP)
    host.run("circuitboard.openBeside")
    host.open_page("light")
    host.settle()
    host.pump(lambda: host.page.locator(head(3, 7)).is_visible())
    return host


def value(host):
    return float(host.page.get_attribute("[data-cb=metric]", "data-value"))


def click(host, selector):
    host.pump(lambda: host.page.locator(selector).is_visible())
    host.page.click(selector)
    host.pause(0.05)
    host.settle()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_click_beside_the_notebook_is_a_run_of_the_model(beside, theme):
    beside.wear(theme)
    before = value(beside)
    click(beside, head(3, 0))
    beside.pump(lambda: value(beside) != before)
    assert value(beside) == pytest.approx(float(beside.kernel.run("print(board.value)")), abs=1e-9)
    assert beside.kernel.run("print([str(e.intervention.site) for e in board.edits])") == "['3.0']"
    assert beside.page.locator(f"[data-cb=board].cb-{theme}").count() == 1
    PICTURES.mkdir(exist_ok=True)
    beside.page.screenshot(path=PICTURES / f"vscode-beside-{theme}.png", full_page=True)
    click(beside, "[data-cb=undo]")
    beside.pump(lambda: value(beside) == before)


def test_an_edit_in_the_notebook_moves_the_panel(beside):
    before = value(beside)
    beside.kernel.run("_ = board.edit(cb.head(2, 1).zero())")
    beside.pump(lambda: value(beside) != before)
    assert beside.page.locator("[data-cb=edit]").count() == 1


def test_nothing_is_fetched_no_rule_is_broken_and_the_notebook_is_remembered(beside):
    click(beside, head(1, 2))
    beside.page.hover(head(0, 0))
    beside.pause(0.5)
    assert beside.page.evaluate("violations") == []
    assert [url for url in beside.asked if not url.startswith(("blob:", ADDRESS))] == []
    assert beside.page.evaluate("keptState") == {"notebook": "file:///notebooks/live.ipynb"}


def test_a_restarted_kernel_is_told_of_and_the_next_board_is_shown(host_of, new_kernel, record_property):
    beside = opened_beside(host_of(new_kernel))
    begun = time.monotonic()
    beside.lose_kernel("restarting")
    status = beside.page.locator("#status")
    beside.pump(status.is_visible)
    beside.pump(lambda: beside.page.get_attribute("[data-cb=board]", "data-state") == "disconnected")
    record_property("disconnected_s", time.monotonic() - begun)
    assert "run the board's cell again" in status.inner_text()
    assert status.get_by_role("button", name="Run All Cells").is_visible()
    PICTURES.mkdir(exist_ok=True)
    beside.page.screenshot(path=PICTURES / "vscode-beside-restarted.png")
    beside.start_kernel()
    beside.pump(lambda: "has no board any more" in status.inner_text())
    beside.kernel.run(SETUP)
    beside.pump(status.is_hidden)
    beside.settle()
    click(beside, head(0, 1))
    assert beside.kernel.run("print(len(board.edits))") == "1"


def test_behind_a_running_cell_the_panel_says_that_clicks_wait(beside):
    # What the host asks behind it blocks this thread, so it has to end by itself.
    cell = beside.kernel.start("import time; time.sleep(4)")
    status = beside.page.locator("#status")
    beside.pump(status.is_visible)
    assert "running a cell" in status.inner_text()
    assert beside.page.locator(head(2, 2)).is_visible()
    beside.page.click(head(2, 2))
    beside.pump(lambda: cell.ended_at)
    beside.pump(status.is_hidden)
    beside.pump(lambda: beside.page.locator("[data-cb=edit]").count() == 1)
    assert beside.kernel.run("print([str(e.intervention.site) for e in board.edits])") == "['2.2']"


def test_without_a_board_the_panel_offers_to_make_one(host_of, new_kernel):
    vscode = host_of(new_kernel)
    vscode.kernel.run("import circuitboard")
    vscode.run("circuitboard.openBeside")
    vscode.open_page("dark")
    status = vscode.page.locator("#status")
    vscode.pump(lambda: "no board yet" in status.inner_text())
    assert status.get_by_role("button", name="Make a Board").is_visible()
    vscode.kernel.run(SETUP)
    vscode.pump(status.is_hidden)
    vscode.pump(lambda: vscode.page.locator(head(0, 0)).is_visible())


def test_a_file_made_in_the_panel_is_handed_to_vscode_which_asks_where_to_save_it(beside):
    click(beside, "[data-cb=export-button]")
    click(beside, "[data-cb=export-item][data-value=svg]")
    saved = beside.pump(lambda: [message for message in beside.from_page if message["kind"] == "save"])
    assert saved[0]["name"].endswith(".svg")
    assert base64.b64decode(saved[0]["data"]).startswith((b"<svg", b"<?xml"))
    assert beside.page.evaluate("violations") == []
