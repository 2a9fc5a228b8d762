"""Promise 5: same state, same numbers; undo and redo are a walk through the log; a saved board comes back the same.

The profile "nightly" (see tests/conftest.py) makes longer walks.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import circuitboard as cb
from circuitboard.address import Intervention
from tests.oracle import hooked_logits, logit_diff
from tests.tiny_models import N_HEADS, N_LAYERS, tiny

CLEAN, CORRUPTED = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]]), torch.tensor([[5, 16, 7, 8], [9, 8, 27, 6]])
ANSWERS, WRONG = [1, 2], [3, 4]
TOLERANCE = 1e-5


@st.composite
def interventions(draw):
    kind = draw(st.sampled_from(["head", "resid_pre", "attn_out"]))
    layer = draw(st.integers(0, N_LAYERS - 1))
    site = cb.head(layer, draw(st.integers(0, N_HEADS - 1))) if kind == "head" else getattr(cb, kind)(layer)
    site = site.at(draw(st.none() | st.lists(st.integers(-4, 3), min_size=1, max_size=2)))
    how = draw(st.sampled_from(["zero", "patch", "scale"]))
    return Intervention(site, how, draw(st.sampled_from([-1.0, 0.5, 1.0, 2.0])) if how == "scale" else None)


class Walk(RuleBasedStateMachine):
    """A board beside a plain list of states: (base, ((intervention, enabled), …))."""

    def __init__(self):
        super().__init__()
        self.model = tiny("attention_only")
        self.pair = cb.PromptPair(CLEAN, CORRUPTED, answer=ANSWERS, wrong=WRONG)
        self.board = cb.Board(self.model, self.pair)
        self.path = [("clean", ())]  # from the first state to the current one
        self.ahead = []  # where redo goes, next one last

    def teardown(self):
        self.board.close()

    @property
    def state(self):
        return self.path[-1]

    def _go(self, state):
        self.path.append(state)
        self.ahead = []

    @initialize(base=st.sampled_from(["clean", "corrupted"]))
    def start(self, base):
        if base != self.state[0]:
            self.board.set_base(base)
            self._go((base, ()))

    @rule(found=st.lists(interventions(), min_size=1, max_size=3))
    def edit(self, found):
        self.board.edit(*found)
        base, edits = self.state
        self._go((base, (*edits, *((one, True) for one in found))))

    @precondition(lambda self: self.state[1])
    @rule(data=st.data())
    def remove(self, data):
        base, edits = self.state
        index = data.draw(st.integers(-len(edits), len(edits) - 1))
        self.board.remove(index)
        left = list(edits)
        del left[index]
        self._go((base, tuple(left)))

    @precondition(lambda self: self.state[1])
    @rule(data=st.data())
    def toggle(self, data):
        base, edits = self.state
        index = data.draw(st.integers(-len(edits), len(edits) - 1))
        self.board.toggle(index)
        new = list(edits)
        new[index] = (new[index][0], not new[index][1])
        self._go((base, tuple(new)))

    @rule()
    def clear(self):
        self.board.clear()
        if self.state[1]:
            self._go((self.state[0], ()))

    @rule(base=st.sampled_from(["clean", "corrupted"]))
    def set_base(self, base):
        self.board.set_base(base)
        if base != self.state[0]:
            self._go((base, self.state[1]))

    @rule()
    def undo(self):
        if len(self.path) == 1:
            with pytest.raises(cb.InterventionError, match="nothing to undo"):
                self.board.undo()
        else:
            self.board.undo()
            self.ahead.append(self.path.pop())

    @rule()
    def redo(self):
        if not self.ahead:
            with pytest.raises(cb.InterventionError, match="nothing to redo"):
                self.board.redo()
        else:
            self.board.redo()
            self.path.append(self.ahead.pop())

    @rule(found=interventions())
    def preview(self, found):
        self.board.preview(found)

    @rule()
    def refused(self):
        with pytest.raises(cb.CircuitboardError):
            self.board.edit(cb.head(0, 0).zero(), cb.head(99, 0).zero())

    @rule()
    def save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "walk.board.json"
            self.board.save(file)
            loaded = cb.Board.load(file, self.model)
        assert (loaded.base, loaded.edits) == (self.board.base, self.board.edits)
        assert loaded.values.tolist() == pytest.approx(self.board.values.tolist(), abs=TOLERANCE)
        steps = 0
        while loaded.history.can_undo:
            loaded.undo()
            steps += 1
            base, edits = self.path[-1 - steps]
            assert loaded.base == base
            assert tuple((edit.intervention, edit.enabled) for edit in loaded.edits) == edits
        assert steps == len(self.path) - 1
        loaded.close()

    @invariant()
    def the_board_is_in_the_state_of_the_list(self):
        base, edits = self.state
        assert self.board.base == base
        assert tuple((edit.intervention, edit.enabled) for edit in self.board.edits) == edits
        assert self.board.history.can_undo == (len(self.path) > 1)
        assert self.board.history.can_redo == bool(self.ahead)

    @invariant()
    def the_numbers_are_those_of_the_state_however_it_was_reached(self):
        base, edits = self.state
        active = [one for one, enabled in edits if enabled]
        run, source = (CLEAN, CORRUPTED) if base == "clean" else (CORRUPTED, CLEAN)
        expected = logit_diff(hooked_logits(self.model, run, source, active), ANSWERS, WRONG)
        allowed = TOLERANCE * max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(self.board.values, expected, rtol=0, atol=allowed)
        assert len(self.board.desk.shown.outcome.receipts) == len(active)

    @rule()
    def a_fresh_board_in_this_state_shows_the_same(self):
        base, edits = self.state
        fresh = cb.Board(self.model, self.pair, base=base)
        active = [one for one, enabled in edits if enabled]
        outcome = fresh.edit(*active) if active else fresh.desk.shown.outcome
        assert fresh.values.tolist() == pytest.approx(self.board.values.tolist(), abs=TOLERANCE)
        for found, expected in zip(self.board.desk.shown.outcome.receipts, outcome.receipts, strict=True):
            assert found.intervention == expected.intervention
            assert found.norm_change == pytest.approx(expected.norm_change, abs=1e-4)
        fresh.close()


NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


@pytest.mark.timeout(7200 if NIGHTLY else 600)
class TestWalk(Walk.TestCase):
    # Finding the shortest walk that fails takes minutes; fifteen steps can be read as they are.
    settings = settings(
        max_examples=200 if NIGHTLY else 30,
        stateful_step_count=30 if NIGHTLY else 15,
        phases=list(Phase) if NIGHTLY else [Phase.explicit, Phase.generate],
    )
