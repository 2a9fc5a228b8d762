"""Which edits a view means by their places, when others act meanwhile: two equal edits, another revision, a later step."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import circuitboard as cb
from circuitboard.session.meant_edits import meant_edits, places_of
from circuitboard.steps.history import History
from circuitboard.steps.state import BoardState

# The second and the last are equal and are not the same.
STATE = BoardState().added([cb.head(layer, head).zero() for layer, head in ((0, 1), (2, 3), (4, 5), (2, 3))])
SHOWN = SimpleNamespace(revision=3, history=History.start(STATE))


def test_places_are_of_the_edits_themselves():
    assert meant_edits(SHOWN, 0, 3) == [STATE.edits[0]]
    first, last = meant_edits(SHOWN, [3, 1, 3], 3)
    assert first is STATE.edits[1]
    assert last is STATE.edits[3]


@pytest.mark.parametrize("revision", [0, 2, 4])
def test_another_revision_older_or_newer_is_refused(revision):
    with pytest.raises(cb.InterventionError) as caught:
        meant_edits(SHOWN, 0, revision)
    assert caught.value.code == "stale_index"


@pytest.mark.parametrize("index", [-1, 4, [0, 4], [0, -1]])
def test_a_place_where_there_is_none_is_refused(index):
    with pytest.raises(cb.AddressError) as caught:
        meant_edits(SHOWN, index, 3)
    assert caught.value.code == "no_such_edit"


def test_an_edit_is_found_where_a_step_that_nobody_has_seen_yet_put_it():
    edits = meant_edits(SHOWN, [1, 3], 3)
    assert places_of(History.start(STATE.moved(3, 0)), edits) == [2, 0]
    assert places_of(History.start(STATE.removed(0)), edits) == [0, 2]
    for gone in (STATE.removed(1), STATE.removed(3), BoardState()):
        with pytest.raises(cb.InterventionError) as caught:
            places_of(History.start(gone), edits)
        assert caught.value.code == "stale_index"
