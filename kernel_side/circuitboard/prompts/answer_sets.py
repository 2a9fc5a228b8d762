"""Right and wrong answers: one token a prompt, or several that count alike.

What a user may write, and what it means, without guessing:

- a string or a token id: this one, for every prompt;
- a set or a frozenset: these alternatives, for every prompt;
- a list, a tuple, an array or a Series: one entry a prompt, and never anything else. An entry is a string, an id, or a
  set, list, tuple or array of alternatives.

So `[" Mary", " John"]` is the answers of two prompts, `{" Mary", " John"}` are two answers that are right in every
prompt, and `[{" Mary", " John"}]` or `[[" Mary", " John"]]` are the two answers of a single prompt. Where every prompt
has a pair and no wrong answer is given, TransformerLens's (right, wrong) may be meant as well: that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuitboard.address import ByContent, entries, single, whole
from circuitboard.boundary import public
from circuitboard.errors import PromptError

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

Token = str | int
Answer = Token | tuple[Token, ...]
"""The answer of one prompt as it was given: a token, or alternatives (at least two, in a fixed order)."""

_SHOWN = 6
_PAIR = 2
_MANY = (set, frozenset, list, tuple)


class Alternatives(tuple[Token, ...]):
    """Several answers of one prompt that are known to count alike: a pair of them is not taken for (right, wrong)."""

    __slots__ = ()


@public
@dataclass(frozen=True, eq=False)
class AnswerSets(ByContent):
    """The token ids that count as an answer, prompt by prompt.

    Attributes
    ----------
    ids
        Token ids, int64 [batch, k] with k the most alternatives of any prompt. A prompt that has fewer repeats its
        first one, so that reading logits at `ids` is always allowed.
    present
        Which entries of `ids` are alternatives and which are such repetitions, bool [batch, k].
    """

    ids: Int[Tensor, "batch k"]
    present: Bool[Tensor, "batch k"]

    @classmethod
    def of(cls, sets: Sequence[Iterable[int]]) -> AnswerSets:
        """From the token ids of each prompt; an id that is said twice counts once, the order is kept."""
        rows = [tuple(dict.fromkeys(ids)) for ids in sets]
        k = max(map(len, rows))
        return cls(
            torch.tensor([row + row[:1] * (k - len(row)) for row in rows]),
            torch.tensor([[True] * len(row) + [False] * (k - len(row)) for row in rows]),
        )

    @property
    def single(self) -> bool:
        """Whether every prompt has one answer: `ids[:, 0]` is all there is."""
        return self.ids.shape[1] == 1

    @cached_property
    def sets(self) -> tuple[tuple[int, ...], ...]:
        """The ids of each prompt, without repetitions."""
        return tuple(
            tuple(token for token, real in zip(*row, strict=True) if real)
            for row in zip(self.ids.tolist(), self.present.tolist(), strict=True)
        )

    def to_list(self) -> list[int | list[int]]:
        """One entry a prompt, as `PromptPair(answer=…)` takes them: an id, or a list of ids."""
        return [ids[0] if len(ids) == 1 else list(ids) for ids in self.sets]


def listed(given: Any) -> Any:
    """What can be gone over but once, such as a generator or a zip, as a list; anything else as it is."""
    return list(given) if isinstance(given, Iterator) else given


def spread(name: str, given: Any, n: int) -> tuple[Answer, ...]:
    """Give each of `n` prompts its answer; see the top of this module for what is one for all and what one each.

    Raises
    ------
    PromptError
        `count_mismatch`, `empty_answers` for a set of none, `bad_prompt` for other types.
    """
    found = None if isinstance(given, (set, frozenset)) else entries(given)
    if found is None:
        return (_answer(name, given),) * n
    given = found
    if len(given) != n:
        hint = ""
        if n == 1 and name == "answer" and len(given) == _PAIR and not any(isinstance(one, _MANY) for one in given):
            right, wrong = given
            hint = f" A right and a wrong answer are two arguments: answer={right!r:.40}, wrong={wrong!r:.40}."
        raise PromptError(
            f"{name} has {len(given)} entries for {n} prompt{'s' if n > 1 else ''}; give one for all or a list of one each. "
            f"Several answers of the same prompt are written as a set: {{…}}.{hint}",
            code="count_mismatch",
        )
    return tuple(_answer(name, one) for one in given)


def refuse_right_and_wrong(given: Any, n: int) -> None:
    """Refuse answers that may be TransformerLens's (right, wrong): a pair for every prompt, where no `wrong` is given.

    A set is never one, nor is the list of lists that is the documented way to write the answers of a single prompt.

    Raises
    ------
    PromptError
        `right_and_wrong`.
    """
    rows = None if isinstance(given, (set, frozenset)) else entries(given)
    if not rows or any(isinstance(row, Alternatives) for row in rows):
        return
    found = [None if isinstance(row, (set, frozenset)) else entries(row) for row in rows]
    pairs = [pair for pair in found if pair is not None and len(pair) == _PAIR and pair[0] != pair[1]]
    if len(pairs) < len(found) or (n == 1 and isinstance(given, (list, tuple)) and isinstance(given[0], list)):
        return
    rights, wrongs = (list(column) for column in zip(*pairs, strict=True))
    both = [f"{name}={repr(column[:2])[:-1]}{', …' if len(column) > 2 else ''}]" for name, column in (("answer", rights), ("wrong", wrongs))]  # noqa: PLR2004  # fmt: skip
    raise PromptError(
        f"answer has a pair for every prompt, {pairs[0]!r:.60} first, and wrong is not given. If these are (right, wrong), "
        f"give them as two arguments: cb.PromptPair(…, {both[0]}, {both[1]}). "
        f"If both are right, write sets: answer=[{{{pairs[0][0]!r:.30}, {pairs[0][1]!r:.30}}}{', …' if n > 1 else ''}].",
        code="right_and_wrong",
    )


def few(strings: Sequence[str]) -> Sequence[str]:
    """Alternatives to be shown: all, or of many the first ones, "…" and the last."""
    return strings if len(strings) <= _SHOWN else (*strings[: _SHOWN // 2], "…", strings[-1])


def show_set(strings: Sequence[str]) -> str:
    """Write alternatives in one line: " Mary | John"; of many, the first ones and the last."""
    strings = few(strings)
    return strings[0] + "".join(f" |{one if one[:1].isspace() else f' {one}'}" for one in strings[1:])


def refuse_overlap(answers: AnswerSets, wrongs: AnswerSets, show: Callable[[int], str], first: int = 0) -> None:
    """Refuse a token that is a right and a wrong answer of the same prompt. The message counts prompts from `first`.

    Raises
    ------
    PromptError
        `answer_equals_wrong`.
    """
    for prompt, (right, wrong) in enumerate(zip(answers.sets, wrongs.sets, strict=True), first):
        both = next((token for token in right if token in wrong), None)
        if both is None:
            continue
        if len(right) == len(wrong) == 1:
            found = f"The right and the wrong answer of prompt {prompt} are the same token, {show(both)!r} = {both}; their difference is always 0."
        else:
            found = f"{show(both)!r} = {both} is among the right and among the wrong answers of prompt {prompt}; keep it in one of the two sets."
        raise PromptError(found, code="answer_equals_wrong")


def _answer(name: str, given: Any) -> Answer:
    several = entries(given)
    if several is None:
        return _token(name, given)
    tokens = [_token(name, one) for one in several]
    if isinstance(given, (set, frozenset)):
        # Sets have no order of their own that the next process would find again.
        tokens.sort(key=lambda token: (isinstance(token, str), token))
    alternatives = Alternatives(dict.fromkeys(tokens))
    if not alternatives:
        raise PromptError(f"{name} holds an empty set of answers; give at least one token.", code="empty_answers")
    return alternatives[0] if len(alternatives) == 1 else alternatives


def _token(name: str, given: Any) -> Token:
    found = single(given)
    token = found if isinstance(found, str) else whole(found)
    if token is not None:
        return token
    raise PromptError(
        f"{name} must be a token as a string or a token id, a set of these, or a list with one entry a prompt, not {given!r:.80}."
    )
