"""Self-repair: direct effects before and after edits, and what is left of the total."""

from __future__ import annotations

import math

import pytest
import torch

import circuitboard as cb
from circuitboard.analysis import SelfRepair
from circuitboard.errors import InterventionError
from tests.board.prompts import CLEAN, pair
from tests.tiny_models import FAMILIES

EDITS = {
    "head": (cb.head(1, 2).zero(),),
    "result": (cb.head(1, 2).result.scale(0.5),),
    "query": (cb.head(1, 2).q.patch(),),
    "pattern": (cb.head(1, 2).pattern.zero(),),
    "attn_out": (cb.attn_out(1).zero(),),
    "stream": (cb.resid_pre(1).at(-1).patch(),),
    "embed": (cb.embed().at(-1).scale(0.5),),
    "mlp": (cb.mlp_out(1).patch(),),
    "neuron": (cb.neuron(1, 3).zero(),),
    "edge": (cb.edge(cb.head(0, 1), cb.head(1, 2).q).zero(),),
    "edge to the stream": (cb.edge(cb.head(0, 1), cb.resid_post(2)).zero(),),
    "mean": (cb.head(1, 2).mean(),),
    "add": (cb.resid_mid(1).add(torch.ones(32)),),
    "freeze": (cb.head(0, 1).zero(), cb.mlp_out(1).freeze()),
    "two": (cb.head(1, 2).zero(), cb.mlp_out(2).scale(0.5)),
}
ITSELF = {
    "head": ["1.2"], "result": ["1.2"], "query": ["1.2"], "pattern": ["1.2"], "attn_out": ["edit of attn_out 1"],
    "stream": ["edit of resid_pre 1"], "embed": ["embed"], "mlp": ["mlp_out 1"], "neuron": ["mlp_out 1"],
    "edge": ["1.2"], "edge to the stream": ["edit of resid_post 2"], "two": ["1.2", "mlp_out 2"], "mean": ["1.2"],
    "add": ["edit of resid_mid 1"], "freeze": ["0.1", "mlp_out 1"],
}  # fmt: skip


def by_name(found, values):
    return dict(zip((component.name for component in found.components), values, strict=True))


@pytest.mark.parametrize("name", EDITS)
def test_before_and_after_are_the_direct_effects_of_both_states(board, name):
    board.edit(cb.head(0, 0).scale(0.5))
    before, values = board.direct_logit_attribution(), board.values
    found = board.self_repair(*EDITS[name])
    assert len(board.edits) == 1
    board.edit(*EDITS[name])
    after = board.direct_logit_attribution()
    for state, rows in ((before, found.before), (after, found.after)):
        mine = by_name(found, rows)
        for component, expected in zip(state.components, state.per_prompt, strict=True):
            torch.testing.assert_close(mine[component.name], expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.total, board.values - values, rtol=0, atol=1e-5)
    edited = [c.name for c, mine in zip(found.components, found.edited, strict=True) if mine]
    assert edited == ITSELF[name]
    torch.testing.assert_close(found.direct + found.compensation, found.total, rtol=0, atol=1e-6)


def test_with_the_scale_frozen_nothing_changes_before_the_edit(board):
    found = board.self_repair(cb.head(1, 2).zero())
    change = by_name(found, found.change)
    for name in ("embed", "pos_embed", "0.0", "0.3", "mlp_out 0", "1.0", "1.1", "1.3", "norm_bias"):
        assert change[name].abs().max() < 1e-6
    assert all(change[name].abs().max() > 1e-6 for name in ("mlp_out 1", "2.0", "mlp_out 2"))
    own = by_name(found, found.after - found.before)
    assert own["0.0"].abs().max() > 1e-6  # the norm rescales it all the same
    torch.testing.assert_close(change["1.2"], -by_name(found, found.before)["1.2"], rtol=0, atol=1e-6)


def test_the_parts_of_the_total_by_hand(board):
    """The direct effect of silencing a head is minus its own; the norm's part is a rescaling of what is after it."""
    before = board.direct_logit_attribution()
    found = board.self_repair(cb.head(1, 2).zero())
    after = board.preview(cb.head(1, 2).zero()).values
    own = by_name(before, before.per_prompt)["1.2"]
    torch.testing.assert_close(found.direct, -own, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.compensation, after - board.values + own, rtol=0, atol=1e-5)
    board.edit(cb.head(1, 2).zero())
    ratio = board.direct_logit_attribution().norm_scale / before.norm_scale
    constant = by_name(before, before.per_prompt)["norm_bias"]
    scaled = (after - constant) * (1 - 1 / ratio)
    torch.testing.assert_close(found.norm_part, scaled, rtol=0, atol=1e-5)


def test_the_last_layer_has_nothing_after_it_but_the_norm(board_of):
    board = board_of("attention_only")
    found = board.self_repair(cb.head(2, 1).zero())
    torch.testing.assert_close(found.compensation, found.norm_part, rtol=0, atol=1e-6)
    assert found.risers().empty


def test_grouped_keys_and_values_act_on_all_heads_of_their_group(board_of):
    board = board_of("llama_gqa")
    found = board.self_repair(cb.head(1, 1).v.zero())
    assert [c.name for c, mine in zip(found.components, found.edited, strict=True) if mine] == ["1.2", "1.3"]


def test_the_table_is_sorted_by_who_makes_up_for_most(board):
    found = board.self_repair(cb.head(1, 2).zero())
    frame = found.to_dataframe().set_index("component")
    assert frame["rise"].is_monotonic_decreasing
    assert frame.loc["1.2", "edited"]
    assert frame.loc["1.2", "rise"] == 0
    change = by_name(found, found.change)["mlp_out 2"]
    assert frame.loc["mlp_out 2", "change"] == pytest.approx(float(change.mean()), abs=1e-6)
    assert frame.loc["mlp_out 2", "stderr"] == pytest.approx(float(change.std() / 3**0.5), abs=1e-6)
    sign = -float(found.direct.mean().sign())
    assert frame.loc["mlp_out 2", "rise"] == pytest.approx(sign * float(change.mean()), abs=1e-6)
    risers = found.risers(2)
    assert (risers["rise"] > 0).all()
    summary = found.summary()
    assert summary.loc["total", "mean"] == pytest.approx(float(found.total.mean()))
    parts = summary.loc[["direct", "compensation by components", "compensation by the norm's scale"], "mean"].sum()
    assert parts == pytest.approx(summary.loc["total", "mean"], abs=1e-6)


def test_one_prompt_has_no_error_bars(board_of):
    board = board_of("gpt2", cb.PromptPair(CLEAN[:1], answer=1, wrong=2))
    found = board.self_repair(cb.head(1, 2).zero())
    assert math.isnan(found.summary().loc["total", "stderr"])


@pytest.mark.parametrize("family", FAMILIES)
def test_it_adds_up_in_every_family(board_of, family):
    board = board_of(family, pair())
    found = board.self_repair(cb.head(1, 1).zero(), cb.resid_pre(2).at(-1).scale(0.9))
    before, after = board.direct_logit_attribution().value, None
    board.edit(cb.head(1, 1).zero(), cb.resid_pre(2).at(-1).scale(0.9))
    after = board.direct_logit_attribution().value
    torch.testing.assert_close(found.total, after - before, rtol=0, atol=1e-5)


def test_what_is_no_edit_is_refused(board):
    with pytest.raises(InterventionError) as refusal:
        board.self_repair(cb.head(1, 2))
    assert refusal.value.code == "not_an_intervention"
    with pytest.raises(InterventionError):
        board.self_repair()
    assert board.edits == ()


def by_hand(before, after, edited=(True, False)):
    """A repair of rows [component, prompt], the norm's scale the same."""
    rows = [torch.tensor(values, dtype=torch.float32) for values in (before, after, after)]
    return SelfRepair((), *rows, torch.tensor(edited), ("zero 1.2",))


def test_it_says_which_way_the_rest_of_the_model_worked():
    repaired = by_hand([[2.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [1.5, 1.6]])
    assert repaired.verdict == "repaired"
    assert "direct -2.0000, compensation +1.5500 logits (repaired, 77% of the direct effect)" in repr(repaired)
    amplified = by_hand([[2.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [-0.9, -0.98]])
    assert amplified.verdict == "amplified"
    assert "compensation -0.9400 logits (amplified, 47% of the direct effect)" in repr(amplified)
    within_error = by_hand([[2.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [1.5, -1.4]])
    assert within_error.verdict == "neither"
    assert "neither repaired nor amplified" in repr(within_error)
    nothing = by_hand([[2.0], [1.0]], [[2.0], [1.5]])
    assert nothing.verdict == "neither", "there is no direct effect to repair"
    assert by_hand([[2.0], [1.0]], [[1.0], [1.5]]).verdict == "repaired", "one prompt has no error"
    assert by_hand([[2.0], [1.0]], [[math.nan], [1.5]]).verdict == "neither"
