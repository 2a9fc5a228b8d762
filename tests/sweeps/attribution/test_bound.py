"""The bound on what was missed: its arithmetic against tables, its promise against known effects."""

from __future__ import annotations

import math

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import CancelToken
from circuitboard.errors import Cancelled, InterventionError
from circuitboard.sweeps.attribution import false_negative_bound
from circuitboard.sweeps.attribution.bound import MIN_SAMPLES, _bounds, _student, _subsets
from tests.board.prompts import pair
from tests.sweeps.attribution.bench import bench
from tests.tiny_models import tiny


@pytest.fixture(scope="module")
def at():
    return bench(tiny("gpt2"), pair())


def bound(at, cells, edits=(), **options):
    options = {"metric": at.metric, "reading": at.reading, "cancel": CancelToken(), **options}
    return false_negative_bound(at.engine, at.run(edits), at.writes(cells), **options)


@pytest.mark.parametrize(
    ("level", "freedom", "quantile"),
    [(0.9, 7, 1.415), (0.95, 10, 1.812), (0.99, 7, 2.998), (0.99, 10, 2.764), (0.99, 30, 2.457), (0.995, 60, 2.660), (0.5, 9, 0.0)],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(level, freedom, quantile):
    found = _student(level, torch.tensor([float(freedom)], dtype=torch.float64))
    assert float(found) == pytest.approx(quantile, rel=2e-3, abs=1e-9)


def test_a_bound_worked_out_by_hand():
    """With: 3, 5 (mean 4, variance 2); without: 1, 1 (mean 1, variance 0). Welch: error √(2/2), freedom 1² / (1²/1)."""
    chosen = torch.tensor([[1.0], [1], [0], [0]], dtype=torch.float64)
    estimates, bounds = _bounds(torch.tensor([3.0, 5, 1, 1], dtype=torch.float64), chosen, 0.75)
    assert float(estimates) == 3
    assert float(bounds) == pytest.approx(3 + float(_student(0.75, torch.ones(1, dtype=torch.float64))))


def test_every_cell_is_in_half_of_the_subsets():
    chosen = _subsets(20, 50, seed=1)
    assert (chosen.sum(0) == 10).all()
    assert not torch.equal(chosen, _subsets(20, 50, seed=2))
    assert len({tuple(row) for row in chosen.T.tolist()}) > 45


def test_effects_that_add_up_are_below_the_bound_as_often_as_promised():
    effects = torch.linspace(-1, 1, 25, dtype=torch.float64)
    held = 0
    for seed in range(200):
        chosen = _subsets(32, 25, seed).double()
        _, bounds = _bounds(chosen @ effects, chosen, 0.9)
        held += bool(bounds.max() >= effects.abs().max())
    assert held >= 0.9 * 200


def test_a_large_effect_is_not_missed(at):
    cells = at.cells("head", by="all", how="zero")
    exact = at.exact(cells).mean(-1)
    found = bound(at, cells, samples=48)
    assert found.bound >= float(exact.abs().max())
    assert found.bound == float(found.bounds.max())
    assert found.worst in cells
    assert f"{len(cells)} cells" in str(found)


def test_cells_that_do_nothing_are_bounded_by_nothing(at):
    cells = [cb.head(layer, head).scale(1) for layer in range(3) for head in range(4)]
    assert bound(at, cells, [cb.head(0, 1).zero()], samples=16).bound < 1e-6


def test_the_same_seed_gives_the_same_bound(at):
    cells = at.cells("head", by="all")
    assert bound(at, cells, samples=16, seed=4).bound == bound(at, cells, samples=16, seed=4).bound


def test_a_metric_that_is_not_a_number_bounds_nothing():
    at = bench(tiny("gpt2"), pair(), lambda logits: logits[:, -1, 0] + math.inf)
    assert math.isnan(bound(at, at.cells("head", by="all"), samples=16).bound)


@pytest.mark.parametrize(
    ("options", "code"),
    [({"samples": MIN_SAMPLES - 1}, "too_few_samples"), ({"confidence": 1.0}, "bad_confidence"), ({"confidence": 0.4}, "bad_confidence")],
)  # fmt: skip
def test_what_says_nothing_is_refused(at, options, code):
    with pytest.raises(InterventionError) as raised:
        bound(at, at.cells("head", by="all"), **options)
    assert raised.value.code == code
    with pytest.raises(InterventionError) as raised:
        bound(at, [])
    assert raised.value.code == "no_cells"


def test_it_can_be_cancelled(at):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        bound(at, at.cells("head", by="all"), cancel=cancel)
