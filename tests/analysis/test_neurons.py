"""The neuron table: each column against plain tensors or the board's own exact sweep."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import AddressError, InterventionError
from tests.analysis.plain_stream import asked, plain_cache
from tests.board.prompts import CLEAN, LABELS, WRONG, pair


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "gemma1", "native_gated", "falcon"])
def test_every_column_is_what_plain_tensors_say(board_of, family):
    board = board_of(family)
    model = board.model
    board.edit(cb.head(0, 1).zero())
    frame = board.neurons(1, k=10_000, order="direct").set_index("index")
    assert len(frame) == board.desk.lab.adapter.shape.d_mlp
    hooks = [("blocks.0.attn.hook_z", lambda z, hook: z.index_fill(2, torch.tensor([1]), 0.0))]
    _, now = plain_cache(model, hooks)
    _, was = plain_cache(model)
    units = now["blocks.1.mlp.hook_post"][:, -1]
    direction, _ = asked(model)
    norm, inner = model.ln_final, model.ln_final.original_component
    weight = 1 + inner.weight.detach() if norm.uses_weight_offset else inner.weight.detach()
    folded = direction * weight
    folded = folded if norm.uses_rms_norm else folded - folded.mean(-1, keepdim=True)
    with torch.no_grad():
        out = model.blocks[1].mlp.submodules["out"].original_component
        eye = torch.eye(units.shape[-1])
        written = out(eye) - out(torch.zeros_like(eye))  # [neuron, d_model]
    congruence = folded @ written.T
    scale = board.direct_logit_attribution().norm_scale[:, None]
    expected = {
        "activation": units,
        "base_activation": was["blocks.1.mlp.hook_post"][:, -1],
        "congruence": congruence,
        "direct": units * congruence * scale,
    }
    for column, values in expected.items():
        found = torch.tensor(frame[column].sort_index().to_numpy())
        torch.testing.assert_close(found, values.mean(0), rtol=0, atol=1e-5)
    assert frame["direct"].abs().is_monotonic_decreasing
    split = board.direct_logit_attribution(neurons=[1]).to_dataframe().set_index("component")
    assert split.loc["neuron 1.5", "effect"] == pytest.approx(frame.loc[5, "direct"], abs=1e-6)
    assert split.loc["neuron 1.5", "stderr"] == pytest.approx(frame.loc[5, "direct_stderr"], abs=1e-6)


@pytest.mark.parametrize("how", ["patch", "zero"])
def test_effects_are_those_of_the_exact_sweep(board, how):
    board.edit(cb.head(0, 1).zero())
    frame = board.neurons(1, "S2", k=6, how=how)
    assert frame.attrs["how"] == how
    sweep = board.sweep("neuron", how=how, layers=[1], positions="S2")
    estimate = board.sweep("neuron", how=how, layers=[1], positions="S2", approximate="atp")
    for row in frame.itertuples():
        assert row.effect == pytest.approx(float(sweep.effect[0, row.index]), abs=1e-6)
        assert row.effect_stderr == pytest.approx(float(sweep.stderr[0, row.index]), abs=1e-6)
        assert row.estimate == pytest.approx(float(estimate.effect[0, row.index]), abs=1e-6)
    best = estimate.effect[0].abs().topk(6).indices.tolist()
    assert frame["index"].tolist() == best


def test_the_neurons_column_is_not_lost_to_the_index(board):
    frame = board.neurons(1, k=3)
    assert frame["neuron"].tolist() == [f"1.{index}" for index in frame["index"]]
    assert list(frame.columns) == [
        "neuron", "index", "activation", "base_activation", "direct", "direct_stderr", "congruence", "estimate",
        "effect", "effect_stderr",
    ]  # fmt: skip


def test_away_from_the_answer_nothing_is_direct(board):
    frame = board.neurons(1, 1, k=5, order="activation")
    assert frame["direct"].tolist() == [0] * 5
    assert (frame["congruence"] != 0).all()
    _, seen = plain_cache(board.model)
    units = seen["blocks.1.mlp.hook_post"][:, 1].mean(0)
    assert frame["index"].tolist() == units.abs().topk(5).indices.tolist()
    labelled = board.neurons(1, "S2", k=5, order="activation")
    units = seen["blocks.1.mlp.hook_post"][range(3), LABELS["S2"]].mean(0)
    assert labelled["index"].tolist() == units.abs().topk(5).indices.tolist()


def test_post_norms_of_the_mlp_are_folded_in(board_of):
    """Gemma 2: the neuron's share of the MLP's direct effect, and those sum to it."""
    board = board_of("gemma2")
    frame = board.neurons(1, k=10_000, order="direct")
    whole = board.direct_logit_attribution().to_dataframe().set_index("component")
    assert frame["direct"].sum() == pytest.approx(whole.loc["mlp_out 1", "effect"], abs=1e-5)


def test_orders(board):
    board.edit(cb.head(0, 1).zero())
    for order in ("congruence", "change"):
        frame = board.neurons(1, k=10_000, order=order)
        size = frame["congruence"] if order == "congruence" else frame["activation"] - frame["base_activation"]
        assert size.abs().round(6).is_monotonic_decreasing


def test_a_metric_without_gradient_still_has_exact_effects(board_of):
    def decided(logits):
        return (logits[:, -1].argmax(-1) == 0).float()

    board = board_of("gpt2", metric=decided)
    frame = board.neurons(1, k=3, order="direct")
    assert frame["estimate"].isna().all()
    assert frame["effect"].notna().all()
    with pytest.raises(InterventionError) as refusal:
        board.neurons(1)
    assert refusal.value.code == "unknown_order"


def test_without_a_source_run_neurons_are_silenced(board_of):
    board = board_of("gpt2", cb.PromptPair(CLEAN, answer=1, wrong=WRONG))
    assert board.neurons(0, k=1).attrs["how"] == "zero"


def test_what_does_not_exist_is_refused(board_of):
    board = board_of("gpt2", pair())
    for call, kind, code in (
        (lambda: board.neurons(3), AddressError, "layer_out_of_range"),
        (lambda: board.neurons(0, 7), AddressError, "position_out_of_range"),
        (lambda: board.neurons(0, "all"), AddressError, "position_out_of_range"),
        (lambda: board.neurons(0, order="size"), InterventionError, "unknown_order"),
        (lambda: board.neurons(0, k=0), InterventionError, "bad_count"),
        (lambda: board.neurons(0, how="shout"), InterventionError, "unknown_sweep"),
        (lambda: board_of("attention_only").neurons(0), InterventionError, "site_not_in_model"),
        (lambda: board_of("mixtral").neurons(0), InterventionError, "site_not_in_model"),
    ):
        with pytest.raises(kind) as refusal:
            call()
        assert refusal.value.code == code
