"""Maps, history, detail and copies of the panel in a real JupyterLab: every number is the board's own in Python."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.lab import LabNotebook

IMPORTS = "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')"
PROMPTS = (
    "pair = cb.PromptPair('When John and Mary went to the store, John gave the book to',\n"
    "    'When John and Mary went to the store, Mary gave the book to', answer=' Mary', wrong=' John',\n"
    "    labels={'IO': 4, 'S2': 10, 'END': -1})\nboard = cb.Board(model, pair)\nboard"
)
# The demo model has no MLPs: a model of random weights that has some, with the demo's tokens.
WITH_MLPS = (
    "from transformer_lens import TransformerBridgeConfig\n"
    "from transformer_lens.model_bridge import TransformerBridge\n"
    "torch.manual_seed(0)\n"
    "config = TransformerBridgeConfig(n_layers=2, d_model=32, n_ctx=32, d_head=8, n_heads=4, d_mlp=64,\n"
    "    d_vocab=model.cfg.d_vocab, act_fn='gelu', normalization_type='LN', init_weights=True)\n"
    "tokenizer, model = model.tokenizer, TransformerBridge.boot_native(config, tokenizer=model.tokenizer)\n"
    "for weight in model.parameters():\n"
    "    weight.data = 0.3 * torch.randn_like(weight)\n"
)
S2 = 10
N = 15


def _close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-4, abs=2e-5)


@pytest.fixture
def demo(run_cells):
    return _opened(run_cells, IMPORTS, PROMPTS)


@pytest.fixture
def with_mlps(run_cells):
    return _opened(run_cells, IMPORTS, WITH_MLPS + PROMPTS)


def _opened(run_cells, *cells: str) -> LabNotebook:
    notebook = run_cells(*cells)
    notebook.board.locator('[data-cb="metric"]').wait_for()
    return notebook


def _settle(notebook: LabNotebook, cells: str) -> None:
    """Wait until the panel shows the board's revision with every one of these cells exact."""
    notebook.page.wait_for_function(
        """([board, revision, cells]) => {
            const found = [...board.querySelectorAll(cells)];
            return board.dataset.state === "idle" && board.dataset.revision === String(revision)
                && found.length > 0 && found.every((cell) => cell.dataset.effect !== "")
                && board.querySelector(".cb-cell.cb-stale, [data-stale=true]") === null;
        }""",
        arg=[notebook.board.element_handle(), notebook.revision(), cells],
        timeout=30_000,
    )


def _choose_map(notebook: LabNotebook, over: str) -> str:
    notebook.board.locator(f'[data-cb="map-choice"] [data-value="{over}"]').click()
    cells = '[data-cb="head"]' if over == "head" else f'[data-cb="cell"][data-site="{over}"]'
    _settle(notebook, cells)
    return cells


def _data(found: Locator, *names: str) -> list[tuple[str, ...]]:
    return [
        tuple(row)
        for row in found.evaluate_all(
            "(all, names) => all.map((element) => names.map((name) => element.dataset[name]))", list(names)
        )
    ]


def _head(notebook: LabNotebook, layer: int, head: int) -> Locator:
    return notebook.board.locator(f'[data-cb="head"][data-layer="{layer}"][data-head="{head}"]')


def _wait_for_detail(notebook: LabNotebook, site: str) -> Locator:
    revision = notebook.revision()
    detail = notebook.board.locator(
        f'[data-cb="detail"][data-site="{site}"][data-status="shown"][data-revision="{revision}"]'
    )
    detail.wait_for(timeout=20_000)
    return detail


def _wait_for_value(notebook: LabNotebook, value: float) -> None:
    notebook.page.wait_for_function(
        """([board, value]) =>
            Math.abs(Number(board.querySelector('[data-cb="metric"]').dataset.value) - value) < 1e-4""",
        arg=[notebook.board.element_handle(), value],
        timeout=15_000,
    )


def _assert_map_by_layer(notebook: LabNotebook, over: str) -> None:
    cells = _choose_map(notebook, over)
    sweep = notebook.python(f"board.sweep({over!r}, by='pos', how='zero').effect.tolist()")
    layers = notebook.python(f"list(board.desk.maps.grid({over!r}, by='pos', how='zero').layers)")
    found = _data(notebook.board.locator(cells), "layer", "pos", "effect")
    assert len(found) == len(layers) * N
    for layer, pos, effect in found:
        assert float(effect) == _close(sweep[layers.index(int(layer))][int(pos)]), f"{over} {layer} @ {pos}"


def test_every_map_is_a_sweep_and_its_cells_edit(demo):
    board = demo.board
    _settle(demo, '[data-cb="head"]')
    for over in ("resid_pre", "attn_out"):
        _assert_map_by_layer(demo, over)
    assert board.locator('[data-cb="map-choice"] [data-value="mlp_out"]').count() == 0, "the demo has no MLPs"

    _choose_map(demo, "head_pos")
    board.locator('[data-cb="map-layer"]').select_option("3")
    cells = '[data-cb="cell"][data-site="head_pos"][data-layer="3"]'
    _settle(demo, cells)
    sweep = demo.python("board.sweep('head', by='pos', layers=[3], how='zero').effect[0].tolist()")
    found = _data(board.locator(cells), "head", "pos", "effect")
    assert len(found) == 8 * N
    for head, pos, effect in found:
        assert float(effect) == _close(sweep[int(pos)][int(head)]), f"3.{head} @ {pos}"

    board.locator(f'{cells}[data-head="2"][data-pos="14"]').click()
    board.locator(f'{cells}[data-head="2"][data-pos="14"][aria-pressed="true"]').wait_for()
    assert demo.python("[str(edit) for edit in board.edits]") == ["zero 3.2 @ 14"]
    _settle(demo, cells)
    _wait_for_value(demo, demo.python("board.value"))

    lines = list(csv.DictReader(io.StringIO(demo.copied(board.locator('[data-cb="copy-csv"]')))))
    assert len(lines) == 8 * N
    assert {line["exact"] for line in lines} == {"true"}
    shown = {
        f"3.{head} @ {pos}": float(effect) for head, pos, effect in _data(board.locator(cells), "head", "pos", "effect")
    }
    for line in lines:
        assert float(line["effect"]) == _close(shown[line["site"]]), line["site"]


def test_the_live_switch_leaves_the_map_until_it_is_asked_for(demo):
    board = demo.board
    _settle(demo, '[data-cb="head"]')
    assert float(board.locator('[data-cb="map-cost"]').get_attribute("data-ms")) > 0
    before = _data(board.locator('[data-cb="head"]'), "effect")
    board.locator('[data-cb="live"]').click()
    _head(demo, 3, 0).click()
    board.locator('[data-cb="map-stale"]').wait_for()
    _wait_for_value(demo, demo.python("board.value"))
    assert _data(board.locator('[data-cb="head"]'), "effect") == before
    board.locator('[data-cb="map-update"]').click()
    _settle(demo, '[data-cb="head"]')
    assert board.locator('[data-cb="map-stale"]').count() == 0
    sweep = demo.python("board.sweep('head', how='zero').effect.tolist()")
    for layer, head, effect in _data(board.locator('[data-cb="head"]'), "layer", "head", "effect"):
        if (layer, head) != ("3", "0"):
            assert float(effect) == _close(sweep[int(layer)][int(head)]), f"{layer}.{head}"


def test_the_history_restores_and_branches(demo):
    board = demo.board
    _settle(demo, '[data-cb="head"]')
    values = [demo.python("board.value")]
    for layer, head in ((3, 0), (2, 1)):
        _head(demo, layer, head).click()
        _settle(demo, '[data-cb="head"]')
        values.append(demo.python("board.value"))
    nodes = _data(board.locator('[data-cb="history-node"]'), "node", "value")
    assert [float(value) for _, value in nodes] == _close(values)

    board.locator(f'[data-cb="history-node"][data-node="{nodes[1][0]}"]').click()
    _wait_for_value(demo, values[1])
    assert demo.python("[str(edit) for edit in board.edits]") == ["zero 3.0"]
    _head(demo, 1, 1).click()
    board.locator('[data-cb="history-node"][aria-current="true"]', has_text="1.1").wait_for()
    assert _data(board.locator('[data-cb="history-node"]'), "depth") == [("0",), ("0",), ("1",), ("0",)]

    # The last step as Python, taken again by a cell, gives the same number.
    value = demo.python("board.value")
    step = demo.copied(board.locator('[data-cb="copy-step"]'))
    _head(demo, 1, 1).focus()
    demo.page.keyboard.press("Control+z")
    _wait_for_value(demo, values[1])
    demo.page.keyboard.press("Control+Shift+Z")
    _wait_for_value(demo, value)
    demo.page.keyboard.press("Control+z")
    _wait_for_value(demo, values[1])
    demo.run_cell(step)
    assert demo.python("board.value") == pytest.approx(value, abs=1e-6)
    _wait_for_value(demo, value)


def test_the_detail_of_a_head_is_the_boards(demo):
    _settle(demo, '[data-cb="head"]')
    _head(demo, 0, 2).click()
    _settle(demo, '[data-cb="head"]')
    _head(demo, 3, 0).click(modifiers=["Shift"])
    detail = _wait_for_detail(demo, "3.0")
    assert demo.python("[str(edit) for edit in board.edits]") == ["zero 0.2"], "a look edits nothing"

    current, base = demo.python("[t.tolist() for t in (board.attention(3, 0).pattern, board.attention(3, 0).base)]")
    cell = detail.locator('[data-run="current"] [role="gridcell"] button')
    cell.focus()
    for key, to in (("Home", (N - 1, 0)), ("ArrowRight", (N - 1, 1)), ("ArrowUp", (N - 2, 1)), ("End", (N - 2, N - 2))):
        demo.page.keyboard.press(key)
        dest, src = to
        readout = detail.locator(f'[data-cb="pattern-readout"][data-dest="{dest}"][data-src="{src}"]')
        readout.wait_for()
        ((now, before),) = _data(readout, "current", "base")
        assert (float(now), float(before)) == _close((current[dest][src], base[dest][src]))

    names = "[component.name for component in board.direct_logit_attribution().components]"
    direct = demo.python(f"float(board.direct_logit_attribution().effect[{names}.index('3.0')])")
    assert float(detail.locator('[data-cb="direct"]').get_attribute("data-value")) == _close(direct)

    detail.locator('[data-cb="detail-by-position"]').click()
    detail.locator('[data-cb="position-effect"]').first.wait_for()
    sweep = demo.python("board.sweep('head', by='pos', layers=[3], how='zero').effect[0, :, 0].tolist()")
    effects = _data(detail.locator('[data-cb="position-effect"]'), "effect")
    assert [float(effect) for (effect,) in effects] == _close(sweep)

    # A step is followed: the same component, in the new state, where the run is the base run again.
    demo.board.locator('[data-cb="undo"]').click()
    _settle(demo, '[data-cb="head"]')
    detail = _wait_for_detail(demo, "3.0")
    direct = demo.python(f"float(board.direct_logit_attribution().effect[{names}.index('3.0')])")
    ((now, before),) = _data(detail.locator('[data-cb="direct"]'), "value", "base")
    assert (float(now), float(before)) == _close((direct, direct))


def test_the_detail_of_an_mlp_is_the_boards(with_mlps):
    board = with_mlps.board
    _settle(with_mlps, '[data-cb="head"]')
    _assert_map_by_layer(with_mlps, "mlp_out")
    board.locator(f'[data-cb="cell"][data-site="mlp_out"][data-layer="0"][data-pos="{S2}"]').click(modifiers=["Shift"])
    detail = _wait_for_detail(with_mlps, "mlp_out 0")
    table = with_mlps.python(
        f"board.neurons(0, {S2}, how='zero')[['index', 'activation', 'direct', 'effect']].values.tolist()"
    )
    rows = _data(detail.locator('[data-cb="neuron"]'), "index", "activation", "direct", "effect")
    assert len(rows) == len(table) == 20
    for row, expected in zip(rows, table, strict=True):
        assert [float(number) for number in row] == _close(expected)

    lens = with_mlps.python(f"board.logit_lens({S2}).to_dataframe()[['site', 'logit_diff', 'prob']].values.tolist()")
    found = _data(detail.locator('[data-cb="lens"]'), "site", "logitDiff", "prob")
    assert [site for site, _, _ in found] == [site for site, _, _ in lens]
    for (_, diff, prob), (_, expected, expected_prob) in zip(found, lens, strict=True):
        assert (float(diff), float(prob)) == _close((expected, expected_prob))

    # A click on a neuron edits it there: the metric moves by the effect that its row states.
    before = with_mlps.python("board.value")
    index, effect = rows[0][0], float(rows[0][3])
    detail.locator(f'[data-cb="neuron"][data-index="{index}"]').click()
    _wait_for_value(with_mlps, before + effect)
    assert with_mlps.python("board.value") == _close(before + effect)
    assert with_mlps.python("[str(edit) for edit in board.edits]") == [f"zero neuron 0.{index} @ {S2}"]


def test_the_map_of_neurons_is_a_sweep_of_those_with_the_largest_estimates(with_mlps):
    board = with_mlps.board
    _settle(with_mlps, '[data-cb="head"]')
    cells = _choose_map(with_mlps, "neuron")
    sweep = with_mlps.python("board.sweep('neuron', how='zero').effect.tolist()")
    found = _data(board.locator(cells), "layer", "index", "effect")
    assert len(found) == 2 * 16
    for layer, index, effect in found:
        assert float(effect) == _close(sweep[int(layer)][int(index)]), f"neuron {layer}.{index}"
    layer, index, effect = found[0]
    before = with_mlps.python("board.value")
    board.locator(cells).first.click()
    _wait_for_value(with_mlps, before + float(effect))
    assert with_mlps.python("[str(edit) for edit in board.edits]") == [f"zero neuron {layer}.{index}"]
    _wait_for_detail(with_mlps, f"neuron {layer}.{index}")
