"""One kernel for the tests of a module, with a board on a tiny model."""

from __future__ import annotations

import pytest

from tests.kernel.front_end import FrontEnd

SETUP = """
import time
import torch
torch.set_num_threads(1)
import circuitboard as cb
from tests.tiny_models import tiny

model = tiny("native")
clean = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
corrupted = torch.tensor([[5, 6, 17, 8, 9], [9, 8, 27, 6, 5]])
pair = cb.PromptPair(clean, corrupted, answer=[1, 2], wrong=[3, 4])

def hooks():
    "Hooks left on the user's model and, between two jobs of the worker, on the engine's twin of it."
    def count(points):
        return sum(len(point.fwd_hooks) + len(point._forward_hooks) for point in points.values())
    twin = board.desk.lab.adapter._hook_points
    return count(model.hook_dict) + board.desk.worker.submit(lambda _cancel: count(twin)).result()

def settled():
    "Wait until the worker has done all that was asked of it."
    board.desk.worker.submit(lambda _cancel: None).result()
    return board.desk.timeline.history is board.desk.shown.history
"""


@pytest.fixture(scope="module")
def kernel():
    front_end = FrontEnd()
    try:
        front_end.run(SETUP)
        yield front_end
        for request in front_end.asked:
            assert len(front_end.answers(request)) == 1, request
    finally:
        front_end.stop()


@pytest.fixture
def panel(kernel):
    """The widget of a new board called `board`."""
    kernel.run("board = cb.Board(model, pair)")
    seen = len(kernel.events())
    comm = kernel.show("board")
    kernel.ask(comm, "hello")
    yield comm
    kernel.run("board.close()")
    numbers = [content["seq"] for _, content in kernel.events()[seen:]]
    assert numbers == list(range(1, len(numbers) + 1))
