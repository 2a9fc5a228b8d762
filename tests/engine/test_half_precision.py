"""bfloat16 and float16 on the CPU: the wavefront runs, within the tolerance that the engine states for the dtype.

Both sides round, in different orders, so what is held is the stated share of the logits' scale and no more.
"""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.engine.tolerance import RELATIVE
from tests.oracle import hooked_logits
from tests.tiny_models import FAMILIES, MORE_FAMILIES

CLEAN = torch.tensor([[5, 6, 7, 8, 9, 10], [12, 11, 10, 9, 8, 7]])
CORRUPTED = torch.tensor([[5, 6, 17, 18, 9, 10], [12, 11, 20, 19, 8, 7]])
EDITS = [cb.head(1, 2).patch(), cb.mlp_out(0).at([1, 3]).zero(), cb.head(2, 1).pattern.at(4, 1).scale(2.0)]
TRIED = ["gpt2", "llama_gqa", "neox", "gemma2", "native", "qwen3", "phi3"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bf16", "fp16"])
@pytest.mark.parametrize("family", TRIED)
def test_the_wavefront_is_within_its_tolerance(family, dtype):
    model = (FAMILIES | MORE_FAMILIES)[family]().eval().to(dtype)
    board = cb.Board(model, cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    assert board.engine.tier == "wavefront", board.engine.why

    def expected(*edits):
        return hooked_logits(model, CLEAN, CORRUPTED, edits)[:, -1].float()

    def near(found, wanted, scale):
        torch.testing.assert_close(
            found.float(), wanted, rtol=0, atol=RELATIVE[dtype] * max(1.0, float(scale.abs().max()))
        )

    board.edit(*EDITS)
    edited = expected(*EDITS)
    assert board.logits().dtype in (dtype, torch.float32)
    near(board.logits(), edited, edited)
    sweep = board.sweep("head", by="pos")
    for cell in range(0, len(sweep.grid.cells), 7):
        logits = expected(*EDITS, sweep.grid.cells[cell])
        metric = torch.stack([logits[0, 1] - logits[0, 3], logits[1, 2] - logits[1, 4]])
        near(sweep.per_prompt.flatten(0, -2)[cell], metric, logits)
    assert board.verify().ok
    board.close()
