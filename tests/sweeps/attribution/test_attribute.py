"""AtP: against autograd on plain hooks, against finite differences of exact runs, and where it is exact."""

from __future__ import annotations

import copy
import functools

import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb
from circuitboard.address import KINDS, Site
from circuitboard.engine import CancelToken
from circuitboard.errors import Cancelled, EngineError, InterventionError, MetricError
from circuitboard.models.adapter import places_of
from tests.board.prompts import ANSWERS, CLEAN, CORRUPTED, WRONG, pair
from tests.oracle import logit_diff
from tests.sweeps.attribution.bench import bench
from tests.tiny_models import tiny

HOOKS = {
    "embed": "hook_embed",
    "resid_pre": "blocks.{}.hook_resid_pre",
    "head.q": "blocks.{}.attn.hook_q",
    "head.k": "blocks.{}.attn.hook_k",
    "head.v": "blocks.{}.attn.hook_v",
    "head": "blocks.{}.attn.hook_z",
    "attn_out": "blocks.{}.hook_attn_out",
    "neuron": "blocks.{}.mlp.hook_post",
    "mlp_out": "blocks.{}.hook_mlp_out",
    "resid_post": "blocks.{}.hook_resid_post",
}
"""Sites that are one hook: the others are held by finite differences."""

PINNED = (cb.head(0, 2).zero(), cb.attn_out(1).at([1, -1]).patch(), cb.head(1, 1).pattern.at(-1).scale(0.5))
FAMILIES = ["gpt2", "llama_gqa", "neox", "gemma2", "native"]


@functools.cache
def bench_of(family, *, double=False):
    return bench(tiny(family, double=double), pair())


def by_hand(model, place, edits):
    """(before, source, gradient) of an activation with edits in force, all by plain hooks and autograd."""
    name = HOOKS[place[0]].format(place[1])
    with torch.no_grad():
        source = model.run_with_cache(CORRUPTED)[1]
    kept = []
    hooks = []

    def write(activation, hook, edit):
        activation = activation.clone()
        at = slice(None) if edit.site.positions is None else list(edit.site.positions)
        if edit.site.kind == "head":
            activation[:, :, edit.site.index] = 0
        elif edit.site.kind == "head.pattern":
            activation[:, edit.site.index, at] *= edit.strength
        else:
            activation[:, at] = source[HOOKS[edit.site.kind].format(edit.site.layer)][:, at]
        return activation

    names = {**HOOKS, "head.pattern": "blocks.{}.attn.hook_pattern"}
    for edit in edits:
        hooks.append((names[edit.site.kind].format(edit.site.layer), functools.partial(write, edit=edit)))

    def keep(activation, hook):
        kept.append(activation.clone())
        return kept[-1]

    hooks.append((name, keep))
    value = logit_diff(model.run_with_hooks(CLEAN, fwd_hooks=hooks), ANSWERS, WRONG).sum()
    (gradient,) = torch.autograd.grad(value, kept)
    return kept[0].detach(), source[name], gradient


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("edits", [(), PINNED], ids=["bare", "on top of edits"])
def test_atp_is_change_times_gradient_by_plain_hooks(family, edits):
    at = bench_of(family)
    positions = {"all": range(CLEAN.shape[1]), "one": [2], "two": [0, -1]}
    for kind in HOOKS:
        place = (kind, 0 if kind == "embed" else 1)
        before, source, gradient = by_hand(at.model, place, edits)
        size = at.adapter.shape.n_of(kind)
        cells, expected = [], []
        for how in ("patch", "zero", "scale"):
            after = {"patch": source, "zero": 0 * before, "scale": -0.5 * before}[how]
            entries = (after - before) * gradient
            for columns in positions.values():
                for index in range(min(size or 1, 5)):
                    site = Site(*place, None if size is None else index).at(list(columns))
                    cells.append(site.scale(-0.5) if how == "scale" else getattr(site, how)())
                    part = entries if size is None else entries[:, :, index]
                    expected.append(part[:, list(columns)].flatten(1).sum(1))
        torch.testing.assert_close(at.estimate(cells, edits), torch.stack(expected), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", [*FAMILIES, "attention_only", "gptj", "gptneo", "opt", "qwen3", "bloom", "falcon"])
def test_a_small_change_has_the_effect_that_is_estimated(family):
    # Some models compute parts in float32 whatever their dtype, so the step cannot be tiny; but OPT's ReLUs have kinks
    # that a large one crosses.
    at, step = bench_of(family, double=True), 1e-4 if family == "opt" else 3e-3
    edits = [edit for edit in PINNED if at.adapter.refusal(edit.site.kind, edit.site.layer) is None]
    sites = []
    for kind, layer in places_of(at.adapter):
        size = at.adapter.shape.n_of(kind)
        index = None if size is None else min(1, size - 1)
        sites += [Site(kind, layer, index).at(where) for where in (None, [1, -1], -1)]
    sites += [cb.head(layer, 0).pattern.at([2, -1], [0, 2]) for layer in range(3)]
    assert {site.kind for site in sites} >= set(KINDS) - {"resid_mid", "mlp_out", "neuron"}
    up, down = [site.scale(1 + step) for site in sites], [site.scale(1 - step) for site in sites]
    slope = (at.exact(up, edits) - at.exact(down, edits)) / (2 * step)
    torch.testing.assert_close(at.estimate(up, edits) / step, slope, rtol=1e-3, atol=3e-3 * float(slope.abs().max()))


def test_gradients_pass_an_edge_in_force_on_to_its_receiver():
    at = bench(tiny("native_bare", double=True), pair())
    edits = [cb.edge(cb.head(0, 1), cb.head(2, 3).q).zero(), cb.edge(cb.mlp_out(0), cb.resid_mid(1)).patch()]
    # What lies between sender and receiver does not change the message, and without norms a query is linear in it.
    cells = [Site(kind, 1, index).scale(1 + 1e-6) for kind, index in (("head", 0), ("mlp_out", None), ("neuron", 3))]
    exact = at.exact(cells, edits)
    assert not torch.allclose(exact, at.exact(cells), rtol=1e-2, atol=0), "the edges matter"
    torch.testing.assert_close(at.estimate(cells, edits), exact, rtol=1e-4, atol=1e-4 * float(exact.abs().max()))


def test_a_head_s_result_counts_as_much_as_its_z():
    at = bench_of("gpt2")
    z, result = (at.estimate(at.cells(over), PINNED) for over in ("head", "head.result"))
    torch.testing.assert_close(result, z, rtol=1e-4, atol=1e-6)


@functools.cache
def linear_model(**options):
    """Attention layers without norms: all that follows the last layer's pattern and values is linear in them."""
    config = TransformerBridgeConfig(
        d_model=24, d_head=6, n_heads=4, n_layers=2, n_ctx=16, d_vocab=60, normalization_type=None, attn_only=True,
        act_fn="relu", seed=3, init_weights=True, **options,
    )  # fmt: skip
    model = TransformerBridge.boot_native(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    return model.double().eval()


@pytest.mark.parametrize("how", ["patch", "zero"])
@pytest.mark.parametrize(
    "edits",
    [(), (cb.attn_out(0).at([1, -1]).patch(), cb.head(1, 1).pattern.at(-1).scale(0.5), cb.head(1, 2).v.at(0).zero())],
    ids=["bare", "on top of edits"],
)
def test_where_the_model_is_linear_the_estimate_is_exact(how, edits):
    at = bench(linear_model(), pair())
    for kind in ("head", "head.v", "head.pattern", "head.result", "attn_out", "resid_post"):
        for options in ({"by": "pos"}, {"by": "all"}, {"by": "all", "positions": ["S2", "END"]}):
            cells = at.cells(kind, how=how, layers=1, **options)
            exact = at.exact(cells, edits)
            assert exact.abs().max() > 1e-3 or (how == "patch" and kind == "head.pattern")
            for method in ("atp", "atp*"):
                torch.testing.assert_close(at.estimate(cells, edits, method), exact, rtol=1e-6, atol=1e-7)


def test_estimates_find_what_matters_in_the_demo_model():
    model = cb.load("demo")
    at = bench(model, cb.tasks.induction(4, seed=0, model=model))
    for over in ("head", "head.q", "head.k", "head.v"):
        cells = at.cells(over, by="all")
        exact = at.exact(cells).mean(-1).abs()
        for method in ("atp", "atp*"):
            estimate = at.estimate(cells, method=method).mean(-1).abs()
            ranks = torch.stack((exact, estimate)).argsort(-1).argsort(-1).double()
            assert float(torch.corrcoef(ranks)[0, 1]) > 0.6, (over, method)


@pytest.mark.parametrize("method", ["atp", "atp*"])
def test_the_same_question_gives_the_same_numbers(method):
    at = bench_of("llama_gqa")
    cells = [cell for over in ("head", "head.q", "head.k", "neuron") for cell in at.cells(over)]
    assert torch.equal(at.estimate(cells, PINNED, method), at.estimate(cells, PINNED, method))
    alone = torch.cat([at.estimate([cell], PINNED, method) for cell in cells[::29]])
    torch.testing.assert_close(at.estimate(cells, PINNED, method)[::29], alone, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", ["atp", "atp*"])
def test_nothing_of_the_user_s_model_is_touched(method):
    model = copy.deepcopy(tiny("gpt2"))
    at = bench(model, pair())
    some = dict(enumerate(model.parameters()))
    cells = at.cells("head.q", by="all")
    expected = at.estimate(cells, method=method)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in some.values())
    assert not any(point.fwd_hooks or point.bwd_hooks for point in model.hook_dict.values())
    assert not any(point.fwd_hooks for point in at.adapter._model.hook_dict.values())
    for parameter in some.values():
        parameter.requires_grad_(False)
    with torch.no_grad():
        torch.testing.assert_close(at.estimate(cells, method=method), expected, rtol=0, atol=0)
    assert not any(parameter.requires_grad for parameter in some.values())


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa"])
@pytest.mark.parametrize("method", ["atp", "atp*"])
def test_a_padded_prompt_gives_the_estimates_of_the_unpadded_one(family, method):
    model = tiny(family)
    real = torch.tensor([[True] * 5, [False, False, True, True, True]])
    together = bench(model, cb.PromptPair(CLEAN[:2], CORRUPTED[:2], answer=[1, 2], wrong=[4, 5]), real=real)
    for row, first in ((0, 0), (1, 2)):
        clean, corrupted = CLEAN[row, first:], CORRUPTED[row, first:]
        alone = bench(model, cb.PromptPair(clean, corrupted, answer=row + 1, wrong=row + 4))
        for over in ("head", "head.q", "head.k", "head.pattern", "resid_pre", "neuron"):
            cells = alone.cells(over, by="all", positions=[-1, -2])
            torch.testing.assert_close(
                together.estimate(cells, method=method)[:, row], alone.estimate(cells, method=method)[:, 0],
                rtol=1e-3, atol=1e-5,
            )  # fmt: skip


@pytest.mark.parametrize("method", ["atp", "atp*"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_float32_estimates_nearby(dtype, method):
    full = bench_of("llama_gqa")
    half = bench(copy.deepcopy(tiny("llama_gqa")).to(dtype), pair())
    for over in ("head", "head.k", "neuron", "resid_mid"):
        cells = full.cells(over)
        expected, found = full.estimate(cells, method=method), half.estimate(cells, method=method)
        assert found.dtype is torch.float32
        torch.testing.assert_close(found, expected, rtol=0, atol=0.2 * float(expected.abs().max()))


def test_an_edge_has_no_estimate():
    at = bench_of("gpt2")
    found = at.estimate([cb.head(0, 1).zero(), cb.edge(cb.head(0, 1), cb.resid_pre(2)).zero()])
    assert found[0].isfinite().all()
    assert found[1].isnan().all()


def test_without_cells_there_is_nothing_to_estimate():
    assert bench_of("gpt2").estimate([]).shape == (0, 3)


def test_a_user_s_own_metric_is_differentiated():
    at = bench(tiny("gpt2"), pair(), lambda logits: logits.log_softmax(-1)[:, 1:, 7].mean(-1))
    cells = [cb.attn_out(1).scale(1.001), cb.neuron(0, 3).at(1).scale(1.001)]
    torch.testing.assert_close(at.estimate(cells), at.exact(cells), rtol=0.05, atol=1e-5)


@pytest.mark.parametrize(
    "metric",
    [lambda logits: logits[:, -1].argmax(-1), lambda logits: torch.tensor(logits.numpy()[:, -1, 0])],
    ids=["argmax", "numpy"],
)
def test_a_metric_without_gradients_is_refused(metric):
    at = bench(tiny("gpt2"), pair(), metric)
    with pytest.raises(MetricError) as raised:
        at.estimate([cb.head(0, 1).zero()])
    assert raised.value.code == "metric_not_differentiable"


def test_a_model_without_anatomy_gets_atp_but_no_atp_star():
    at = bench_of("bloom")
    cells = at.cells("head")
    assert at.estimate(cells).isfinite().all()
    with pytest.raises(EngineError) as raised:
        at.estimate(cells, method="atp*")
    assert raised.value.code == "no_atp_star"


def test_an_unknown_method_is_refused():
    with pytest.raises(InterventionError) as raised:
        bench_of("gpt2").estimate([cb.head(0, 1).zero()], method="eap")
    assert raised.value.code == "unknown_sweep"


@pytest.mark.parametrize("method", ["atp", "atp*"])
def test_it_can_be_cancelled(method):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        bench_of("gpt2").estimate([cb.head(0, 1).zero()], method=method, cancel=cancel)
