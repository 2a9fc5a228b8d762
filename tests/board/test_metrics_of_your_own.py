"""Functions of the logits as metrics: what they get, what they may return, how they fail."""

from __future__ import annotations

import math

import pytest
import torch

import circuitboard as cb
from tests.board.prompts import CLEAN, pair, plain_logits
from tests.tiny_models import D_VOCAB

EDIT = cb.head(1, 2).at([0, 2]).zero()


def entropy(logits):
    return -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean(-1)


@pytest.mark.parametrize("tier", ["hooked", "replay"])
def test_it_reads_the_logits_of_every_position(model, tier):
    shapes = set()

    def metric(logits):
        shapes.add(tuple(logits.shape))
        return entropy(logits)

    board = cb.Board(model, pair(), metric=metric, engine=tier)
    board.edit(EDIT)
    torch.testing.assert_close(board.values, entropy(plain_logits(model, [EDIT])), rtol=0, atol=1e-5)
    sweep = board.sweep("head", how="zero", layers=2)
    cell = plain_logits(model, [EDIT, cb.head(2, 3).zero()])
    torch.testing.assert_close(sweep.per_prompt[0, 3], entropy(cell), rtol=0, atol=1e-5)
    assert shapes == {(*CLEAN.shape, D_VOCAB)}
    torch.testing.assert_close(board.logits(2), plain_logits(model, [EDIT])[:, 2], rtol=0, atol=1e-4)
    assert board.verify().ok
    board.close()


@pytest.mark.parametrize(
    "metric",
    [lambda logits: logits[:, -1].argmax(-1), lambda logits: logits[:, -1, 0] > 0, lambda logits: logits[:, -1, 0].half()],
    ids=["int", "bool", "half"],
)  # fmt: skip
def test_whole_numbers_and_truth_values_become_floats(model, metric):
    board = cb.Board(model, pair(), metric=metric)
    board.edit(EDIT)
    expected = metric(plain_logits(model, [EDIT])).float()
    torch.testing.assert_close(board.values, expected, rtol=1e-2, atol=1e-2)
    assert board.values.dtype is torch.float32
    assert board.value == pytest.approx(float(expected.mean()), rel=1e-2)
    assert isinstance(board.normalized, float)
    assert board.sweep("head", how="zero").stderr.dtype is torch.float32
    board.close()


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        (lambda logits: logits[:, -1], "metric_wrong_shape"),
        (lambda logits: logits.mean(), "metric_wrong_shape"),
        (lambda logits: 1.0, "metric_wrong_shape"),
        (lambda logits: None, "metric_wrong_shape"),
        (lambda logits: logits[:, -1, 0].to(torch.complex64), "metric_wrong_shape"),
        (lambda logits: logits[:, -1, 0].to_sparse(), "metric_wrong_shape"),
        (lambda logits: logits[:, -1, 0].to("meta"), "metric_wrong_device"),
        (lambda logits: torch.masked.masked_tensor(logits[:, -1, 0], torch.ones(3) > 0), "metric_wrong_shape"),
        (lambda logits: torch.nested.nested_tensor(list(logits[:, -1, :1])), "metric_wrong_shape"),
        (lambda logits: logits[:, -1, 0].numpy(), "metric_wrong_shape"),
        (lambda logits: 1 / 0, "metric_raised"),
        (lambda logits: logits[:, 99], "metric_raised"),
        (lambda: 1, "metric_raised"),
        ("accuracy", "unknown_metric"),
        (None, "unknown_metric"),
        ([], "no_metric"),
        ({"a": "logit_dif"}, "unknown_metric"),
        (lambda logits: logits[:, -1, 0] * math.nan, "metric_not_finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*prototype")
def test_a_metric_that_cannot_be_used_is_refused_when_the_board_is_made(model, metric, code):
    with pytest.raises(cb.MetricError) as caught:
        cb.Board(model, pair(), metric=metric)
    assert caught.value.code == code


def test_a_metric_that_fails_later_leaves_the_board_where_it_was(model):
    broken = False

    def metric(logits):
        if broken:
            raise LookupError("no such thing")
        return logits[:, -1, 7]

    board = cb.Board(model, pair(), metric=metric)
    board.edit(EDIT)
    before = (board.desk.shown, board.edits, board.history)
    broken = True
    for attempt in (
        lambda: board.edit(cb.head(0, 0).zero()),
        lambda: board.preview(cb.head(0, 0).zero()),
        lambda: board.sweep("head"),
    ):
        with pytest.raises(cb.MetricError) as caught:
            attempt()
        assert caught.value.code == "metric_raised"
        assert "no such thing" in caught.value.message
    assert (board.desk.shown, board.edits, board.history) == before
    broken = False
    board.edit(cb.head(0, 0).zero())
    assert len(board.edits) == 2
    board.close()


class Named(torch.Tensor):
    """A class of a library's own, with plain numbers."""


@pytest.mark.parametrize(
    "kind", [lambda found: found.as_subclass(Named), torch.nn.Parameter, lambda found: found.to(torch.float8_e4m3fn)]
)
def test_another_class_or_a_small_type_of_numbers_becomes_a_plain_tensor_of_floats(model, kind):
    board = cb.Board(model, pair(), metric=lambda logits: kind(logits[:, -1, 7]))
    board.edit(EDIT)
    for values in (board.values, board.sweep("head", how="zero").per_prompt):
        assert type(values) is torch.Tensor
        assert values.dtype is torch.float32
        assert not values.requires_grad
    torch.testing.assert_close(board.values, plain_logits(model, [EDIT])[:, -1, 7], rtol=0.1, atol=1e-5)
    board.close()


@pytest.mark.parametrize("special", [math.inf, -math.inf])
def test_a_number_that_is_not_finite_stays_what_it_is(model, special):
    board = cb.Board(model, pair(), metric=lambda logits: torch.full((3,), special))
    for value in (board.value, board.edit(EDIT).value, *board.values.tolist(), board.baselines.clean):
        assert value == special
    assert math.isnan(board.normalized)
    sweep = board.sweep("head")
    assert not sweep.values.isfinite().any()
    assert sweep.effect.isnan().all(), "inf − inf is not 0"
    assert math.isnan(board.desk.shown.outcome.change)
    assert "inf" in repr(board)
    board.close()


def test_weights_that_are_not_finite_show_as_nan(model):
    from tests.tiny_models import FAMILIES

    broken = FAMILIES["gpt2"]().eval()
    board = cb.Board(broken, pair())
    board.close()
    with torch.no_grad():
        dict(broken.named_parameters())[next(n for n, p in broken.named_parameters() if p.dim() > 1)].fill_(math.nan)
    board = cb.Board(broken, pair())
    assert math.isnan(board.value)
    assert math.isnan(board.edit(EDIT).value)
    assert board.sweep("head", how="zero").effect.isnan().all()
    assert len(board.top_tokens(3)) == 3
    assert board.verify().ok, "NaN where plain hooks give NaN"
    board.close()


def through_numpy(logits):
    rows = logits[:, -1].numpy()
    rows -= rows.max(-1, keepdims=True)
    return torch.from_numpy(rows[:, 24].copy())


def in_place(logits):
    return logits.sub_(logits.amax(-1, keepdim=True))[:, -1, 24]


@pytest.mark.parametrize("mine", [through_numpy, in_place])
@pytest.mark.parametrize("tier", ["hooked", "replay"])
def test_a_metric_may_work_in_place_and_the_others_read_what_the_model_said(model, mine, tier):
    board = cb.Board(model, pair(), metric={"mine": mine, "second": lambda logits: logits[:, -1, 24]}, engine=tier)
    for edits in ([], [EDIT]):
        if edits:
            board.edit(*edits)
        said = plain_logits(model, edits)[:, -1]
        expected = (said[:, 24] - said.amax(-1)).mean(), said[:, 24].mean()
        for _ in range(2):
            assert board.metrics["value"].tolist() == pytest.approx([float(one) for one in expected], abs=1e-5)
        torch.testing.assert_close(board.logits(), said, rtol=0, atol=1e-4)
    sweep = board.sweep("head", how="zero", layers=2, on="second")
    cell = plain_logits(model, [EDIT, cb.head(2, 3).zero()])[:, -1, 24]
    torch.testing.assert_close(sweep.per_prompt[0, 3], cell, rtol=0, atol=1e-5)
    assert board.verify().ok
    board.close()


def test_what_a_metric_returns_is_copied(model):
    """A metric that fills the same tensor each time, which many do to save memory."""
    answer = torch.zeros(len(CLEAN))

    def metric(logits):
        return answer.copy_(logits[:, -1, 7])

    board = cb.Board(model, pair(), metric=metric)
    for edits in ([], [EDIT]):
        if edits:
            board.edit(*edits)
        torch.testing.assert_close(board.values, plain_logits(model, edits)[:, -1, 7], rtol=0, atol=1e-5)
    assert board.baselines.clean == pytest.approx(float(plain_logits(model)[:, -1, 7].mean()), abs=1e-5)
    sweep = board.sweep("head", how="zero", layers=2).per_prompt[0]
    for head in range(4):
        cell = plain_logits(model, [EDIT, cb.head(2, head).zero()])[:, -1, 7]
        torch.testing.assert_close(sweep[head], cell, rtol=0, atol=1e-5)
    answer.zero_()
    torch.testing.assert_close(board.values, plain_logits(model, [EDIT])[:, -1, 7], rtol=0, atol=1e-5)
    board.close()


def test_an_estimate_of_a_metric_that_works_in_place(model):
    def metric(logits):
        return logits.sub_(logits.mean(-1, keepdim=True))[:, -1, 7]

    board = cb.Board(model, pair(), metric=metric, engine="replay")
    plain = cb.Board(model, pair(), metric=lambda logits: (logits - logits.mean(-1, keepdim=True))[:, -1, 7])
    found, expected = (one.sweep("head", how="zero", approximate="atp").effect for one in (board, plain))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    board.close()
    plain.close()
