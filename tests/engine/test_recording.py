"""Activations of edited runs: what hooks written by hand see, on every tier and with every kind of edit."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import CancelToken
from circuitboard.engine.recording import recorded
from circuitboard.errors import Cancelled
from tests.analysis.plain_stream import plain_cache
from tests.board.prompts import pair
from tests.tiny_models import FAMILIES, tiny

NAMES = {
    ("head", 1): "blocks.1.attn.hook_z",
    ("attn_out", 2): "blocks.2.hook_attn_out",
    ("head.pattern", 1): "blocks.1.attn.hook_pattern",
    ("resid_post", 2): "blocks.2.hook_resid_post",
}


@pytest.fixture
def record():
    """Record places of a model's clean run with interventions."""
    boards = []

    def work(family, interventions, places, **options):
        board = cb.Board(tiny(family), pair())
        boards.append(board)
        lab = board.desk.lab
        plan = lab.plan("clean", interventions)
        job = board.desk.worker.submit(lambda cancel: recorded(lab.adapter, plan, places, cancel, **options))
        return job.result()

    yield work
    for board in boards:
        board.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_edited_run_is_seen_as_hooks_see_it(record, family):
    found = record(family, [cb.head(0, 1).zero(), cb.attn_out(1).scale(2)], list(NAMES))
    hooks = [
        ("blocks.0.attn.hook_z", lambda z, hook: z.index_fill(2, torch.tensor([1]), 0.0)),
        ("blocks.1.hook_attn_out", lambda out, hook: out * 2),
    ]
    logits, seen = plain_cache(tiny(family), hooks)
    torch.testing.assert_close(found.logits, logits, rtol=0, atol=1e-5)
    for place, name in NAMES.items():
        torch.testing.assert_close(found.activations[place], seen[name], rtol=0, atol=1e-5)


def test_what_an_edit_found_and_what_it_left(record):
    place = ("attn_out", 1)
    found = record("gpt2", [cb.attn_out(1).scale(3)], [place], computed=[place])
    torch.testing.assert_close(found.activations[place], 3 * found.computed[place])


def test_single_columns(record):
    places = [("head", 1), ("head.pattern", 1), ("attn_out", 2)]
    columns = [4, 1, 2]
    whole, part = record("gpt2", [], places), record("gpt2", [], places, columns=columns)
    for prompt, column in enumerate(columns):
        assert torch.equal(part.activations["head", 1][prompt], whole.activations["head", 1][prompt, column])
        assert torch.equal(part.activations["attn_out", 2][prompt], whole.activations["attn_out", 2][prompt, column])
        pattern = whole.activations["head.pattern", 1][prompt, :, column]
        assert torch.equal(part.activations["head.pattern", 1][prompt], pattern)


def test_edges_act_too(record):
    edge = cb.edge(cb.head(0, 1), cb.head(1, 2).q)
    plain, found = record("gpt2", [], [("head", 1)]), record("gpt2", [edge.zero()], [("head", 1)])
    changed = (plain.activations["head", 1] != found.activations["head", 1]).any(-1).any(0).any(0)
    assert changed.tolist() == [False, False, True, False]


def test_it_stops_when_it_is_cancelled():
    board = cb.Board(tiny("gpt2"), pair())
    cancel = CancelToken()
    cancel.cancel("nobody wants it")
    plan = board.desk.lab.plan("clean", [])
    with pytest.raises(Cancelled):
        recorded(board.desk.lab.adapter, plan, [("head", 0)], cancel)
    assert board.value == board.preview(cb.head(0, 0).scale(1)).value
    board.close()
