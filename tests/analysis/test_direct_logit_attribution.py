"""Direct logit attribution: it sums to the logit difference, and each summand is what plain tensors say."""

from __future__ import annotations

import math

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import AddressError, EngineError, InterventionError, ModelError
from tests.analysis.plain_stream import asked, frozen_norm, plain_cache
from tests.board.prompts import ANSWERS, CLEAN, CORRUPTED, WRONG, pair
from tests.tiny_models import FAMILIES, MORE_FAMILIES, tiny

REFUSED = {"opt_post": "no_outlets", "mamba": "not_decomposed"}
DECOMPOSED = [family for family in (*FAMILIES, *MORE_FAMILIES) if family not in (*REFUSED, "t5")]
SOFTCAPPED = ("gemma2", "native_softcap")


def effects(found, kind):
    return {(c.layer, c.index): x for c, x in zip(found.components, found.per_prompt, strict=True) if c.kind == kind}


@pytest.mark.parametrize("compatibility", [False, True], ids=["raw", "compatibility"])
@pytest.mark.parametrize("family", DECOMPOSED)
def test_components_sum_to_the_logit_difference(board_of, family, compatibility):
    board = board_of(family, compatibility=compatibility)
    neurons = board.desk.lab.adapter.refusal("neuron", 1) is None
    for state in ((), (cb.head(0, 1).zero(), cb.resid_pre(1).at(-1).patch(), cb.attn_out(1).scale(0.5))):
        if state:
            board.edit(*state)
        for split in (False, [1]) if neurons else (False,):
            found = board.direct_logit_attribution(neurons=split)
            assert torch.allclose(found.per_prompt.sum(0), found.value, atol=1e-5)
            assert torch.allclose(found.logit_diff, board.values, atol=1e-5)
            if family not in SOFTCAPPED:
                assert found.softcap is None
                assert torch.allclose(found.value, board.values, atol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "neox", "native", "attention_only", "opt", "gemma1", "bloom"])
def test_heads_and_mlps_equal_transformer_lens(board_of, family):
    from transformer_lens.tools.analysis import direct_logit_attribution

    board = board_of(family, compatibility=True)
    found = board.direct_logit_attribution()
    options = {"answer_tokens": torch.tensor(ANSWERS), "incorrect_tokens": torch.tensor(WRONG)}
    heads = direct_logit_attribution(board.model, CLEAN, unit="head", **options)
    mine = effects(found, "head")
    for label, expected in zip(heads.labels, heads.attribution, strict=True):
        if label != "remainder":
            layer, head = label.removeprefix("L").split("H")
            torch.testing.assert_close(mine[int(layer), int(head)], expected, rtol=0, atol=1e-5)
    parts = direct_logit_attribution(board.model, CLEAN, unit="component", **options)
    mlps = effects(found, "mlp")
    for label, expected in zip(parts.labels, parts.attribution, strict=True):
        if label.endswith("mlp_out"):
            torch.testing.assert_close(mlps[int(label.split("_")[0]), None], expected, rtol=0, atol=1e-5)
        elif label in ("embed", "pos_embed"):
            torch.testing.assert_close(effects(found, label)[None, None], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "neox", "gemma1", "opt", "phi", "cohere", "mixtral"])
def test_raw_models_equal_the_same_done_with_their_own_modules(board_of, family):
    """Take what a head adds out of the last stream, with the norm's scale held: that much less is the answer."""
    board = board_of(family)
    model = board.model
    edit = ("blocks.0.attn.hook_z", lambda z, hook: z.index_fill(2, torch.tensor([1]), 0.0))
    board.edit(cb.head(0, 1).zero())
    found = board.direct_logit_attribution()
    _, seen = plain_cache(model, [edit])
    stream = seen["blocks.2.hook_resid_post"][:, -1]
    norm, (direction, _) = frozen_norm(model, stream), asked(model)
    scale = float(getattr(model.cfg, "logit_scale", None) or 1.0)

    def effect(added):
        return ((norm(stream) - norm(stream - added)) * direction).sum(-1) * scale

    for layer in range(3):
        z = seen[f"blocks.{layer}.attn.hook_z"][:, -1:]
        project = model.blocks[layer].attn.o.original_component
        for head in range(4):
            alone = torch.zeros_like(z)
            alone[:, :, head] = z[:, :, head]
            with torch.no_grad():
                added = project(alone.flatten(2)) - project(torch.zeros_like(z).flatten(2))
            torch.testing.assert_close(effects(found, "head")[layer, head], effect(added[:, 0]), rtol=0, atol=1e-5)
        mlp = seen[f"blocks.{layer}.hook_mlp_out"][:, -1]
        torch.testing.assert_close(effects(found, "mlp")[layer, None], effect(mlp), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.value, board.values, rtol=0, atol=1e-5)
    assert effects(found, "head")[0, 1].tolist() == [0, 0, 0]


def test_post_norms_are_split_between_heads_with_their_scale_held(board_of):
    """Gemma 2: attn_out = weight ∘ raw / rms(raw), and raw is the sum of the heads' results."""
    board = board_of("gemma2")
    model, found = board.model, board.direct_logit_attribution()
    _, seen = plain_cache(model)
    stream = seen["blocks.2.hook_resid_post"][:, -1]
    norm, (direction, _) = frozen_norm(model, stream), asked(model)
    for layer in range(3):
        z = seen[f"blocks.{layer}.attn.hook_z"][:, -1]
        weight = model.blocks[layer].attn.o.original_component.weight.unflatten(-1, (4, 8))
        results = torch.einsum("bhe,dhe->bhd", z, weight).detach()
        out, raw = seen[f"blocks.{layer}.hook_attn_out"][:, -1], results.sum(1)
        share = (results / raw[:, None]) * out[:, None]
        expected = (_along(norm, stream, share) * direction[:, None]).sum(-1)
        mine = torch.stack([effects(found, "head")[layer, head] for head in range(4)], -1)
        torch.testing.assert_close(mine, expected, rtol=0, atol=1e-4)
    assert found.softcap == 30.0
    capped = board.logits()
    raw_logits = 30 * torch.atanh(capped / 30)
    expected = torch.stack([row[a] - row[w] for row, a, w in zip(raw_logits, ANSWERS, WRONG, strict=True)])
    torch.testing.assert_close(found.value, expected, rtol=0, atol=1e-4)


def _along(norm, stream, share):
    """What vectors [batch, head, d] are after the held norm."""
    return torch.stack([norm(stream) - norm(stream - share[:, head]) for head in range(share.shape[1])], 1)


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "gemma3", "native_gated", "falcon"])
def test_neurons_and_their_bias_sum_to_the_mlp(board_of, family):
    board = board_of(family)
    whole, split = board.direct_logit_attribution(), board.direct_logit_attribution(neurons=True)
    for layer in range(3):
        parts = [x for c, x in zip(split.components, split.per_prompt, strict=True) if c.layer == layer]
        kinds = [c.kind for c in split.components if c.layer == layer]
        mlp = sum(x for x, kind in zip(parts, kinds, strict=True) if kind in ("neuron", "mlp_bias"))
        torch.testing.assert_close(mlp, effects(whole, "mlp")[layer, None], rtol=0, atol=1e-5)
    frame = split.to_dataframe()
    assert frame["neuron"].notna().sum() == 3 * board.desk.lab.adapter.shape.d_mlp
    assert "neuron 1.2" in set(frame["component"])


def test_what_edits_put_on_the_stream_is_a_summand_of_its_own(board):
    board.edit(cb.resid_pre(2).at(-1).patch(), cb.mlp_out(1).zero(), cb.edge(cb.head(0, 1), cb.resid_post(2)).zero())
    found = board.direct_logit_attribution()
    names = [component.name for component in found.components]
    assert "edit of resid_pre 2" in names
    assert "edit of resid_post 2" in names
    assert effects(found, "mlp")[1, None].tolist() == [0, 0, 0]
    _, clean = plain_cache(board.model)
    _, corrupted = plain_cache(board.model, tokens=CORRUPTED)
    silent = ("blocks.1.hook_mlp_out", lambda out, hook: out * 0)
    _, edited = plain_cache(board.model, [silent])
    assert not torch.equal(clean["blocks.2.hook_resid_pre"], edited["blocks.2.hook_resid_pre"])
    moved = (corrupted["blocks.2.hook_resid_pre"] - edited["blocks.2.hook_resid_pre"])[:, -1]
    scale = found.norm_scale[:, None]
    direction, _ = asked(board.model)
    weight = board.model.ln_final.original_component.weight.detach()
    expected = ((moved - moved.mean(-1, keepdim=True)) * weight * scale * direction).sum(-1)
    row = found.per_prompt[names.index("edit of resid_pre 2")]
    torch.testing.assert_close(row, expected, rtol=0, atol=1e-5)


def test_edited_results_count_as_what_they_became(board):
    board.edit(cb.head(2, 1).result.scale(3))
    found = board.direct_logit_attribution()
    board.clear()
    before = board.direct_logit_attribution()
    ratio = (found.norm_scale / before.norm_scale) * 3
    torch.testing.assert_close(
        effects(found, "head")[2, 1], effects(before, "head")[2, 1] * ratio, rtol=1e-4, atol=1e-6
    )


def test_a_model_worked_out_by_hand():
    """The model of the known answers: the last stream is e_2 + (e_1 + e_2), and W_U reads it as it is.

    logit(2) − logit(1) = 1: the embedding e_2 adds 1, the head e_1 + e_2 adds 1 − 1 = 0.
    """
    from transformer_lens import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config = TransformerBridgeConfig(
        d_model=4, d_head=4, n_heads=1, n_layers=1, n_ctx=4, d_vocab=4, attn_only=True, normalization_type=None,
        positional_embedding_type="rotary", act_fn="relu", seed=0, init_weights=True,
    )  # fmt: skip
    model = TransformerBridge.boot_native(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.zero_()
            if name.endswith("weight") and parameter.shape == (4, 4):
                kind = name.split(".")[-3] if name.split(".")[-2] == "_original_component" else name.split(".")[-2]
                parameter.copy_({"q": 0.0, "k": 0.0, "o": 2.0}.get(kind, 1.0) * torch.eye(4))
    board = cb.Board(model, cb.PromptPair(torch.tensor([[1, 2]]), answer=2, wrong=1))
    found = board.direct_logit_attribution()
    assert effects(found, "embed")[None, None].tolist() == pytest.approx([1])
    assert effects(found, "head")[0, 0].tolist() == pytest.approx([0])
    assert found.norm_scale.tolist() == [1]
    assert math.isnan(found.stderr[0])
    board.close()


def test_without_a_wrong_answer_it_is_the_logit_of_the_answer(board_of):
    board = board_of("gpt2", cb.PromptPair(CLEAN, answer=ANSWERS), metric="log_prob")
    found = board.direct_logit_attribution()
    expected = torch.stack([row[answer] for row, answer in zip(board.logits(), ANSWERS, strict=True)])
    torch.testing.assert_close(found.per_prompt.sum(0), expected, rtol=0, atol=1e-5)


def test_several_answers_count_with_the_mean_of_their_logits(board_of):
    board = board_of("gpt2", cb.PromptPair(CLEAN, answer=[{1, 7}, 2, {3, 8, 9}], wrong=[4, {5, 10}, 6]))
    found = board.direct_logit_attribution()
    torch.testing.assert_close(found.per_prompt.sum(0), board.values, rtol=0, atol=1e-5)
    rows = board.logits()
    assert float(found.value[2]) == pytest.approx(float(rows[2, [3, 8, 9]].mean() - rows[2, 6]), abs=1e-5)


def test_the_table_has_means_error_bars_and_shares(board):
    found = board.direct_logit_attribution()
    frame = found.to_dataframe()
    assert list(frame.columns) == ["component", "kind", "layer", "head", "neuron", "effect", "stderr", "share"]
    row = frame.set_index("component").loc["1.2"]
    values = effects(found, "head")[1, 2]
    assert row["effect"] == pytest.approx(float(values.mean()), abs=1e-6)
    assert row["stderr"] == pytest.approx(float(values.std() / 3**0.5), abs=1e-6)
    assert frame["share"].sum() == pytest.approx(1, abs=1e-4)
    assert float(found.heads[1, 2]) == pytest.approx(row["effect"])
    top = found.top(3)
    assert top["effect"].abs().is_monotonic_decreasing
    assert len(top) == 3


def test_a_padded_data_set_gives_each_prompt_its_own_numbers(board_of):
    rows = [torch.tensor([5, 6, 7, 8, 9]), torch.tensor([8, 7, 6]), torch.tensor([11, 12, 13, 14])]
    together = board_of("gpt2", cb.PromptPair(rows, answer=ANSWERS, wrong=WRONG)).direct_logit_attribution()
    for prompt, row in enumerate(rows):
        alone = board_of("gpt2", cb.PromptPair(row, answer=ANSWERS[prompt], wrong=WRONG[prompt]))
        found = alone.direct_logit_attribution()
        torch.testing.assert_close(together.per_prompt[:, prompt], found.per_prompt[:, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("family", "code"), REFUSED.items())
def test_what_is_no_such_sum_is_refused_with_its_reason(board_of, family, code):
    board = board_of(family)
    with pytest.raises((ModelError, EngineError)) as refusal:
        board.direct_logit_attribution()
    assert refusal.value.code == code
    assert len(refusal.value.message) > 40


def test_neurons_that_do_not_exist_are_refused(board_of):
    with pytest.raises(InterventionError, match="no MLP") as refusal:
        board_of("attention_only").direct_logit_attribution(neurons=True)
    assert refusal.value.code == "site_not_in_model"
    with pytest.raises(AddressError) as refusal:
        board_of("gpt2").direct_logit_attribution(neurons=[3])
    assert refusal.value.code == "layer_out_of_range"
    with pytest.raises(InterventionError, match="neurons is True"):
        board_of("gpt2").direct_logit_attribution(neurons=0.5)
    with pytest.raises(InterventionError) as refusal:
        board_of("mixtral").direct_logit_attribution(neurons=[1])
    assert refusal.value.code == "site_not_in_model"


def test_the_demo_model_sums_on_a_data_set():
    model = cb.load("demo")
    board = cb.Board(model, cb.tasks.ioi(8, seed=0, model=model))
    found = board.direct_logit_attribution()
    assert torch.allclose(found.per_prompt.sum(0), board.values, atol=1e-4)
    board.close()


@pytest.mark.smollm2
def test_smollm2_sums_within_a_ten_thousandth(smollm2):
    prompts = cb.PromptPair(
        clean="When John and Mary went to the shops, John gave the bag to",
        corrupted="When John and Mary went to the shops, Mary gave the bag to",
        answer=" Mary", wrong=" John", prepend_bos=False,
    )  # fmt: skip
    board = cb.Board(smollm2, prompts)
    found = board.direct_logit_attribution()
    assert float((found.per_prompt.sum(0) - board.values).abs().max()) < 1e-4
    assert found.top(1).component[0] == "23.3"
    repair = board.self_repair(cb.head(23, 3).zero())
    assert float(repair.direct.mean()) == pytest.approx(-1.917, abs=0.01)
    assert repair.to_dataframe().component[0] == "29.0"  # the head that is against the answer lets go
    board.close()


def test_it_runs_on_every_tier(board_of):
    expected = None
    for tier in ("wavefront", "replay", "hooked"):
        board = board_of("gpt2", pair(), engine=tier)
        board.edit(cb.head(1, 1).patch())
        found = board.direct_logit_attribution().per_prompt
        expected = found if expected is None else expected
        assert torch.equal(found, expected)


def test_float64_models_sum_to_rounding(board_of):
    board = cb.Board(tiny("gpt2", double=True), pair())
    found = board.direct_logit_attribution()
    assert torch.allclose(found.value.double(), board.values.double(), atol=1e-6)
    board.close()
