"""Two states side by side for the panel: numbers of boards made separately, one answer a request."""

from __future__ import annotations

import numpy as np
import pytest

import circuitboard as cb
from circuitboard.protocol import messages as m
from tests.widget.view import real


@pytest.fixture
def states(board, view):
    """0 ─ 1 (zero 0.1) ─ 2 (zero 1.2); back at 1."""
    view.ask("click", site="0.1")
    view.ask("click", site="1.2")
    return view.ask("restore", node=1).revision


def test_a_comparison_has_the_numbers_of_both_states(board, view, states, make_board):
    shown = board.desk.shown
    found = view.ask("compare", left=0, right=2, prompt=1)
    other = make_board(pair=board.pair, model=board.model)
    other.edit(cb.head(0, 1).zero(), cb.head(1, 2).zero())
    assert (found.left.node, found.right.node, found.prompt) == (0, 2, 1)
    assert [edit.what for edit in found.right.edits] == ["zero 0.1", "zero 1.2"]
    assert [edit.what for edit in found.left.edits] == []
    assert real(found.left.value) == pytest.approx(board.baselines.clean, abs=1e-5)
    assert real(found.right.value) == pytest.approx(other.value, abs=1e-5)
    assert [real(x) for x in found.right.values] == pytest.approx(other.values.tolist(), abs=1e-5)
    mine = board.compare_states(0, 2)
    assert real(found.change) == pytest.approx(mine.change.mean, abs=1e-6)
    assert real(found.stderr) == pytest.approx(mine.change.stderr, abs=1e-6)
    tokens = mine.tokens(8, prompt=1)
    assert [row.token_id for row in found.tokens] == tokens.token_id.to_list()
    assert [real(row.right_prob) for row in found.tokens] == pytest.approx(tokens.right_prob.to_list())
    assert found.maps is None
    assert found.runs in (3 * 4, 2 * 3 * 4)
    assert board.desk.shown is shown, "the board stays where it is"


@pytest.mark.parametrize("over", ["head", "resid_pre"])
def test_maps_are_those_of_the_live_map_in_either_state(board, view, states, over):
    view.ask("set_view", map=over, mode="patch")
    request = view.tell("compare", left=0, right=2, map=True)
    found = view.answer(request)
    assert found.refused is None
    assert (found.maps.over, found.maps.how) == (over, "patch")
    sides = [np.frombuffer(buffer, "<f4").reshape(found.maps.shape) for buffer in view.buffers(request)]
    for node, effect in zip((0, 2), sides, strict=True):
        done = view.ask("restore", node=node)
        event, expected, _ = view.map(done.revision, over=over)
        assert list(event.shape) == found.maps.shape
        assert effect.flatten().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)


def test_what_the_map_knows_is_not_computed_again(board, view, states):
    view.map(states)
    assert view.ask("compare", left=0, right=2).runs == 2 * 3 * 4
    request = view.tell("compare", left=1, right=0, map=True)
    assert view.answer(request).runs == 3 * 4
    left = np.frombuffer(view.buffers(request)[0], "<f4")
    assert left.tolist() == view.map(states)[1].flatten().tolist()
    view.ask("set_view", positions=[1])
    view.wait(lambda: (view.maps[-1][0].positions, view.maps[-1][0].status) == ([1], "done"))
    assert view.ask("compare", left=1, right=1).runs == 0


def test_neurons_of_two_states_are_not_laid_side_by_side(view, states):
    view.ask("set_view", map="neuron")
    found = view.ask("compare", left=0, right=1, map=True)
    assert found.maps is None
    assert found.refused.code == "no_comparison"
    assert real(found.left.value)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"left": 0, "right": 9}, "no_such_state"),
        ({"left": -1, "right": 0}, "no_such_state"),
        ({"left": 0, "right": 1, "prompt": 2}, "no_such_prompt"),
    ],
)
def test_what_is_not_there_is_refused(board, view, states, fields, code):
    before = board.desk.shown
    assert view.ask("compare", **fields).error.code == code
    assert board.desk.shown is before


def test_a_newer_comparison_supersedes_one_that_computes(board, view, states, slow):
    slow(0.005)
    first = view.tell("compare", left=0, right=2, map=True)
    second = view.ask("compare", left=0, right=2)
    assert isinstance(view.answer(first), m.Superseded)
    assert second.maps is None


def test_steps_come_first_and_the_comparison_after(board, view, states, slow):
    slow(0.002)
    request = view.tell("compare", left=0, right=2, map=True)
    done = view.ask("click", site="2.2")
    assert not view.answers(request), "the click's numbers do not wait for the maps"
    found = view.answer(request)
    assert found.maps is not None
    assert found.revision >= done.revision


def test_a_closed_board_answers(board, view, states, slow):
    slow(0.005)
    request = view.tell("compare", left=0, right=2, map=True)
    view.session.close()
    assert view.answer(request).error.code == "board_closed"
