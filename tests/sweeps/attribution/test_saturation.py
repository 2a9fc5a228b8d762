"""AtP*'s QK fix: against the exact pattern of each cell, against models that are linear behind the pattern."""

from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb
from circuitboard.sweeps.attribution.saturation import by_single_keys
from tests.board.prompts import ANSWERS, CLEAN, CORRUPTED, WRONG, pair
from tests.oracle import logit_diff
from tests.sweeps.attribution.bench import bench
from tests.tiny_models import N_LAYERS, tiny

ELSEWHERE = cb.PromptPair(CLEAN, CLEAN + 20, answer=ANSWERS, wrong=WRONG, labels={"S2": [2, 1, 3], "END": -1})
"""All tokens differ, so that every query and key does in the first layer."""

LAST = N_LAYERS - 1
"""In the last layer GradDrop leaves gradients as they are, so the fix stands alone."""


def attention_only(n_layers, sharper=1.0):
    """Layers of attention without norms; the last one's pattern acts linearly. Scores are multiplied by sharper²."""
    config = TransformerBridgeConfig(
        d_model=24, d_head=6, n_heads=4, n_layers=n_layers, n_ctx=16, d_vocab=60, normalization_type=None,
        attn_only=True, act_fn="relu", seed=3, init_weights=True,
    )  # fmt: skip
    model = TransformerBridge.boot_native(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
        for block in model.blocks:
            for projection in (block.attn.q, block.attn.k):
                projection.original_component.weight.mul_(sharper)
    return model


@functools.cache
def bench_of(family):
    return bench(tiny(family), pair())


EDITS = (
    cb.attn_out(0).at([1, -1]).patch(),
    cb.head(1, 1).pattern.at(-1).scale(0.5),
    cb.head(1, 3).k.at(1).zero(),
    cb.head(1, 2).q.at(-1).scale(2),
)


@pytest.mark.parametrize("how", ["patch", "zero"])
@pytest.mark.parametrize("edits", [(), EDITS], ids=["bare", "on top of edits"])
def test_it_is_exact_where_all_that_follows_the_pattern_is_linear(how, edits):
    at = bench(attention_only(2), ELSEWHERE)
    for kind, label in (("head.q", "END"), ("head.k", "S2")):
        for options in ({"by": "pos"}, {"by": "all"}, {"positions": label}, {"positions": ["S2", "END"]}):
            cells = at.cells(kind, how=how, layers=1, **{"by": "all", **options})
            exact = at.exact(cells, edits)
            assert exact.abs().max() > 1e-4
            torch.testing.assert_close(at.estimate(cells, edits, "atp*"), exact, rtol=1e-6, atol=1e-8)
            assert not torch.allclose(at.estimate(cells, edits, "atp"), exact, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "neox", "gemma2", "qwen3", "native_softcap", "gptj", "opt"])
def test_it_is_the_exact_change_of_the_pattern_times_its_gradient(family):
    at = bench_of(family)
    model, group = at.model, at.adapter.shape.n_heads // at.adapter.shape.n_kv_heads
    names = {kind: f"blocks.{LAST}.attn.hook_{kind}" for kind in ("q", "k", "v", "z", "pattern")}
    kept = []

    def keep(activation, hook):
        kept.append(activation.clone())
        return kept[-1]

    value = logit_diff(model.run_with_hooks(CLEAN, fwd_hooks=[(names["z"], keep)]), ANSWERS, WRONG).sum()
    (by_z,) = torch.autograd.grad(value, kept)
    with torch.no_grad():
        cache, source = model.run_with_cache(CLEAN)[1], model.run_with_cache(CORRUPTED)[1]
    v = cache[names["v"]].repeat_interleave(group, 2)
    by_pattern = torch.einsum("bdhe,bshe->bhds", by_z, v)

    def pattern_with(kind, index, columns):
        def patch(activation, hook):
            activation = activation.clone()
            activation[:, columns, index] = source[names[kind]][:, columns, index]
            return activation

        seen = []
        with torch.no_grad():
            look = (names["pattern"], lambda activation, hook: seen.append(activation.clone()))
            model.run_with_hooks(CLEAN, fwd_hooks=[(names[kind], patch), look])
        return seen[0]

    for kind in ("q", "k"):
        for columns in ([4], [2], [1, 2], list(range(5))):
            cells, expected = [], []
            for index in range(at.adapter.shape.n_of(f"head.{kind}")):
                change = pattern_with(kind, index, columns) - cache[names["pattern"]]
                expected.append((change * by_pattern).sum((1, 2, 3)))
                cells.append(getattr(cb.head(LAST, index), kind).at(columns).patch())
            expected = torch.stack(expected)
            found = at.estimate(cells, method="atp*")
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()) + 1e-7)


@pytest.mark.parametrize("kind", ["head.q", "head.k"])
def test_saturated_attention_hides_from_atp_but_not_from_atp_star(kind):
    at = bench(attention_only(1, sharper=6.0), ELSEWHERE)
    cells = at.cells(kind)
    exact = at.exact(cells)
    hidden, found = at.estimate(cells, method="atp"), at.estimate(cells, method="atp*")
    largest = exact.abs().argmax()
    assert exact.flatten()[largest].abs() > 0.1
    assert hidden.flatten()[largest].abs() < 1e-3 * exact.flatten()[largest].abs()
    torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-8)


numbers = st.floats(-60, 60, width=32)


@given(st.lists(st.tuples(numbers, numbers, numbers, st.booleans()), min_size=1, max_size=6))
def test_a_single_key_by_formula_is_the_softmax_computed_again(rows):
    scores, changed, gradient, seen = (torch.tensor(column) for column in zip(*rows, strict=True))
    seen[0] = True
    scores, changed = (x.double().masked_fill(~seen, -torch.inf) for x in (scores, changed))
    gradient = gradient.double()
    found = by_single_keys(scores, changed, gradient)
    for key in range(len(scores)):
        alone = scores.clone()
        alone[key] = changed[key]
        expected = ((alone.softmax(-1) - scores.softmax(-1)) * gradient).sum()
        assert float(found[key]) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
