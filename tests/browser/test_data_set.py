"""A data set of 64 prompts in a real JupyterLab: every number of the panel is the board's own in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.lab import LabNotebook

SETUP = [
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    (
        "pair = cb.tasks.ioi(64, model=model)\n"
        "metric = {'logit diff': 'logit_diff', 'p': 'prob', 'KL': 'kl'}\n"
        "board = cb.Board(model, pair, metric=metric)\nboard"
    ),
    # What an edit's effect means, worked out on a board of its own.
    (
        "other = cb.Board(model, pair, metric=metric)\n"
        "def value_of(edits):\n"
        "    other.clear()\n"
        "    return other.edit(*edits).value if edits else other.value\n"
        "def effects():\n"
        "    edits = [edit.intervention for edit in board.edits]\n"
        "    return [value_of(edits) - value_of(edits[:i] + edits[i + 1:]) for i in range(len(edits))]"
    ),
]
TOLERANCE = 1e-5
N = 64


@pytest.fixture
def notebook(run_cells):
    notebook = run_cells(*SETUP)
    notebook.board.locator('[data-cb="metric"]').wait_for()
    notebook.board.locator('[data-cb="prompts-all"]').click()
    return notebook


def _settle(notebook: LabNotebook) -> None:
    """Wait until the panel shows the board's revision, idle, with every cell and every edit's effect known."""
    notebook.page.wait_for_function(
        """([board, revision]) => board.dataset.state === "idle" && board.dataset.revision === String(revision)
            && board.querySelector('[data-cb="head"]') !== null
            && board.querySelector('.cb-stale, [data-stale=true]') === null
            && ["head", "edit"].every((name) =>
                [...board.querySelectorAll(`[data-cb="${name}"]`)].every((element) => element.dataset.effect !== ""))""",
        arg=[notebook.board.element_handle(), notebook.revision()],
        timeout=30_000,
    )


def _data(found: Locator, *names: str) -> list[tuple[str, ...]]:
    """These data attributes of every element found."""
    return [
        tuple(row)
        for row in found.evaluate_all(
            "(all, names) => all.map((element) => names.map((name) => element.dataset[name]))", list(names)
        )
    ]


def _numbers(found: Locator, name: str) -> list[float]:
    return [float(value) for (value,) in _data(found, name)]


def _close(expected: Any) -> Any:
    return pytest.approx(expected, abs=TOLERANCE)


def _assert_every_number_is_the_boards(notebook: LabNotebook, mode: str, prompt: int) -> None:
    board, python = notebook.board, notebook.python
    _settle(notebook)

    assert _numbers(board.locator('[data-cb="metric"]'), "value") == [_close(python("board.value"))]
    ((n, stderr, low, high),) = _data(board.locator('[data-cb="spread"]'), "n", "stderr", "low", "high")
    spread = python("(board.spread.stderr, board.spread.low, board.spread.high)")
    assert int(n) == N
    assert (float(stderr), float(low), float(high)) == _close(spread)
    for run in ("clean", "corrupted"):
        assert _numbers(board.locator(f'[data-cb="baseline-{run}"]'), "value") == [
            _close(python(f"board.baselines.{run}"))
        ]

    more = board.locator('[data-cb="more-metric"]')
    assert [name for (name,) in _data(more, "name")] == ["p", "KL"]
    table = python("board.metrics.loc[['p', 'KL'], ['value', 'stderr']].values.tolist()")
    assert _numbers(more, "value") == _close([value for value, _ in table])
    assert _numbers(more, "stderr") == _close([stderr for _, stderr in table])

    rows = _data(board.locator('[data-cb="prompt-row"]'), "prompt", "value", "base", "change", "outlier")
    columns = ["prompt", "value", "base_value", "change", "outlier"]
    table = python(f"[list(row) for row in board.per_prompt()[{columns}].astype(object).values.tolist()]")
    assert len(rows) == len(table) == N
    assert [int(row[0]) for row in rows] == [row[0] for row in table], "largest change first"
    for shown, row in zip(rows, table, strict=True):
        assert [float(number) for number in shown[1:4]] == _close(row[1:4])
        assert shown[4] == str(bool(row[4])).lower()

    tokens = _data(board.locator('[data-cb="top-token"]'), "token", "prob")
    table = python(f"board.top_tokens(8, prompt={prompt})[['token', 'prob']].values.tolist()")
    assert [token for token, _ in tokens] == [token for token, _ in table]
    assert [float(prob) for _, prob in tokens] == _close([prob for _, prob in table])

    # For an edited head the map says what its edit does: with minus without.
    effects = python("effects()")
    sweep = python(f"board.sweep('head', how={mode!r}).effect.tolist()")
    edited = python("[(edit.intervention.site.layer, edit.intervention.site.index) for edit in board.edits]")
    for (layer, head), effect in zip(edited, effects, strict=True):
        sweep[layer][head] = effect
    heads = _data(board.locator('[data-cb="head"]'), "layer", "head", "effect")
    assert len(heads) == sum(map(len, sweep))
    for layer, head, effect in heads:
        assert float(effect) == _close(sweep[int(layer)][int(head)]), f"head {layer}.{head}"
    assert _numbers(board.locator('[data-cb="edit"]'), "effect") == _close(effects)


def _choose(notebook: LabNotebook, mode: str) -> None:
    switch = notebook.board.locator('[data-cb="mode"]')
    switch.locator(f'[data-value="{mode}"]').click()
    notebook.page.wait_for_function(
        "([chosen, mode]) => chosen.dataset.value === mode", arg=[switch.element_handle(), mode]
    )


def _click(notebook: LabNotebook, layer: int, head: int) -> None:
    edits = notebook.board.locator('[data-cb="edit"]').count()
    notebook.board.locator(f'[data-cb="head"][data-layer="{layer}"][data-head="{head}"]').click()
    notebook.page.wait_for_function(
        "([board, n]) => board.querySelectorAll('[data-cb=\"edit\"]').length === n",
        arg=[notebook.board.element_handle(), edits + 1],
    )
    # What is below the details of the head moves until they are there.
    notebook.board.locator('[data-cb="detail"][data-status="shown"]').wait_for()


def test_every_number_is_the_boards_also_after_a_mean_and_a_resample_click(notebook):
    _assert_every_number_is_the_boards(notebook, "zero", prompt=0)
    _choose(notebook, "mean")
    _click(notebook, 3, 0)
    assert notebook.python("[str(edit) for edit in board.edits]") == ["mean 3.0"]
    _assert_every_number_is_the_boards(notebook, "mean", prompt=0)
    _choose(notebook, "resample")
    _click(notebook, 2, 1)
    assert notebook.python("[str(edit) for edit in board.edits]") == ["mean 3.0", "resample 2.1"]
    # One click on the prompt that changed most shows it.
    row = notebook.board.locator('[data-cb="prompt-row"]').first
    prompt = int(row.get_attribute("data-prompt"))
    assert prompt == notebook.python("int(board.per_prompt()['prompt'][0])")
    row.locator("td").first.click()
    notebook.page.wait_for_function(
        "([board, words]) => board.textContent.includes(words)",
        arg=[notebook.board.element_handle(), f"prompt {prompt + 1} of {N}"],
    )
    _assert_every_number_is_the_boards(notebook, "resample", prompt=prompt)


def test_a_strength_typed_into_the_panel_is_the_boards(notebook):
    notebook.run_cell("board.edit(cb.head(3, 0).scale(0.5), cb.head(2, 1).zero())")
    field = notebook.board.locator('[data-cb="edit-strength"]')
    field.fill("-1.5")
    field.press("Enter")
    notebook.page.wait_for_function(
        "(board) => board.dataset.revision === '2'", arg=notebook.board.element_handle(), timeout=15_000
    )
    assert notebook.python("[str(edit) for edit in board.edits]") == ["scale 3.0 ×-1.5", "zero 2.1"]
    notebook.board.locator('[data-cb="arrange"]').click()
    notebook.board.locator('[data-cb="edit-down"]').first.click()
    notebook.page.wait_for_function(
        "(board) => board.querySelector('[data-cb=\"edit\"]').dataset.site === '2.1'",
        arg=notebook.board.element_handle(),
    )
    assert notebook.python("[str(edit) for edit in board.edits]") == ["zero 2.1", "scale 3.0 ×-1.5"]
    _settle(notebook)
    assert _numbers(notebook.board.locator('[data-cb="metric"]'), "value") == [_close(notebook.python("board.value"))]
    assert _numbers(notebook.board.locator('[data-cb="edit"]'), "effect") == _close(notebook.python("effects()"))
