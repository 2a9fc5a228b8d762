"""Promise 1: every tier equals plain hooks, for any edits, family, size, mode, dtype and padding.

Sizes are drawn too, so nearly every example builds a model of its own. Not covered here: CUDA, and half precision
(tests/engine/test_half_precision.py).
"""

from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.address import KINDS, Edge, Intervention, Site, Values
from circuitboard.address.edge import RECEIVERS, SENDERS
from circuitboard.engine import CancelToken, HookedEngine, ReplayEngine
from circuitboard.engine.memory import Budget
from circuitboard.engine.wavefront import WavefrontEngine
from circuitboard.errors import AddressError, InterventionError
from circuitboard.interventions import Plan, Reference, Supply, compile_plan
from circuitboard.models.bridge import BridgeAdapter
from circuitboard.runs import record_run
from tests.oracle import hooked_logits
from tests.tiny_models import D_VOCAB, FAMILIES, MORE_FAMILIES, N_HEADS, USUAL, WAVEFRONT, Size, tiny, tiny_of_size

FP32, FP64, FP64_ROUNDED = 1e-5, 1e-9, 1e-6
"""Largest difference of logits, relative to their scale; the last for models that round inside to float32."""

BUDGET = Budget(2**28, "for tests")
TIERS = {
    "hooked": HookedEngine,
    "replay": lambda adapter, reads: ReplayEngine(adapter, reads, BUDGET),
    "wavefront": lambda adapter, reads: WavefrontEngine(adapter, adapter.anatomy(), reads, BUDGET),
}
EXAMPLES = 1000 if settings.get_current_profile_name() == "nightly" else 40
"""For the wavefront; others, which run the model's own blocks, get a third."""

SECONDS = max(600, 4 * EXAMPLES)
"""More than pytest's limit for the nightly mode."""

PARALLEL = {"neox", "gptj", "phi", "falcon", "cohere"}
EXPERTS = {"mixtral", "gpt_oss"}
"""In the usual size alone: torch's grouped product wants rows of a multiple of 16 bytes."""
ANY_WIDTH = {
    *("gpt2", "gpt2_scaled", "gptneo", "opt", "opt_post", "bloom", "mpt"),
    *("native", "native_gated", "native_bare", "native_pre", "native_softcap", "native_bidirectional"),
}
"""Heads of others have an even number of dimensions, which positions turn in pairs."""
PADDED_IN_FP64 = {
    *("gpt2", "neox", "neox_sequential", "gptj", "gptneo", "phi3", "phi3_longrope", "falcon"),
    *(name for name in (*FAMILIES, *MORE_FAMILIES) if name.startswith(("native", "attention_only"))),
}
"""In others a float64 mask overflows in the float32 softmax of Transformers, and padding turns all to NaN."""
NO_STACK = {"t5", "mamba"}
"""No decoder, or no attention: refused, or of little interest here."""
HOOKS_ALONE = {"opt_post"}
"""Blocks that cannot be called by themselves."""
COMPATIBLE = [name for name in (*FAMILIES, *MORE_FAMILIES) if name not in NO_STACK]
FLOAT32_INSIDE = {"gpt2_scaled", "gptj", "gptneo"}
"""Attention that the model itself computes in float32 whatever its dtype; the wavefront does not round so."""
FAMILIES_OF = {
    "hooked": COMPATIBLE,
    "replay": [name for name in COMPATIBLE if name not in HOOKS_ALONE],
    "wavefront": [name for name in COMPATIBLE if name in WAVEFRONT],
}


@functools.lru_cache(maxsize=8)
def adapter_of(family: str, size: Size = USUAL, *, compatibility: bool = False, double: bool = False) -> BridgeAdapter:
    return BridgeAdapter(tiny_of_size(family, size, compatibility=compatibility, double=double))


def kinds_of(family: str) -> list[str]:
    """The sites that a family has, written down by hand."""
    missing = set()
    if family == "attention_only":
        missing |= {"mlp_out", "neuron", "resid_mid"}
    if family in PARALLEL:
        missing |= {"resid_mid"}
    if family in EXPERTS:
        missing |= {"neuron"}
    if family == "opt_post":
        missing |= {"embed", "resid_mid"}
    return [kind for kind in KINDS if kind not in missing]


@st.composite
def sizes(draw, family):
    if family in EXPERTS:
        return USUAL
    heads = draw(st.integers(1, 6))
    d_head = draw(st.integers(4, 16)) if family in ANY_WIDTH else 2 * draw(st.integers(2, 8))
    return Size(
        layers=draw(st.integers(1, 4)),
        heads=heads,
        kv_heads=draw(st.sampled_from([n for n in range(1, heads + 1) if heads % n == 0])),
        d_head=d_head,
        # A stream of very few dimensions is all norm: differences of rounding grow in it.
        d_model=heads * draw(st.integers(-(-8 // heads), 12)),
        d_mlp=draw(st.integers(8, 64)),
    )


@st.composite
def sites(draw, kinds, shape, n_positions):
    kind = draw(st.sampled_from(kinds))
    layer = 0 if kind == "embed" else draw(st.integers(0, shape.n_layers - 1))
    size = shape.n_of(kind)
    site = Site(kind, layer, None if size is None else draw(st.integers(0, size - 1)))
    where = st.none() | st.lists(st.integers(-n_positions, n_positions - 1), min_size=1, max_size=3)
    return site.at(draw(where), draw(where)) if kind == "head.pattern" else site.at(draw(where))


@st.composite
def edges(draw, kinds, shape, n_positions):
    sender = draw(sites([kind for kind in SENDERS if kind in kinds], shape, n_positions))
    reads = [
        kind for kind in RECEIVERS if kind in kinds and (kind != "mlp_out" or "resid_mid" in kinds or shape.parallel)
    ]
    receiver = draw(sites(reads, shape, n_positions)).component
    own = shape.parallel and sender.layer == receiver.layer and receiver.kind == "mlp_out" and sender.kind != "embed"
    try:
        edge = Edge(sender.component, cb.resid_post(shape.n_layers - 1) if own else receiver)
    except AddressError:
        # Sent too late for this receiver: the last stream hears everything but itself.
        sender = sender if sender.layer < shape.n_layers - 1 else Site("attn_out", 0, positions=sender.positions)
        edge = Edge(sender.component, cb.resid_post(shape.n_layers - 1))
    return edge.at(sender.positions)


@st.composite
def edits(draw, kinds, shape, n_positions):
    site = draw(sites(kinds, shape, n_positions) | edges(kinds, shape, n_positions))
    how = draw(st.sampled_from(["zero", "patch", "scale", "mean", "resample", "add", "set", "freeze"]))
    part = site.sender if isinstance(site, Edge) else site
    width = 1 if part.kind == "head.pattern" else shape.width_of(part.kind, n_positions)
    vector = torch.randn(width, generator=torch.Generator().manual_seed(draw(st.integers(0, 9))))
    options = {
        "scale": {"strength": draw(st.floats(-2, 3))},
        "add": {"strength": draw(st.floats(-2, 3)), "values": Values.of(vector, how)},
        "set": {"values": Values.of(vector, how)},
        "mean": {"per": "position"},
        "resample": {"per": "position", "seed": draw(st.integers(0, 3))},
    }
    return Intervention(site, how, **options.get(how, {}))


@st.composite
def cases(draw, families):
    family = draw(st.sampled_from(families))
    double = draw(st.booleans()) and family not in EXPERTS
    model = {"family": family, "size": draw(sizes(family)), "compatibility": draw(st.booleans()), "double": double}
    n, n_positions = draw(st.integers(1, 4)), draw(st.integers(2, 12))
    padded = draw(st.booleans()) and n > 1 and (not double or family in PADDED_IN_FP64)
    lengths = [draw(st.integers(2, n_positions)) if padded else n_positions for _ in range(n)]
    prompts = [[draw(st.integers(1, D_VOCAB - 1)) for _ in range(2 * length)] for length in lengths]
    edit = edits(kinds_of(family), adapter_of(**model).shape, min(lengths))
    return {
        "model": model,
        "clean": [torch.tensor(prompt[: len(prompt) // 2]) for prompt in prompts],
        "corrupted": [torch.tensor(prompt[len(prompt) // 2 :]) for prompt in prompts],
        "edits": draw(st.lists(edit, max_size=5)),
        "cells": draw(st.lists(edit, min_size=1, max_size=4)),
        "swap": draw(st.booleans()),
        "reads": draw(st.sampled_from(["answer", "all"])),
        "columns": draw(st.booleans()),
    }


@pytest.mark.timeout(SECONDS)
@given(data=st.data())
@settings(max_examples=EXAMPLES)
def test_any_edits_in_the_wavefront_equal_plain_hooks(data):
    compare("wavefront", data.draw(cases(FAMILIES_OF["wavefront"])))


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("tier", ["hooked", "replay"])
@given(data=st.data())
@settings(max_examples=-(-EXAMPLES // 3))
def test_any_edits_in_other_tiers_equal_plain_hooks(tier, data):
    compare(tier, data.draw(cases(FAMILIES_OF[tier])))


def tolerance_of(tier, case):
    # Means are of prompts that the oracle runs one by one, which rounds otherwise than all at once.
    borrowed = any(edit.how in ("mean", "resample") for edit in (*case["edits"], *case["cells"]))
    rounded = (tier == "wavefront" or borrowed) and case["model"]["family"] in FLOAT32_INSIDE
    if not case["model"]["double"]:
        return FP32
    return FP64_ROUNDED if rounded else FP64


def compare(tier, case):
    """Edits one after the other, a sweep on top of them and a step back, all against runs with plain hooks."""
    model, adapter = tiny_of_size(**case["model"]), adapter_of(**case["model"])
    reads, tolerance = case["reads"], tolerance_of(tier, case)
    pair = cb.PromptPair(case["clean"], case["corrupted"], answer=1, wrong=2)
    prompts = pair.bind(model)
    runs = [
        record_run(adapter, name, tokens, reads, prompts.real)
        for name, tokens in (("clean", prompts.clean_tokens), ("corrupted", prompts.corrupted_tokens))
    ]
    base, source = reversed(runs) if case["swap"] else runs
    reference = Reference(base, {}, "the prompts")
    engine = TIERS[tier](adapter, reads)
    cancel = CancelToken()

    def expected(interventions):
        logits = hooked_logits(model, base.tokens, source.tokens, interventions, prompts.real)
        return logits if reads == "all" else logits[:, -1:]

    def equal(found, interventions, columns=None):
        wanted = expected(interventions)
        allowed = tolerance * max(1.0, float(base.logits.abs().max()), float(wanted.abs().max()))
        if columns is not None:
            wanted = wanted[..., columns]
        if reads == "all" and prompts.real is not None:
            found, wanted = found[prompts.real], wanted[prompts.real]
        torch.testing.assert_close(found, wanted, rtol=0, atol=allowed)

    def compiled(interventions):
        try:
            return compile_plan(interventions, adapter, prompts, Supply(base, source, reference))
        except InterventionError as error:
            if error.code != "no_other_prompts":
                raise
            reject()

    current = engine.run(compiled(case["edits"][:2]), cancel=cancel)
    current = engine.run(compiled(case["edits"]), near=current, cancel=cancel)
    assert [receipt.intervention for receipt in current.receipts] == case["edits"]
    equal(current.logits, case["edits"])

    cells = compiled(case["cells"]).writes
    columns = [1, 2] if case["columns"] else None
    wanted = None if columns is None else torch.tensor([columns] * len(base.tokens))
    seen = {}
    for result in engine.sweep(current, cells, columns=wanted, cancel=cancel):
        seen.update(zip(result.cells, result.logits, strict=True))
    assert sorted(seen) == list(range(len(cells)))
    for index, cell in enumerate(case["cells"]):
        equal(seen[index], [*case["edits"], cell], columns)

    # A step back, from a run that has more edits than are wanted.
    back = Plan(base, current.plan.writes[:1])
    equal(engine.run(back, near=current, cancel=cancel).logits, case["edits"][:1])


@pytest.mark.parametrize("family", COMPATIBLE)
def test_a_model_has_the_sites_that_it_should(family):
    adapter = adapter_of(family)
    found = {kind for kind in KINDS if adapter.refusal(kind, 0) is None}
    assert found == set(kinds_of(family))
    if family in PARALLEL:
        assert "side by side" in adapter.refusal("resid_mid", 0)
    assert adapter.shape.n_heads == N_HEADS


@pytest.mark.parametrize("family", COMPATIBLE)
def test_a_padded_prompt_gives_the_numbers_of_the_unpadded_one(family):
    adapter = adapter_of(family)
    long, short = torch.tensor([[5, 6, 7, 8, 9, 10, 11]]), torch.tensor([[12, 13, 14]])
    tokens = torch.cat((long, torch.nn.functional.pad(short, (4, 0))))
    real = torch.tensor([[True] * 7, [False] * 4 + [True] * 3])
    padded = record_run(adapter, "clean", tokens, "all", real)
    for row, alone in ((padded.logits[0], long), (padded.logits[1, 4:], short)):
        torch.testing.assert_close(row, record_run(adapter, "clean", alone, "all").logits[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_board_and_its_self_test_agree_with_plain_hooks(family):
    model = tiny(family)
    clean = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])
    board = cb.Board(model, cb.PromptPair(clean, clean.flip(1), answer=[1, 2], wrong=[3, 4]))
    board.edit(cb.head(0, 1).patch(), cb.attn_out(1).at([1, 3]).zero())
    sweep = board.sweep("head", by="pos")
    index = 7
    expected = hooked_logits(
        model, clean, clean.flip(1), [*(edit.intervention for edit in board.edits), sweep.grid.cells[index]]
    )
    difference = expected[:, -1].gather(-1, torch.tensor([[1, 3], [2, 4]]))
    found = sweep.per_prompt.flatten(0, -2)[index]
    torch.testing.assert_close(found, difference[:, 0] - difference[:, 1], rtol=0, atol=1e-5)
    assert board.verify().ok
    result = board.self_test()
    assert result.ok, result
    board.close()
