"""Acronyms: the last letter of a three-letter acronym.

García-Carrasco, Maté and Trujillo 2024, "How does GPT-2 Predict Acronyms? Extracting and Understanding a Circuit via
Mechanistic Interpretability" (AISTATS 2024, arXiv:2405.04156).
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from typing import TYPE_CHECKING

from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

TEMPLATE = "The{one}{two}{three} ({a}{b}"
WORDS = (
    "Action Army Bank Board Bridge Budget Capital Center City Coast Court Data Defense Design Director Doctor Energy "
    "Equity Europe Family Field Finance Forest Gallery Garden General Global Health Herald Home Hospital House Institute "
    "Journal Justice Kitchen Labor Lake Language Law League Library Market Media Medical Museum Music Nation Network "
    "North Ocean Office Oil Park People Police Power Press Quality Radio Research River School Science Security Society "
    "State Station Street Student Team Technology Tower Trade Union Valley Value Village Water West World Youth"
).split()


@task(
    asks="The Chief Executive Officer (CE → O",
    source="García-Carrasco et al. 2024, How does GPT-2 Predict Acronyms?, arXiv:2405.04156",
    corruptions={
        "third_word": "another third word, whose letter is the wrong answer",
        "all_words": "three other words; the letters already written stay",
        "letters": "other letters already written; the words stay",
    },
)
def acronyms(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "third_word",
    prepend_bos: bool | None = None,
) -> PromptPair:
    """Three words and the first two letters of their acronym: the third letter comes.

    Only acronyms whose letters are one token each in this place are used, so their words sound random. The wrong answer is another letter, which no
    word of the clean prompt begins with. Labels: one, two, three (the words), a, b (the letters; b is also END).
    """
    draft = Draft("acronyms", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    words = draft.single_tokens("words", WORDS, fewest=40)
    by_letter: dict[str, list[str]] = defaultdict(list)
    for word in words:
        by_letter[word[0]].append(word)
    letters = sorted(by_letter)
    apart = [(a, b) for a, b in itertools.permutations(letters, 2) if draft.next_token(f" ({a}", b) is not None]
    if not apart:
        raise draft.unsuitable("its tokenizer writes no two capital letters behind a bracket one by one.")

    def pick(letter: str, rng: random.Random) -> str:
        return f" {rng.choice(by_letter[letter])}"

    def draw(rng: random.Random) -> Drawn:
        a, b = rng.choice(apart)
        c, wrong = rng.sample([letter for letter in letters if letter not in {a, b}], 2)
        words = {"one": pick(a, rng), "two": pick(b, rng), "three": pick(c, rng), "a": a, "b": b}
        return Drawn(Sentence(TEMPLATE, words), answer=c, wrong=wrong, labels={place: place for place in words})

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        a, b, c, wrong = drawn.clean.words["a"], drawn.clean.words["b"], str(drawn.answer), str(drawn.wrong)
        others = [letter for letter in letters if letter not in {a, b, c, wrong}]
        if corruption == "third_word":
            return drawn.clean.replace(three=pick(wrong, rng))
        if corruption == "letters":
            a, b = rng.sample(others, 2)
            return drawn.clean.replace(a=a, b=b)
        one, two, three = (pick(letter, rng) for letter in rng.sample(others, 3))
        return drawn.clean.replace(one=one, two=two, three=three)

    return draft.build(draw, corrupt)
