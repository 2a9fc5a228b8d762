"""Gendered pronoun: a name decides between "he" and "she".

Mathwin, Corlouer, Kran, Barez and Nanda 2023, "Identifying a Preliminary Circuit for Predicting Gendered Pronouns in
GPT-2 Small" (Apart Research, interpretability hackathon).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.rota import Rota
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

TEMPLATE = "{opening}{name} is a really great {role}, isn't"
MEN = (
    "Evan John David Michael James Robert William Richard Thomas Daniel Matthew Andrew Kevin Brian George Edward Peter "
    "Paul Simon Jack Henry Adam Eric Patrick"
).split()
WOMEN = (
    "Mary Emily Sarah Lisa Susan Linda Anna Emma Laura Rachel Jessica Amanda Maria Elizabeth Helen Julia Kate Alice Amy "
    "Anne Jane Lucy Barbara Karen"
).split()
ROLES = "friend neighbor colleague teacher student".split()

_HE, _SHE = " he", " she"


@task(
    asks="So Evan is a really great friend, isn't → he, not she",
    source="Mathwin et al. 2023, Identifying a Preliminary Circuit for Predicting Gendered Pronouns in GPT-2 Small",
    corruptions={
        "opposite_name": "a name of the other gender, so that the answer flips",
        "that_person": "'That person' instead of 'So' and the name, so that nothing tells the gender",
    },
)
def gendered_pronoun(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "opposite_name",
    prepend_bos: bool | None = None,
) -> PromptPair:
    """Somebody is praised by name; the tag question takes up the pronoun.

    The answer is " he" or " she", as the name says, the wrong answer the other. Names take turns. Labels: name, END.
    """
    draft = Draft("gendered_pronoun", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    draft.single_tokens("pronouns", ("he", "she"), fewest=2)
    men, women = draft.single_tokens("names of men", MEN, fewest=1), draft.single_tokens("names of women", WOMEN, fewest=1)  # fmt: skip
    roles = draft.single_tokens("words like 'friend'", ROLES, fewest=1)
    names = Rota([*men, *women])

    def draw(rng: random.Random) -> Drawn:
        name, role = names.draw(rng), rng.choice(roles)
        clean = Sentence(TEMPLATE, {"opening": "So", "name": f" {name}", "role": role})
        answer, wrong = (_HE, _SHE) if name in men else (_SHE, _HE)
        return Drawn(clean, answer=answer, wrong=wrong, labels={"name": "name"})

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        if corruption == "that_person":
            return drawn.clean.replace(opening="That", name=" person")
        return drawn.clean.replace(name=f" {rng.choice(women if drawn.answer == _HE else men)}")

    return draft.build(draw, corrupt)
