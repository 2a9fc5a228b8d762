"""The panel beside the notebook, in a real JupyterLab: it shows the kernel's newest board, or says what to do."""

from playwright.sync_api import expect

OPEN = "circuitboard:open"
MAKE_BOARD = "import circuitboard as cb\nmodel = cb.load('demo')\nboard = cb.Board(model, cb.tasks.ioi(2, model=model))"


def wait_for_value(notebook, value):
    """Wait until the board in the panel shows this value of the metric."""
    notebook.page.wait_for_function(
        """value => {
            const shown = document.querySelector('[data-cb="lab-panel"] [data-cb="metric"]');
            return shown !== null && Math.abs(Number(shown.dataset.value) - value) < 1e-4;
        }""",
        arg=value,
    )


def test_without_a_board_the_panel_gives_the_lines_to_run(open_notebook):
    notebook = open_notebook("x = 1")
    names = notebook.python("sorted(globals())")
    notebook.command(OPEN)
    expect(notebook.panel).to_have_attribute("data-state", "empty")
    expect(notebook.panel.locator("pre")).to_contain_text("cb.Board(model")
    assert notebook.python("sorted(globals())") == names, "the question must leave no name behind"


def test_the_toolbar_button_shows_the_board_beside_the_notebook(open_notebook):
    notebook = open_notebook(MAKE_BOARD)
    notebook.run_all()
    notebook.page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='circuitboard-open'] jp-button").click()
    expect(notebook.panel).to_have_attribute("data-state", "showing")
    expect(notebook.panel.locator('[data-cb="board"]')).to_be_visible()
    beside = notebook.panel.bounding_box()
    of_notebook = notebook.page.locator(".jp-NotebookPanel").bounding_box()
    assert beside["x"] >= of_notebook["x"] + of_notebook["width"] - 1
    assert notebook.python("len(In)") == 2, "the question must not enter the history"


def test_a_board_made_later_appears_and_a_newer_one_takes_its_place(open_notebook):
    notebook = open_notebook("x = 1")
    notebook.command(OPEN)
    expect(notebook.panel).to_have_attribute("data-state", "empty")
    notebook.run_cell(MAKE_BOARD)
    wait_for_value(notebook, notebook.python("board.value"))
    notebook.run_cell("board = cb.Board(model, cb.tasks.ioi(2, seed=5, model=model), base='corrupted')")
    wait_for_value(notebook, notebook.python("board.value"))
    expect(notebook.panel.locator('[data-cb="board"]')).to_have_count(1)


def test_after_a_restart_the_panel_says_so_and_comes_back_with_the_next_board(open_notebook):
    notebook = open_notebook(MAKE_BOARD)
    notebook.run_all()
    notebook.command(OPEN)
    expect(notebook.panel.locator('[data-cb="board"]')).to_be_visible()
    notebook.restart_kernel()
    expect(notebook.panel).to_have_attribute("data-state", "restarted")
    expect(notebook.panel).to_contain_text("run your board's cell again")
    notebook.panel.locator('[data-cb="lab-reload"]').click()
    expect(notebook.panel).to_have_attribute("data-state", "empty")
    expect(notebook.panel.locator('[data-cb="board"]')).to_have_count(0)
    notebook.run_all()
    expect(notebook.panel.locator('[data-cb="board"]')).to_be_visible(timeout=20_000)


def test_opening_again_goes_to_the_same_panel(open_notebook):
    notebook = open_notebook("x = 1")
    notebook.command(OPEN)
    notebook.page.evaluate("() => window.jupyterapp.shell.activateById(window.cbTestNotebook.id)")
    notebook.command(OPEN)
    expect(notebook.panel).to_have_count(1)


def test_the_palette_offers_the_command(open_notebook):
    notebook = open_notebook("x = 1")
    notebook.command("apputils:activate-command-palette")
    palette = notebook.page.locator("#command-palette")
    palette.locator("input").fill("Circuitboard")
    expect(palette.locator(f'[data-command="{OPEN}"]')).to_contain_text("Circuitboard: open for this notebook")
