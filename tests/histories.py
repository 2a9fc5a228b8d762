"""Histories for tests that need no board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuitboard.steps import BoardState, Change, History


@dataclass(frozen=True)
class Said(Change):
    """A step that leads to a given state, in given words."""

    call: ClassVar[str] = "said"
    words: str
    state: BoardState

    def after(self, _state):
        return self.state

    def label(self, _state):
        return self.words


def pushed(history: History, label: str, state: BoardState) -> History:
    return Said(label, state).applied(history)
