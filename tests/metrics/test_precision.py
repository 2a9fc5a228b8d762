"""KL, loss and log-probabilities against float64 of the same logits, where float32 would lose them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from circuitboard.analysis.per_prompt import per_prompt_table
from circuitboard.metrics import Reading, evaluate, evaluate_cells, likeliest, metric_of, probs_of
from tests.metrics.test_metrics import prompts, sets

HUGE = 262_144
EPS = torch.finfo(torch.float32).eps


def kl(base, edited):
    """Of rows [batch, d_vocab]."""
    given = prompts([0] * len(base))
    reading = Reading(given, given.clean_tokens, base[:, None])
    return evaluate(metric_of("kl", given), edited[:, None], reading)


def exact_kl(base, edited):
    """In float64, with the terms that do not cancel."""
    p, q = base.double().log_softmax(-1), edited.double().log_softmax(-1)
    return (p.exp() * ((q - p).expm1() - (q - p))).sum(-1)


@pytest.mark.parametrize("size", [1e-4, 1e-3, 1e-2, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("d_vocab", [50, 50_257, HUGE])
def test_a_small_distance_keeps_its_digits(size, d_vocab):
    draw = torch.Generator().manual_seed(d_vocab)
    base = 4 * torch.randn(3, d_vocab, generator=draw)
    edited = base + size * torch.randn(3, d_vocab, generator=draw)
    expected = exact_kl(base, edited)
    assert expected.min() > 1e-10
    torch.testing.assert_close(kl(base, edited).double(), expected, rtol=4 * EPS, atol=0)


@given(st.lists(st.floats(-40, 40, width=32), min_size=6, max_size=6), st.floats(1e-9, 30), st.integers(0, 2**31))
def test_no_distance_is_negative(row, size, seed):
    base = torch.tensor([row])
    edited = base + size * torch.randn(1, 6, generator=torch.Generator().manual_seed(seed))
    found = kl(base, edited)
    assert found >= 0
    torch.testing.assert_close(found.double(), exact_kl(base, edited), rtol=1e-5, atol=1e-15)


def test_the_same_logits_are_at_no_distance_nor_is_a_constant():
    base = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
    assert kl(base, base).tolist() == [0, 0]
    assert kl(base, base + 4).max() < 1e-12


def test_a_token_that_cannot_come_by_hand():
    """P = (1/8, 2/8, 5/8, 0); in the second Q the token that P never says has a half, in the third P's last has none."""
    none = -math.inf
    base = torch.tensor([[0.0, math.log(2), math.log(5), none]])
    same = kl(base, base)
    assert same.tolist() == [0]
    half = torch.tensor([[0.0, math.log(2), math.log(5), math.log(8)]])
    assert kl(base, half).tolist() == pytest.approx([math.log(2)])
    assert kl(base, torch.tensor([[0.0, math.log(2), none, 1.0]])).tolist() == [math.inf]
    tiny = torch.tensor([[0.0, math.log(2), math.log(5), -900.0]])
    assert kl(tiny, half).tolist() == pytest.approx([math.log(2)]), "a probability below the smallest float64"
    assert kl(half, tiny).tolist() == pytest.approx([900 / 2 + math.log(8) / 2 - math.log(2)])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_stays_in_its_own_prompt(bad):
    good = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    spoilt = good.clone()
    spoilt[0, 3] = bad
    for found in (kl(good, spoilt), kl(spoilt, good)):
        assert found.isnan().tolist() == [True, False]
        assert found[1] == 0
    nowhere = good.clone()
    nowhere[0] = -math.inf
    assert kl(good, nowhere).isnan().tolist() == [True, False]


def test_many_cells_and_prompts_in_chunks_equal_each_alone():
    draw = torch.Generator().manual_seed(0)
    base = torch.randn(5, 1, 70_000, generator=draw)
    cells = base + torch.randn(3, 5, 1, 70_000, generator=draw)
    given = prompts([0] * 5)
    reading = Reading(given, given.clean_tokens, base)
    found = evaluate_cells(metric_of("kl", given), cells, reading)
    for cell, row in zip(cells, found, strict=True):
        for prompt in range(5):
            assert row[prompt] == kl(base[prompt], cell[prompt])[0]


def test_its_gradient_is_that_of_the_two_distributions():
    """d KL(P ‖ Q) / d logits of Q = Q − P, with tokens that neither can say."""
    base = torch.tensor([[0.0, 1.0, 3.0, -math.inf]])
    edited = torch.tensor([[2.0, -1.0, 0.5, -math.inf]], requires_grad=True)
    given = prompts([0])
    metric_of("kl", given).compute(
        edited[None, :, None], Reading(given, given.clean_tokens, base[:, None])
    ).sum().backward()
    torch.testing.assert_close(edited.grad, edited.detach().softmax(-1) - base.softmax(-1))


@pytest.mark.parametrize("d_vocab", [50_257, HUGE])
def test_log_prob_prob_and_loss_are_those_of_float64(d_vocab):
    draw = torch.Generator().manual_seed(1)
    rows = 3 * torch.randn(2, 3, d_vocab, generator=draw)
    given = replace(sets([[2, d_vocab - 1], [7]]), clean_tokens=torch.randint(0, d_vocab, (2, 3), generator=draw))
    reading = Reading(given, given.clean_tokens, rows)
    exact = rows.double().log_softmax(-1)
    both = exact[0, -1, [2, d_vocab - 1]].logsumexp(-1)
    found = {name: evaluate(metric_of(name, given), rows, reading).double() for name in ("log_prob", "prob", "loss")}
    expected = torch.stack([both, exact[1, -1, 7]])
    torch.testing.assert_close(found["log_prob"], expected, rtol=EPS, atol=0)
    torch.testing.assert_close(found["prob"], expected.exp(), rtol=EPS, atol=0)
    losses = -exact[:, :-1].gather(-1, given.clean_tokens[:, 1:, None])[..., 0].mean(-1)
    torch.testing.assert_close(found["loss"], losses, rtol=EPS, atol=0)
    torch.testing.assert_close(
        probs_of(rows[:, -1], torch.tensor([[2], [7]])).log(), exact[:, -1].gather(-1, torch.tensor([[2], [7]]))
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_logit_difference_is_that_of_float64_of_the_same_logits(dtype):
    """Half precision has rounded the logits; the difference and the means are not rounded once more."""
    rows = (30 * torch.randn(4, 1, 50, generator=torch.Generator().manual_seed(2))).to(dtype)
    right, wrong = [[1], [1, 2, 3], [5], [7, 8, 9]], [[2], [4], [6, 7, 8], [1, 2]]
    exact = [
        row[0, a].double().mean() - row[0, b].double().mean() for row, a, b in zip(rows, right, wrong, strict=True)
    ]
    for some in (slice(0, 1), slice(0, 4)):
        given = sets(right[some], wrong[some])
        found = evaluate(metric_of("logit_diff", given), rows[some], Reading(given, given.clean_tokens, rows[some]))
        torch.testing.assert_close(found.double(), torch.stack(exact[some]), rtol=EPS, atol=0)


def test_the_likeliest_token_of_a_row_that_is_no_number_has_no_probability():
    rows = torch.tensor([[0.0, math.log(3), -math.inf], [0.0, math.nan, 1.0]])
    ids, probs = likeliest(rows)
    assert ids.tolist() == [1, 2]
    assert probs.tolist() == pytest.approx([0.75, math.nan], nan_ok=True)
    values = torch.zeros(2)
    frame = per_prompt_table(values, values, rows, prompts([0, 1]), run="clean")
    assert frame.sort_values("prompt")["top_prob"].tolist() == pytest.approx([0.75, math.nan], nan_ok=True)
