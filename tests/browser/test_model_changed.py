"""A model that is trained beside its board, in a real JupyterLab: the board says so and is right again after one click."""

from __future__ import annotations

import pytest

CELLS = (
    "import circuitboard as cb\nimport torch\ntorch.set_num_threads(1)\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(4, seed=0, model=model))\nboard",
)
TRAIN = """optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
model(board.prompts.clean_tokens, return_type="loss").backward()
optimizer.step()"""


def test_a_model_trained_one_step_beside_its_board(open_notebook):
    notebook = open_notebook(*CELLS)
    notebook.run_all()

    def found(name):
        return notebook.board.locator(f'[data-cb="{name}"]')

    found("metric").wait_for()
    notebook.board.locator('[data-cb="head"][data-layer="3"][data-head="0"]').click()
    found("edit").wait_for()
    before = float(found("metric").get_attribute("data-value"))
    assert before == pytest.approx(notebook.python("board.value"), abs=1e-4)

    notebook.run_cell(TRAIN)
    assert found("banner").count() == 0
    notebook.board.locator('[data-cb="head"][data-layer="2"][data-head="1"]').click()
    found("refresh").wait_for()
    assert "Your model has changed" in found("banner").inner_text()
    assert found("edit").count() == 1
    assert float(found("metric").get_attribute("data-value")) == before

    found("refresh").click()
    found("banner").wait_for(state="detached")
    notebook.page.wait_for_function(
        "([metric, before]) => metric.isConnected && Number(metric.dataset.value) !== before",
        arg=[found("metric").element_handle(), before],
    )
    truth = notebook.python("cb.Board(model, board.pair, engine='hooked').edit(cb.head(3, 0).zero()).value")
    assert float(found("metric").get_attribute("data-value")) == pytest.approx(truth, abs=1e-4)
    assert truth == pytest.approx(notebook.python("board.value"), abs=1e-4)
    assert truth != pytest.approx(before, abs=1e-3)
    assert found("edit").count() == 1

    # Clicks go on as before.
    notebook.board.locator('[data-cb="head"][data-layer="2"][data-head="1"]').click()
    found("edit").nth(1).wait_for()
    assert found("banner").count() == 0
