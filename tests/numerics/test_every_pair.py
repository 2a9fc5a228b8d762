"""Promise 1 where an edit in force and a cell meet: every kind of the one under every kind of the other, in one layer.

Which pairs meet is listed, not drawn. A cell is computed with others in a wave, of the edited head and of another, and
then as a step of its own after the sweep, whose answers the engine remembers; receipts count too. That hooks equal
TransformerLens's own is held by test_engine_equals_hooks.
"""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.address import KINDS, Edge, Site, Values
from circuitboard.engine import CancelToken, HookedEngine, tolerance
from circuitboard.engine.memory import Budget
from circuitboard.engine.wavefront import WavefrontEngine
from circuitboard.interventions import Reference, Supply, compile_plan
from circuitboard.models.bridge import BridgeAdapter
from circuitboard.runs import record_run
from tests.tiny_models import Size, tiny_of_size

SMALL = Size(layers=2, heads=4, kv_heads=2, d_head=4, d_model=16, d_mlp=12)
CLEAN = torch.tensor([[11, 12, 13, 14], [21, 22, 23, 24], [51, 52, 53, 54]])
CORRUPTED = torch.tensor([[31, 12, 33, 34], [21, 42, 23, 44], [55, 56, 53, 57]])
HEAD, OTHER, NEURON = 1, 3, 7
PARTS = ("head.q", "head.k", "head.v", "head.pattern", "head", "head.result")
PAIRED = {
    "gpt2": KINDS,
    "gemma2": (*PARTS, "attn_out", "neuron", "mlp_out"),
    "llama_gqa": PARTS,
    "neox": ("head", "attn_out", "neuron", "mlp_out", "resid_post"),
}
"""Which kinds meet in whom: biases; norms after a block, grouped heads, a window, soft caps; groups without such norms;
attention and MLP side by side."""

HOWS = {
    "zero": {},
    "patch": {},
    "scale": {"strength": -1.5},
    "mean": {"per": "position"},
    "resample": {"per": "position", "seed": 1},
    "add": {"strength": 0.5},
    "set": {},
    "freeze": {},
}


class Meeting:
    """Two engines on one model: what is tried, and plain hooks."""

    def __init__(self, family):
        self.model = tiny_of_size(family, SMALL)
        self.adapter = BridgeAdapter(self.model)
        self.kinds = [kind for kind in PAIRED[family] if self.adapter.refusal(kind, 0) is None]
        self.prompts = cb.PromptPair(CLEAN, CORRUPTED, answer=1, wrong=2).bind(self.model)
        self.base, source = (
            record_run(self.adapter, name, tokens, "answer", None)
            for name, tokens in (("clean", CLEAN), ("corrupted", CORRUPTED))
        )
        self.supply = Supply(self.base, source, Reference(self.base, {}, "the prompts"))
        self.fast = WavefrontEngine(self.adapter, self.adapter.anatomy(), "answer", Budget(2**28, "for tests"))
        self.hooked = HookedEngine(self.adapter, "answer")
        self.allowed = tolerance(torch.float32, self.base.logits)

    def site(self, kind, head=HEAD):
        index = head if kind.startswith("head") else head + NEURON - HEAD if kind == "neuron" else None
        if kind in ("head.k", "head.v") and index is not None:
            index = min(index, self.adapter.shape.n_of(kind) - 1)
        return Site(kind, 0 if kind == "embed" else 1, index)

    def edges(self):
        yield Edge(cb.head(0, 2), cb.head(1, HEAD).q)
        yield Edge(cb.embed(), self.site("head.v"))
        yield Edge(cb.mlp_out(0), cb.resid_post(1))
        if self.adapter.refusal("resid_mid", 1) is None:
            yield Edge(cb.head(1, HEAD), cb.mlp_out(1))

    def edit(self, site, how):
        options = dict(HOWS[how])
        if how in ("add", "set"):
            width = 1 if site.kind == "head.pattern" else self.adapter.shape.width_of(site.kind, CLEAN.shape[1])
            options["values"] = Values.of(torch.linspace(-1.5, 2.5, width), how)
        return cb.address.Intervention(site, how, **options)

    def plan(self, *edits):
        return compile_plan(edits, self.adapter, self.prompts, self.supply)

    def run(self, engine, *edits, near=None):
        return engine.run(self.plan(*edits), near=near, cancel=CancelToken())

    def same(self, run, *edits):
        """A run of the fast engine is what hooks give, receipts included."""
        wanted = self.run(self.hooked, *edits)
        self.near(run.logits, wanted.logits, edits)
        for ours, theirs in zip(run.receipts, wanted.receipts, strict=True):
            assert (ours.tier, theirs.tier) == ("wavefront", "hooked")
            assert (ours.intervention, ours.positions) == (theirs.intervention, theirs.positions)
            for name in ("norm_before", "norm_change"):
                assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-3, abs=1e-4), (name, edits)
        return wanted

    def near(self, found, wanted, edits):
        assert (found - wanted).abs().max() <= self.allowed, [str(edit) for edit in edits]

    def sweep_then_step(self, edits, cells):
        """Cells in one wave on top of the edits; then each as a step, and a later step on top of some."""
        current = self.run(self.fast, *edits)
        found = {}
        for result in self.fast.sweep(current, self.plan(*cells).writes, cancel=CancelToken()):
            found.update(zip(result.cells, result.logits, strict=True))
        for index, cell in enumerate(cells):
            clicked = self.run(self.fast, *edits, cell, near=current)
            wanted = self.same(clicked, *edits, cell)
            self.near(found[index], wanted.logits, (*edits, cell))
            if index % 5 == 0:
                later = self.edit(self.site(self.kinds[1 + index % (len(self.kinds) - 1)], OTHER), "scale")
                self.same(self.run(self.fast, *edits, cell, later, near=clicked), *edits, cell, later)


@pytest.mark.parametrize("family", PAIRED)
def test_every_kind_of_edit_under_every_kind_of_cell(family):
    meeting = Meeting(family)
    # Two edits of each site, for the second acts on what the first has left.
    sites = [*map(meeting.site, meeting.kinds), *meeting.edges()]
    for row, edits in enumerate((site.scale(-1.5), site.at([0, 3]).scale(0.75)) for site in sites):
        cells = []
        for column, kind in enumerate(meeting.kinds):
            where = (None, [1, 3])[(row + column) % 2]
            for head in (HEAD, OTHER) if kind.startswith("head") else (HEAD,):
                cells.append(
                    meeting.edit(meeting.site(kind, head).at(where), ("patch", "zero")[(row // 2 + column) % 2])
                )
        meeting.sweep_then_step(edits, cells)


@pytest.mark.parametrize("kind", ["head", "head.pattern", "resid_pre", "neuron"])
def test_every_way_to_edit_under_every_way_to_edit(kind):
    meeting = Meeting("gpt2")
    where = [1, 3]
    for row, how in enumerate(HOWS):
        site = meeting.site(kind).at((None, where)[row % 2])
        cells = [
            meeting.edit(meeting.site(kind).at((where, None)[column // 2 % 2]), way) for column, way in enumerate(HOWS)
        ]
        meeting.sweep_then_step((meeting.edit(site, how),), cells)
