"""A measurement end to end on the embedded model: what it compares, counts and writes."""

import pytest
import torch

from circuitboard.engine.gemm import Backend
from tests.benchmarks import clicks, goals, maps, record, report, scaling
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
    record.save(found, report.page, tmp_path)
    assert [one["tier"] for one in record.load(tmp_path)["maps"]] == ["another"]
    page = (tmp_path / "RESULTS.md").read_text()
    assert f"{row['compared']} of {row['cells']}" in page
    assert "not measured" in page


def a_map(**changed):
    part = {"ratio": {"cpu": {"median": 16.0}}, "share_of_peak": 0.7, "error": 0.0, "peak_gflops": 100.0}
    return {
        "shape": goals.GPT2,
        "sweep": "head × pos",
        "difference": "dense",
        "n_prompts": 1,
        "cells": 1,
        "compared": 1,
        "scale": 1.0,
        "flops": {"ours": 1e12, "theirs": 6.99e12},
        "theirs_s": {"median": 233.0},
        "backends": {"stock": part},
        **changed,
    }


def a_click(what, ours, ratio):
    return {
        "shape": goals.GPT2,
        "click": what,
        "backend": "stock",
        "ratio": {"cpu": {"median": ratio}},
        "flops": {"ours": ours, "theirs": 4e9},
        "theirs_cpu_ms": {"median": 100.0},
        "least_ms": 40.0,
    }


def test_a_goal_that_is_missed_by_little_does_not_look_met():
    by_goal = {one.goal: one for one in goals.verdicts({"maps": [a_map()], "clicks": []})}
    flops = by_goal["FLOP ratio, head × pos, dense"]
    assert (flops.found, flops.met) == ("6.99", False)
    assert by_goal[f"CPU ratio, head × pos, dense, {goals.GPT2}, stock GEMM"].met is True
    assert by_goal["FLOP ratio, head × pos, prefix"].met is None


def test_what_the_machine_allows_is_the_flop_ratio_times_the_ratio_of_speeds():
    found = {"maps": [a_map()], "clicks": [a_click(clicks.low_or_high(0), 2e9, 1.4)]}
    by_goal = {one.goal: one for one in goals.verdicts(found)}
    # TransformerLens: 6990 GFLOP in 233 s, 30 a second; at 100 a second, a 6.99th of the work is done 23.3 times as fast.
    assert by_goal[f"CPU ratio, head × pos, dense, {goals.GPT2}, stock GEMM"].most == pytest.approx(23.3)
    slowest = next(one for goal, one in by_goal.items() if "the slowest" in goal)
    assert slowest.most == pytest.approx(100 / 40)
    assert (slowest.found, slowest.met) == ("1.40", False)


@pytest.mark.parametrize(("more", "met"), [(5e8, True), (5e8 + 1, False)])
def test_one_more_edit_must_not_cost_more_than_alone(more, met):
    rows = [a_click(clicks.low_or_high(11), 5e8, 7.0), a_click(clicks.on_top(11, (0, 5, 10)), more, 8.0)]
    verdict = next(one for one in goals.verdicts({"maps": [], "clicks": rows}) if "one more edit" in one.goal)
    assert verdict.met is met


def test_clicks_of_every_kind_are_compared_with_a_hooked_forward(monkeypatch):
    monkeypatch.setattr(clicks, "backends", lambda _: [Backend.STOCK])
    rows = clicks.measure(SHAPES["demo"](), runs=2)
    assert [row["click"] for row in rows][:2] == [clicks.ALL_POSITIONS, clicks.ONE_POSITION]
    assert len({row["click"] for row in rows}) == 8
    for row in rows:
        assert row["error"] <= 1e-4 * row["scale"]
        assert 0 < row["flops"]["ours"] < row["flops"]["theirs"]
    assert rows[0]["runs"] == 4  # one a layer


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
