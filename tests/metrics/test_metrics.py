"""Each named metric against numbers worked out by hand and against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from circuitboard.errors import MetricError
from circuitboard.metrics import METRICS, evaluate, metric_of
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
    return evaluate(metric_of(name, given), logits, given)


def test_logit_diff_by_hand():
    assert value("logit_diff", LOGITS, [2, 0], [0, 1]).tolist() == pytest.approx([math.log(5), 0])
    assert value("logit_diff", LOGITS, [0, 1], [1, 2]).tolist() == pytest.approx([-math.log(2), 0])


def test_prob_by_hand():
    assert value("prob", LOGITS, [2, 0]).tolist() == pytest.approx([5 / 8, 1 / 3])
    assert value("prob", LOGITS, [0, 1]).tolist() == pytest.approx([1 / 8, 1 / 3])


def test_log_prob_by_hand():
    assert value("log_prob", LOGITS, [1, 2]).tolist() == pytest.approx([math.log(1 / 4), math.log(1 / 3)])


def test_the_last_row_given_is_the_one_that_is_read():
    rows = torch.cat([torch.full((2, 3, 3), 99.0), LOGITS], dim=1)
    for name in METRICS:
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


@pytest.mark.parametrize("name", METRICS)
def test_nan_stays_nan_in_its_own_prompt_and_never_becomes_0(name):
    logits = LOGITS.clone()
    logits[0] = torch.nan
    found = value(name, logits, [2, 0], [0, 1])
    assert math.isnan(found[0])
    assert math.isfinite(found[1])
    logits = LOGITS.clone()
    logits[0, 0, 2] = torch.inf
    assert not math.isfinite(value("logit_diff", logits, [2, 0], [0, 1])[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_result_is_at_least_float32_on_the_cpu(dtype):
    for name in METRICS:
        found = value(name, LOGITS.to(dtype), [2, 0], [0, 1])
        assert found.dtype is (torch.float64 if dtype is torch.float64 else torch.float32)
        assert found.device.type == "cpu"
        assert not found.requires_grad


def test_each_says_its_unit_and_whether_it_needs_a_wrong_answer():
    assert {name: (metric.unit, metric.needs_wrong) for name, metric in METRICS.items()} == {
        "logit_diff": ("logits", True),
        "prob": ("probability", False),
        "log_prob": ("nats", False),
    }
    for name in METRICS:
        assert METRICS[name].name == name
        assert METRICS[name].compute.__doc__
    with pytest.raises(MetricError) as caught:
        metric_of("logit_diff", prompts([1, 2]))
    assert caught.value.code == "no_wrong_answer"
    with pytest.raises(MetricError) as caught:
        metric_of("kl", prompts([1, 2]))
    assert caught.value.code == "unknown_metric"
    assert "logit_diff" in caught.value.message
