"""`board.widget()` is what containers of ipywidgets take."""

from __future__ import annotations

import ipywidgets
import pytest

import circuitboard as cb
from circuitboard.board import display


@pytest.mark.parametrize("container", [ipywidgets.VBox, ipywidgets.HBox, ipywidgets.Tab, ipywidgets.Accordion])
def test_containers_take_a_board(board, container):
    box = container([board.widget(), ipywidgets.Label("x")])
    assert box.children[0] is board.widget()
    assert box.children[0].layout.width == "100%"
    box.close()


def test_the_widget_is_the_one_that_the_board_shows(board):
    bundle, _ = board._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == board.widget().model_id


def test_a_slider_may_move_a_board_that_is_shown(board):
    def zero(layer):
        board.clear()
        return board.edit(cb.head(layer, 1).zero()).value

    moved = ipywidgets.interactive(zero, layer=(0, 2))
    box = ipywidgets.VBox([moved, board.widget()])
    moved.children[0].value = 2
    moved.update()
    assert [str(edit) for edit in board.edits] == ["zero 2.1"]
    box.close()
    moved.close()


def test_a_board_that_no_view_knows_says_so(board, monkeypatch):
    monkeypatch.setattr(display, "_widgets", [])
    with pytest.raises(cb.CircuitboardError) as refused:
        board.widget()
    assert refused.value.code == "no_widget"
