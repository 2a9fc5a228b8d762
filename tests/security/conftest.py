from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from tests.security.hostile import Evil, hostile
from tests.tiny_models import tiny

CLEAN = torch.tensor([[11, 12, 13, 14, 15], [21, 22, 13, 14, 15]])
CORRUPTED = torch.tensor([[11, 32, 13, 14, 15], [21, 42, 13, 14, 15]])


@pytest.fixture(scope="module")
def board():
    """Every text that may stand on a board is a hostile one."""
    pair = Evil(CLEAN, CORRUPTED, answer=[51, 52], wrong=[53, 54])
    metrics = {hostile("metric"): "logit_diff", hostile("other metric"): "kl"}
    board = cb.Board(tiny("gpt2"), pair, metric=metrics)
    board.desk.lab.adapter.name = hostile("model")
    board.edit(cb.head(0, 1).zero(), cb.head(1, 2).at(-1).scale(0.5), cb.resid_pre(1).at(1).patch())
    board.rename(0, hostile("name"))
    board.group(hostile("group"), 1, 2)
    board.note(hostile("state"))
    yield board
    board.close()
