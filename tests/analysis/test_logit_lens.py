"""The logit lens: TransformerLens's on an unedited run, plain hooks on an edited one."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import AddressError, EngineError, InterventionError
from tests.analysis.plain_stream import plain_cache
from tests.board.prompts import ANSWERS, CLEAN, LABELS, WRONG, pair


def difference(logits):
    """Logit difference of logits [..., batch, d_vocab]."""
    rows = range(len(ANSWERS))
    return logits[..., rows, ANSWERS] - logits[..., rows, WRONG]


@pytest.mark.parametrize("compatibility", [False, True], ids=["raw", "compatibility"])
@pytest.mark.parametrize(
    "family", ["gpt2", "llama_gqa", "neox", "gemma2", "attention_only", "bloom", "cohere", "mamba"]
)
def test_an_unedited_run_reads_as_in_transformer_lens(board_of, family, compatibility):
    from transformer_lens.tools.analysis import logit_lens

    if family == "mamba" and compatibility:
        pytest.skip("TransformerLens folds no weights of state-space models")
    board = board_of(family, compatibility=compatibility)
    expected = logit_lens(board.model, CLEAN, positions=None)  # [entry, batch, pos, d_vocab]
    found = board.logit_lens("all", top=4)
    assert found.current.logit_diff.shape == (4, 5, 3)
    by_pos = expected.values.transpose(1, 2)
    torch.testing.assert_close(found.current.logit_diff, difference(by_pos), rtol=0, atol=1e-4)
    best = by_pos.topk(4)
    torch.testing.assert_close(found.current.top_logits, best.values, rtol=0, atol=1e-4)
    assert torch.equal(found.current.top_ids, best.indices)
    probs = by_pos.softmax(-1)[..., range(3), ANSWERS]
    torch.testing.assert_close(found.current.prob, probs, rtol=0, atol=1e-5)
    assert torch.equal(found.change, torch.zeros_like(found.change))


def test_an_edited_run_reads_as_with_hooks(board_of):
    board = board_of("gpt2")
    board.edit(cb.head(1, 2).zero(), cb.resid_post(1).at(0).scale(2))
    found = board.logit_lens([1, -1], mid=True)

    def double(stream, hook):
        stream = stream.clone()
        stream[:, 0] *= 2
        return stream

    hooks = [
        ("blocks.1.attn.hook_z", lambda z, hook: z.index_fill(2, torch.tensor([2]), 0.0)),
        ("blocks.1.hook_resid_post", double),
    ]
    logits, now = plain_cache(board.model, hooks)
    before, was = plain_cache(board.model)
    names = [f"blocks.{layer}.hook_resid_{part}" for layer in range(3) for part in ("pre", "mid")]
    names.append("blocks.2.hook_resid_post")
    for reading, seen, own in ((found.current, now, logits), (found.base, was, before)):
        for entry, name in enumerate(names):
            with torch.no_grad():
                rows = board.model.unembed(board.model.ln_final(seen[name][:, [1, 4]])).transpose(0, 1)
            torch.testing.assert_close(reading.logit_diff[entry], difference(rows), rtol=0, atol=1e-5)
        torch.testing.assert_close(reading.logit_diff[-1, 1], difference(own[:, -1]), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.current.logit_diff[-1, 1], board.values, rtol=0, atol=1e-5)


def test_the_table_says_where_and_what(board_of):
    board = board_of("gpt2")
    board.edit(cb.head(0, 0).zero())
    lens = board.logit_lens("S2")
    frame = lens.to_dataframe(prompt=1)
    assert frame["site"].tolist() == ["resid_pre 0", "resid_pre 1", "resid_pre 2", "resid_post 2"]
    assert frame["pos"].tolist() == [LABELS["S2"][1]] * 4
    assert frame["logit_diff"][3] == pytest.approx(float(lens.current.logit_diff[3, 0].mean()))
    assert frame["stderr"][3] == pytest.approx(float(lens.current.logit_diff[3, 0].std() / 3**0.5))
    assert frame["change"][0] == 0
    assert frame["change"][3] == pytest.approx(frame["logit_diff"][3] - frame["base_logit_diff"][3], abs=1e-6)
    assert [len(tokens) for tokens in frame["top_tokens"]] == [5] * 4
    assert frame["top_tokens"][2][0] == str(int(lens.current.top_ids[2, 0, 1, 0]))


def test_several_answers_add_up_in_probability_and_average_in_logits(board_of):
    board = board_of("gpt2", cb.PromptPair(CLEAN, answer=[{1, 7}, {2}, {3}], wrong=WRONG))
    lens = board.logit_lens()
    row = board.logits()[0]
    assert float(lens.current.prob[-1, 0, 0]) == pytest.approx(float(row.softmax(-1)[[1, 7]].sum()), abs=1e-6)
    torch.testing.assert_close(lens.current.logit_diff[-1, 0], board.values, rtol=0, atol=1e-5)


def test_padded_prompts_are_read_at_their_own_positions(board_of):
    rows = [torch.tensor([5, 6, 7, 8, 9]), torch.tensor([8, 7, 6])]
    lens = board_of("gpt2", cb.PromptPair(rows, answer=[1, 2], wrong=[3, 4])).logit_lens([0, -1])
    alone = board_of("gpt2", cb.PromptPair(rows[1], answer=2, wrong=4)).logit_lens([0, -1])
    torch.testing.assert_close(lens.current.logit_diff[:, :, 1], alone.current.logit_diff[:, :, 0], rtol=0, atol=1e-5)
    assert lens.to_dataframe(prompt=1)["pos"].tolist()[:2] == [0, 2]


def test_what_cannot_be_read_is_refused(board_of):
    board = board_of("gpt2")
    with pytest.raises(AddressError) as refusal:
        board.logit_lens(9)
    assert refusal.value.code == "position_out_of_range"
    with pytest.raises(AddressError) as refusal:
        board.logit_lens("nowhere")
    assert refusal.value.code == "unknown_label"
    with pytest.raises(InterventionError, match="top"):
        board.logit_lens(top=0)
    mixed = board_of("gpt2", cb.PromptPair([torch.arange(5), torch.arange(3)], answer=[1, 2], wrong=[3, 4]))
    with pytest.raises(AddressError, match="as many in each"):
        mixed.logit_lens("all")
    with pytest.raises(EngineError) as refusal:
        board_of("opt_post").logit_lens()
    assert refusal.value.code == "no_logit_lens"


def test_the_board_goes_on_after_a_refusal(board_of):
    board = board_of("gpt2", pair())
    with pytest.raises(AddressError):
        board.logit_lens(99)
    assert board.logit_lens().current.logit_diff.shape == (4, 1, 3)
