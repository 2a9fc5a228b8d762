"""Successor: what comes next in a well-known order.

Gould et al. 2023, "Successor Heads: Recurring, Interpretable Attention Heads In The Wild" (arXiv:2312.09230).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal

from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import check_choice, task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

# The first word of a text lacks its leading space, so none of the order's words comes first. All are of one length.
TEMPLATES = (
    "The list goes on:{one},{two},{three},",
    "Say it after me:{one},{two},{three},",
    "This is the order:{one},{two},{three},",
    "They follow each other:{one},{two},{three},",
    "Now go on with:{one},{two},{three},",
)
ORDERS = {
    "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "months": "January February March April May June July August September October November December".split(),
    "numbers": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(),
}

_ROUND = ("days", "months")
_RUN = 4

Kind = Literal["all", "days", "months", "numbers"]


@task(
    asks="The list goes on: Monday, Tuesday, Wednesday, → Thursday",
    source="Gould et al. 2023, Successor Heads, arXiv:2312.09230",
    corruptions={
        "shifted": "three words from elsewhere in the same order, so that another one comes next",
        "shuffled": "the same three words, out of order",
    },
)
def successor(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "shifted",
    kind: Kind = "all",
    same_length: bool = True,
    prepend_bos: bool | None = None,
) -> PromptPair:
    """Three days, months or numbers in a row: the next one comes.

    The wrong answer is the last word said, which a model that only copies would say. Labels: one, two, three, END.

    Parameters
    ----------
    kind
        Which order: "days" and "months" (these go round), "numbers" in words, or "all" of them.
    same_length
        Whether to use only prompts of the length that is most frequent, so that a position means the same in all.
    """
    draft = Draft(
        "successor", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos,
        kind=kind, same_length=same_length,
    )  # fmt: skip
    check_choice("kind", kind, ("all", *ORDERS), "bad_task_option")
    check_choice("same_length", same_length, (True, False), "bad_task_option")
    orders = {}
    for name, words in ORDERS.items():
        if kind in {"all", name}:
            single = draft.single_tokens(name, words, fewest=0)
            orders[name] = [run for run in _runs(name) if all(word in single for word in run)]
    drawable = [name for name, found in orders.items() if found]
    if not drawable:
        raise draft.unsuitable("no four words in a row are single tokens.")

    def draw(rng: random.Random) -> Drawn:
        *said, answer = (f" {word}" for word in rng.choice(orders[rng.choice(drawable)]))
        places = ("one", "two", "three")
        clean = Sentence(rng.choice(TEMPLATES), dict(zip(places, said, strict=True)))
        return Drawn(clean, answer=answer, wrong=said[-1], labels={place: place for place in places})

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        said = [drawn.clean.words[place] for place in ("one", "two", "three")]
        if corruption == "shuffled":
            one, two, three = rng.sample(said, 3)
            # The reversed order would have a next word too.
            while (one, two, three) in {tuple(said), tuple(reversed(said))}:
                one, two, three = rng.sample(said, 3)
        else:
            family = next(found for found in orders.values() if any(said[0].strip() in run for run in found))
            one, two, three, _ = (f" {word}" for word in rng.choice(family))
        return drawn.clean.replace(one=one, two=two, three=three)

    return draft.build(draw, corrupt, same_length=same_length)


def _runs(name: str) -> list[list[str]]:
    words = ORDERS[name]
    again = words[: _RUN - 1] if name in _ROUND else []
    line = [*words, *again]
    return [line[i : i + _RUN] for i in range(len(line) - _RUN + 1)]
