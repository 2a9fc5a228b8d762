"""A library that keeps its parts under other names costs a tier, never the board."""

from __future__ import annotations

import copy

import pytest
import torch

import circuitboard as cb
from circuitboard.errors import ModelError
from circuitboard.models.foreign import foreign
from tests.tiny_models import tiny

CLEAN = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])
PAIR = cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1, 2], wrong=[3, 4])


@pytest.fixture(scope="module")
def renamed():
    """A model whose modules keep one fact under another name, as a newer release of transformers might."""
    model = copy.deepcopy(tiny("gptneo"))
    for block in model.blocks:
        attention = block.attn.original_component
        attention.kind_of_attention = attention.attention_type
        del attention.attention_type
    return model


def test_a_private_attribute_that_was_renamed_costs_a_tier(renamed):
    board = cb.Board(renamed, PAIR)
    assert board.engine.tier == "replay"
    assert "wavefront was dropped" in board.engine.why
    assert "no attribute 'attention_type'" in board.engine.why
    known = cb.Board(tiny("gptneo"), PAIR, engine="hooked")
    for each in (board, known):
        each.edit(cb.head(1, 2).zero())
    assert board.value == pytest.approx(known.value, abs=1e-4)
    assert board.verify().ok
    # What the outlets need was not renamed.
    assert board.direct_logit_attribution().value.mean().item() == pytest.approx(board.value, abs=1e-3)
    board.close()
    known.close()


def test_the_tier_is_refused_by_name_with_the_reason(renamed):
    with pytest.raises(cb.EngineError, match="attention_type") as caught:
        cb.Board(renamed, PAIR, engine="wavefront")
    assert caught.value.code == "tier_refused"


def test_outlets_that_cannot_be_read_are_a_typed_refusal_of_the_analyses():
    model = copy.deepcopy(tiny("bloom"))
    board = cb.Board(model, PAIR)
    board.desk.lab.adapter._model.blocks[0].residual_contribution_scale = "a half"
    for ask in (
        board.direct_logit_attribution,
        lambda: board.self_repair(cb.head(0, 1).zero()),
        lambda: board.neurons(0),
    ):
        with pytest.raises(ModelError, match="ValueError: could not convert string to float") as caught:
            ask()
        assert caught.value.code == "no_outlets"
    board.close()


def test_memory_that_runs_out_is_no_reason_to_drop_what_is_read():
    with pytest.raises(MemoryError), foreign(ModelError):
        raise MemoryError
