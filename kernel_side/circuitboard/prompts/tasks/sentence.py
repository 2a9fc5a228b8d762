"""A sentence with named places, and a pair of such sentences as a task draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from string import Formatter

from circuitboard.prompts.answer_sets import Answer


@dataclass(frozen=True)
class Sentence:
    """A template and the words in its places.

    Attributes
    ----------
    template
        Text with places: "So {name} is a friend". Doubled braces are braces.
    words
        Place → word. Words without a place do no harm; they may serve a corruption.
    """

    template: str
    words: Mapping[str, str]

    @cached_property
    def _filled(self) -> tuple[str, dict[str, int]]:
        text, ends = "", {}
        for literal, place, _, _ in Formatter().parse(self.template):
            text += literal
            if place is not None:
                text += self.words[place]
                ends[place] = len(text)
        return text, ends

    @property
    def text(self) -> str:
        """The sentence."""
        return self._filled[0]

    def end(self, place: str) -> int:
        """Where the word in a place ends in the text, exclusive."""
        return self._filled[1][place]

    def replace(self, **words: str) -> Sentence:
        """The same sentence with other words."""
        return Sentence(self.template, {**self.words, **words})


@dataclass(frozen=True)
class Drawn:
    """A clean prompt and what is asked about it.

    Attributes
    ----------
    clean
        The sentence.
    answer, wrong
        The right and the wrong next token, or alternatives.
    labels
        Label → place in the sentence. The label names the last token of the word there. "END", the last token of the
        prompt, is added by itself.
    """

    clean: Sentence
    answer: Answer
    wrong: Answer
    labels: Mapping[str, str] = field(default_factory=dict)
