"""One map after another: whatever stops the first, no cell of it is in the later one.

Each kind of map follows each other one, in a session on a real board. The first is stopped with a batch computed and not
yet taken in, the worst of moments; what a view was sent, put together, is at each moment the map that it says it is.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass

import numpy as np
import pytest

import circuitboard as cb
from circuitboard.session.maps.live_map import ESTIMATED, EXACT, LiveMap
from circuitboard.session.maps.map_events import MapEvents
from circuitboard.sweeps import sweep as sweeping
from tests.tiny_models import tiny
from tests.widget.conftest import CLEAN, CORRUPTED
from tests.widget.view import View


@dataclass(frozen=True)
class Kind:
    """What a view is set to."""

    map: str
    mode: str
    positions: tuple[int, ...] | None = None
    map_layer: int = 0

    def ask(self, view):
        columns = None if self.positions is None else list(self.positions)
        view.ask("set_view", map=self.map, mode=self.mode, positions=columns, map_layer=self.map_layer)


KINDS = [
    Kind("head", "zero"),
    Kind("head", "zero", (1, 3)),
    Kind("head", "patch"),
    Kind("resid_pre", "zero"),
    Kind("attn_out", "zero"),
    Kind("head_pos", "zero", None, 1),
    Kind("head_pos", "zero", None, 2),
    Kind("neuron", "zero"),
]
EDIT = cb.head(1, 2).at(2).scale(0.25)


def told(event):
    """What a map event says that it is a map of."""
    return (
        event.over,
        event.how,
        None if event.positions is None else tuple(event.positions),
        *event.layers,
        event.n_edits,
    )


class Hold:
    """Keeps the second batch of a map from being taken in until the map is stopped, when it is armed."""

    def __init__(self, monkeypatch):
        self.left, self.reached = None, threading.Event()
        update = LiveMap._update

        def held(live, cancel, cells, effects):
            if self.left is not None:
                self.left -= 1
            if self.left == 0:
                self.left = None
                self.reached.set()
                while not cancel.cancelled:
                    threading.Event().wait(0.001)
            update(live, cancel, cells, effects)

        monkeypatch.setattr(LiveMap, "_update", held)

    def arm(self):
        self.reached.clear()
        self.left = 2

    def wait(self):
        assert self.reached.wait(60)


def stopped(kind, view, hold, how):
    """Begin a map and stop it in the middle."""
    hold.arm()
    kind.ask(view)
    if not view.answers("hello"):
        view.hello()
    hold.wait()
    if how in ("cancelled", "resumed"):
        view.ask("cancel_map")
    if how == "resumed":
        view.ask("resume_map")
    if how == "step":
        view.board.edit(EDIT)


def finished(view, kind, n_edits):
    def newest():
        event, arrays = view.map_arrays[-1]
        asked = (event.over, event.how, event.status, event.n_edits) == (kind.map, kind.mode, "done", n_edits)
        return (event, arrays) if asked else None

    return view.wait(newest)


@pytest.fixture(scope="module")
def board():
    board = cb.Board(tiny("native"), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    yield board
    board.close()


@pytest.fixture(scope="module")
def truths(board):
    """The maps of the board without and with the edit as new sessions tell them, estimates and all."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        estimated = LiveMap._estimated

        def noted(live, cancel, cells, effects):
            estimated(live, cancel, cells, effects)
            # What is estimated may be sent after the first exact cells have taken its place.
            event = MapEvents().event(0, live.state)[0]
            guess = np.full(event.total, np.nan, np.float32)
            guess[list(cells)] = effects
            found.setdefault(told(event), {})["estimate"] = guess.reshape(event.shape)

        patch.setattr(LiveMap, "_estimated", noted)
        for kind in KINDS:
            view = View(board)
            kind.ask(view)
            view.hello()
            for n_edits, step in enumerate((lambda: None, lambda: board.edit(EDIT))):
                step()
                event, arrays = finished(view, kind, n_edits)
                found[told(event)].update(arrays)
            board.clear()
            view.session.close()
    assert len(found) == 2 * len(KINDS)
    return found


def is_all_its_own(event, arrays, truth):
    known, effect = arrays["known"], arrays["effect"]
    exact, guessed, unknown = known == EXACT, known == ESTIMATED, known == 0
    np.testing.assert_allclose(effect[exact], truth["effect"][exact], atol=1e-5)
    np.testing.assert_allclose(effect[guessed], truth["estimate"][guessed], atol=1e-5)
    np.testing.assert_allclose(arrays["stderr"][exact], truth["stderr"][exact], atol=1e-5)
    assert not effect[unknown].any()
    assert np.isnan(arrays["stderr"][~exact]).all()
    assert event.done == exact.sum()
    if "index" in arrays:
        chosen = arrays["index"] != -1
        assert (arrays["index"][chosen] == truth["index"][chosen]).all()
        assert chosen.all() or unknown.all()


WAYS = {
    "superseded": ("superseded", "to its end"),
    "cancelled": ("cancelled", "to its end"),
    "resumed": ("resumed", "to its end"),
    "a step": ("step", "to its end"),
    "the later one too": ("superseded", "resumed"),
    "a step in the later one": ("cancelled", "step"),
}
PAIRS = list(itertools.permutations(KINDS, 2))


@pytest.mark.parametrize("way", WAYS)
def test_no_cell_of_one_map_is_in_a_later_one(board, make_view, truths, monkeypatch, way):
    monkeypatch.setattr(sweeping, "FIRST_SLICE", 1)
    hold = Hold(monkeypatch)
    before, later = WAYS[way]
    for first, second in PAIRS[list(WAYS).index(way) :: len(WAYS)]:
        view = make_view(board)
        stopped(first, view, hold, before)
        if later == "to its end":
            second.ask(view)
        else:
            stopped(second, view, hold, later)
        event, arrays = finished(view, second, len(board.edits))
        assert (arrays["known"] == EXACT).all()
        assert len({event.map_id for event, _ in view.map_arrays}) >= 2
        for event, arrays in view.map_arrays:
            is_all_its_own(event, arrays, truths[told(event)])
        view.session.close()
        board.clear()
