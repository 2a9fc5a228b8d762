"""Promise 1 where an edit in force and a cell meet in one head: every kind of one on top of every kind of the other."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import tolerance
from tests.tiny_models import tiny

CLEAN = torch.randint(1, 60, (2, 6), generator=torch.Generator().manual_seed(2))
CORRUPTED = torch.randint(1, 60, (2, 6), generator=torch.Generator().manual_seed(3))
PARTS = ("head", "head.q", "head.k", "head.v", "head.pattern", "head.result")


def part(over):
    site = cb.head(1, 0)
    return site if over == "head" else getattr(site, over.removeprefix("head."))


@pytest.mark.parametrize("pinned", PARTS)
@pytest.mark.parametrize("family", ["gpt2", "llama_gqa"])
def test_a_cell_and_an_edit_in_the_same_head(family, pinned):
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4])
    fast = cb.Board(tiny(family), pair, engine="wavefront", autosave=False)
    oracle = cb.Board(tiny(family), pair, engine="hooked", autosave=False)
    assert (fast.engine.tier, oracle.engine.tier) == ("wavefront", "hooked")
    edit = part(pinned).scale(-1.5)
    for board in (fast, oracle):
        board.edit(edit)
    allowed = tolerance(torch.float32, oracle.values)
    for over in PARTS:
        for how in ("zero", "patch"):
            found = fast.sweep(over, layers=[1], how=how).per_prompt[0, 0]
            cell = getattr(part(over), how)()
            expected = oracle.preview(cell).values
            assert (found - expected).abs().max() <= allowed, (over, how)
            assert (fast.preview(cell).values - expected).abs().max() <= allowed, (over, how)
    fast.close()
    oracle.close()
