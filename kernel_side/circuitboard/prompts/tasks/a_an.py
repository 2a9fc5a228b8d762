"""A or an: the article looks ahead to the noun.

Miller and Neo 2023, "We Found An Neuron in GPT-2" (lesswrong.com/posts/cgqh99SHsCv3jJYDS).
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

TEMPLATE = "I climbed the{first} tree and picked a{fruit}. I climbed the{second} tree and picked"
WITH_AN = "apple orange olive almond apricot avocado".split()
WITH_A = "pear lemon peach cherry plum lime mango banana fig nut walnut chestnut".split()
NEUTRAL = "tall next big small last nearest".split()


@task(
    asks="I climbed the pear tree and picked a pear. I climbed the apple tree and picked → an, not a",
    source="Miller and Neo 2023, We Found An Neuron in GPT-2, LessWrong",
    corruptions={
        "consonant": "the second tree's fruit takes 'a', so that the answer flips",
        "neutral": "the second tree is called tall, next, …: nothing tells its fruit",
        "same_tree": "the second tree is the first one again",
    },
)
def a_an(
    n: int, *, seed: int = 0, model: TransformerBridge, corruption: str = "consonant", prepend_bos: bool | None = None
) -> PromptPair:
    """Two trees: the fruit of the first takes "a", that of the second "an".

    The answer is " an", the wrong answer " a". Labels: first, fruit, second, END.
    """
    draft = Draft("a_an", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    draft.single_tokens("articles", ("a", "an"), fewest=2)
    with_an, with_a = (
        draft.single_tokens(kind, words, fewest=1)
        for kind, words in (("trees with 'an'", WITH_AN), ("trees with 'a'", WITH_A))
    )
    neutral = draft.single_tokens("neutral words", NEUTRAL, fewest=1)

    def draw(rng: random.Random) -> Drawn:
        first, second = f" {rng.choice(with_a)}", f" {rng.choice(with_an)}"
        labels = {place: place for place in ("first", "fruit", "second")}
        clean = Sentence(TEMPLATE, {"first": first, "fruit": first, "second": second})
        return Drawn(clean, answer=" an", wrong=" a", labels=labels)

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        first = drawn.clean.words["first"]
        others = [word for word in with_a if f" {word}" != first] or with_a
        second = {"consonant": f" {rng.choice(others)}", "neutral": f" {rng.choice(neutral)}", "same_tree": first}
        return drawn.clean.replace(second=second[corruption])

    return draft.build(draw, corrupt)
