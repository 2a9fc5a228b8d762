"""Groups, names and drags as a view asks for them."""

from __future__ import annotations

import pytest

import circuitboard as cb
from tests.widget.view import real

SITES = ("0.1", "1.2", "2.0")


@pytest.fixture
def revision(board, view):
    """Three heads are zeroed."""
    return view.ask("apply", edits=[{"site": site, "how": "zero"} for site in SITES]).revision


def effects(view, revision):
    """The newest snapshot in which every effect is known."""

    def known():
        found = view.snapshots[-1]
        whole = all(row.effect is not None for row in (*found.edits, *found.groups) if getattr(row, "enabled", True))
        return found if found.revision >= revision and whole else None

    return view.wait(known)


def test_a_group_has_the_effect_of_all_its_edits(board, view, revision):
    done = view.ask("group", indices=[0, 2], revision=revision, name="movers")
    snapshot = effects(view, done.revision)
    assert [row.group for row in snapshot.edits] == ["movers", None, "movers"]
    with_group = board.value
    without = board.toggle("movers").value
    assert real(snapshot.groups[0].effect) == pytest.approx(with_group - without, abs=1e-5)
    assert snapshot.groups[0].name == "movers"
    off = view.snapshot(board.desk.shown.revision)
    assert [row.enabled for row in off.edits] == [False, True, False]
    assert off.groups[0].effect is None


def test_naming_starts_no_map_anew(board, view, revision):
    view.map(revision)
    map_id = view.maps[-1][0].map_id
    done = view.ask("group", indices=[0, 1], revision=revision, name="a")
    done = view.ask("rename", which="a", revision=done.revision, name="b")
    done = view.ask("rename", which=2, revision=done.revision, name="the third")
    event, _, known = view.map(done.revision)
    assert event.map_id == map_id
    assert (known == 1).all()
    assert effects(view, done.revision).edits[2].name == "the third"
    view.ask("note", node=1, text="all three")
    assert board.desk.shown.revision == done.revision, "a note is no step"
    assert view.hello().snapshot.history.nodes[1].note == "all three"
    assert view.maps[-1][0].map_id == map_id


def test_several_are_one_step(board, view, revision):
    done = view.ask("toggle", index=[0, 1], revision=revision)
    assert [edit.enabled for edit in board.edits] == [False, False, True]
    done = view.ask("remove", index=[2, 0], revision=done.revision)
    assert [str(edit.intervention) for edit in board.edits] == ["zero 1.2"]
    view.ask("undo")
    view.ask("undo")
    assert all(edit.enabled for edit in board.edits)
    assert done.revision


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("group", {"indices": [], "name": "x"}, "no_edits"),
        ("group", {"indices": [7], "name": "x"}, "no_such_edit"),
        ("group", {"indices": [0], "name": ""}, "bad_name"),
        ("rename", {"which": "nobody", "name": "x"}, "no_such_group"),
        ("rename", {"which": -1, "name": "x"}, "no_such_edit"),
        ("remove", {"index": []}, "no_edits"),
        ("toggle", {"index": [0, 9]}, "no_such_edit"),
    ],
)
def test_what_cannot_be_is_refused(board, view, revision, kind, fields, code):
    before = board.desk.shown
    assert view.ask(kind, revision=revision, **fields).error.code == code
    assert board.desk.shown is before


def test_a_list_that_has_changed_is_not_named(board, view, revision):
    view.ask("toggle", index=0, revision=revision)
    before = board.desk.shown
    assert view.ask("group", indices=[0], revision=revision, name="x").error.code == "stale_index"
    assert view.ask("rename", which="x", revision=revision, name="y").error.code == "stale_index"
    assert view.ask("note", node=99, text="x").error.code == "no_such_state"
    assert board.desk.shown is before


# --- drags --------------------------------------------------------------------------------------------


def drag(view, revision, strengths, name="d1"):
    for strength in strengths:
        done = view.ask("set_strength", index=0, revision=revision, strength=strength, drag=name)
        revision = view.snapshot(done.revision).revision
    return revision


def test_a_drag_is_one_step_whose_last_strength_stays(board, view):
    revision = view.ask("apply", edits=[{"site": "0.1", "how": "scale", "strength": 0.5}]).revision
    half = board.value
    revision = drag(view, revision, [0.4, 0.3, -0.2, 0.125])
    snapshot = view.snapshots[-1]
    assert [node.label for node in snapshot.history.nodes] == ["clean run", "scale 0.1 ×0.5", "scale 0.1 ×0.125"]
    assert real(snapshot.edits[0].strength) == 0.125
    assert real(snapshot.metric.change) == pytest.approx(board.value - half, abs=1e-6)
    assert real(snapshot.history.nodes[-1].value) == pytest.approx(board.value, abs=1e-6)
    board.undo()
    assert board.value == pytest.approx(half, abs=1e-6)
    board.redo()
    other = cb.Board(board.model, board.pair)
    assert board.value == pytest.approx(other.edit(cb.head(0, 1).scale(0.125)).value, abs=1e-6)
    other.close()


def test_another_drag_is_another_step(board, view):
    revision = view.ask("apply", edits=[{"site": "0.1", "how": "scale", "strength": 0.5}]).revision
    revision = drag(view, revision, [0.4, 0.3], "d1")
    revision = drag(view, revision, [0.2, 0.1], "d2")
    revision = view.ask("click", site="2.2").revision
    drag(view, revision, [0.7], "d2")
    assert [node.label for node in board.history.nodes[1:]] == [
        "scale 0.1 ×0.5",
        "scale 0.1 ×0.3",
        "scale 0.1 ×0.1",
        "zero 2.2",
        "scale 0.1 ×0.7",
    ]


def test_a_drag_leaves_no_stale_map_and_keeps_few_runs(board, view):
    revision = view.ask("apply", edits=[{"site": "0.1", "how": "scale", "strength": 0.5}]).revision
    strengths = [round(0.5 + step / 100, 2) for step in range(60)]
    revision = drag(view, revision, strengths)
    _, effect, known = view.map(revision)
    assert (known == 1).all()
    sweep = board.sweep("head", how="zero")
    expected = sweep.effect.clone()
    expected[0, 1] = board.value - board.toggle(0).value
    assert effect.flatten().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)
    assert len(board.history.nodes) == 4
    assert len(board.desk.timeline.kept_runs()) <= 4, "what a drag passed through is not kept"
