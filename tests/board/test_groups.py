"""Edits under a name: one switch, one effect, and nothing that acts is another for it."""

from __future__ import annotations

import pytest

import circuitboard as cb
from circuitboard.errors import CircuitboardError
from circuitboard.steps.state import MAX_NAME

EDITS = (cb.head(0, 1).zero(), cb.head(1, 2).zero(), cb.resid_pre(2).scale(0.5), cb.head(2, 0).zero())


@pytest.fixture
def edited(board):
    board.edit(*EDITS)
    return board


def names(board):
    return [(edit.group, edit.name) for edit in board.edits]


def test_a_group_changes_no_number(edited):
    before = edited.value
    outcome = edited.group("movers", 0, 3)
    assert (outcome.value, outcome.change) == (before, 0.0)
    assert names(edited) == [("movers", None), (None, None), (None, None), ("movers", None)]
    assert [edit.intervention for edit in edited.edits] == list(EDITS)
    assert edited.history.state.groups == {"movers": (0, 3)}
    assert edited.history.nodes[-1].label == "group movers: zero 0.1, zero 2.0"


def test_a_group_is_switched_and_removed_in_one_step(edited, model):
    edited.group("movers", 0, 3)
    edited.toggle("movers")
    assert [edit.enabled for edit in edited.edits] == [False, True, True, False]
    alone = cb.Board(model, edited.pair)
    assert edited.value == pytest.approx(alone.edit(EDITS[1], EDITS[2]).value, abs=1e-6)
    alone.close()
    edited.toggle(0)
    edited.toggle("movers")
    assert not any(edited.edits[index].enabled for index in (0, 3)), "off if any is in force"
    edited.toggle("movers")
    assert all(edit.enabled for edit in edited.edits)
    edited.remove("movers")
    assert [edit.intervention for edit in edited.edits] == [EDITS[1], EDITS[2]]
    edited.undo()
    assert len(edited.edits) == 4


def test_several_are_removed_and_switched_in_one_step(edited):
    nodes = len(edited.history.nodes)
    edited.toggle(1, -1)
    assert [edit.enabled for edit in edited.edits] == [True, False, True, False]
    edited.remove(0, 2)
    assert [edit.intervention for edit in edited.edits] == [EDITS[1], EDITS[3]]
    assert len(edited.history.nodes) == nodes + 2


def test_an_edit_is_in_one_group_at_most_and_undo_covers_names(edited):
    edited.group("a", 0, 1)
    edited.group("b", 1, 2)
    assert [group for group, _ in names(edited)] == ["a", "b", "b", None]
    edited.group("a", 3)
    assert [group for group, _ in names(edited)] == [None, "b", "b", "a"], "a group is these edits and no others"
    edited.rename("b", "c")
    edited.rename(0, "  the first ")
    assert names(edited) == [(None, "the first"), ("c", None), ("c", None), ("a", None)]
    edited.group(None, "c")
    assert edited.history.state.groups == {"a": (3,)}
    for _ in range(5):
        edited.undo()
    assert names(edited) == [("a", None), ("a", None), (None, None), (None, None)]
    edited.redo()
    assert [group for group, _ in names(edited)] == ["a", "b", "b", None]


def test_names_stay_with_their_edits(edited):
    edited.group("a", 0, 1)
    edited.rename(1, "second")
    edited.move(1, 3)
    edited.replace(3, cb.head(1, 3).zero())
    edited.set_strength(1, 0.25)
    assert names(edited) == [("a", None), (None, None), (None, None), ("a", "second")]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (lambda board: board.group("", 0), "bad_name"),
        (lambda board: board.group("  ", 0), "bad_name"),
        (lambda board: board.group("x" * (MAX_NAME + 1), 0), "bad_name"),
        (lambda board: board.group(3, 0), "bad_name"),
        (lambda board: board.group("x"), "no_edits"),
        (lambda board: board.group("x", 9), "no_such_edit"),
        (lambda board: board.group("x", True), "no_such_edit"),
        (lambda board: board.toggle("nobody"), "no_such_group"),
        (lambda board: board.rename("nobody", "x"), "no_such_group"),
        (lambda board: board.rename("a", None), "bad_name"),
        (lambda board: board.rename("a", "b"), "group_exists"),
        (lambda board: board.rename(7, "x"), "no_such_edit"),
        (lambda board: board.toggle(), "no_edits"),
        (lambda board: board.note("x", 99), "no_such_state"),
        (lambda board: board.note("x" * (MAX_NAME + 1)), "bad_name"),
    ],
)
def test_what_cannot_be_named_is_refused_and_changes_nothing(edited, step, code):
    edited.group("a", 0)
    edited.group("b", 1)
    before, nodes = edited.history.state, len(edited.history.nodes)
    with pytest.raises(CircuitboardError) as caught:
        step(edited)
    assert caught.value.code == code
    assert (edited.history.state, len(edited.history.nodes)) == (before, nodes)


def test_a_name_may_be_as_long_as_it_says(edited):
    edited.group("x" * MAX_NAME, 0)
    assert edited.edits[0].group == "x" * MAX_NAME


def test_a_note_is_no_step(edited):
    change, shown = edited.desk.shown.outcome.change, edited.desk.shown
    edited.note("all four")
    assert [node.note for node in edited.history.nodes] == [None, "all four"]
    assert (edited.desk.shown.revision, edited.desk.shown.outcome.change) == (shown.revision, change)
    assert edited.desk.shown.run is shown.run
    edited.note("clean", 0)
    edited.undo()
    assert edited.history.nodes[1].note == "all four", "undo does not take a name back"
    assert "“clean”" in repr(edited.history)
    edited.note(None, 0)
    assert edited.history.nodes[0].note is None


def test_names_are_saved_and_come_back(edited, model, tmp_path):
    edited.note("nothing yet", 0)
    edited.group("movers", 0, 3)
    edited.rename(1, "S-inhibition")
    edited.note("grouped")
    edited.save(tmp_path / "a.board.json")
    loaded = cb.Board.load(tmp_path / "a.board.json", model)
    assert loaded.history.state == edited.history.state
    assert [(node.label, node.note) for node in loaded.history.nodes] == [
        (node.label, node.note) for node in edited.history.nodes
    ]
    loaded.undo()
    assert names(loaded) == [("movers", None), (None, None), (None, None), ("movers", None)]
    loaded.close()


def test_the_code_makes_the_names_again(edited, model):
    edited.group('it\'s "quoted"\n', 0, 3)
    edited.rename(1, "S-inhibition")
    edited.toggle(2)
    text = edited.to_python()
    scope = {"model": model}
    exec(compile(text, "board.py", "exec"), scope)  # noqa: S102  what a user pastes
    assert scope["board"].history.state == edited.history.state
    scope["board"].close()


def test_a_state_that_differs_in_names_alone_shares_its_run(edited):
    run = edited.desk.shown.run
    edited.group("movers", 0, 1)
    assert edited.desk.shown.run is run
    edited.undo()
    assert edited.desk.shown.run is run
