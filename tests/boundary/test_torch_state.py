"""What a user left switched on in torch changes no number of a board: FOUND B.10 and its like."""

from __future__ import annotations

from contextlib import contextmanager

import pandas as pd
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import circuitboard as cb
from circuitboard.boundary.torch_state import unusual_torch
from tests.board.prompts import ANSWERS, CLEAN, CORRUPTED, LABELS, WRONG
from tests.tiny_models import tiny


@contextmanager
def switched(switch, value, back):
    switch(value)
    try:
        yield
    finally:
        switch(back)


class Passing(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class PassingBelow(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


STATES = {
    "a default device": lambda: switched(torch.set_default_device, "meta", None),
    "a device for a block": lambda: torch.device("meta"),
    "a default dtype of 64 bits": lambda: switched(torch.set_default_dtype, torch.float64, torch.float32),
    "a default dtype of 16 bits": lambda: switched(torch.set_default_dtype, torch.bfloat16, torch.float32),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "deterministic algorithms": lambda: switched(torch.use_deterministic_algorithms, True, False),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "a function mode": Passing,
    "a dispatch mode": PassingBelow,
}


def numbers(model):
    """What a board says, from the first call to the last."""
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=ANSWERS, wrong=WRONG, labels=LABELS)
    board = cb.Board(model, pair, metric=["logit_diff", "kl", "prob"])
    board.edit(cb.head(1, 2).zero(), cb.resid_pre(1).add([0.5] * 32, 0.3))
    sweep = board.sweep("head", by="pos", how="patch")
    found = {
        "tier": board.engine.tier,
        "value": board.value,
        "normalized": board.normalized,
        "preview": board.preview(cb.head(2, 1).scale(0.5)).change,
        "sweep": sweep.effect,
        "interval": torch.stack(sweep.ci()),
        "pvalue": sweep.pvalue(),
        "atp": board.sweep("head", how="zero", approximate="atp").effect,
        "atp*": board.sweep("head.q", how="zero", approximate="atp*").effect,
        "lens": board.logit_lens().current.logit_diff,
        "direct": board.direct_logit_attribution().to_dataframe(),
        "repair": board.self_repair(cb.head(2, 1).zero()).to_dataframe(),
        "neurons": board.neurons(1),
        "metrics": board.metrics,
        "tokens": board.top_tokens(),
        "prompts": board.per_prompt(),
        "logits": board.logits(),
        "verified": board.verify().ok,
    }
    board.close()
    return found


@pytest.fixture(scope="module")
def expected():
    return numbers(tiny("gpt2"))


@pytest.mark.parametrize("name", STATES)
def test_no_number_depends_on_it(name, expected):
    with STATES[name]():
        found = numbers(tiny("gpt2"))
    assert found["verified"]
    for what, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert found[what].device.type == "cpu"
            assert found[what].dtype == value.dtype, what
            torch.testing.assert_close(found[what], value, rtol=1e-4, atol=1e-5, equal_nan=True)
        elif isinstance(value, pd.DataFrame):
            numeric = value.select_dtypes("number").columns
            pd.testing.assert_frame_equal(found[what][numeric], value[numeric], rtol=1e-4, atol=1e-5)
        else:
            assert found[what] == (pytest.approx(value, abs=1e-5) if isinstance(value, float) else value), what


def test_the_state_is_as_it_was_afterwards(expected):
    assert not unusual_torch()
    with torch.device("meta"), torch.inference_mode():
        cb.PromptPair(CLEAN, CORRUPTED, answer=ANSWERS, wrong=WRONG)
        with pytest.raises(cb.CircuitboardError):
            cb.head(0, 0).add("no numbers")
        assert unusual_torch()
        assert torch.is_inference_mode_enabled()
        assert torch.empty(1).device.type == "meta"


def test_what_is_mocked_by_a_whole_mode_of_tensors_is_refused_in_words():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(), pytest.raises(cb.CircuitboardError) as caught:
        numbers(tiny("gpt2"))
    assert caught.value.__cause__ is not None
