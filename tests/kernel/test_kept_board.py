"""A kernel that is killed: the board of its notebook is kept, and comes back in the next kernel."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import SETUP
from tests.kernel.front_end import FrontEnd


@pytest.fixture
def start(monkeypatch, tmp_path):
    monkeypatch.delenv("CIRCUITBOARD_AUTOSAVE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JPY_SESSION_NAME", "/notebooks/ioi.ipynb")
    running = []

    def kernel():
        running.append(FrontEnd())
        running[-1].run(SETUP)
        return running[-1]

    yield kernel
    for one in running:
        one.stop()


@pytest.mark.timeout(300)
def test_clicks_of_a_killed_kernel_come_back_in_the_next(start, tmp_path):
    kernel = start()
    kernel.run("board = cb.Board(model, pair)")
    comm = kernel.show("board")
    kernel.ask(comm, "hello")
    kernel.ask(comm, "click", site="1.2")
    kernel.ask(comm, "click", site="0.1")
    value = float(kernel.run("print(board.value)"))
    folder = tmp_path / "circuitboard" / "autosave"
    kernel.wait(lambda: list(folder.glob("ioi-*.board.json")) if folder.exists() else None)
    kernel.stop()  # kills it
    again = start()
    again.run("board = cb.Board.load(cb.Board.last_saved(), model)")
    assert float(again.run("print(board.value)")) == pytest.approx(value, abs=1e-6)
    assert again.run("print(*board.edits)") == "zero 1.2 zero 0.1"
    assert [data["text/plain"] for data in again.finish(again.start("board")).data if "zero 1.2" in data["text/html"]]
    again.run("board.close()")


@pytest.mark.timeout(300)
def test_a_kernel_that_no_server_started_tells_none_of_its_boards(start, tmp_path):
    kernel = start()
    assert (
        kernel.run("board = cb.Board(model, pair); from circuitboard.widget import announcement as a; print(a._here)")
        == "[None]"
    )
    assert list((tmp_path / "runtime").glob("**/circuitboard")) == []
