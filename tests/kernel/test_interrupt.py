"""Interrupting a cell at any moment leaves no hook behind, and a board that works."""

from __future__ import annotations

import json
import random

import pytest

WORK = {
    "sweep": "while True: board.sweep('head', by='pos', how='patch')",
    "edit": """
i = 0
while True:
    i += 1
    board.edit(cb.head(i % 3, i % 4).zero())
    if len(board.edits) > 5:
        board.clear()
""",
    "everything": """
while True:
    board.edit(cb.resid_pre(1).at(2).patch())
    board.preview(cb.head(2, 2).zero())
    board.sweep("head", how="zero")
    board.verify()
    board.undo()
""",
}
CHECK = """
import json
consistent = settled()
shown = board.desk.shown
alone = cb.Board(model, pair)
for edit in board.edits:
    alone.edit(edit.intervention)
before = len(board.history.nodes)
board.edit(cb.head(2, 1).zero())
alone.edit(cb.head(2, 1).zero())
print(json.dumps([consistent, hooks(), abs(alone.value - board.value) < 1e-5, board.verify().ok,
                  len(board.history.nodes) - before]))
alone.close()
board.undo()
"""


UNSHOWN = "Unexpected exception formatting exception"


@pytest.mark.parametrize("work", WORK)
def test_interrupts_at_random_points(kernel, panel, work):
    draw = random.Random(work)
    for _ in range(8):
        cell = kernel.start(WORK[work])
        kernel.pause(draw.uniform(0.02, 0.4))
        kernel.interrupt()
        kernel.finish(cell)
        # IPython itself fails to show some interrupts and prints what it has: a frame between two lines has no number.
        assert (cell.error or cell.text).partition("\n")[0].startswith(("KeyboardInterrupt", UNSHOWN)), cell
        assert json.loads(kernel.run(CHECK)) == [True, 0, True, True, 1]


def test_interrupts_while_clicks_arrive(kernel, panel):
    draw = random.Random(7)
    for _ in range(6):
        cell = kernel.start(WORK["everything"])
        for _ in range(10):
            kernel.tell(panel, "click", site=f"{draw.randrange(3)}.{draw.randrange(4)}")
            kernel.pause(draw.uniform(0, 0.03))
        kernel.interrupt()
        kernel.finish(cell)
        kernel.wait(lambda: all(kernel.answers(request) for request in kernel.asked))
        assert json.loads(kernel.run(CHECK))[:4] == [True, 0, True, True]
    assert kernel.ask(panel, "click", site="0.0")["kind"] == "done"


def test_an_interrupted_sweep_stops_computing(kernel, panel, tmp_path):
    """What a cell waits for stands still at its first question, until the interrupt has reached it."""
    kernel.wait(lambda: kernel.events("map") and kernel.events("map")[-1][1]["status"] == "done")
    stands = tmp_path / "stands"
    kernel.run(f"""
from pathlib import Path
from circuitboard.engine import CancelToken
check, asked = CancelToken.check, []
def standing(token):
    if token.patient or board.desk.worker._running.moves:
        asked.append(token)
        Path({str(stands)!r}).touch()
        while not token.cancelled:
            time.sleep(0.001)
    check(token)
CancelToken.check = standing
""")
    before = kernel.run("print(board.value)")
    for work in (
        "board.sweep('head', by='pos', how='patch')",
        "board.edit(cb.head(0, 0).zero(), cb.head(1, 0).zero())",
    ):
        stands.unlink(missing_ok=True)
        cell = kernel.start(f"asked.clear(); {work}")
        kernel.wait(stands.exists)
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.error.startswith("KeyboardInterrupt")
        assert kernel.run("settled(); print(len(asked), len(board.desk.worker._background))") == "1 0"
    assert kernel.run("print(board.value)") == before
    assert kernel.run("print(board.edits, settled())") == "() True"
    kernel.run("CancelToken.check = check")
