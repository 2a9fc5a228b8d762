"""Promise 1 at the edge of what a dtype can hold: every tier gives what plain hooks give, or the edit is refused."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import tolerance
from circuitboard.errors import InterventionError
from tests.tiny_models import FAMILIES, tiny

T = 8
CLEAN = torch.randint(1, 60, (2, T), generator=torch.Generator().manual_seed(0))
CORRUPTED = torch.randint(1, 60, (2, T), generator=torch.Generator().manual_seed(1))
SITES = (
    cb.embed(),
    cb.resid_pre(1).at(3),
    cb.resid_pre(1),
    cb.attn_out(1).at(2),
    cb.head(1, 0),
    cb.head(1, 1).q,
    cb.head(1, 1).k,
    cb.head(0, 1).v,
)


def boards(model):
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4])
    return {tier: cb.Board(model, pair, engine=tier, autosave=False) for tier in ("wavefront", "replay")}


def agree(found, expected, dtype=torch.float32):
    assert found.isnan().tolist() == expected.isnan().tolist()
    known = ~expected.isnan()
    allowed = tolerance(dtype, expected[known]) if known.any() else 0
    assert not known.any() or (found[known] - expected[known]).abs().max() <= allowed


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "attention_only"])
def test_adding_huge_vectors_equals_plain_hooks_on_every_tier(family):
    model, pair = tiny(family), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4])
    hooked = cb.Board(model, pair, engine="hooked", autosave=False)
    fast = boards(model)
    draw = torch.Generator().manual_seed(0)
    for size in (1e6, 1e20, 1e38):
        for site in SITES:
            width = hooked.desk.lab.adapter.shape.width_of(site.kind, T)
            edit = site.add(torch.randn(width, generator=draw).clamp(-3, 3) * size)
            expected = hooked.preview(edit).values
            for board in fast.values():
                agree(board.preview(edit).values, expected)


def test_adding_1e20_gives_the_number_of_the_model_itself():
    model, vector = tiny("gpt2"), 1e20 * torch.randn(32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = model.run_with_hooks(
            CLEAN,
            fwd_hooks=[
                ("blocks.1.hook_resid_pre", lambda x, hook: torch.cat((x[:, :3], x[:, 3:4] + vector, x[:, 4:]), 1))
            ],
        )
    own = logits[[0, 1], -1, [1, 2]] - logits[[0, 1], -1, [3, 4]]
    assert own.isfinite().all()
    for board in boards(model).values():
        agree(board.edit(cb.resid_pre(1).at(3).add(vector)).values, own)
        assert board.sweep("head", how="zero").values.isfinite().all()


def test_overflow_that_no_single_edit_shows():
    """Factors of 1e4 each, whose product squared is past float32."""
    model, pair = tiny("gpt2"), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4])
    hooked = cb.Board(model, pair, engine="hooked", autosave=False)
    edits = [cb.resid_pre(1).scale(1e4) for _ in range(6)]
    expected = hooked.edit(*edits).values
    swept = hooked.sweep("head", layers=[1, 2], how="zero").per_prompt
    for board in boards(model).values():
        agree(board.edit(*edits).values, expected)
        agree(board.sweep("head", layers=[1, 2], how="zero").per_prompt, swept)


@pytest.mark.parametrize(
    ("dtype", "edit"),
    [
        (torch.float32, cb.resid_pre(1).add(torch.full((32,), 1e300, dtype=torch.float64))),
        (torch.float32, cb.resid_pre(1).set(torch.full((32,), 1e39, dtype=torch.float64))),
        (torch.float32, cb.resid_pre(1).add(torch.full((32,), 1e30), scale=1e30)),
        (torch.float32, cb.neuron(1, 3).set(torch.tensor(1e300, dtype=torch.float64))),
        (torch.float32, cb.head(1, 0).scale(1e300)),
        (torch.float32, cb.edge(cb.head(0, 0), cb.head(1, 1)).scale(-1e300)),
        (torch.float16, cb.resid_pre(1).add(torch.full((32,), 1e5))),
        (torch.float16, cb.resid_pre(1).add(torch.full((32,), 60_000.0), scale=2)),
        (torch.bfloat16, cb.resid_pre(1).set(torch.full((32,), 3.4028e38))),
    ],
    ids=str,
)
def test_numbers_that_are_infinite_in_the_models_dtype_are_refused(dtype, edit):
    model = tiny("gpt2") if dtype is torch.float32 else FAMILIES["gpt2"]().to(dtype)
    board = cb.Board(model, cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]), autosave=False)
    before = board.value
    for work in (board.edit, board.preview):
        with pytest.raises(InterventionError) as caught:
            work(edit)
        assert caught.value.code == "non_finite_value"
        assert str(dtype).removeprefix("torch.") in caught.value.message
    assert (board.edits, board.value) == ((), before)


def test_the_same_numbers_are_taken_where_the_dtype_holds_them():
    board = cb.Board(
        tiny("gpt2", double=True), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]), autosave=False
    )
    outcome = board.edit(cb.resid_pre(1).at(3).add(torch.full((32,), 1e100, dtype=torch.float64)))
    assert outcome.values.isfinite().all()
