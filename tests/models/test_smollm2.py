"""A real model out of an installed package gives the figures that TransformerLens gave for it."""

from __future__ import annotations

import pytest
import torch

from circuitboard.models import reload_name
from circuitboard.models import smollm2 as conversion
from circuitboard.prompts import PromptPair

pytestmark = pytest.mark.smollm2


def _logit_diffs(model, pair):
    prompts = pair.bind(model)
    diffs = []
    for tokens in (prompts.clean_tokens, prompts.corrupted_tokens):
        with torch.no_grad():
            last = model(tokens)[:, -1]
        diffs.append((last.gather(1, prompts.answer_ids[:, None]) - last.gather(1, prompts.wrong_ids[:, None]))[:, 0])
    return diffs


def test_ioi_pair_without_bos(smollm2):
    pair = PromptPair(
        clean="When John and Mary went to the shops, John gave the bag to",
        corrupted="When John and Mary went to the shops, Mary gave the bag to",
        answer=" Mary",
        wrong=" John",
        prepend_bos=False,
    )
    clean, corrupted = _logit_diffs(smollm2, pair)
    assert clean.item() == pytest.approx(3.12, abs=0.1)
    assert corrupted.item() == pytest.approx(-4.16, abs=0.1)
    assert not pair.bind(smollm2).prepend_bos


def test_default_follows_transformer_lens_and_is_stored(smollm2):
    pair = PromptPair(clean="When John and Mary went to the shops, John gave the bag to", answer=" Mary")
    assert pair.bind(smollm2).prepend_bos


def test_paris(smollm2):
    with torch.no_grad():
        logits = smollm2(smollm2.to_tokens("The Eiffel Tower is in the city of", prepend_bos=False))
    assert logits[0, -1].softmax(-1)[smollm2.to_single_token(" Paris")].item() == pytest.approx(0.654, abs=0.005)


def test_it_is_eager_eval_and_reloadable(smollm2):
    assert not smollm2.training
    assert reload_name(smollm2) == "smollm2-135m"
    assert smollm2.original_model.config._attn_implementation == "eager"


def test_conversion_survives_another_process_that_was_quicker(tmp_path):
    scratch, target = tmp_path / "scratch", tmp_path / "target"
    for folder in (scratch, target):
        folder.mkdir()
        (folder / "model.safetensors").write_text(folder.name)
    conversion._publish(scratch, target)
    assert (target / "model.safetensors").read_text() == "target"
