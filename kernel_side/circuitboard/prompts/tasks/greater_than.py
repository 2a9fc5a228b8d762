"""Greater-than: a war ends after it began.

Hanna et al. 2023, "How does GPT-2 compute greater-than?" (arXiv:2305.00586).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

TEMPLATE = "The {event} lasted from the year {century}{year} to the year {again}"
EVENTS = (
    "war expedition conflict siege voyage dispute campaign project famine reform journey drought rebellion alliance plague"
).split()
CENTURIES = ("11", "12", "13", "14", "15", "16", "17", "18")

_YEARS = tuple(f"{year:02}" for year in range(2, 99))
_DIGITS = "0123456789"


@task(
    asks="The war lasted from the year 1732 to the year 17 → any of 33 … 99, not 00 … 32",
    source="Hanna et al. 2023, How does GPT-2 compute greater-than?, arXiv:2305.00586",
    corruptions={"01": "the first year ends in 01, so that nearly every year comes after it"},
)
def greater_than(
    n: int, *, seed: int = 0, model: TransformerBridge, corruption: str = "01", prepend_bos: bool | None = None
) -> PromptPair:
    """A span of years whose end has to be later than its beginning.

    The answers are the two-digit endings above the first year's, the wrong ones those below it or equal. Where a
    tokenizer writes every digit by itself, they are the tens digits above and below; the same digit is neither, since
    it may go either way. `pair.notes` tells which. Labels: century, year (its last token), again (the second century).
    """
    draft = Draft("greater_than", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    events = draft.single_tokens("events", EVENTS, fewest=2)
    before = Sentence(TEMPLATE, {"event": events[0], "century": "17", "year": "32", "again": "17"}).text
    endings = {ending: draft.next_token(before, ending) for ending in (f"{year:02}" for year in range(100))}
    digits = {digit: draft.next_token(before, digit) for digit in _DIGITS}
    by_digit = endings["32"] is None
    tokens = {text: token for text, token in (digits if by_digit else endings).items() if token is not None}
    if by_digit and len(tokens) < len(_DIGITS):
        raise draft.unsuitable("its tokenizer writes the years neither as two digits and two, nor digit by digit.")
    if by_digit:
        draft.notes.append("this tokenizer writes digit by digit: the answers are tens digits, the first year's own is neither right nor wrong")  # fmt: skip
    years = draft.keep("years", _YEARS, lambda year: _asks(year, tokens, by_digit=by_digit), "not to be asked with these tokens", fewest=2)  # fmt: skip

    def draw(rng: random.Random) -> Drawn:
        century, year = rng.choice(CENTURIES), rng.choice(years)
        words = {"event": rng.choice(events), "century": century, "year": year, "again": century}
        right, wrong = _sides(year, tokens, by_digit=by_digit)
        labels = {"century": "century", "year": "year", "again": "again"}
        return Drawn(Sentence(TEMPLATE, words), answer=right, wrong=wrong, labels=labels)

    def corrupt(drawn: Drawn, _rng: random.Random) -> Sentence:
        return drawn.clean.replace(year="01")

    return draft.build(draw, corrupt)


def _sides(year: str, tokens: dict[str, int], *, by_digit: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The right and the wrong endings of a year."""
    own = year[0] if by_digit else year
    right = tuple(token for text, token in tokens.items() if text > own)
    wrong = tuple(token for text, token in tokens.items() if text < own or (text == own and not by_digit))
    return right, wrong


def _asks(year: str, tokens: dict[str, int], *, by_digit: bool) -> bool:
    return (by_digit or year in tokens) and all(_sides(year, tokens, by_digit=by_digit))
