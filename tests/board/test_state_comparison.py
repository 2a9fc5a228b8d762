"""Two states side by side: the same numbers as two boards that were made separately."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import CircuitboardError
from circuitboard.steps.step import SetBase, SetStrength

ONE, OTHER = cb.head(1, 1).zero(), cb.head(2, 3).patch()


@pytest.fixture
def branched(board):
    """0 ─ 1 (one) ─ 2 (one, other); 3 (the corrupted run, other) from 0; at 3."""
    board.edit(ONE)
    board.edit(OTHER)
    board.undo()
    board.undo()
    board.set_base("corrupted")
    return board


@pytest.fixture
def alone(board, model):
    """A board of its own with these edits."""
    boards = []

    def make(*edits, base="clean"):
        boards.append(cb.Board(model, board.pair, base=base))
        if edits:
            boards[-1].edit(*edits)
        return boards[-1]

    yield make
    for made in boards:
        made.close()


@pytest.mark.parametrize(
    ("left", "right", "one", "other"),
    [
        (0, 2, ((), "clean"), ((ONE, OTHER), "clean")),
        (2, 1, ((ONE, OTHER), "clean"), ((ONE,), "clean")),
        (1, 3, ((ONE,), "clean"), ((), "corrupted")),
        (1, None, ((ONE,), "clean"), ((), "corrupted")),
    ],
)
def test_it_equals_two_boards(branched, alone, left, right, one, other):
    shown, history = branched.desk.shown, branched.history
    found = branched.compare_states(left, right)
    boards = [alone(*edits, base=base) for edits, base in (one, other)]
    for side, board in zip((found.left, found.right), boards, strict=True):
        assert side.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
        assert [edit.intervention for edit in side.edits] == [edit.intervention for edit in board.edits]
    differences = boards[1].values.double() - boards[0].values.double()
    assert found.values.tolist() == pytest.approx(differences.tolist(), abs=1e-5)
    assert found.change.mean == pytest.approx(float(differences.mean()), abs=1e-5)
    n = len(differences)
    expected = float(differences.std()) / n**0.5 if n > 1 else float("nan")
    assert found.change.stderr == pytest.approx(expected, abs=1e-5, nan_ok=True)
    probs = [board.logits()[0].softmax(-1) for board in boards]
    for row in found.tokens(5).itertuples():
        assert (row.left_prob, row.right_prob) == pytest.approx(
            (float(probs[0][row.token_id]), float(probs[1][row.token_id])), abs=1e-6
        )
    likeliest = {int(index) for prob in probs for index in prob.topk(5).indices}
    answers = {1, 4}  # of the first prompt, always told
    assert set(found.tokens(5).token_id) == likeliest | answers
    assert branched.desk.shown is shown, "the board stays where it is"
    assert branched.history is history


def test_the_table_has_the_largest_change_first(branched):
    found = branched.compare_states(0, 2)
    table = found.table
    assert sorted(table.prompt) == list(range(len(found.values)))
    assert table.change.abs().is_monotonic_decreasing
    for row in table.itertuples():
        assert row.change == pytest.approx(row.right - row.left, abs=1e-6)


def test_maps_are_those_of_the_states(branched, alone):
    found = branched.compare_states(0, 2, over="head", how="zero")
    left = alone().sweep("head", how="zero").effect
    right = alone(ONE, OTHER).sweep("head", how="zero").effect
    assert torch.allclose(found.left.sweep.effect, left, atol=1e-5)
    assert torch.allclose(found.right.sweep.effect, right, atol=1e-5)
    row = found.effects.iloc[0]
    assert abs(row.change) == pytest.approx(float((right - left).abs().max()), abs=1e-5)


def test_the_default_is_before_and_after(board):
    board.edit(ONE)
    found = board.compare_states()
    assert (found.left.node, found.right.node) == (0, 1)
    assert found.change.mean == pytest.approx(board.value - board.baselines.clean, abs=1e-6)
    assert "zero 1.1" in repr(found)
    with pytest.raises(CircuitboardError, match="over='head'"):
        _ = found.effects


@pytest.mark.parametrize("node", [-1, 4, "1", True])
def test_a_state_that_is_none_is_refused(branched, node):
    with pytest.raises(CircuitboardError) as caught:
        branched.compare_states(0, node)
    assert caught.value.code == "no_such_state"


def test_a_step_that_goes_on_keeps_one_state(board):
    """What a slider does: its drag is one step, told against where it began."""
    start = board.value
    board.edit(cb.head(1, 1).scale(1.5))
    begun = board.value
    for strength in (1.0, 0.5, 0.25):
        step = SetStrength(0, strength)
        first = strength == 1.0
        board.desk.step(lambda h, step=step, first=first: step.applied(h) if first else h.amended(step)).result()
    assert [node.label for node in board.history.nodes] == ["clean run", "scale 1.1 ×1.5", "scale 1.1 ×0.25"]
    assert board.desk.shown.outcome.change == pytest.approx(board.value - begun, abs=1e-6)
    assert board.verify().ok
    board.undo()
    assert board.value == pytest.approx(begun, abs=1e-6)
    board.undo()
    assert board.value == pytest.approx(start, abs=1e-6)
    # A state that others follow, and the first one, are never amended.
    history = board.history
    assert history.amended(SetBase("corrupted")).nodes[:-1] == history.nodes
