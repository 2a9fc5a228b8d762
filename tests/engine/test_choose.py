"""The probe: it notices a tier that goes wrong, whatever its seed draws."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import circuitboard as cb
from circuitboard.engine import choose
from circuitboard.engine.wavefront import WavefrontEngine
from tests.tiers import none_is_dropped_for_its_numbers
from tests.tiny_models import FAMILIES, WAVEFRONT, tiny

DROPS_TIERS = True
CLEAN = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])


def board(family, **options):
    return cb.Board(tiny(family), cb.PromptPair(CLEAN, CLEAN.flip(1), answer=[1, 2], wrong=[3, 4]), **options)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("family", "tier"), [("opt_post", "hooked"), ("bloom", "replay"), ("gpt2", "wavefront")])
def test_the_choice_does_not_hang_on_the_seed(monkeypatch, family, tier, seed):
    """Bloom's position biases are more than the wavefront knows; OPT's post-norm blocks cannot even be replayed."""
    monkeypatch.setattr(choose, "_PROBE_SEED", seed)
    made = board(family)
    assert made.engine.tier == tier
    assert made.sweep("head").values.isfinite().all()
    made.close()


def test_a_block_that_mixes_up_copies_of_the_prompts_is_noticed(monkeypatch):
    from circuitboard.models.bridge import BridgeAdapter

    block = BridgeAdapter.block

    def rolled(self, layer, resid, call):
        return (
            block(self, layer, resid, call).roll(int(layer == 2), 0)
            if len(resid) > 2
            else block(self, layer, resid, call)
        )

    monkeypatch.setattr(BridgeAdapter, "block", rolled)
    made = board("bloom")
    assert made.engine.tier == "hooked"
    assert "replay was dropped: its logits differ from plain hooks" in made.engine.why
    made.close()
    with pytest.raises(cb.EngineError) as caught:
        board("gpt2", engine="replay")
    assert caught.value.code == "tier_refused"


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_gets_its_tier_and_nothing_falls_back_in_silence(family):
    made = board(family)
    expected = "wavefront" if family in WAVEFRONT else "replay"
    assert made.engine.tier == expected, made.engine.why
    assert ("was dropped" in made.engine.why) == (expected != "wavefront")
    made.close()


@pytest.mark.parametrize("how", ["another number", "an error"])
@pytest.mark.parametrize("requested", ["auto", "wavefront"])
def test_a_numeric_test_fails_where_its_tier_is_dropped(monkeypatch, how, requested):
    """So do all numeric rooms, in which no board may fall back like this."""
    run = WavefrontEngine.run

    def broken(engine, *given, **named):
        found = run(engine, *given, **named)
        if how == "an error":
            raise IndexError("out of range")
        return replace(found, logits=found.logits / 2)

    monkeypatch.setattr(WavefrontEngine, "run", broken)
    with none_is_dropped_for_its_numbers(), pytest.raises(pytest.fail.Exception, match="the wavefront tier"):
        board("gpt2", engine=requested)
