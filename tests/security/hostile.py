"""Hostile texts, each its own, and prompts whose tokens and answers are such."""

from __future__ import annotations

import dataclasses

import circuitboard as cb

NAMED = ("model", "metric", "other metric", "answer", "wrong", "name", "group", "state")
TOKENS = 100
"""From this number on, a text is that of the token with this id less."""


def hostile(what):
    number = TOKENS + what if isinstance(what, int) else NAMED.index(what)
    return f"H{number}H\"'<i onx=1>&"


class Evil(cb.PromptPair):
    """Prompts whose tokens and answers are hostile."""

    def bind(self, model):
        bound = super().bind(model)
        return dataclasses.replace(
            bound,
            token_str=hostile,
            answer_str=[hostile("answer")] * bound.n,
            wrong_str=[hostile("wrong")] * bound.n,
        )
