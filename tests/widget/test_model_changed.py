"""A model that changes beside its panel: the views are told, and one request measures it again."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from tests.tiny_models import FAMILIES, MORE_FAMILIES
from tests.widget.view import real


@pytest.fixture
def own():
    """A model that no other test shares."""
    return (FAMILIES | MORE_FAMILIES)["native"]().eval()


def told(view):
    return [arrived.message for arrived in view.events if isinstance(arrived.message, m.SnapshotEvent)]


def change(model):
    with torch.no_grad():
        next(iter(model.original_model.parameters())).mul_(1.5)


def test_a_click_on_a_changed_model_is_refused_and_every_view_is_told(own, make_board, make_view):
    board = make_board(model=own)
    view = make_view(board)
    assert view.hello().snapshot.model_changed is None
    view.ask("click", site="1.1", positions=None)
    view.map(1)
    change(own)
    answer = view.ask("click", site="0.1", positions=None)
    assert isinstance(answer, m.Failed)
    assert answer.error.code == "model_changed"
    now = view.wait(lambda: view.snapshots[-1].model_changed and view.snapshots[-1])
    assert now.model_changed.startswith("weights were written to")
    assert [edit.site for edit in now.edits] == ["1.1"]


def test_refreshing_gives_a_new_setup_the_same_edits_and_the_numbers_of_the_model_now(own, make_board, make_view):
    board = make_board(model=own)
    view = make_view(board)
    view.hello()
    view.ask("click", site="1.1", positions=None)
    board.note("found")
    own.blocks[2].mlp.register_forward_hook(lambda _m, _a, out: out * 0)
    assert view.ask("undo").error.code == "model_changed"
    assert isinstance(view.ask("refresh"), m.Done)
    event = view.wait(lambda: next((event for event in told(view) if event.setup is not None), None))
    assert event.setup.engine.tier == board.engine.tier == "replay"
    assert "hooks of yours act in it" in event.setup.engine.why
    fresh = make_board(model=own, engine="hooked")
    fresh.edit(cb.head(1, 1).zero())
    assert real(event.snapshot.metric.value) == pytest.approx(fresh.value, abs=1e-5)
    assert event.snapshot.model_changed is None
    values = [node.value and real(node.value) for node in event.snapshot.history.nodes]
    assert values[0] is None  # a number of the model before is no number of this one
    assert values[1] == pytest.approx(fresh.value, abs=1e-5)
    assert event.snapshot.history.nodes[1].note == "found"
    view.map(event.snapshot.revision)


def test_python_refreshes_the_panel_too(own, make_board, make_view):
    board = make_board(model=own)
    view = make_view(board)
    view.hello()
    change(own)
    board.refresh()
    event = view.wait(lambda: next((event for event in told(view) if event.setup is not None), None))
    assert real(event.snapshot.metric.value) == pytest.approx(board.value, abs=1e-6)


def test_a_refresh_that_cannot_be_is_told_and_the_board_stays(own, make_board, make_view):
    board = make_board(model=own, engine="wavefront")
    view = make_view(board)
    view.hello()
    handle = own.blocks[2].mlp.register_forward_hook(lambda _m, _a, out: out * 0)
    assert view.ask("refresh").error.code == "tier_refused"
    assert view.ask("click", site="0.1", positions=None).error.code == "model_changed"
    handle.remove()
    assert isinstance(view.ask("click", site="0.1", positions=None), m.Done)
