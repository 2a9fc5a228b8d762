"""Edits, groups, sliders, history and comparison in a real JupyterLab: every number is the board's own in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.lab import LabNotebook

CELLS = (
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(8, seed=0, model=model))\nboard.edit(cb.head(1, 1).scale(0.5))\nboard",
)


def _close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-4, abs=2e-5)


@pytest.fixture
def notebook(run_cells):
    opened = run_cells(*CELLS)
    opened.board.locator('[data-cb="metric"]').wait_for()
    return opened


def _cb(notebook: LabNotebook, name: str) -> Locator:
    return notebook.board.locator(f'[data-cb="{name}"]')


def _settled(notebook: LabNotebook) -> None:
    """Wait until the panel shows the board's revision, its map and every effect."""
    notebook.page.wait_for_function(
        """([board, revision]) => board.dataset.state === "idle" && board.dataset.revision === String(revision)
            && board.querySelector(".cb-cell.cb-stale, [data-stale=true]") === null
            && [...board.querySelectorAll('[data-cb="edit"]:not(.cb-edit-off)')].every((row) => row.dataset.effect !== "")""",
        arg=[notebook.board.element_handle(), notebook.revision()],
        timeout=30_000,
    )


def _click_head(notebook: LabNotebook, layer: int, head: int) -> None:
    edits = _cb(notebook, "edit").count()
    notebook.board.locator(f'[data-cb="head"][data-layer="{layer}"][data-head="{head}"]').click()
    _cb(notebook, "edit").nth(edits).wait_for()
    _settled(notebook)


def _number(found: Locator, name: str) -> float:
    return float(found.get_attribute(f"data-{name}") or "nan")


def test_edits_are_grouped_named_and_switched_as_one(notebook):
    _click_head(notebook, 2, 0)
    _click_head(notebook, 3, 1)
    notebook.board.get_by_role("button", name="Arrange").click()
    for mark in (1, 2):
        _cb(notebook, "edit-mark").nth(mark).check()
    notebook.board.get_by_label("Name of the group").fill("name movers")
    notebook.board.get_by_role("button", name="Group", exact=True).click()
    _cb(notebook, "edit-group").wait_for()
    _settled(notebook)
    assert notebook.python("board.history.state.groups") == {"name movers": (1, 2)}
    value = notebook.python("board.value")
    shown = _number(_cb(notebook, "edit-group"), "effect")
    _cb(notebook, "group-toggle").click()
    notebook.board.locator('[data-cb="group-toggle"][aria-checked="false"]').wait_for()
    _settled(notebook)
    assert notebook.python("[edit.enabled for edit in board.edits]") == [True, False, False]
    assert shown == _close(value - notebook.python("board.value"))
    _cb(notebook, "group-name").focus()
    notebook.page.keyboard.press("F2")
    _cb(notebook, "name-field").fill("movers")
    notebook.page.keyboard.press("Enter")
    notebook.board.locator('[data-cb="edit-group"][data-name="movers"]').wait_for()
    assert notebook.python("board.history.state.groups") == {"movers": (1, 2)}
    _cb(notebook, "edit-name").first.focus()
    notebook.page.keyboard.press("Control+z")
    notebook.page.keyboard.press("Control+z")
    notebook.board.locator('[data-cb="group-toggle"][aria-checked="true"]').wait_for()
    _settled(notebook)
    assert notebook.python("board.value") == _close(value)


def test_a_slider_is_dragged(notebook):
    """The last strength is the one that is drawn, on a map of that state, and the drag is one step."""
    nodes = notebook.python("len(board.history.nodes)")
    slider = _cb(notebook, "edit-slider")
    box = slider.bounding_box()
    assert box is not None
    mouse, y = notebook.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 0.25, y)
    mouse.down()
    for step in range(60):
        mouse.move(box["x"] + box["width"] * (0.25 + 0.7 * step / 59), y)
        notebook.page.evaluate("() => new Promise(requestAnimationFrame)")
    mouse.move(box["x"] + box["width"] * 0.75, y)
    mouse.up()
    wanted = float(slider.input_value())
    assert wanted > 1
    notebook.page.wait_for_function(
        "([field, wanted]) => Number(field.value) === wanted",
        arg=[_cb(notebook, "edit-strength").element_handle(), wanted],
    )
    _settled(notebook)
    assert notebook.python("board.edits[0].intervention.strength") == pytest.approx(wanted)
    assert notebook.python("len(board.history.nodes)") == nodes + 1
    assert _number(_cb(notebook, "metric"), "value") == _close(notebook.python("board.value"))
    cells = notebook.board.locator('[data-cb="head"]')
    drawn = cells.evaluate_all(
        "(cells) => cells.map((cell) => [+cell.dataset.layer, +cell.dataset.head, +cell.dataset.effect])"
    )
    expected = notebook.python("board.sweep('head', how='zero').effect.tolist()")
    for layer, head, effect in drawn:
        if (layer, head) != (1, 1):
            assert effect == _close(expected[layer][head])
    notebook.board.locator('[data-cb="undo"]').click()
    notebook.board.locator('[data-cb="edit-strength"]').wait_for()
    _settled(notebook)
    assert notebook.python("board.edits[0].intervention.strength") == 0.5


def test_before_and_after_are_compared_and_restored(notebook):
    _click_head(notebook, 2, 0)
    notebook.board.get_by_role("button", name="Compare with clean run").click()
    notebook.board.locator('[data-cb="compare-states"][data-status="shown"]').wait_for()
    comparison = "board.compare_states()"
    assert _number(_cb(notebook, "compare-left-value"), "value") == _close(notebook.python("board.baselines.clean"))
    assert _number(_cb(notebook, "compare-right-value"), "value") == _close(notebook.python("board.value"))
    change = _cb(notebook, "compare-change")
    assert _number(change, "value") == _close(notebook.python(f"{comparison}.change.mean"))
    assert _number(change, "stderr") == _close(notebook.python(f"{comparison}.change.stderr"))
    top = notebook.python(f"[float(x) for x in {comparison}.tokens(8).iloc[0][['left_prob', 'right_prob']]]")
    token = _cb(notebook, "compare-token").first
    assert [_number(token, "left"), _number(token, "right")] == _close(top)
    first = notebook.python(f"[float(x) for x in {comparison}.table.iloc[0][['prompt', 'change']]]")
    prompt = _cb(notebook, "compare-prompt").first
    assert [_number(prompt, "prompt"), _number(prompt, "change")] == _close(first)

    notebook.board.get_by_role("button", name="Compute both maps").click()
    _cb(notebook, "compare-maps-shown").wait_for()
    told = _cb(notebook, "compare-cell").evaluate_all(
        "(found) => found.map((row) => [row.dataset.site, +row.dataset.change])"
    )
    effects = dict(
        notebook.python(
            "list(board.compare_states(over='head', how='zero').effects[['site', 'change']].itertuples(index=False, name=None))"
        )
    )
    edited = {"1.1", "2.0"}
    assert len(told) == 5
    for site, found in told:
        if site not in edited:
            assert found == _close(effects[site])

    # Shift-click compares another state; Escape closes; a click restores.
    notebook.board.locator('[data-cb="history-node"][data-node="1"]').click(modifiers=["Shift"])
    notebook.page.wait_for_function(
        "([field]) => field.value === '1'", arg=[_cb(notebook, "compare-left").element_handle()]
    )
    assert notebook.python("board.history.current") == 2
    _cb(notebook, "compare-left").press("Escape")
    _cb(notebook, "compare-states").wait_for(state="detached")
    notebook.board.locator('[data-cb="history-node"][data-node="1"]').click()
    notebook.board.locator('[data-cb="history-node"][data-node="1"][aria-current="true"]').wait_for()
    _settled(notebook)
    assert notebook.python("board.history.current") == 1
    notebook.page.keyboard.press("F2")
    _cb(notebook, "name-field").fill("half of 1.1")
    notebook.page.keyboard.press("Enter")
    notebook.board.locator('[data-cb="history-node"]', has_text="half of 1.1").wait_for()
    assert notebook.python("board.history.nodes[1].note") == "half of 1.1"
    notebook.page.keyboard.press("ArrowUp")
    notebook.page.keyboard.press("Enter")
    notebook.board.locator('[data-cb="history-node"][data-node="0"][aria-current="true"]').wait_for()


def test_an_edit_is_dragged_by_its_handle(notebook):
    _click_head(notebook, 2, 0)
    _click_head(notebook, 3, 1)
    handles = _cb(notebook, "edit-handle")
    handles.nth(2).hover()
    box = _cb(notebook, "edit").first.bounding_box()
    assert box is not None
    mouse = notebook.page.mouse
    mouse.down()
    mouse.move(box["x"], box["y"] + 30, steps=4)
    mouse.move(box["x"], box["y"] + 6, steps=4)
    mouse.up()
    notebook.board.locator('[data-cb="edit"][data-index="0"][data-site="3.1"]').wait_for()
    assert notebook.python("[edit.intervention.site.name for edit in board.edits]") == ["3.1", "1.1", "2.0"]
    _cb(notebook, "edit-name").first.click()
    notebook.board.locator('[data-cb="detail"]', has_text="3.1").wait_for()
