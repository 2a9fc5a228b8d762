"""How sweeps are laid out: which heads and neurons, at which positions, and how many at most."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace
from typing import get_args

import pytest
import torch

import circuitboard as cb
from circuitboard.sweeps import MAX_CELLS, cells
from circuitboard.sweeps.cells import Over
from tests.tiny_models import tiny

CLEAN = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])
OVER = get_args(Over)


@pytest.fixture(scope="module")
def gqa():
    board = cb.Board(tiny("llama_gqa"), cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1, 2], wrong=[3, 4]))
    yield board
    board.close()


@pytest.mark.parametrize("over", OVER)
def test_everything_can_be_swept_in_every_layer(gqa, over):
    grid = gqa.desk.maps.grid(over, by="pos")
    assert grid.layers == (0, 1, 2)
    assert len(grid.cells) == math.prod(grid.shape)
    assert [str(cell.site) for cell in grid.cells[:1]] == [str(cb.site(str(grid.cells[0].site)))]
    assert {cell.site.kind for cell in grid.cells} == {over}


def test_keys_and_values_have_key_value_heads(gqa):
    assert gqa.desk.maps.grid("head.q").shape == (3, 4)
    for over in ("head.k", "head.v"):
        assert gqa.desk.maps.grid(over).shape == (3, 2)
        assert gqa.sweep(over, layers=1).values.shape == (1, 2)


def test_neurons_are_named_in_the_table(gqa):
    found = gqa.sweep("neuron", layers=[2], positions=-1)
    table = found.to_dataframe()
    assert found.grid.axes == ("layer", "neuron")
    assert table.columns[:3].tolist() == ["site", "layer", "neuron"]
    assert table.site[5] == "neuron 2.5 @ -1"
    assert table.neuron.tolist() == list(range(found.grid.shape[1]))


def test_what_a_model_lacks_is_refused_by_name():
    board = cb.Board(tiny("attention_only"), cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1, 2], wrong=[3, 4]))
    for over in ("neuron", "mlp_out", "resid_mid"):
        with pytest.raises(cb.InterventionError) as caught:
            board.desk.maps.grid(over)
        assert caught.value.code == "site_not_in_model"
    board.close()


def test_the_number_of_cells_has_a_limit(gqa, monkeypatch):
    monkeypatch.setattr(cells, "MAX_CELLS", 12)
    assert len(gqa.desk.maps.grid("head").cells) == 12
    monkeypatch.setattr(cells, "MAX_CELLS", 11)
    with pytest.raises(cb.InterventionError) as caught:
        gqa.desk.maps.grid("head")
    assert caught.value.code == "sweep_too_large"
    assert "12 cells (3 layers × 4 heads)" in caught.value.message
    assert "11" in caught.value.message


def test_a_sweep_past_the_limit_is_refused_before_it_is_laid_out(gqa):
    many = SimpleNamespace(shape=SimpleNamespace(n_layers=80, n_of=lambda _kind: 28_672), refusal=lambda *_: None)
    start = time.thread_time()
    with pytest.raises(cb.InterventionError, match=f"{80 * 28_672:,} cells"):
        cells.grid_of("neuron", by="all", how="zero", layers=None, positions=None, adapter=many, prompts=gqa.prompts)
    assert time.thread_time() - start < 1
    assert MAX_CELLS < 80 * 28_672
