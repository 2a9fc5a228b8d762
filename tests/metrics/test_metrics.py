"""Each named metric against numbers worked out by hand and against numpy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from circuitboard.errors import MetricError
from circuitboard.metrics import (
    METRICS,
    Reading,
    columns_of,
    evaluate,
    evaluate_cells,
    interval_of,
    metric_of,
    metrics_of,
    select,
    spread_of,
)
from circuitboard.prompts import AnswerSets, Prompts


def prompts(answers, wrong=None):
    """Prompts of two tokens; only the answers matter here."""
    n = len(answers)
    return Prompts(
        clean_tokens=torch.zeros(n, 2, dtype=torch.int64),
        corrupted_tokens=None,
        answers=AnswerSets.of([[answer] for answer in answers]),
        wrongs=None if wrong is None else AnswerSets.of([[one] for one in wrong]),
        answer_str=[str(answer) for answer in answers],
        wrong_str=None if wrong is None else [str(one) for one in wrong],
        labels={},
        prepend_bos=False,
        clean_text=None,
        corrupted_text=None,
        token_str=str,
    )


# Softmax of (ln 1, ln 2, ln 5) is (1/8, 2/8, 5/8); of (0, 0, 0) it is (1/3, 1/3, 1/3).
LOGITS = torch.tensor([[[0.0, math.log(2), math.log(5)]], [[7.0, 7.0, 7.0]]])


def value(name, logits, answers, wrong=None):
    given = prompts(answers, wrong)
    return evaluate(metric_of(name, given), logits, Reading(given, given.clean_tokens, logits))


def test_logit_diff_by_hand():
    assert value("logit_diff", LOGITS, [2, 0], [0, 1]).tolist() == pytest.approx([math.log(5), 0])
    assert value("logit_diff", LOGITS, [0, 1], [1, 2]).tolist() == pytest.approx([-math.log(2), 0])


def test_prob_by_hand():
    assert value("prob", LOGITS, [2, 0]).tolist() == pytest.approx([5 / 8, 1 / 3])
    assert value("prob", LOGITS, [0, 1]).tolist() == pytest.approx([1 / 8, 1 / 3])


def test_log_prob_by_hand():
    assert value("log_prob", LOGITS, [1, 2]).tolist() == pytest.approx([math.log(1 / 4), math.log(1 / 3)])


OF_THE_ANSWER = [name for name, metric in METRICS.items() if metric.reads == "answer"]


def test_the_last_row_given_is_the_one_that_is_read():
    rows = torch.cat([torch.full((2, 3, 3), 99.0), LOGITS], dim=1)
    for name in OF_THE_ANSWER:
        assert value(name, rows, [2, 0], [0, 1]).tolist() == pytest.approx(value(name, LOGITS, [2, 0], [0, 1]).tolist())


def test_large_logits_do_not_overflow():
    huge = torch.tensor([[[1e30, 1e30, -1e30]]])
    assert value("log_prob", huge, [0]).tolist() == pytest.approx([math.log(0.5)])
    assert value("prob", huge, [2]).tolist() == [0.0]
    assert value("logit_diff", huge, [0], [1]).tolist() == [0.0]


logits_of_three = st.lists(
    st.lists(st.floats(-30, 30, width=32), min_size=5, max_size=5), min_size=1, max_size=4
).map(lambda rows: np.array(rows, dtype=np.float32))  # fmt: skip


@given(logits_of_three, st.integers(0, 4), st.integers(0, 4))
def test_the_laws_between_them(rows, answer, wrong):
    n = len(rows)
    logits = torch.tensor(rows)[:, None]
    exact = rows.astype(np.float64)
    expected = exact[:, answer] - np.log(np.exp(exact - exact.max(1, keepdims=True)).sum(1)) - exact.max(1)
    log_prob = value("log_prob", logits, [answer] * n)
    np.testing.assert_allclose(log_prob.numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(value("prob", logits, [answer] * n).numpy(), np.exp(expected), atol=1e-5)
    diff = value("logit_diff", logits, [answer] * n, [wrong] * n)
    np.testing.assert_allclose(diff.numpy(), exact[:, answer] - exact[:, wrong], atol=1e-4)
    np.testing.assert_allclose(diff.numpy(), (log_prob - value("log_prob", logits, [wrong] * n)).numpy(), atol=1e-4)


@pytest.mark.parametrize("name", OF_THE_ANSWER)
def test_nan_stays_nan_in_its_own_prompt_and_never_becomes_0(name):
    logits = LOGITS.clone()
    logits[0] = torch.nan
    given = prompts([2, 0], [0, 1])
    found = evaluate(metric_of(name, given), logits, Reading(given, given.clean_tokens, LOGITS))
    assert math.isnan(found[0])
    assert math.isfinite(found[1])
    logits = LOGITS.clone()
    logits[0, 0, 2] = torch.inf
    assert not math.isfinite(value("logit_diff", logits, [2, 0], [0, 1])[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_result_is_at_least_float32_on_the_cpu(dtype):
    for name in OF_THE_ANSWER:
        found = value(name, LOGITS.to(dtype), [2, 0], [0, 1])
        assert found.dtype is (torch.float64 if dtype is torch.float64 else torch.float32)
        assert found.device.type == "cpu"
        assert not found.requires_grad


def test_each_says_its_unit_and_whether_it_needs_a_wrong_answer():
    assert {name: (metric.unit, metric.needs_wrong) for name, metric in METRICS.items()} == {
        "logit_diff": ("logits", True),
        "prob": ("probability", False),
        "log_prob": ("nats", False),
        "rank": ("rank", False),
        "kl": ("nats", False),
        "loss": ("nats a token", False),
    }
    for name in METRICS:
        assert METRICS[name].name == name
        assert METRICS[name].compute.__doc__
    with pytest.raises(MetricError) as caught:
        metric_of("logit_diff", prompts([1, 2]))
    assert caught.value.code == "no_wrong_answer"
    with pytest.raises(MetricError) as caught:
        metric_of("accuracy", prompts([1, 2]))
    assert caught.value.code == "unknown_metric"
    assert "logit_diff" in caught.value.message


# --- several answers on a side ------------------------------------------------------------------------


def sets(right, wrong=None):
    answers = AnswerSets.of(right)
    return replace(prompts([0] * len(right)), answers=answers, wrongs=None if wrong is None else AnswerSets.of(wrong))


def of_sets(name, logits, right, wrong=None):
    given = sets(right, wrong)
    return evaluate(metric_of(name, given), logits, Reading(given, given.clean_tokens, logits)).tolist()


def test_several_answers_by_hand():
    rows = torch.tensor([[[0.0, math.log(2), math.log(5), math.log(8)]], [[1.0, 2.0, 4.0, 8.0]]])
    right, wrong = [[2, 3], [0]], [[0], [1, 2, 3]]
    assert of_sets("logit_diff", rows, right, wrong) == pytest.approx([math.log(40) / 2, 1 - 14 / 3])
    exp = [math.exp(x) for x in (1, 2, 4, 8)]
    assert of_sets("prob", rows, right) == pytest.approx([13 / 16, exp[0] / sum(exp)])
    assert of_sets("log_prob", rows, right) == pytest.approx([math.log(13 / 16), math.log(exp[0] / sum(exp))])
    assert of_sets("rank", rows, [[0, 1], [2, 0]]) == [3, 2]


def test_sets_of_unequal_size_are_each_divided_by_their_own_by_hand():
    """No logit is 0, so that what stands in for a missing alternative would show."""
    rows = torch.tensor([[[3.0, 5.0, -7.0, 11.0]], [[2.0, 4.0, 6.0, 9.0]]])
    assert of_sets("logit_diff", rows, [[3], [0, 1, 2]], [[0, 1], [3]]) == pytest.approx([11 - 4, 4 - 9])
    assert of_sets("logit_diff", rows, [[0, 1], [3]], [[3], [0, 1, 2]]) == pytest.approx([4 - 11, 9 - 4])


@given(logits_of_three, st.integers(1, 4))
def test_sets_agree_with_single_answers(rows, k):
    """The mean of logits over sets is the mean of differences; probabilities add up; one answer is a set of one."""
    logits, n = torch.tensor(rows)[:, None], len(rows)
    right, wrong = list(range(k)), [4]
    singles = [value("logit_diff", logits, [one] * n, [4] * n) for one in right]
    together = of_sets("logit_diff", logits, [right] * n, [wrong] * n)
    assert together == pytest.approx(torch.stack(singles).mean(0).tolist(), abs=1e-4)
    singles = [value("prob", logits, [one] * n) for one in right]
    assert of_sets("prob", logits, [right] * n) == pytest.approx(torch.stack(singles).sum(0).tolist(), abs=1e-5)


def test_padding_of_sets_has_no_gradient():
    given = sets([[2, 1], [0]], [[0], [1]])
    for name in ("logit_diff", "prob", "log_prob"):
        metric = metric_of(name, given)
        logits = LOGITS.clone().requires_grad_()
        read = select(logits, columns_of(metric, given))
        metric.compute(read, Reading(given, given.clean_tokens, LOGITS)).sum().backward()
        assert logits.grad.isfinite().all()
        used = logits.grad[1, 0] != 0
        assert used.tolist() == ([True, True, False] if name == "logit_diff" else [True, True, True])


# --- rank, kl, loss -----------------------------------------------------------------------------------


def test_rank_by_hand():
    assert value("rank", LOGITS, [2, 0]).tolist() == [1, 1], "ties are shared"
    assert value("rank", LOGITS, [0, 2]).tolist() == [3, 1]


def test_kl_by_hand():
    given = prompts([0, 0])
    base = torch.tensor([[[0.0, math.log(2), math.log(5)]], [[0.0, 0.0, 0.0]]])
    edited = torch.tensor([[[0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]])
    found = evaluate(metric_of("kl", given), edited, Reading(given, given.clean_tokens, base))
    expected = sum(p * math.log(p * 3) for p in (1 / 8, 2 / 8, 5 / 8))
    assert found.tolist() == pytest.approx([expected, 0], abs=1e-6)
    assert value("kl", LOGITS, [0, 0]).tolist() == pytest.approx([0, 0], abs=1e-6), "no edit, no distance"


def test_loss_by_hand_and_without_padding():
    rows = torch.tensor([[0.0, math.log(2), math.log(5)], [0.0, 0.0, 0.0], [math.nan, 1.0, 2.0]])
    given = replace(prompts([0]), clean_tokens=torch.tensor([[0, 2, 1]]))
    metric = metric_of("loss", given)
    reading = Reading(given, given.clean_tokens, rows[None])
    assert evaluate(metric, rows[None], reading).tolist() == pytest.approx([(math.log(8 / 5) + math.log(3)) / 2])
    padded = replace(
        prompts([0]), clean_tokens=torch.tensor([[1, 0, 2, 1]]), real=torch.tensor([[False, True, True, True]])
    )
    shifted = torch.cat((torch.full((1, 3), math.nan), rows))[None]
    reading = Reading(padded, padded.clean_tokens, shifted)
    assert evaluate(metric, shifted, reading).tolist() == pytest.approx([(math.log(8 / 5) + math.log(3)) / 2])


@pytest.mark.parametrize("name", METRICS)
def test_many_cells_at_once_equal_one_at_a_time(name):
    draw = torch.Generator().manual_seed(0)
    cells = torch.randn(5, 2, 4, 7, generator=draw)
    given = replace(sets([[2, 3], [0]], [[0], [1, 2]]), clean_tokens=torch.randint(0, 7, (2, 4), generator=draw))
    metric, reading = metric_of(name, given), Reading(given, given.clean_tokens, cells[0])
    together = evaluate_cells(metric, select(cells, columns_of(metric, given)), reading)
    for cell, found in zip(cells, together, strict=True):
        torch.testing.assert_close(evaluate(metric, cell, reading), found, rtol=0, atol=1e-6)


# --- several metrics ----------------------------------------------------------------------------------


def test_several_metrics_keep_their_names():
    given = prompts([1], [2])
    found = metrics_of({"difference": "logit_diff", "mine": lambda logits: logits[:, -1, 0]}, given)
    assert [(metric.name, metric.formula) for metric in found] == [("difference", "logit_diff"), ("mine", None)]
    assert [metric.name for metric in metrics_of(["kl", "rank"], given)] == ["kl", "rank"]
    for bad, code in (({}, "no_metric"), ([], "no_metric"), (7, "unknown_metric"), ({1: "kl"}, "unknown_metric")):
        with pytest.raises(MetricError) as caught:
            metrics_of(bad, given)
        assert caught.value.code == code


# --- error bars ---------------------------------------------------------------------------------------


def test_a_spread_by_hand():
    found = spread_of(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert found.mean == 3
    assert found.stderr == pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2)
    assert found.low < 3 < found.high
    assert found.pvalue == pytest.approx(2 / 16), "all four have one sign: two of sixteen patterns are as far out"
    assert found == spread_of(torch.tensor([1.0, 2.0, 3.0, 6.0])), "seeded"
    alone = spread_of(torch.tensor([1.0]))
    assert (alone.mean, alone.n) == (1, 1)
    assert math.isnan(alone.stderr)
    assert math.isnan(spread_of(torch.tensor([1.0, math.nan])).pvalue)


@pytest.mark.parametrize("n", [2, 3, 64, 1001])
def test_the_interval_is_that_of_transformer_lens(n):
    from transformer_lens.utilities.statistics import bootstrap_ci

    values = torch.randn(n, generator=torch.Generator().manual_seed(n))
    low, high = bootstrap_ci(values.double())
    assert interval_of(values) == pytest.approx((float(low), float(high)), abs=1e-12)
