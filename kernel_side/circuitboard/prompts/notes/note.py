"""A note: one sentence on something that may not be meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuitboard.boundary import public

_NAMED = 5
_FEW = 10


@public
@dataclass(frozen=True)
class Note:
    """Something about prompts, answers or baselines that is allowed and may not be meant.

    Attributes
    ----------
    code
        Stable: "prompt_ends_in_space", "answer_variant_likelier", ….
    text
        What was found and what it changes, for people.
    where
        What it is about: "clean", "corrupted", "answer", "wrong", "labels", "baselines", "task"; in a data set with the
        prompts, counted from 0: "clean, prompts 0 and 3".
    """

    code: str
    text: str
    where: str

    def __str__(self) -> str:
        return self.text


def place(what: str, prompts: Sequence[int], n: int) -> str:
    """Where a note is about: `what` alone if it is all prompts, else with the first few of them."""
    return what if len(prompts) == n else f"{what}, {those(prompts)}"


def those(prompts: Sequence[int]) -> str:
    """Prompts by number: "prompt 3", "prompts 0, 3 and 5", "prompts 0, 1, 2, 3, 4 and 7 more"."""
    named = [str(prompt) for prompt in prompts[:_NAMED]]
    rest = len(prompts) - len(named)
    last = f"{rest} more" if rest else named.pop() if len(named) > 1 else ""
    return f"prompt{'s' if len(prompts) > 1 else ''} {', '.join(named)}{f' and {last}' if last else ''}"


def sentence_of(sentence: str, prompts: Sequence[int], n: int) -> str:
    """A sentence that begins in lower case, told of some prompts of a data set: "In 3 of 64 prompts the answer …"."""
    if n == 1:
        return sentence[:1].upper() + sentence[1:]
    return f"In {len(prompts)} of {n} prompts {sentence}" if len(prompts) < n else f"In all {n} prompts {sentence}"


def worth(prompts: Sequence[int], n: int) -> bool:
    """Whether so many of a data set are worth a note: a tenth of it."""
    return len(prompts) * _FEW >= n > 0 and len(prompts) > 0
