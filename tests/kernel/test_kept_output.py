"""What a notebook saves of a board follows the board: the kernel sends the output again, with the map, once it is quiet."""

from __future__ import annotations

import pytest

from tests.kernel.front_end import WIDGET_VIEW, FrontEnd

SETUP = """
import torch
torch.set_num_threads(1)
import circuitboard as cb
from tests.tiny_models import tiny
clean = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
board = cb.Board(tiny("native"), cb.PromptPair(clean, clean.flip(1), answer=[1, 2], wrong=[3, 4]))
"""


class Watching(FrontEnd):
    """A front end that keeps what is sent again."""

    def __init__(self):
        super().__init__()
        self.again = []

    def _read(self, timeout):
        sent = self._client.get_iopub_msg
        seen = []

        def noting(**given):
            message = sent(**given)
            seen.append(message)
            return message

        self._client.get_iopub_msg = noting
        try:
            super()._read(timeout)
        finally:
            self._client.get_iopub_msg = sent
        self.again += [one["content"] for one in seen if one["msg_type"] == "update_display_data"]


@pytest.fixture
def front_end():
    started = Watching()
    yield started
    started.stop()


@pytest.mark.timeout(180)
def test_the_output_is_sent_again_with_the_map_and_then_with_each_edit(front_end):
    front_end.run(SETUP)
    view = front_end.show("board")
    front_end.ask(view, "hello")
    front_end.wait(lambda: any("<svg" in one["data"]["text/html"] for one in front_end.again))
    front_end.ask(view, "click", site="1.2", positions=None)
    front_end.wait(lambda: any("zero 1.2" in one["data"]["text/html"] for one in front_end.again))
    last = front_end.again[-1]
    assert last["transient"]["display_id"] == f"circuitboard-{view}"
    assert last["data"][WIDGET_VIEW]["model_id"] == view
    assert last["data"]["application/vnd.circuitboard.board+json"]["model_id"] == view
    count = len(front_end.again)
    front_end.pause(2.5)
    assert len(front_end.again) <= count + 1, "what has not changed is not sent again"


@pytest.mark.timeout(180)
def test_a_board_that_is_not_displayed_sends_nothing(front_end):
    front_end.run(SETUP + "board.edit(cb.head(1, 2).zero())")
    front_end.pause(2.0)
    assert front_end.again == []
