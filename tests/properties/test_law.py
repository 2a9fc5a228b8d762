"""Promise 29, walked at random: after anything that a user may do to the model or to the board, the board's numbers are
those of a board made fresh on the model as it is then, or it refuses with a typed error and works again after `refresh()`.

Each sequence draws a kind of model and a tier. The profile "nightly" (see tests/conftest.py) draws 1,000 sequences.
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
from circuitboard.engine import tolerance
from tests.oracle import logit_diff
from tests.tiny_models import FAMILIES, MORE_FAMILIES, N_HEADS, N_LAYERS

KINDS = ["gpt2", "llama_gqa", "gemma2", "attention_only"]
TIERS = ["auto", "wavefront", "replay", "hooked"]
CLEAN, CORRUPTED = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]]), torch.tensor([[5, 16, 7, 8, 9], [9, 8, 27, 6, 5]])
PAIR = {"answer": [1, 2], "wrong": [3, 4]}

EDITS = st.builds(
    lambda layer, head, how: {"zero": cb.head(layer, head).zero(), "patch": cb.resid_pre(layer).at(2).patch()}[how],
    st.integers(0, N_LAYERS - 1),
    st.integers(0, N_HEADS - 1),
    st.sampled_from(["zero", "patch"]),
)
HOOKED_AT = ["hook_embed", "blocks.1.hook_resid_pre", "blocks.1.attn.hook_z", "blocks.2.hook_attn_out"]


class Law(RuleBasedStateMachine):
    """A board beside a model that is changed under it."""

    def __init__(self):
        super().__init__()
        self.touched = False
        self.hooks, self.patches = [], []
        self.factor = torch.tensor(0.5)

    @initialize(kind=st.sampled_from(KINDS), tier=st.sampled_from(TIERS))
    def start(self, kind, tier):
        self.model = (FAMILIES | MORE_FAMILIES)[kind]().eval()
        self.compatible = False
        self.board = cb.Board(self.model, cb.PromptPair(CLEAN, CORRUPTED, **PAIR), engine=tier)

    def teardown(self):
        self.drop_patches()
        if hasattr(self, "board"):
            self.board.close()

    def allowed(self):
        return tolerance(next(self.model.parameters()).dtype, self.board.desk.lab.clean.logits.float())

    def fresh(self):
        board = cb.Board(self.model, self.board.pair, engine="hooked")
        edits = [edit.intervention for edit in self.board.edits if edit.enabled]
        return board, (board.edit(*edits).value if edits else board.value)

    def refused(self, call):
        """Whether a call was refused because the model has changed; any other error fails the test."""
        try:
            call()
        except cb.EngineError as error:
            assert (error.code, self.touched) == ("model_changed", True), error.message  # noqa: PT017  one of two answers
            return True
        return False

    # --- what a user does to the board --------------------------------------------------------------

    @rule(edit=EDITS)
    def edit(self, edit):
        before = self.board.history
        if self.refused(lambda: self.board.edit(edit)):
            assert self.board.history == before

    @precondition(lambda self: self.board.history.can_undo)
    @rule()
    def undo(self):
        self.refused(self.board.undo)

    @rule(layer=st.integers(0, N_LAYERS - 1))
    def sweep(self, layer):
        found = []
        if not self.refused(lambda: found.append(self.board.sweep("head", how="zero", layers=[layer]))):
            fresh, _ = self.fresh()
            expected = fresh.sweep("head", how="zero", layers=[layer]).values
            fresh.close()
            torch.testing.assert_close(found[0].values, expected, atol=self.allowed(), rtol=0)

    @rule()
    def save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "board.json"
            if not self.refused(lambda: self.board.save(path)):
                loaded = cb.Board.load(path, self.model)
                assert loaded.value == pytest.approx(self.board.value, abs=self.allowed())
                loaded.close()

    @rule()
    def verify(self):
        found = []
        if not self.refused(lambda: found.append(self.board.verify())):
            assert found[0].ok

    @rule()
    def refresh(self):
        edits = self.board.edits
        try:
            self.board.refresh()
        except cb.EngineError as error:
            # A tier that was asked for by name and that hooks or code of the user's rule out: without them it works again.
            assert error.code == "tier_refused" and (self.hooks or self.patches)  # noqa: PT017, PT018  one of two answers
            self.drop_hooks()
            self.drop_patches()
            self.board.refresh()
        self.touched = False
        assert self.board.edits == edits

    # --- what a user does to the model --------------------------------------------------------------

    @rule()
    def optimizer_step(self):
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.02)
        self.model(CLEAN, return_type="loss").backward()
        optimizer.step()
        optimizer.zero_grad()
        self.touched = True

    @rule(which=st.integers(0, 50), behind=st.booleans())
    def write_in_place(self, which, behind):
        parameters = [p for p in self.model.original_model.parameters() if p.ndim > 1]
        parameter = parameters[which % len(parameters)]
        with torch.no_grad():
            (parameter.data if behind else parameter).mul_(0.9)
        self.touched = True

    @rule()
    def load_state_dict(self):
        state = {name: value.clone() for name, value in self.model.original_model.state_dict().items()}
        self.model.original_model.load_state_dict(state)
        self.touched = True

    @rule(which=st.integers(0, 50))
    def swap_parameter(self, which):
        named = [
            (module, name)
            for module in self.model.original_model.modules()
            for name, parameter in module._parameters.items()
            if parameter is not None and parameter.ndim > 1
        ]
        module, name = named[which % len(named)]
        setattr(module, name, torch.nn.Parameter(module._parameters[name].detach() * 1.1))
        self.touched = True

    @rule()
    def change_dtype(self):
        double = next(self.model.parameters()).dtype == torch.float64
        self.model.float() if double else self.model.double()
        self.touched = True

    @precondition(lambda self: not self.compatible and not self.hooks)
    @rule()
    def compatibility_mode(self):
        self.model.enable_compatibility_mode()
        self.compatible = self.touched = True

    @rule(name=st.sampled_from(HOOKED_AT), permanent=st.booleans())
    def add_hook(self, name, permanent):
        point = self.model.hook_dict[name]
        point.add_hook(lambda x, hook: x * self.factor.to(x.dtype), is_permanent=permanent)
        self.hooks.append(lambda: point.remove_hooks("fwd", including_permanent=True))
        self.touched = True

    @rule(layer=st.integers(0, N_LAYERS - 1), before=st.booleans())
    def add_torch_hook(self, layer, before):
        part = self.model.blocks[layer].attn.o
        if before:
            handle = part.register_forward_pre_hook(lambda _m, args: (args[0] * 0.5, *args[1:]))
        else:
            handle = part.register_forward_hook(lambda _m, _a, out: out * 0.5)
        self.hooks.append(handle.remove)
        self.touched = True

    @precondition(lambda self: self.hooks)
    @rule(factor=st.sampled_from([0.25, 0.5, 2.0]), in_place=st.booleans())
    def other_factor(self, factor, in_place):
        if in_place:
            self.factor.fill_(factor)
        else:
            self.factor = torch.tensor(factor)
        self.touched = True

    @rule(which=st.integers(0, 50), of_class=st.booleans())
    def replace_code(self, which, of_class):
        # A leaf's class, so that what is replaced takes and gives a tensor.
        leaves = [one for one in self.model.original_model.modules() if not one._modules and hasattr(one, "weight")]
        leaf = leaves[which % len(leaves)]
        if of_class:
            kind, original = type(leaf), type(leaf).forward
            kind.forward = lambda module, *args, **kwargs: original(module, *args, **kwargs) * 0.5
            self.patches.append(lambda: setattr(kind, "forward", original))
        else:
            original = leaf.forward
            leaf.forward = lambda *args, **kwargs: original(*args, **kwargs) * 0.5
            self.patches.append(lambda: vars(leaf).pop("forward", None))
        self.touched = True

    @precondition(lambda self: self.patches)
    @rule()
    def drop_patches(self):
        while self.patches:
            self.patches.pop()()
        self.touched = True

    @precondition(lambda self: self.hooks)
    @rule()
    def drop_hooks(self):
        while self.hooks:
            self.hooks.pop()()
        self.touched = True

    @rule(training=st.booleans())
    def switch_mode(self, training):
        self.model.train(training)

    # --- what must hold -----------------------------------------------------------------------------

    @invariant()
    def numbers_are_the_models(self):
        found = []
        if not hasattr(self, "board") or self.refused(lambda: found.append((self.board.value, self.board.baselines))):
            return
        value, baselines = found[0]
        fresh, expected = self.fresh()
        assert value == pytest.approx(expected, abs=self.allowed())
        assert baselines.clean == pytest.approx(fresh.baselines.clean, abs=self.allowed())
        assert baselines.corrupted == pytest.approx(fresh.baselines.corrupted, abs=self.allowed())
        fresh.close()
        was = self.model.training
        self.model.eval()
        with torch.no_grad():
            logits = self.model(CLEAN, return_type="logits")
        self.model.train(was)
        theirs = float(logit_diff(logits, PAIR["answer"], PAIR["wrong"]).mean())
        assert baselines.clean == pytest.approx(theirs, abs=self.allowed())


TestLaw = Law.TestCase
nightly = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
# A failure is told as it was found: shrinking it would take longer than the whole suite.
TestLaw.settings = settings(
    max_examples=1000 if nightly else 60, stateful_step_count=8, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
