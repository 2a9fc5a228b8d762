"""Attention patterns, current and base, in the prompt's own tokens."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import AddressError, InterventionError
from tests.analysis.plain_stream import plain_cache
from tests.board.prompts import CLEAN
from tests.tiny_models import FAMILIES


@pytest.mark.parametrize("family", [*FAMILIES, "gptj", "opt", "gptneo"])
def test_patterns_are_those_of_hooks(board_of, family):
    board = board_of(family)
    board.edit(cb.head(0, 1).zero(), cb.mlp_out(0).scale(2) if family != "attention_only" else cb.attn_out(0).scale(2))
    name = "mlp_out" if family != "attention_only" else "attn_out"
    hooks = [
        ("blocks.0.attn.hook_z", lambda z, hook: z.index_fill(2, torch.tensor([1]), 0.0)),
        (f"blocks.0.hook_{name}", lambda out, hook: out * 2),
    ]
    _, now = plain_cache(board.model, hooks)
    _, was = plain_cache(board.model)
    found = board.attention(1, 2, prompt=2)
    torch.testing.assert_close(found.pattern, now["blocks.1.attn.hook_pattern"][2, 2], rtol=0, atol=1e-6)
    torch.testing.assert_close(found.base, was["blocks.1.attn.hook_pattern"][2, 2], rtol=0, atol=1e-6)
    assert not torch.equal(found.pattern, found.base)
    assert torch.equal(found.change, found.pattern - found.base)
    assert found.tokens == tuple(str(token) for token in CLEAN[2].tolist())
    assert found.name == "1.2"


def test_an_edited_pattern_is_shown_as_edited(board_of):
    for family in ("gpt2", "gptj"):  # one that is written to, and one that is read-only in TransformerLens
        board = board_of(family)
        board.edit(cb.head(1, 2).pattern.at(-1, 0).zero())
        found = board.attention(1, 2)
        assert found.pattern[-1, 0] == 0
        assert found.base[-1, 0] > 0
        assert torch.equal(found.pattern[:-1], found.base[:-1])


def test_padding_is_left_out(board_of):
    rows = [torch.tensor([5, 6, 7, 8, 9]), torch.tensor([8, 7, 6])]
    board = board_of("gpt2", cb.PromptPair(rows, answer=[1, 2], wrong=[3, 4]))
    alone = board_of("gpt2", cb.PromptPair(rows[1], answer=2, wrong=4))
    found, expected = board.attention(2, 0, prompt=1), alone.attention(2, 0)
    assert found.pattern.shape == (3, 3)
    assert found.tokens == expected.tokens == ("8", "7", "6")
    torch.testing.assert_close(found.pattern, expected.pattern, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.pattern.sum(-1), torch.ones(3), rtol=0, atol=1e-6)


def test_the_corrupted_run_shows_its_own_tokens(board_of):
    board = board_of("gpt2", base="corrupted")
    assert board.attention(0, 0, prompt=1).tokens == ("9", "28", "7", "6", "5")


def test_the_table_has_one_row_a_pair_of_positions(board):
    board.edit(cb.head(0, 0).zero())
    found = board.attention(1, 1)
    frame = found.to_dataframe()
    assert len(frame) == 15
    row = frame[(frame["dest"] == 4) & (frame["src"] == 2)].iloc[0]
    assert (row["dest_token"], row["src_token"]) == ("9", "7")
    assert row["attention"] == pytest.approx(float(found.pattern[4, 2]))
    assert row["change"] == pytest.approx(float(found.change[4, 2]), abs=1e-7)


def test_what_does_not_exist_is_refused(board_of):
    board = board_of("llama_gqa")
    assert board.attention(0, 3).pattern.shape == (5, 5)  # query heads, not key-value heads
    for layer, head, prompt, code in (
        (3, 0, 0, "layer_out_of_range"),
        (0, 4, 0, "head_out_of_range"),
        (0, -1, 0, "unknown_site"),
        (0, 0, 3, "no_such_prompt"),
        (0, 0, -1, "no_such_prompt"),
        (0, 0, True, "no_such_prompt"),
    ):
        with pytest.raises(AddressError) as refusal:
            board.attention(layer, head, prompt)
        assert refusal.value.code == code
    with pytest.raises(InterventionError) as refusal:
        board_of("mamba").attention(0, 0)
    assert refusal.value.code == "site_not_in_model"
