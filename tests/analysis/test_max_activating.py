"""Max-activating tokens: the model's own activations, sorted."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.analysis import windows
from circuitboard.errors import AddressError, InterventionError, PromptError
from tests.analysis.plain_stream import plain_cache


def test_the_strongest_tokens_of_token_ids(board):
    board.edit(cb.head(0, 0).zero())  # the model is read without edits
    texts = torch.randint(0, 60, (4, 9), generator=torch.Generator().manual_seed(0))
    found = board.max_activating(texts, 1, 7, k=5)
    _, seen = plain_cache(board.model, tokens=texts)
    units = seen["blocks.1.mlp.hook_post"][..., 7]
    best = units.flatten().topk(5)
    torch.testing.assert_close(torch.tensor(found["activation"].to_numpy()), best.values.double(), rtol=0, atol=1e-6)
    assert (found["text"] * 9 + found["pos"]).tolist() == best.indices.tolist()
    row = found.iloc[0]
    assert row["token"] == str(int(texts[row["text"], row["pos"]]))
    before = texts[row["text"], : row["pos"]].tolist()
    assert row["before"] == "".join(map(str, before[-10:]))


def test_texts_of_different_lengths_do_not_see_their_padding(board):
    rows = [torch.arange(7), torch.arange(20), torch.arange(3)]
    found = board.max_activating(rows, 2, 1, k=100)
    assert len(found) == 30
    for text, row in enumerate(rows):
        _, seen = plain_cache(board.model, tokens=row[None])
        mine = found[found["text"] == text].sort_values("pos")["activation"].to_numpy()
        expected = seen["blocks.2.mlp.hook_post"][0, :, 1].double()
        torch.testing.assert_close(torch.tensor(mine), expected, rtol=0, atol=1e-5)


def test_texts_longer_than_the_model_reads_are_cut(board):
    text = torch.randint(0, 60, (80,), generator=torch.Generator().manual_seed(1))
    found = board.max_activating(text, 0, 2, k=1000).sort_values("pos")
    assert found["pos"].tolist() == list(range(80))
    expected = []
    for start in (0, 32, 64):
        _, seen = plain_cache(board.model, tokens=text[None, start : start + 32])
        expected.append(seen["blocks.0.mlp.hook_post"][0, :, 2])
    torch.testing.assert_close(
        torch.tensor(found["activation"].to_numpy()), torch.cat(expected).double(), rtol=0, atol=1e-5
    )


def test_a_prompt_pair_is_read_as_its_clean_prompts(board):
    pair = cb.PromptPair(torch.tensor([[4, 5, 6]]), torch.tensor([[1, 2, 3]]), answer=1)
    found = board.max_activating(pair, 0, 0, k=3)
    assert sorted(found["token"]) == ["4", "5", "6"]


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=40), min_size=1, max_size=4),
    st.integers(2, 12),
    st.booleans(),
)
def test_windows_cover_each_token_once(texts, longest, with_bos):
    texts = [[0, *text] if with_bos else text for text in texts]
    parts = list(windows(texts, longest, 0))
    for text, ids in enumerate(texts):
        own = [part for part in parts if part.text == text]
        assert [token for part in own for token in part.ids[part.skipped :]] == ids
        starts = [part.start for part in own]
        assert starts == sorted(starts)
        for part in own:
            assert len(part.ids) <= longest
            assert part.ids[: part.skipped] == (0,) * part.skipped
            assert part.skipped == (1 if with_bos and part.start and len(ids) > 1 else 0)


def test_what_does_not_exist_is_refused(board_of):
    board = board_of("gpt2")
    ids = torch.arange(4)
    for call, kind, code in (
        (lambda: board.max_activating(ids, 0, 128), AddressError, "neuron_out_of_range"),
        (lambda: board.max_activating(ids, 5, 0), AddressError, "layer_out_of_range"),
        (lambda: board.max_activating(ids, 0, 0, k=-1), InterventionError, "bad_count"),
        (lambda: board.max_activating("some words", 0, 0), PromptError, "no_tokenizer"),
        (lambda: board.max_activating([], 0, 0), PromptError, "empty_prompts"),
        (lambda: board.max_activating(3.5, 0, 0), PromptError, "bad_prompt"),
        (lambda: board.max_activating(torch.tensor([99]), 0, 0), PromptError, "token_out_of_range"),
        (lambda: board_of("attention_only").max_activating(ids, 0, 0), InterventionError, "site_not_in_model"),
    ):
        with pytest.raises(kind) as refusal:
            call()
        assert refusal.value.code == code
