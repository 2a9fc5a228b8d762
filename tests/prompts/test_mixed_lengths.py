"""A data set of different lengths: values, head sweeps and edits at labels equal those of each prompt by itself."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.tiny_models import tiny

LENGTHS = (3, 7, 5, 7, 4)
FAMILIES = ["gpt2", "llama_gqa", "neox", "gemma2", "attention_only", "bloom", "gptj", "native_bidirectional"]
ATOL = 1e-5


def board_of(family, chosen, base="corrupted"):
    rows = [torch.tensor([(7 * i + 3 * j) % 50 + 1 for j in range(n)]) for i, n in enumerate(LENGTHS)]
    other = [torch.where(torch.arange(len(row)) == len(row) // 2, row + 5, row) for row in rows]
    pair = cb.PromptPair(
        [rows[i] for i in chosen],
        [other[i] for i in chosen],
        answer=[51 + i for i in chosen],
        wrong=[3 + i for i in chosen],
        labels={"CHANGED": [LENGTHS[i] // 2 for i in chosen], "END": -1},
    )
    return cb.Board(tiny(family), pair, base=base)


@pytest.fixture(scope="module", params=FAMILIES)
def boards(request):
    everything = board_of(request.param, range(len(LENGTHS)))
    alone = [board_of(request.param, [i]) for i in range(len(LENGTHS))]
    yield everything, alone
    for board in (everything, *alone):
        board.close()


def same(found, expected):
    torch.testing.assert_close(found.double(), expected.double(), rtol=0, atol=ATOL)


@pytest.mark.parametrize("base", ["clean", "corrupted"])
@pytest.mark.parametrize("family", FAMILIES)
def test_values(family, base):
    found = []
    for chosen in (range(len(LENGTHS)), *([i] for i in range(len(LENGTHS)))):
        board = board_of(family, chosen, base)
        found.append(board.values)
        board.close()
    same(found[0], torch.cat(found[1:]))


@pytest.mark.parametrize("how", ["patch", "zero"])
def test_head_sweep(boards, how):
    everything, alone = boards
    found = everything.sweep("head", how=how)
    same(found.per_prompt, torch.cat([board.sweep("head", how=how).per_prompt for board in alone], -1))
    same(found.values, torch.stack([board.sweep("head", how=how).values for board in alone]).mean(0))


@pytest.mark.parametrize("label", ["CHANGED", "END"])
def test_edits_at_a_label(boards, label):
    everything, alone = boards
    edits = (cb.head(1, 2).at(label).patch(), cb.resid_pre(2).at(label).scale(0.5), cb.attn_out(0).at(label).zero())
    changes = [board.preview(*edits) for board in (everything, *alone)]
    same(changes[0].values, torch.cat([change.values for change in changes[1:]]))
    assert changes[0].values.ne(everything.values).any()


def test_resid_sweep_by_position_leaves_padding_alone(boards):
    everything, alone = boards
    found = everything.sweep("resid_pre", by="pos").per_prompt
    for i, board in enumerate(alone):
        padding = max(LENGTHS) - LENGTHS[i]
        same(found[:, padding:, i], board.sweep("resid_pre", by="pos").per_prompt[..., 0])
        same(found[:, :padding, i], everything.values[i].expand(found.shape[0], padding))


def test_a_task_of_different_lengths_equals_its_prompts_one_by_one():
    # Its logits are so large that float32 alone rounds by more than the tolerance.
    model = cb.load("demo", device="cpu", dtype=torch.float64)
    rows = [
        cb.tasks.ioi(1, seed=1, model=model),
        cb.tasks.docstring(1, seed=1, model=model),
        cb.tasks.ioi(1, model=model),
    ]
    pair = cb.PromptPair(
        [row.clean[0] for row in rows],
        [row.corrupted[0] for row in rows],
        answer=[row.answer[0] for row in rows],
        wrong=[row.wrong[0][0] if isinstance(row.wrong[0], tuple) else row.wrong[0] for row in rows],
        labels={"END": -1},
    )
    everything = cb.Board(model, pair)
    assert everything.prompts.real is not None
    found = everything.sweep("head").per_prompt
    for i in range(len(rows)):
        alone = cb.Board(
            model, cb.PromptPair(pair.clean[i], pair.corrupted[i], answer=pair.answer[i], wrong=pair.wrong[i])
        )
        assert float(everything.values[i]) == pytest.approx(float(alone.values[0]), abs=ATOL)
        torch.testing.assert_close(found[..., i], alone.sweep("head").per_prompt[..., 0], rtol=0, atol=ATOL)
        alone.close()
    everything.close()
