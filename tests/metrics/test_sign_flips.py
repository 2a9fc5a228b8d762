"""p-values against enumeration by hand, and corrections against numbers worked out by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitboard.metrics import corrected, floor_of, printed, pvalues, sign_flips, spread_of
from circuitboard.metrics.sign_flips import flips_for


def enumerated(row):
    """Every pattern of signs, one by one."""
    far = abs(math.fsum(row)) * (1 - 100 * 2**-52) - 1e-12 * math.fsum(map(abs, row))
    sums = [
        abs(math.fsum(s * x for s, x in zip(signs, row, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(row))
    ]
    return sum(total >= far for total in sums) / len(sums)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=9))
def test_few_prompts_are_enumerated(row):
    assert float(pvalues(torch.tensor([row], dtype=torch.float64))[0]) == enumerated(row)


def test_by_hand():
    assert pvalues(torch.tensor([[1.0, 2.0, 3.0], [1.0, -1.0, 3.0], [0.0, 0.0, 0.0]])).tolist() == [0.25, 0.75, 1.0]
    assert pvalues(torch.tensor([[1.0, math.nan], [1.0, math.inf], [1.0, 2.0]])).isnan().tolist() == [True, True, False]


def test_how_many_are_drawn_depends_on_sizes_alone():
    assert flips_for(1, 16) == (2**15, True)
    assert flips_for(1, 64) == (2**18, False)
    flips, exact = flips_for(270, 64)
    assert not exact
    assert 270 * floor_of(270, 64) < 0.01, "a cell of a map of 270 heads can pass any correction"
    assert 10_000 < flips < 2**18
    assert flips_for(10**6, 64) == (1000, False)
    assert flips_for(270, 64, most=99) == (99, False)
    assert floor_of(270, 64, most=99) == 1 / 100
    assert floor_of(1, 8) == 1 / 128


def test_random_patterns_agree_with_enumeration(monkeypatch):
    draw = torch.Generator().manual_seed(0)
    rows = torch.randn(5, 14, generator=draw) + torch.tensor([0.0, 0.3, 0.6, 1.0, 3.0])[:, None]
    exact = pvalues(rows)
    drawn = pvalues(rows, most=40_000)
    assert torch.equal(exact, drawn), "2¹³ patterns are fewer than 40,000"
    monkeypatch.setattr(sign_flips, "flips_for", lambda *_: (40_000, False))
    drawn = pvalues(rows)
    assert (drawn - exact).abs().max() < 4 * math.sqrt(0.25 / 40_000)
    assert drawn[-1] >= 1 / 40_001
    assert torch.equal(drawn, pvalues(rows)), "seeded"
    assert not torch.equal(drawn, pvalues(rows, seed=1))
    monkeypatch.setattr(sign_flips, "_CHUNK", 5 * 77)
    assert torch.equal(drawn, pvalues(rows)), "whatever is held at once"


def test_corrections_by_hand():
    """Holm 1979: ×4, ×3, ×2, ×1 and a running maximum. Benjamini and Hochberg 1995: ×4/rank and a running minimum."""
    p = torch.tensor([[0.01, math.nan, 0.04], [0.03, 0.005, math.nan]], dtype=torch.float64)
    holm = corrected(p, "holm")
    assert holm.flatten().tolist() == pytest.approx([0.03, math.nan, 0.06, 0.06, 0.02, math.nan], nan_ok=True)
    fdr = corrected(p, "fdr")
    assert fdr.flatten().tolist() == pytest.approx([0.02, math.nan, 0.04, 0.04, 0.02, math.nan], nan_ok=True)
    # The example of Benjamini and Hochberg 1995, section 4: four of fifteen are called at 0.05, three by Holm.
    table = torch.tensor([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0], dtype=torch.float64)  # fmt: skip
    assert int((corrected(table, "fdr") <= 0.05).sum()) == 4
    assert int((corrected(table, "holm") <= 0.05).sum()) == 3
    assert corrected(table, "fdr")[3] == pytest.approx(0.0095 * 15 / 4)
    assert corrected(table, "holm")[2] == pytest.approx(0.0019 * 13)
    assert corrected(torch.tensor([0.9, 0.8]), "holm").tolist() == [1.0, 1.0]
    assert corrected(torch.tensor([math.nan]), "fdr").isnan().all()


def test_the_floor_is_printed_as_a_bound():
    assert printed(0.03125, 0.01) == "0.031"
    assert printed(0.01, 0.01) == "<0.01"
    assert printed(math.nan, 0.01) == "nan"
    spread = spread_of(torch.arange(1.0, 41.0))
    assert spread.p == "<3.8e-06"
    assert str(spread).endswith(", p <3.8e-06, n=40")
    assert repr(spread).startswith("Spread(+20.5000 ± ")
    assert ", p = 1, n=2" in str(spread_of(torch.tensor([1.0, -1.0])))
    assert "p " not in str(spread_of(torch.tensor([1.0])))
