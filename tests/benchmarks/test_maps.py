"""A measurement end to end on the embedded model: what it compares, counts and writes."""

import pytest
import torch

from tests.benchmarks import goals, maps, record, report, scaling
from tests.benchmarks.shapes import SHAPES, random_tokens
from tests.benchmarks.sweeps import KINDS


@pytest.fixture
def _cache(monkeypatch, tmp_path):
    monkeypatch.setattr(maps, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setenv("TQDM_DISABLE", "1")


def measured(**options):
    given = {"n_prompts": 1, "difference": "prefix", "runs": 2, "limit_s": 60.0} | options
    return maps.measure(SHAPES["demo"](), KINDS["resid_pre × pos"], **given)


@pytest.mark.usefixtures("_cache")
def test_every_cell_is_compared_with_transformer_lens_and_again_from_the_kept_map():
    first, again = measured(), measured()
    for row in (first, again):
        assert row["compared"] == row["cells"] == 60
        assert row["first_difference"] == 10
        assert row["flops"]["theirs"] > row["flops"]["ours"] > 0
        for part in row["backends"].values():
            assert part["error"] <= 1e-4 * row["scale"]
            assert part["ratio"]["cpu"]["low"] <= part["ratio"]["cpu"]["median"] <= part["ratio"]["cpu"]["high"]
    assert first["scale"] == again["scale"]


@pytest.mark.usefixtures("_cache")
def test_a_map_over_the_limit_is_compared_in_part_and_says_so():
    row = measured(limit_s=0.0)
    assert row["compared"] < row["cells"]


@pytest.mark.usefixtures("_cache")
def test_rows_are_replaced_by_newer_ones_and_read_back(tmp_path):
    row = measured(limit_s=0.0)
    found = record.load(tmp_path) | {"machine": report.machine()}
    record.merge(found, "maps", [row])
    record.merge(found, "maps", [row | {"tier": "another"}])
    record.save(found, report.page(found), tmp_path)
    assert [one["tier"] for one in record.load(tmp_path)["maps"]] == ["another"]
    page = (tmp_path / "RESULTS.md").read_text()
    assert f"{row['compared']} of {row['cells']}" in page
    assert "not measured" in page


def test_a_goal_that_is_missed_by_little_does_not_look_met():
    row = {
        "shape": goals.GPT2,
        "sweep": "head × pos",
        "difference": "dense",
        "n_prompts": 1,
        "cells": 1,
        "compared": 1,
        "scale": 1.0,
        "flops": {"ours": 1000, "theirs": 6990},
        "backends": {"stock": {"ratio": {"cpu": {"median": 16.0}}, "share_of_peak": 0.7, "error": 0.0}},
    }
    found = {"maps": [row], "clicks": []}
    by_goal = {one.goal: one for one in goals.verdicts(found)}
    flops = by_goal["FLOP ratio, head × pos, dense"]
    assert (flops.found, flops.met) == ("6.99", False)
    assert by_goal[f"CPU ratio, head × pos, dense, {goals.GPT2}, stock GEMM"].met is True
    assert by_goal["FLOP ratio, head × pos, prefix"].met is None


def test_exponents_are_slopes_of_logarithms():
    assert scaling.exponent((2, 4, 8), [5 * 2**1.5, 5 * 4**1.5, 5 * 8**1.5]) == pytest.approx(1.5)


@pytest.mark.parametrize(("difference", "first"), [("dense", 0), ("prefix", 10)])
def test_prompts_differ_from_where_they_should(difference, first):
    tokens = random_tokens(8, difference, vocabulary=20)
    differs = tokens.clean != tokens.corrupted
    assert not differs[:, :first].any()
    assert differs[:, first:].all()
    assert torch.unique(torch.stack([tokens.answer, tokens.wrong]), dim=1).shape[1] <= 8
    assert (tokens.answer != tokens.wrong).all()
