"""A data set of prompts of different lengths gives each prompt the numbers that it has alone."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.tiny_models import tiny

CLEAN = [torch.tensor([5, 6, 7]), torch.tensor([9, 8, 7, 6, 5]), torch.tensor([11, 12, 13, 14])]
CORRUPTED = [torch.tensor([5, 26, 7]), torch.tensor([9, 8, 27, 6, 5]), torch.tensor([31, 12, 13, 14])]
LABELS = {"S2": [1, 2, 0], "END": -1}
FAMILIES = ["gpt2", "llama_gqa", "neox", "native"]
EDITS = (
    cb.head(1, 2).at("S2").patch(),
    cb.mlp_out(0).at([0, -1]).zero(),
    cb.resid_pre(2).scale(0.5),
    cb.head(2, 0).pattern.at(-1, 1).zero(),
    cb.attn_out(0).at(slice(-2, None)).patch(),
)


def board_of(family, prompts=(0, 1, 2), **options):
    labels = {label: [at[i] for i in prompts] if isinstance(at, list) else at for label, at in LABELS.items()}
    pair = cb.PromptPair(
        [CLEAN[i] for i in prompts],
        [CORRUPTED[i] for i in prompts],
        answer=[i + 1 for i in prompts],
        wrong=[i + 41 for i in prompts],
        labels=labels,
    )
    return cb.Board(tiny(family), pair, **options)


@pytest.fixture
def board():
    board = board_of("gpt2")
    yield board
    board.close()


@pytest.mark.parametrize("engine", ["auto", "hooked"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_prompt_has_the_numbers_that_it_has_alone(family, engine):
    together = board_of(family, engine=engine)
    together.edit(*EDITS)
    for prompt in range(3):
        alone = board_of(family, (prompt,), engine=engine)
        torch.testing.assert_close(
            together.desk.lab.unedited("clean").clean[prompt],
            alone.desk.lab.unedited("clean").clean[0],
            rtol=0,
            atol=1e-5,
        )
        alone.edit(*EDITS)
        assert float(together.values[prompt]) == pytest.approx(float(alone.values[0]), abs=1e-5)
        torch.testing.assert_close(together.logits(0)[prompt], alone.logits(0)[0], rtol=0, atol=1e-4)
        alone.close()
    assert together.verify().ok
    together.close()


def test_a_position_is_the_prompt_s_own(board):
    board.edit(cb.head(1, 2).at(1).patch())
    assert board.desk.shown.outcome.receipts[0].positions == ((3,), (1,), (2,))
    board.edit(cb.head(1, 2).at("S2").patch())
    assert board.desk.shown.outcome.receipts[1].positions == ((3,), (2,), (1,))
    board.edit(cb.head(1, 2).zero())
    assert board.desk.shown.outcome.receipts[2].positions == ((2, 3, 4), (0, 1, 2, 3, 4), (1, 2, 3, 4))
    with pytest.raises(cb.AddressError, match="prompt 0, which has 3 tokens"):
        board.edit(cb.head(1, 2).at(4).patch())


@pytest.mark.parametrize("how", ["patch", "zero"])
def test_columns_of_a_sweep_leave_padded_prompts_alone(board, how):
    found = board.sweep("resid_pre", by="pos", how=how)
    assert found.grid.positions == (0, 1, 2, 3, 4)
    assert found.values.shape == (3, 5)
    for prompt, tokens in enumerate(CLEAN):
        padding = 5 - len(tokens)
        per_prompt = found.per_prompt[..., prompt]
        unchanged = found.baseline[prompt].expand(3, padding)
        torch.testing.assert_close(per_prompt[:, :padding], unchanged, rtol=0, atol=1e-6)
        alone = board_of("gpt2", (prompt,))
        expected = alone.sweep("resid_pre", by="pos", how=how).per_prompt[..., 0]
        torch.testing.assert_close(per_prompt[:, padding:], expected, rtol=0, atol=1e-5)
        alone.close()


def test_a_sweep_at_positions_needs_the_same_columns(board):
    assert board.desk.maps.grid("head", by="pos", positions=[-1, -2]).positions == (3, 4)
    assert board.desk.maps.grid("head", by="pos", positions=slice(-4, -1)).positions == (1, 2, 3)
    with pytest.raises(cb.AddressError) as caught:
        board.desk.maps.grid("head", by="pos", positions=0)
    assert caught.value.code == "positions_differ"
    assert board.sweep("head", by="pos", positions=-1).to_dataframe().pos.unique().tolist() == [4]


def test_it_is_saved_and_written_as_it_is(board, tmp_path):
    board.edit(*EDITS)
    board.save(tmp_path / "padded.board.json")
    scope = {"model": board.model}
    exec(board.to_python(), scope)  # noqa: S102  that is the point
    for again in (cb.Board.load(tmp_path / "padded.board.json", board.model), scope["board"]):
        assert again.edits == board.edits
        assert again.prompts.token_ids("clean") == [row.tolist() for row in CLEAN]
        assert again.prompts.token_ids("corrupted") == [row.tolist() for row in CORRUPTED]
        assert again.prompts.labels == board.prompts.labels
        assert torch.equal(again.prompts.real, board.prompts.real)
        torch.testing.assert_close(again.values, board.values, rtol=0, atol=1e-5)
        again.close()


def test_a_model_that_padding_breaks_is_refused():
    model = tiny("llama_gqa", double=True)
    pair = cb.PromptPair([torch.tensor([5, 6, 7]), torch.tensor([5, 6])], answer=1, wrong=2)
    with pytest.raises(cb.PromptError, match="when it is padded, and numbers when it is alone") as caught:
        cb.Board(model, pair)
    assert caught.value.code == "padding_breaks_model"
