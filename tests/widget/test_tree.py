"""The history as a tree in the panel: its states, their numbers, and going to any of them."""

from __future__ import annotations

import msgspec
import pytest

import circuitboard as cb
from circuitboard.errors import InterventionError
from circuitboard.session import tree as trees
from circuitboard.session.tree import tree_of
from circuitboard.steps import BoardState, History
from tests.histories import pushed
from tests.widget.view import real


def nodes(snapshot) -> list[tuple[int, int | None, str]]:
    return [(node.id, node.parent, node.label) for node in snapshot.history.nodes]


# --- a value ------------------------------------------------------------------------------------------


@pytest.fixture
def branched():
    """0 ─ 1 ─ 2 ─ 3, and 4 ─ 5 from 1; at 5."""
    history = History.start(BoardState())
    for label in "abc":
        history = pushed(history, label, BoardState())
    history = history.undone().undone()
    for label in "de":
        history = pushed(history, label, BoardState())
    return history


def test_going_back_along_the_line_is_so_many_undos(branched):
    for node, undos in ((4, 1), (1, 2), (0, 3)):
        there = branched
        for _ in range(undos):
            there = there.undone()
        assert branched.restored(node) == there
        assert branched.restored(node).redone().current in (4, 5, 1)


def test_going_where_redo_leads_is_so_many_redos(branched):
    back = branched.restored(0)
    assert back.restored(4) == back.redone().redone()
    assert back.restored(5) == branched


def test_going_to_another_branch_leaves_nothing_ahead_and_undo_goes_to_the_parent(branched):
    there = branched.restored(3)
    assert (there.current, there.ahead) == (3, ())
    assert there.undone().current == 2
    assert there.undone().redone() == there
    assert branched.undone().restored(3).ahead == ()
    assert branched.restored(5) == branched
    assert there.nodes == branched.nodes


@pytest.mark.parametrize("node", [-1, 6, 10**12])
def test_a_state_that_is_none_is_refused(branched, node):
    with pytest.raises(InterventionError, match="no_such_state"):
        branched.restored(node)


# --- in the panel -------------------------------------------------------------------------------------


def test_the_tree_has_every_state_with_its_number(board, view):
    view.ask("click", site="0.0")
    first = board.value
    revision = view.ask("click", site="1.1").revision
    second = board.value
    view.ask("undo")
    revision = view.ask("click", site="2.2").revision
    snapshot = view.snapshot(revision)
    assert nodes(snapshot) == [(0, None, "clean run"), (1, 0, "zero 0.0"), (2, 1, "zero 1.1"), (3, 1, "zero 2.2")]
    values = [real(node.value) for node in snapshot.history.nodes]
    assert values == pytest.approx([board.baselines.clean, first, second, board.value])
    assert (snapshot.history.current, snapshot.history.redo, snapshot.history.omitted) == (3, None, 0)
    tree = view.snapshot(view.ask("undo").revision).history
    assert (tree.current, tree.redo) == (1, 3)


def test_any_state_can_be_gone_to(board, view):
    values = {0: board.value}
    for site in ("0.0", "1.1", "2.2"):
        view.ask("click", site=site)
        values[board.history.current] = board.value
    for node in (1, 3, 0, 2, 2):
        done = view.ask("restore", node=node)
        snapshot = view.snapshot(done.revision)
        assert snapshot.history.current == node == board.history.current
        assert board.value == pytest.approx(values[node], abs=1e-6)
        assert real(snapshot.metric.value) == pytest.approx(values[node], abs=1e-6)
        assert len(board.history.nodes) == 4
    # At 2 by way of 0: redo goes on to 3, undo back to 1.
    assert view.ask("redo").revision
    assert board.history.current == 3
    view.ask("restore", node=1)
    view.ask("undo")
    assert board.history.current == 0
    assert board.edits == ()
    assert board.verify().ok


def test_states_that_python_made_before_the_panel_was_there_have_their_numbers(board, make_view):
    between = board.edit(cb.head(0, 0).zero()).value
    board.edit(cb.head(1, 1).zero())
    view = make_view(board)
    tree = view.hello().snapshot.history
    assert [real(node.value) for node in tree.nodes][1:] == [between, board.value]
    assert real(tree.nodes[0].value) == pytest.approx(board.baselines.clean)
    done = view.ask("restore", node=1)
    assert real(view.snapshot(done.revision).history.nodes[1].value) == pytest.approx(board.value)


def test_a_click_that_another_overtook_has_a_state_without_a_number(board, view, slow):
    slow(0.03)
    first = view.tell("click", site="0.0")
    done = view.ask("click", site="1.1")
    assert view.answer(first)
    found = view.snapshot(done.revision).history.nodes
    assert [node.label for node in found] == ["clean run", "zero 0.0", "zero 1.1"]
    assert found[-1].value is not None
    before = found[1].value
    done = view.ask("restore", node=1)
    assert real(view.snapshot(done.revision).history.nodes[1].value) == pytest.approx(board.value)
    assert before is None or real(before) == pytest.approx(board.value)


def test_a_long_history_is_sent_in_part(monkeypatch):
    monkeypatch.setattr(trees, "MOST_NODES", 3)
    history = History.start(BoardState())
    for step in range(10):
        history = pushed(history, f"step {step}", BoardState())
    tree = tree_of(history, {9: 0.5})
    assert [(node.id, node.parent) for node in tree.nodes] == [(0, None), (8, 0), (9, 8), (10, 9)]
    assert (tree.omitted, tree.current) == (7, 10)
    assert [None if node.value is None else real(node.value) for node in tree.nodes] == [None, None, 0.5, None]
    tree = tree_of(history.restored(4), {})
    assert [(node.id, node.parent) for node in tree.nodes] == [(0, None), (4, 0), (8, 4), (9, 8), (10, 9)]
    assert (tree.current, tree.redo, tree.omitted) == (4, 5, 6)


def test_the_tree_of_a_long_session_stays_small():
    history = History.start(BoardState())
    for step in range(5_000):
        history = pushed(history, f"strength scale 10.11 ×{step}", BoardState())
    assert len(msgspec.json.encode(tree_of(history, dict.fromkeys(range(5_001), 1.2345678901234567)))) < 30_000


def test_a_long_label_is_cut():
    history = pushed(pushed(History.start(BoardState()), "a" * 120, BoardState()), "b" * 121, BoardState())
    labels = [node.label for node in tree_of(history, {}).nodes]
    assert labels == ["clean run", "a" * 120, "b" * 119 + "…"]
