"""The first example as a new user meets it: run all cells, click, and the number is what plain hooks give."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

import circuitboard as cb
from tests.oracle import hooked_logits, logit_diff

EXAMPLE = Path(__file__).parents[2] / "examples" / "01_first_click.ipynb"
SETUP = [
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    (
        "pair = cb.PromptPair('When John and Mary went to the store, John gave the book to',\n"
        "    'When John and Mary went to the store, Mary gave the book to', answer=' Mary', wrong=' John',\n"
        "    labels={'IO': 4, 'S2': 10, 'END': -1})\nboard = cb.Board(model, pair)\nboard"
    ),
]


@pytest.fixture(scope="module")
def model():
    return cb.load("demo")


def _expected(model, *edits):
    """The metric of the example's prompts by plain hooks."""
    tokens = model.to_tokens("When John and Mary went to the store, John gave the book to")
    source = model.to_tokens("When John and Mary went to the store, Mary gave the book to")
    answer, wrong = model.to_single_token(" Mary"), model.to_single_token(" John")
    return float(logit_diff(hooked_logits(model, tokens, source, edits), [answer], [wrong]))


def _value(board):
    return float(board.locator('[data-cb="metric"]').get_attribute("data-value"))


def _wait_for_value(board, expected, tolerance=1e-4):
    board.page.wait_for_function(
        """([board, expected, tolerance]) => {
            const shown = Number(board.querySelector('[data-cb="metric"]').dataset.value);
            return Math.abs(shown - expected) <= tolerance;
        }""",
        arg=[board.element_handle(), expected, tolerance],
        timeout=15_000,
    )


def _head(board, layer, head):
    return board.locator(f'[data-cb="head"][data-layer="{layer}"][data-head="{head}"]')


def _wait_for_map(board):
    board.page.wait_for_function(
        """(board) => {
            const cells = [...board.querySelectorAll('[data-cb="head"]')];
            return cells.length > 0 && cells.every((cell) => cell.dataset.effect !== '');
        }""",
        arg=board.element_handle(),
        timeout=30_000,
    )


@pytest.fixture
def notebook(run_cells):
    notebook = run_cells(*SETUP)
    notebook.board.locator('[data-cb="metric"]').wait_for()
    return notebook


def test_the_first_example_runs_and_answers_a_click(lab, page, model):
    (lab.folder / EXAMPLE.name).write_text(EXAMPLE.read_text())
    notebook = lab.open(page, EXAMPLE.name)
    notebook.run_all()
    board = notebook.board.first
    before = notebook.python("board.value")
    _wait_for_value(board, before)
    _head(board, 3, 0).click()
    _wait_for_value(board, _expected(model, cb.head(3, 0).zero()))
    _head(board, 3, 0).click()
    _wait_for_value(board, _expected(model))
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def test_click_undo_redo_and_python_agree(notebook, model):
    board = notebook.board
    clean = _expected(model)
    _wait_for_value(board, clean)
    edited = _expected(model, cb.head(0, 3).zero())

    _head(board, 0, 3).click()
    _wait_for_value(board, edited)
    assert _head(board, 0, 3).get_attribute("aria-pressed") == "true"
    assert board.locator('[data-cb="edit"]').count() == 1
    assert notebook.python("board.value") == pytest.approx(edited, abs=1e-4)

    board.locator('[data-cb="undo"]').click()
    _wait_for_value(board, clean)
    board.locator('[data-cb="redo"]').click()
    _wait_for_value(board, edited)

    notebook.run_cell("board.edit(cb.head(0, 1).zero())")
    _wait_for_value(board, _expected(model, cb.head(0, 3).zero(), cb.head(0, 1).zero()))
    assert _head(board, 0, 1).get_attribute("aria-pressed") == "true"
    assert board.locator('[data-cb="edit"]').count() == 2

    board.locator('[data-cb="edit-toggle"]').first.click()
    _wait_for_value(board, _expected(model, cb.head(0, 1).zero()))
    board.locator('[data-cb="edit-remove"]').first.click()
    board.page.wait_for_function("() => document.querySelectorAll('[data-cb=\"edit\"]').length === 1")
    _wait_for_value(board, _expected(model, cb.head(0, 1).zero()))
    board.locator('[data-cb="clear"]').click()
    _wait_for_value(board, clean)


def test_patch_at_chosen_positions_and_on_the_other_base(notebook, model):
    board = notebook.board
    board.locator('[data-cb="mode"] >> text="patch"').click()
    board.locator('[data-cb="token"][data-pos="14"]').click()
    board.page.wait_for_function(
        "() => document.querySelector('[data-cb=\"token\"][data-pos=\"14\"]').ariaPressed === 'true'"
    )
    _head(board, 3, 0).click()
    _wait_for_value(board, _expected(model, cb.head(3, 0).at(14).patch()))
    board.locator('[data-cb="base"] >> text="corrupted"').click()
    notebook.revision()
    assert notebook.python("board.base") == "corrupted"
    _wait_for_value(board, notebook.python("board.value"))


def test_residual_cells_patch_one_layer_at_one_position(notebook, model):
    board = notebook.board
    board.locator('[data-cb="mode"] >> text="patch"').click()
    board.get_by_role("tab", name="Residual").click()
    cell = board.locator('[data-cb="cell"][data-site="resid_pre"][data-layer="1"][data-pos="10"]')
    cell.click()
    _wait_for_value(board, _expected(model, cb.resid_pre(1).at(10).patch()))
    assert cell.get_attribute("aria-pressed") == "true"


def test_the_map_and_the_tokens_are_the_boards_own_numbers(notebook):
    board = notebook.board
    _wait_for_map(board)
    effects = notebook.python("board.sweep('head', how='zero').effect.tolist()")
    for layer, row in enumerate(effects):
        for head, effect in enumerate(row):
            assert float(_head(board, layer, head).get_attribute("data-effect")) == pytest.approx(effect, abs=1e-3)
    tokens = notebook.python("board.top_tokens(3).head(3)[['token', 'prob']].values.tolist()")
    for shown, (token, prob) in zip(board.locator('[data-cb="top-token"]').all(), tokens, strict=False):
        assert shown.get_attribute("data-token") == token
        assert float(shown.get_attribute("data-prob")) == pytest.approx(prob, abs=1e-4)


def test_clicks_are_answered_while_a_cell_runs(lab, notebook, model):
    board = notebook.board
    told = lab.folder / "told"
    told.unlink(missing_ok=True)
    notebook.run_cell(
        f"import pathlib, time\nwhile not pathlib.Path({str(told)!r}).exists(): time.sleep(0.01)", wait=False
    )
    expect(board.page.locator(".jp-NotebookPanel .jp-InputPrompt").last).to_have_text("[*]:")
    _head(board, 0, 3).click()
    _wait_for_value(board, _expected(model, cb.head(0, 3).zero()))
    assert board.page.locator(".jp-NotebookPanel .jp-InputPrompt").last.inner_text() == "[*]:"
    told.touch()
    expect(board.page.locator(".jp-NotebookPanel .jp-InputPrompt").last).not_to_have_text("[*]:")


def test_copied_code_gives_the_same_number(notebook):
    board, page = notebook.board, notebook.page
    _head(board, 0, 3).click()
    page.wait_for_function("() => document.querySelector('[data-cb=\"edit\"]') !== null")
    code = notebook.copied(board.locator('[data-cb="copy-code"]'))
    assert code.startswith("import circuitboard")
    value = notebook.python("board.value")
    notebook.run_cell(code.replace("board =", "pasted =").replace("board.", "pasted.").replace("\nboard\n", "\n"))
    assert notebook.python("pasted.value") == pytest.approx(value, abs=1e-5)


def test_a_refused_click_says_why_and_changes_nothing(run_cells):
    notebook = run_cells(
        SETUP[0], "board = cb.Board(model, cb.PromptPair('When John', answer=' Mary', wrong=' John'))\nboard"
    )
    board = notebook.board
    _wait_for_value(board, notebook.python("board.value"))
    patch = board.locator('[data-cb="mode"] >> text="patch"')
    assert patch.is_disabled()
    notebook.run_cell(
        "try:\n    board.edit(cb.head(99, 0).zero())\nexcept cb.CircuitboardError as error:\n    code = error.code"
    )
    assert notebook.python("code") == "layer_out_of_range"
    assert board.locator('[data-cb="edit"]').count() == 0


def test_hostile_tokens_make_no_element(run_cells):
    notebook = run_cells(
        SETUP[0],
        "import circuitboard.prompts.prompts as prompts\n"
        "hostile = ['<script>window.hacked=1</script>', '<img src=x onerror=window.hacked=1>', '</textarea><svg onload=window.hacked=1>', '\\u202egnp.exe', 'a\\0b']\n"
        "pair = cb.PromptPair('When John and Mary went to the store, John gave the book to', answer=' Mary', wrong=' John')\n"
        "import dataclasses\n"
        "bound = pair.bind(model)\n"
        "evil = dataclasses.replace(bound, token_str=lambda i: hostile[i % 5], answer_str=[hostile[0]], wrong_str=[hostile[1]])\n"
        "class Evil(cb.PromptPair):\n    def bind(self, model):\n        return evil\n"
        "board = cb.Board(model, Evil('When John', answer=' Mary'))\nboard",
    )
    board = notebook.board
    _wait_for_value(board, notebook.python("board.value"))
    _head(board, 3, 0).hover()
    _head(board, 3, 0).click()
    board.locator('[data-cb="edit"]').wait_for()
    assert board.page.evaluate("() => window.hacked") is None
    assert board.locator("script, img, textarea").count() == 0


def test_pictures_in_both_themes(notebook):
    """Screenshots for people to look at; the one in the README is this one."""
    board, page = notebook.board, notebook.page
    folder = Path(__file__).parent / "pictures"
    folder.mkdir(exist_ok=True)
    _wait_for_map(board)
    _head(board, 3, 0).click()
    board.locator('[data-cb="edit"]').wait_for()
    _wait_for_map(board)
    page.mouse.move(5, 5)
    try:
        for theme in ("light", "dark"):
            notebook.command("apputils:change-theme", {"theme": f"JupyterLab {theme.title()}"})
            expect(board).to_contain_class(f"cb-{theme}")
            picture = folder / f"board-{theme}.png"
            board.screenshot(path=picture)
            assert picture.stat().st_size > 10_000
        background = board.evaluate(
            "(board) => getComputedStyle(board.querySelector('.cb-board') ?? board).backgroundColor"
        )
    finally:
        notebook.command("apputils:change-theme", {"theme": "JupyterLab Light"})
    assert background not in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
