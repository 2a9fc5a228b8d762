"""Bracket closing: the bracket opened last is closed first.

The language of nested brackets (Dyck) is a standard test of sequence models, e.g. Hewitt et al. 2020, "RNNs can
generate bounded hierarchical languages with optimal memory" (arXiv:2010.07515). Here the brackets stand in code.
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

TEMPLATE = "{name} ={f}{outer}{g}{inner}{x}"
NAMES = "result value total output answer data".split()
WORDS = (
    "print get find table count list index data size total value name first last item node key text line word user group"
).split()
CLOSING = {"(": ")", "[": "]", "{": "}"}


@task(
    asks="result = find(table[index → ], not )",
    source="Hewitt et al. 2020, RNNs can generate bounded hierarchical languages with optimal memory, arXiv:2010.07515",
    corruptions={
        "swap": "the two brackets change places, so that the answer flips",
        "inner": "the inner bracket is of the outer one's kind; the outer one stays",
        "outer": "the outer bracket is of the inner one's kind; the answer stays",
    },
)
def brackets(
    n: int, *, seed: int = 0, model: TransformerBridge, corruption: str = "swap", prepend_bos: bool | None = None
) -> PromptPair:
    """Two open brackets of different kinds: the inner one is closed first.

    The answer closes the inner bracket, the wrong answer the outer one. Labels: outer, inner, END. The brackets are
    round, square or curly, whichever kinds are tokens of their own here.
    """
    draft = Draft("brackets", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    names = draft.keep("names", NAMES, lambda word: len(draft.tokens(word)) == 1, "not one token at the beginning", fewest=1)  # fmt: skip
    words = draft.keep("words", WORDS, lambda word: not draft.missing(word) and len(draft.tokens(word)) == 1, "not one token", fewest=4)  # fmt: skip
    kinds = draft.keep(
        "kinds of brackets",
        CLOSING,
        lambda kind: all(draft.next_token(f" {words[0]}{other}{words[1]}{kind}{words[2]}", CLOSING[kind]) is not None for other in CLOSING),
        "not tokens of their own",
        fewest=2,
    )  # fmt: skip

    def draw(rng: random.Random) -> Drawn:
        outer, inner = rng.sample(kinds, 2)
        f, g, x = rng.sample(words, 3)
        clean = Sentence(TEMPLATE, {"name": rng.choice(names), "f": f" {f}", "outer": outer, "g": g, "inner": inner, "x": x})  # fmt: skip
        return Drawn(clean, answer=CLOSING[inner], wrong=CLOSING[outer], labels={"outer": "outer", "inner": "inner"})

    def corrupt(drawn: Drawn, _rng: random.Random) -> Sentence:
        outer, inner = drawn.clean.words["outer"], drawn.clean.words["inner"]
        changed = {"swap": (inner, outer), "inner": (outer, outer), "outer": (inner, inner)}[corruption]
        return drawn.clean.replace(outer=changed[0], inner=changed[1])

    return draft.build(draw, corrupt)
