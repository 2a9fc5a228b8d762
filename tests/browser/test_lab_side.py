"""The side panel, the form, and what brings a board about without a cell of one's own, in a real JupyterLab."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

SETUP = [
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(2, model=model))\nboard",
]
CLEAN = "When John and Mary went to the store, John gave the book to"
CORRUPTED = "When John and Mary went to the store, Mary gave the book to"
PATIENCE = 60_000


@pytest.fixture
def side(page):
    return page.locator('[data-cb="side"]')


@pytest.fixture
def form(page):
    return page.locator('[data-cb="form"]')


def test_with_no_cell_run_the_form_makes_a_board(open_notebook, side, form):
    notebook = open_notebook("")
    notebook.command("circuitboard:side")
    expect(side.locator('[data-cb="side-here"]')).to_have_attribute("data-state", "ready")
    expect(side.locator('[data-cb="side-empty"]')).to_be_visible()
    side.locator('[data-cb="side-new"]').click()
    form.get_by_label("Clean prompt").fill(CLEAN, timeout=PATIENCE)
    form.get_by_label("Corrupted prompt").fill(CORRUPTED)
    expect(form.locator(".cb-lab-differs")).to_have_count(2)
    answer = form.get_by_label("Right next token")
    answer.fill("Mary")
    expect(form.locator('[data-field="answer"] [data-cb="form-problem"]')).to_contain_text("With a space before it")
    expect(form.locator('[data-cb="form-create"]')).to_be_disabled()
    answer.fill(" Mary")
    form.get_by_label("Wrong next token").fill(" John")
    expect(form).to_have_attribute("data-state", "ready")
    assert notebook.python("'board' in globals()") is False
    form.locator('[data-cb="form-create"]').click()
    expect(form).to_have_count(0, timeout=PATIENCE)
    board = notebook.board
    expect(board.locator('[data-cb="metric"]')).to_be_visible(timeout=PATIENCE)
    assert notebook.python("In[-1]").startswith("import circuitboard as cb\nmodel = cb.load('demo')")
    row = side.locator('[data-cb="side-board"]')
    expect(row).to_contain_text("0 edits")
    board.locator('[data-cb="head"][data-layer="3"][data-head="0"]').click()
    expect(row).to_contain_text("1 edit ")
    assert notebook.python("len(board.edits)") == 1


def test_a_task_from_the_form_starts_as_the_settings_say(open_notebook, page, form):
    notebook = open_notebook("import circuitboard as cb\nmy_model = cb.load('demo')")
    notebook.run_all()
    page.evaluate(
        """async () => {
            const settings = { mode: "mean", liveMap: false, metric: "prob", updatesPerSecond: 10, memoryBudget: 64,
                colourMap: "purple-green" };
            const { serviceManager } = window.jupyterapp;
            await serviceManager.settings.save("circuitboard:plugin", JSON.stringify(settings));
        }"""
    )
    name = page.evaluate("() => window.cbTestNotebook.context.path")
    try:
        page.reload()
        page.wait_for_function("() => window.jupyterapp !== undefined")
        page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        page.evaluate(
            """async (path) => {
                window.cbTestNotebook = await window.jupyterapp.commands.execute("docmanager:open", { path });
                await window.cbTestNotebook.sessionContext.ready;
            }""",
            name,
        )
        notebook.command("circuitboard:new")
        expect(form.get_by_label("Model")).to_have_value("variable:my_model", timeout=PATIENCE)
        form.get_by_label("Prompts").first.select_option("task")
        form.get_by_label("Seed").fill("3")
        expect(form).to_have_attribute("data-state", "ready")
        form.locator('[data-cb="form-create"]').click()
        expect(form).to_have_count(0, timeout=PATIENCE)
        board = notebook.board
        expect(board.locator('[data-cb="mode"] [data-value="mean"]')).to_be_checked()
        assert "cb-colours-purple-green" in (board.get_attribute("class") or "")
        assert notebook.python(
            "(board.desk.lab.metric.name, board.prompts.n, board.pair.recipe.arguments['seed'])"
        ) == (
            "prob",
            8,
            3,
        )
        assert notebook.python("board.engine.budget_bytes") == 64 * 2**20
        view = "(lambda w: (w.session.view.live, w.session.view.mode))(__import__('circuitboard.widget', fromlist=['widget_of']).widget_of(board))"
        assert notebook.python(view) == (False, "mean")
    finally:
        page.evaluate(
            "() => window.jupyterapp.serviceManager.settings.save('circuitboard:plugin', '{}').then(() => null)"
        )


def test_the_selected_text_becomes_the_clean_prompt(open_notebook, form):
    source = f'text = "{CLEAN}"'
    notebook = open_notebook(source)
    notebook.page.evaluate(
        """(end) => {
            const { editor } = window.cbTestNotebook.content.activeCell;
            editor.setSelection({ start: { line: 0, column: 7 }, end: { line: 0, column: end } });
        }""",
        len(source),
    )
    notebook.command("circuitboard:new")
    expect(form.get_by_label("Clean prompt")).to_have_value(CLEAN, timeout=PATIENCE)


def test_a_board_of_another_notebook_is_listed_opened_and_found(lab, open_notebook, page, side):
    first = open_notebook(*SETUP)
    first.run_all()
    name = page.evaluate("() => window.cbTestNotebook.context.path")
    lab.write_notebook("other.ipynb", ["x = 1"])
    first.command("docmanager:open", {"path": "other.ipynb"})
    first.command("circuitboard:side")
    group = side.locator('[data-cb="side-kernel"]', has_text=name)
    expect(group.locator('[data-cb="side-board"]')).to_have_count(1)
    group.locator('[data-cb="side-open"]').click()
    expect(first.panel.locator('[data-cb="board"]')).to_be_visible(timeout=PATIENCE)
    group.locator('[data-cb="side-cell"]').click()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget === window.cbTestNotebook && window.cbTestNotebook.content.activeCellIndex === 1"
    )


def keeps_the_side_open(answer) -> bool:
    """Whether it is of the request that saved the page's layout with our side panel in front; a layout from before lists it too."""
    if "/api/workspaces/" not in answer.url or answer.request.method != "PUT":
        return False
    layout = json.loads(answer.request.post_data or "{}").get("data", {}).get("layout-restorer:data", {})
    return any(layout.get(area, {}).get("current") == "circuitboard-side" for area in ("left", "right"))


def test_after_a_page_reload_panel_and_side_are_there_with_their_state(lab, open_notebook, page, side):
    notebook = open_notebook(*SETUP)
    notebook.run_all()
    notebook.board.locator('[data-cb="head"][data-layer="3"][data-head="0"]').click()
    expect(notebook.board.locator('[data-cb="edit"]')).to_have_count(1)
    notebook.command("docmanager:save")
    notebook.command("circuitboard:open")
    expect(notebook.panel.locator('[data-cb="edit"]')).to_have_count(1)
    with page.expect_response(keeps_the_side_open, timeout=PATIENCE):
        notebook.command("circuitboard:side")
    page.goto(f"{lab.url}/lab?token={lab.token}")
    page.wait_for_function("() => window.jupyterapp !== undefined")
    panel = page.locator('[data-cb="lab-panel"]')
    expect(panel.locator('[data-cb="edit"]')).to_have_count(1, timeout=PATIENCE)
    expect(page.locator('[data-cb="lab-output"]')).to_have_attribute("data-state", "live", timeout=PATIENCE)
    expect(side.locator('[data-cb="side-board"]')).to_contain_text("1 edit ")


def test_a_kernel_without_the_package_is_told_what_to_install(open_notebook, side):
    notebook = open_notebook(
        "import sys\nsys.path = [one for one in sys.path if 'kernel_side' not in one]\n"
        "sys.meta_path = [one for one in sys.meta_path if 'editable' not in repr(one)]\n"
        "import importlib\nimportlib.invalidate_caches()\nfor name in [n for n in sys.modules if n.startswith('circuitboard')]: del sys.modules[name]"
    )
    notebook.run_all()
    if notebook.python("__import__('importlib.util', fromlist=['find_spec']).find_spec('circuitboard') is not None"):
        pytest.skip("this environment finds the package in a way that the test cannot take away")
    notebook.command("circuitboard:side")
    here = side.locator('[data-cb="side-here"]')
    expect(here).to_have_attribute("data-state", "no-package")
    expect(here.locator("pre")).to_have_text("%pip install circuitboard")


def test_a_server_without_our_extension_is_named(open_notebook, page, side):
    page.route("**/circuitboard/api/boards*", lambda route: route.fulfill(status=404, body="{}"))
    notebook = open_notebook("x = 1")
    notebook.command("circuitboard:side")
    expect(side.locator('[data-cb="side-missing"]')).to_contain_text("server extension", timeout=PATIENCE)


def test_the_example_is_copied_once_and_never_written_over(lab, open_notebook):
    notebook = open_notebook("x = 1")
    copy = lab.folder / "circuitboard-first-click.ipynb"
    copy.unlink(missing_ok=True)
    notebook.command("circuitboard:example")
    example = json.loads(copy.read_text())
    assert any("cb.Board" in "".join(cell["source"]) for cell in example["cells"])
    copy.write_text(copy.read_text().replace("First click", "My own words"))
    notebook.command("circuitboard:example")
    assert "My own words" in copy.read_text()


def test_the_palette_offers_every_command(open_notebook):
    notebook = open_notebook("x = 1")
    notebook.command("apputils:activate-command-palette")
    palette = notebook.page.locator("#command-palette")
    palette.locator("input").fill("Circuitboard")
    for command in ("open", "side", "new", "example", "keys"):
        expect(palette.locator(f'[data-command="circuitboard:{command}"]')).to_contain_text("Circuitboard:")


def test_the_keyboard_map_is_shown_by_the_board_itself(open_notebook):
    notebook = open_notebook(*SETUP)
    notebook.run_all()
    expect(notebook.board.locator('[data-cb="metric"]')).to_be_visible()
    notebook.command("circuitboard:keys")
    expect(notebook.page.get_by_role("dialog")).to_be_visible()
