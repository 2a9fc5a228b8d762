"""The tree of states and one state, as values: what a second edit, branch, group or undo leaves of the first."""

from __future__ import annotations

import pytest

import circuitboard as cb
from circuitboard.steps.history import History
from circuitboard.steps.state import BoardState
from tests.histories import Said, pushed

SITES = [cb.head(layer, head) for layer, head in ((0, 1), (2, 3), (4, 5), (6, 7))]
STATE = BoardState().added([site.zero() for site in SITES])


def scaled(strength):
    return BoardState().added([cb.head(0, 1).scale(strength)])


def grown():
    """0 → 1 → 2 → 3, and beside 2 → 4 → 5 from 1; the board stands at 5."""
    history = History.start(BoardState())
    for strength in (0.25, 0.5, 0.75):
        history = pushed(history, f"to {strength}", scaled(strength))
    history = history.undone().undone()
    for strength in (1.25, 1.5):
        history = pushed(history, f"to {strength}", scaled(strength))
    assert [node.parent for node in history.nodes] == [None, 0, 1, 2, 1, 4]
    return history


@pytest.mark.parametrize(
    ("way", "amends"),
    [
        ([], True),
        (["undone"], False),
        (["undone", "redone"], True),
        (["undone", "undone"], False),
        ([("restored", 3)], True),
        ([("restored", 2)], False),
        ([("restored", 0)], False),
    ],
)
def test_a_drag_goes_on_in_place_at_the_end_of_a_branch_alone(way, amends):
    history = grown()
    for step in way:
        history = getattr(history, step)() if isinstance(step, str) else getattr(history, step[0])(step[1])
    before, at = history.nodes, history.current
    after = history.amended(Said("on", scaled(9.0)))
    assert after.nodes[after.current].state == scaled(9.0)
    if amends:
        assert (after.current, len(after.nodes), after.nodes[at].parent) == (at, 6, before[at].parent)
        assert [node for i, node in enumerate(after.nodes) if i != at] == [n for i, n in enumerate(before) if i != at]
    else:
        assert (after.current, after.nodes[:6], after.nodes[6].parent, after.ahead) == (6, before, at, ())


def test_a_drag_on_a_leaf_with_something_ahead_begins_a_branch():
    """Where redo leads on, nothing is written over, though no state names this one as its parent."""
    history = History(grown().nodes, 5, (3,))
    assert history.amended(Said("on", scaled(9.0))).nodes[:6] == history.nodes


@pytest.mark.parametrize(
    ("start", "to", "ahead"),
    [
        ("", 5, ()),
        ("", 4, (5,)),
        ("", 1, (5, 4)),
        ("", 0, (5, 4, 1)),
        ("", 3, ()),
        ("u", 4, (5,)),
        ("u", 1, (5, 4)),
        ("u", 5, ()),
        ("uuu", 4, (5,)),
        ("uuu", 1, (5, 4)),
        ("uuu", 5, ()),
        ("uuu", 2, ()),
    ],
)
def test_restoring_is_so_many_undos_or_redos_or_another_branch(start, to, ahead):
    history = grown()
    for _ in start:
        history = history.undone()
    there = history.restored(to)
    assert (there.current, there.ahead, there.nodes) == (to, ahead, history.nodes)
    while there.can_redo:
        there = there.redone()
    assert there.current == (ahead[0] if ahead else to)


def test_states_that_are_read_in_follow_the_current_one_and_each_other():
    history = grown().undone()
    more = history.extended(History.start(scaled(7.0)).nodes + grown().nodes[1:2])
    assert [node.parent for node in more.nodes[6:]] == [4, 6]
    assert (more.current, more.ahead) == (7, ())
    assert history.extended([]) is history


def groups(state):
    return [edit.group for edit in state.edits]


def test_a_group_is_those_and_no_others_and_leaves_other_groups_alone():
    state = STATE.grouped("a", 0, 1).grouped("b", 2)
    assert groups(state) == ["a", "a", "b", None]
    assert groups(state.grouped("a", 1, 3)) == [None, "a", "b", "a"]
    assert groups(state.grouped("b", "a")) == ["b", "b", None, None]
    assert groups(state.grouped(None, 0)) == [None, "a", "b", None]
    assert state.groups == {"a": (0, 1), "b": (2,)}


def test_names_are_of_one_edit_or_one_group():
    state = STATE.grouped("a", 0, 1).grouped("b", 2).renamed(1, "mine")
    assert [edit.name for edit in state.edits] == [None, "mine", None, None]
    assert groups(state.renamed("a", "c")) == ["c", "c", "b", None]
    assert state.renamed("a", " a ") == state
    with pytest.raises(cb.InterventionError) as caught:
        state.renamed("a", "b")
    assert caught.value.code == "group_exists"


def on(state):
    return [edit.enabled for edit in state.edits]


def test_some_are_switched_off_together_and_on_together():
    state = STATE.toggled(1)
    assert on(state) == [True, False, True, True]
    assert on(state.toggled(0, 1)) == [False, False, True, True]
    assert on(state.toggled(0, 1).toggled(1, 0)) == [True, True, True, True]
    assert on(state.toggled(1, -1)) == [True, False, True, False]
    assert state.active == (SITES[0].zero(), SITES[2].zero(), SITES[3].zero())


def order(state):
    return [edit.intervention.site.layer for edit in state.edits]


@pytest.mark.parametrize(
    ("index", "to", "expected"),
    [(0, 2, [2, 4, 0, 6]), (2, 0, [4, 0, 2, 6]), (0, -1, [2, 4, 6, 0]), (3, 1, [0, 6, 2, 4]), (1, 1, [0, 2, 4, 6])],
)
def test_an_edit_moves_to_where_the_other_was(index, to, expected):
    assert order(STATE.moved(index, to)) == expected


def test_removing_and_replacing_touch_those_that_were_named():
    state = STATE.grouped("a", 0, 2).toggled(3)
    assert order(state.removed("a")) == [2, 6]
    assert order(state.removed(0, -1)) == [2, 4]
    changed = state.replaced(3, cb.head(8, 9).scale(0.0))
    assert order(changed) == [0, 2, 4, 8]
    assert on(changed) == [True, True, True, False]
    assert changed.based_on("corrupted").cleared() == BoardState("corrupted")
