"""What views ask for in words: several edits in one step, other strengths, another order."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.widget.view import real


def test_edits_in_words_are_one_step(board, view):
    values = [0.5] * board.desk.lab.adapter.shape.d_model
    specs = [
        {"site": "0.1", "how": "scale", "strength": 0.25},
        {"site": "resid_pre 1 @ 2", "how": "add", "values": values, "strength": 3},
        {"site": "1.0", "how": "set", "values": [0.125]},
        {"site": "mlp_out 0", "how": "freeze"},
        {"site": "2.1", "how": "resample", "seed": 4},
        {"site": "2.2", "how": "mean"},
    ]
    done = view.ask("apply", edits=specs)
    rows = view.snapshot(done.revision).edits
    assert [row.how for row in rows] == [spec["how"] for spec in specs]
    assert [row.what for row in rows] == [str(edit) for edit in board.edits]
    assert [None if row.strength is None else real(row.strength) for row in rows] == [0.25, 3, None, None, None, None]
    by_hand = board.value
    board.undo()
    assert board.edits == ()
    board.edit(
        cb.head(0, 1).scale(0.25),
        cb.resid_pre(1).at(2).add(torch.tensor(values), scale=3),
        cb.head(1, 0).set(0.125),
        cb.mlp_out(0).freeze(),
        cb.head(2, 1).resample(seed=4),
        cb.head(2, 2).mean(),
    )
    assert board.value == pytest.approx(by_hand, abs=1e-6)
    assert board.verify().ok


def test_a_strength_can_be_changed_and_undone(board, view):
    revision = view.ask("apply", edits=[{"site": "0.1", "how": "scale", "strength": 0.5}]).revision
    half = board.value
    done = view.ask("set_strength", index=0, revision=revision, strength=-2)
    assert real(view.snapshot(done.revision).edits[0].strength) == -2
    assert [str(edit) for edit in board.edits] == ["scale 0.1 ×-2"]
    stronger = board.value
    view.ask("undo")
    assert board.value == pytest.approx(half)
    board.clear()
    assert board.edit(cb.head(0, 1).scale(-2)).value == pytest.approx(stronger, abs=1e-6)


def test_what_has_no_strength_is_not_given_one(board, view):
    revision = view.ask("click", site="0.0").revision
    before = board.desk.shown
    failed = view.ask("set_strength", index=0, revision=revision, strength=2)
    assert failed.error.code == "unknown_intervention"
    assert "zero takes no strength" in failed.error.message
    assert view.ask("set_strength", index=0, revision=revision - 1, strength=2).error.code == "stale_index"
    assert board.desk.shown is before


def test_edits_of_one_component_act_in_their_order(board, view):
    values = torch.randn(board.desk.lab.adapter.shape.d_model, generator=torch.Generator().manual_seed(0)).tolist()
    revision = view.ask(
        "apply",
        edits=[
            {"site": "resid_pre 1", "how": "scale", "strength": 0.5},
            {"site": "resid_pre 1", "how": "add", "values": values},
        ],
    ).revision
    scaled_first = board.value
    done = view.ask("move", index=0, to=1, revision=revision)
    assert [row.how for row in view.snapshot(done.revision).edits] == ["add", "scale"]
    assert board.value != pytest.approx(scaled_first, abs=1e-4)
    again = view.ask("move", index=1, to=0, revision=done.revision)
    assert board.value == pytest.approx(scaled_first, abs=1e-6)
    for index, to in ((0, 2), (2, 0), (-1, 0), (0, -1)):
        failed = view.ask("move", index=index, to=to, revision=again.revision)
        assert failed.error.code == "no_such_edit"
    view.ask("undo")
    assert [edit.intervention.how for edit in board.edits] == ["add", "scale"]
