"""What about a board's prompts may not be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.prompts.notes import Baseline, Note, notes_of_runs

if TYPE_CHECKING:
    from circuitboard.desk.lab import Lab
    from circuitboard.prompts import PromptPair

_BETTER = {"logit_diff": 1, "prob": 1, "log_prob": 1, "rank": -1}
"""Which way each metric of the catalogue is better; of the others neither can be said."""

_BY_SPELLING = ("answer_without_space", "wrong_without_space")
"""Suspicions that the runs confirm or clear."""


def notes_of(lab: Lab, pair: PromptPair) -> tuple[Note, ...]:
    """What tokens and unedited runs tell; nothing is run for it."""
    unedited, metric, prompts = lab.unedited("clean"), lab.metric, lab.prompts
    shown = None if metric.formula == "kl" else unedited.corrupted  # the distance of a run from itself is always 0
    baseline = Baseline(metric.name, metric.unit, _BETTER.get(metric.formula or "", 0), unedited.clean, shown)
    of_runs = notes_of_runs(prompts, prompts.tokenizer, lab.clean.logits[:, -1], baseline)
    given = tuple(note for note in pair.notes if note.where == "task")
    of_prompts = tuple(note for note in prompts.notes if note.code not in _BY_SPELLING)
    return given + of_prompts + of_runs
