"""The data set that most board tests use, and what plain hooks say about it."""

from __future__ import annotations

import torch

import circuitboard as cb
from tests.oracle import hooked_logits, logit_diff

CLEAN = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5], [11, 12, 13, 14, 15]])
CORRUPTED = torch.tensor([[5, 6, 17, 8, 9], [9, 28, 7, 6, 5], [11, 12, 13, 34, 15]])
ANSWERS, WRONG = [1, 2, 3], [4, 5, 6]
LABELS = {"S2": [2, 1, 3], "END": -1}


def pair(**options):
    return cb.PromptPair(CLEAN, CORRUPTED, answer=ANSWERS, wrong=WRONG, labels=LABELS, **options)


def plain_logits(model, edits=(), base="clean"):
    """Logits [batch, pos, d_vocab] by hooks written by hand."""
    run, source = (CLEAN, CORRUPTED) if base == "clean" else (CORRUPTED, CLEAN)
    return hooked_logits(model, run, source, edits)


def plain_values(model, edits=(), base="clean"):
    """The logit difference of each prompt by hooks written by hand."""
    return logit_diff(plain_logits(model, edits, base), ANSWERS, WRONG)
