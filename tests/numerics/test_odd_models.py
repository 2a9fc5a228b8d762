"""Odd models × everything a board does: each cell is the number that plain hooks on the user's model give, or a typed refusal.

Nothing else may come of it: what raises anything but a `CircuitboardError` fails here. Tiers and refused kinds are
written down, so that neither a silent fallback nor a refusal of everything passes for support.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch

import circuitboard as cb
from circuitboard.address import HOWS, KINDS, Edge, Intervention, Site, Values
from circuitboard.board.support import sample_site
from circuitboard.engine import tolerance
from circuitboard.errors import CircuitboardError, ModelError
from tests.odd_models import ODD, REFUSED_KINDS, odd
from tests.oracle import hooked_logits

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch.compile has much to say of hooks

DROPS_TIERS = True
EXPECTED = {
    "four_bit": "replay",
    "tensor_class": "replay",
    "float32_norms": "replay",
    "float16": "wavefront",
    "bfloat16": "wavefront",
    "float64": "wavefront",
    "lora": "replay",
    "lora_queries": "replay",
    "lora_linear": "replay",
    "lora_merged": "wavefront",
    "parametrized": "replay",
    "pruned": "replay",
    "compiled_forward": "nothing_to_edit",
    "inference": "wavefront",
    "frozen": "wavefront",
    "offloaded": "replay",
    "not_loaded": "weights_not_loaded",
    "checkpointing": "replay",
    "hooked": "replay",
    "hooked_between": "hooked",
    "training": "wavefront",
    "latent_v2": "replay",
    "latent_v3": "replay",
    "smallest": "wavefront",
    "bidirectional_bare": "replay",
    "cut": "wavefront",
    "sparse": "replay",
    "no_layers": "nothing_to_edit",
    "nan": "wavefront",
    "untied": "wavefront",
    "tied": "wavefront",
    "own_part": "replay",
    "sdpa": "wavefront",
    "flex": "model_does_not_run",
}
"""Odd model → its tier, or the code of the `ModelError` that refuses a board."""

ROWS = {name: tier for name, tier in EXPECTED.items() if tier in ("wavefront", "replay", "hooked")}


@dataclass
class Case:
    """An odd model with a board on it, and the same model as plain hooks are to see it."""

    name: str
    model: Any
    plain: Any
    board: cb.Board
    clean: torch.Tensor
    corrupted: torch.Tensor

    def values(self, *interventions) -> torch.Tensor:
        """The metric by plain hooks on the user's model."""
        labels = {"END": [self.clean.shape[1] - 1] * 2}
        logits = hooked_logits(self.plain, self.clean, self.corrupted, interventions, labels=labels)[:, -1]
        return logits[:, 1] - logits[:, 2]

    def same(self, found, expected) -> bool:
        """Analyses are given in float32 whatever the model's dtype."""
        found, expected = torch.as_tensor(found), torch.as_tensor(expected).double()
        dtype = max(self.board.desk.lab.adapter.dtype, found.dtype, key=lambda dtype: torch.finfo(dtype).eps)
        allowed = tolerance(dtype, self.board.desk.lab.clean.logits, expected.nan_to_num())
        return torch.allclose(found.double(), expected, rtol=0, atol=allowed, equal_nan=True)

    def has(self, kind: str, layer: int = 0) -> bool:
        return self.board.desk.lab.adapter.refusal(kind, layer) is None


def pair_for(model):
    d_vocab, width = int(model.cfg.d_vocab), min(4, int(model.cfg.n_ctx))
    draw = torch.Generator().manual_seed(0)
    clean, corrupted = torch.randint(1, d_vocab, (2, 2, width), generator=draw)
    return clean, corrupted, cb.PromptPair(clean, corrupted, answer=1, wrong=2, labels={"END": -1})


@pytest.fixture(scope="module", params=list(ROWS))
def case(request):
    model = odd(request.param)
    plain = copy.deepcopy(model).eval() if request.param == "training" else model
    clean, corrupted, pair = pair_for(model)
    board = cb.Board(model, pair)
    yield Case(request.param, model, plain, board, clean, corrupted)
    board.close()


def test_every_odd_model_has_its_row():
    assert list(EXPECTED) == list(ODD)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name not in ROWS])
def test_a_model_without_a_board_is_refused_with_the_reason(name):
    model = odd(name)
    *_, pair = pair_for(model)
    with pytest.raises(ModelError) as caught:
        cb.Board(model, pair)
    assert caught.value.code == EXPECTED[name]
    assert caught.value.message.endswith((".", "!"))


def test_the_tier_is_the_one_it_should_be_and_says_why(case):
    assert case.board.engine.tier == EXPECTED[case.name]
    assert ("was dropped:" in case.board.engine.why) == (EXPECTED[case.name] != "wavefront")


def test_the_unedited_value_is_that_of_the_users_own_model(case):
    with torch.no_grad():
        logits = case.plain(case.clean, return_type="logits", use_cache=False)[:, -1]
    assert case.same(case.board.values, logits[:, 1] - logits[:, 2])


def _edit(case, name, how):
    site = sample_site(case.board, name)
    part = site.sender if isinstance(site, Edge) else site
    width = 1 if part.kind == "head.pattern" else case.board.desk.lab.adapter.shape.width_of(part.kind, 1)
    vector = Values.of(torch.randn(width, generator=torch.Generator().manual_seed(1)), how)
    options = {
        "mean": {"per": "position"},
        "resample": {"per": "position", "seed": 0},
        "scale": {"strength": 1.5},
        "add": {"strength": 1.0, "values": vector},
        "set": {"values": vector},
    }
    return Intervention(site, how, **options.get(how, {}))


def test_every_edit_is_that_of_plain_hooks_or_refused(case):
    for name in (*KINDS, "edge"):
        hows = HOWS if name == "resid_pre" else ("patch", "add")
        for how in hows:
            edit = _edit(case, name, how)
            if name in REFUSED_KINDS.get(case.name, ()):
                with pytest.raises(CircuitboardError) as caught:
                    case.board.preview(edit)
                assert caught.value.code == "site_not_in_model"
            else:
                assert case.same(case.board.preview(edit).values, case.values(edit)), f"{edit} on {case.name}"


def test_sweeps_are_their_cells_one_by_one(case):
    for over in ("head", "resid_mid", "mlp_out", "neuron"):
        if not case.has(over):
            with pytest.raises(CircuitboardError):
                case.board.sweep(over, how="zero", layers=[0])
            continue
        sweep = case.board.sweep(over, how="zero", layers=[0])
        cell = Site(over, 0, None if case.board.desk.lab.adapter.shape.n_of(over) is None else 0).zero()
        assert case.same(sweep.per_prompt.flatten(0, -2)[0], case.values(cell)), over


def test_attribution_patching_is_the_gradient_or_refused(case):
    if case.name == "inference":
        for method in ("atp", "atp*"):
            with pytest.raises(ModelError, match="inference") as caught:
                case.board.sweep("resid_post", how="zero", layers=[0], approximate=method)
            assert caught.value.code == "no_gradient"
        return
    name = "blocks.0.hook_resid_post"
    kept = []

    def keep(found, hook):
        kept.append(found.detach().clone().requires_grad_())
        return kept[-1]

    logits = case.plain.run_with_hooks(case.clean, fwd_hooks=[(name, keep)], use_cache=False)[:, -1]
    objective = (logits[:, 1] - logits[:, 2]).sum()
    (gradient,) = torch.autograd.grad(objective, kept)
    expected = -(gradient.double() * kept[0].detach().double()).sum((1, 2))
    found = case.board.sweep("resid_post", how="zero", layers=[0], approximate="atp")
    assert case.same(found.per_prompt[0] - case.board.values, expected)
    if case.board.engine.tier == "wavefront" or case.name == "own_part":
        assert case.board.sweep("resid_post", how="zero", layers=[0], approximate="atp*").values.shape == (1,)
    else:
        with pytest.raises(CircuitboardError) as caught:
            case.board.sweep("resid_post", how="zero", layers=[0], approximate="atp*")
        assert caught.value.code == "no_atp_star"


def test_direct_effects_sum_to_the_users_logits_or_are_refused(case):
    with torch.no_grad():
        logits = case.plain(case.clean, return_type="logits", use_cache=False)[:, -1].double()
    expected = logits[:, 1] - logits[:, 2]
    if case.name in NO_OUTLETS:
        for ask in (case.board.direct_logit_attribution, lambda: case.board.self_repair(cb.resid_post(0).zero())):
            with pytest.raises(ModelError, match=NO_OUTLETS[case.name]) as caught:
                ask()
            assert caught.value.code == "no_outlets"
        return
    found = case.board.direct_logit_attribution()
    assert case.same(found.per_prompt.sum(0), expected)
    repair = case.board.self_repair(cb.resid_post(0).at(-1).zero())
    assert case.same(repair.total, case.values(cb.resid_post(0).at(-1).zero()) - expected)


def test_single_neurons_are_what_removing_them_removes_or_refused(case):
    """Their direct effects sum to that of their layer, whose bias is apart; their effects are those of the edits."""
    if case.name in NO_NEURONS:
        with pytest.raises(CircuitboardError) as caught:
            case.board.neurons(0, how="zero", order="activation")
        assert caught.value.code in ("site_not_in_model", "not_decomposed", "no_outlets")
        return
    table = case.board.neurons(0, k=10_000, how="zero", order="activation")
    index = int(table["index"].iloc[0])
    edit = cb.neuron(0, index).at(-1).zero()
    assert case.same(table.effect.iloc[0], (case.values(edit) - case.values()).mean())
    split = case.board.direct_logit_attribution(neurons=[0])
    whole = case.board.direct_logit_attribution()
    of_layer = [c.kind in ("neuron", "mlp_bias") and c.layer == 0 for c in split.components]
    in_one = [c.kind == "mlp" and c.layer == 0 for c in whole.components]
    assert case.same(split.per_prompt[of_layer].sum(0), whole.per_prompt[in_one].sum(0))
    direct = torch.tensor(table.sort_values("index").direct.to_numpy())
    neurons = [c.kind == "neuron" for c in split.components]
    assert case.same(direct, split.per_prompt[neurons].mean(-1))


NO_OUTLETS = {
    "offloaded": "not in memory",
    "hooked": "hooks of yours act in it",
    "hooked_between": "hooks of yours act in it",
}

NO_NEURONS = {
    *NO_OUTLETS,
    "four_bit",
    "tensor_class",
    "lora",
    "lora_linear",
    "parametrized",
    "sparse",
    "latent_v2",
    "latent_v3",
    "own_part",
}


def test_the_lens_is_the_models_own_norm_and_unembedding(case):
    seen = []
    hook = ("blocks.0.hook_resid_pre", lambda found, hook: seen.append(found.detach().clone()))
    with torch.no_grad():
        case.plain.run_with_hooks(case.clean, fwd_hooks=[hook], use_cache=False)
        rows = case.plain.ln_final(seen[0]) if hasattr(case.plain, "ln_final") else seen[0]
        logits = case.plain.adapter.apply_output_logits_transform(case.plain.unembed(rows))[:, -1]
    found = case.board.logit_lens()
    assert case.same(found.current.logit_diff[0, 0], logits[:, 1] - logits[:, 2])
    assert case.same(found.current.logit_diff[-1, 0], case.values())


def test_patterns_and_activations_are_those_of_the_model(case):
    if not case.has("head.pattern"):
        with pytest.raises(CircuitboardError):
            case.board.attention(0, 0)
    else:
        seen = []
        hook = ("blocks.0.attn.hook_pattern", lambda found, hook: seen.append(found.detach().clone()))
        with torch.no_grad():
            case.plain.run_with_hooks(case.clean, fwd_hooks=[hook], use_cache=False)
        assert case.same(case.board.attention(0, 0).pattern, seen[0][0, 0])
    if not case.has("neuron"):
        with pytest.raises(CircuitboardError):
            case.board.max_activating(case.clean, 0, 0)
    else:
        assert len(case.board.max_activating(case.clean, 0, 0, k=3)) == 3
    assert len(case.board.per_prompt()) == 2
    table = case.board.top_tokens(5)
    assert len(table) >= 5 or len(table) == case.board.desk.lab.adapter.shape.d_vocab


def test_what_is_kept_comes_back_and_holds(case, tmp_path):
    board = case.board
    edit = cb.resid_post(0).at(-1).scale(0.5)
    board.edit(edit)
    try:
        assert case.same(board.values, case.values(edit))
        assert board.verify().ok
        if case.name != "nan":
            assert board.self_test().ok, board.self_test()
        path = tmp_path / "odd.board.json"
        board.save(path)
        again = cb.Board.load(path, case.model)
        assert case.same(again.values, board.values)
        assert again.engine.tier == EXPECTED[case.name]
        again.close()
        assert "resid_post(0)" in board.to_python()
        if case.has("head"):
            board.export_html(tmp_path / "odd.html")
    finally:
        board.undo()
