"""Rows of a pattern that keep their sum while some of their entries are edited."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.address import Intervention, Site, Values
from circuitboard.errors import InterventionError
from tests.oracle import hooked_logits
from tests.tiny_models import FAMILIES, tiny

CLEAN = [torch.tensor([5, 6, 7, 8, 9, 10]), torch.tensor([9, 8, 7, 6, 5, 4])]
CORRUPTED = [torch.tensor([5, 6, 17, 8, 9, 10]), torch.tensor([9, 8, 27, 6, 5, 4])]
SHORTER = [torch.tensor([5, 6, 7, 8, 9, 10]), torch.tensor([9, 8, 7, 6])]


def a_board(family, *, engine="auto", clean=CLEAN, corrupted=CORRUPTED):
    return cb.Board(tiny(family), cb.PromptPair(clean, corrupted, answer=[1, 2], wrong=[3, 4]), engine=engine)


def drawings(layer=1, head=1):
    pattern = cb.head(layer, head).pattern
    return [
        pattern.at(-1, [0, 2]).zero(renormalize=True),
        pattern.at([2, -1], 1).set(0.4, renormalize=True),
        pattern.at(-2, 0).scale(0.25, renormalize=True),
    ]


def check(board, edits):
    bound = board.prompts
    wanted = hooked_logits(board.model, bound.clean_tokens, bound.corrupted_tokens, edits, bound.real)[:, -1]
    scale = max(1.0, float(wanted.abs().max()))
    torch.testing.assert_close(board.logits(), wanted, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("family", [*FAMILIES, "gptj"])
def test_they_equal_hooks_written_by_hand(family):
    board = a_board(family)
    edits = [cb.head(0, 1).patch(), *drawings(), cb.head(2, 0).at(-1).scale(2)]
    for edit in edits:
        board.edit(edit)
    check(board, edits)
    assert board.verify().ok
    board.close()


@pytest.mark.parametrize("family", ["llama_gqa", "gpt2", "gptj"])
@pytest.mark.parametrize("tier", ["hooked", "replay", "wavefront"])
def test_every_tier_agrees(family, tier):
    board = a_board(family, engine=tier, clean=SHORTER, corrupted=None)
    board.edit(*drawings())
    check(board, drawings())
    below = cb.head(0, 0).zero()
    board.edit(below)
    check(board, [*drawings(), below])
    sweep = board.sweep("head", how="zero", layers=[0, 2])
    cell = sweep.grid.cells[1]
    found = board.preview(cell).values
    torch.testing.assert_close(sweep.per_prompt.flatten(0, -2)[1], found, rtol=0, atol=1e-5)
    board.close()


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa"])
def test_each_row_sums_to_what_it_did(family):
    board = a_board(family)
    before = board.attention(1, 1).pattern
    board.edit(cb.head(1, 1).pattern.at(-1, [0, 2]).zero(renormalize=True))
    row, was = board.attention(1, 1).pattern[-1], before[-1]
    expected = was.clone()
    expected[[0, 2]] = 0
    expected /= expected.sum()
    torch.testing.assert_close(row, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(board.attention(1, 1).pattern[:-1], before[:-1], rtol=0, atol=1e-6)
    board.edit(cb.head(1, 1).pattern.at(-1, 1).set(0.5, renormalize=True))
    row = board.attention(1, 1).pattern[-1]
    assert float(row[1]) == pytest.approx(0.5)
    assert float(row.sum()) == pytest.approx(1, abs=1e-6)
    assert row[[0, 2]].tolist() == [0, 0]
    board.close()


def test_the_receipt_counts_the_whole_row():
    board = a_board("gpt2")
    before = board.attention(1, 1, 0).pattern[-1], board.attention(1, 1, 1).pattern[-1]
    (receipt,) = board.edit(cb.head(1, 1).pattern.at(-1, 0).zero(renormalize=True)).receipts
    after = board.attention(1, 1, 0).pattern[-1], board.attention(1, 1, 1).pattern[-1]
    expected = sum(float((b - a).norm()) for a, b in zip(before, after, strict=True)) / 2
    assert receipt.norm_change == pytest.approx(expected, abs=1e-6)
    board.close()


def test_a_row_with_nothing_else_stays_as_it_is_written():
    board = a_board("gpt2")
    board.edit(cb.head(1, 1).pattern.at(0, 0).set(0.25, renormalize=True))
    assert board.attention(1, 1).pattern[0].tolist() == [0.25, 0, 0, 0, 0, 0]
    check(board, [edit.intervention for edit in board.edits])
    board.close()


def test_code_and_file_bring_it_back(tmp_path):
    board = a_board("gpt2")
    board.edit(*drawings())
    code = board.to_python()
    assert ".zero(renormalize=True)" in code
    assert ".set(0.4000000059604645, renormalize=True)" in code
    assert ".scale(0.25, renormalize=True)" in code
    names = {"model": board.model}
    exec(code, names)  # noqa: S102  our own code
    assert [edit.intervention for edit in names["board"].edits] == drawings()
    assert names["board"].value == board.value
    board.save(tmp_path / "drawn.board.json")
    loaded = cb.Board.load(tmp_path / "drawn.board.json", board.model)
    assert loaded.edits == board.edits
    assert "rows renormalized" in str(loaded.edits[0])
    for one in (board, loaded, names["board"]):
        one.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda: cb.head(1, 1).zero(renormalize=True),
        lambda: cb.head(1, 1).pattern.zero(renormalize=True),
        lambda: cb.head(1, 1).pattern.at(-1).set(0.1, renormalize=True),
        lambda: Intervention(Site("head.pattern", 1, 1).at(-1, 0), "patch", renormalize=True),
        lambda: cb.edge(cb.head(0, 1), cb.head(1, 1).q).scale(2, renormalize=True),
    ],
)
def test_what_has_no_rest_of_a_row_is_refused(make):
    with pytest.raises(InterventionError) as refused:
        make()
    assert refused.value.code == "cannot_renormalize"


def test_it_is_yes_or_no():
    with pytest.raises(InterventionError):
        Intervention(cb.head(1, 1).pattern.at(-1, 0), "set", values=Values.of(0.0, "test"), renormalize="yes")
