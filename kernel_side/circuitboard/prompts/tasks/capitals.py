"""Capitals: recall of a fact about a named thing.

Meng et al. 2022, "Locating and Editing Factual Associations in GPT" (arXiv:2202.05262), and Geva et al. 2023,
"Dissecting Recall of Factual Associations in Auto-Regressive Language Models" (arXiv:2304.14767).
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING

from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import check_choice, task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

# All of one length, so that a prompt's positions tell the same in each.
TEMPLATES = (
    "I think that the{relation} of{country} is",
    "They say that the{relation} of{country} is",
    "We know that the{relation} of{country} is",
)
CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "England": "London", "Japan": "Tokyo",
    "Russia": "Moscow", "China": "Beijing", "Greece": "Athens", "Egypt": "Cairo", "Ireland": "Dublin",
    "Portugal": "Lisbon", "Austria": "Vienna", "Poland": "Warsaw", "Norway": "Oslo", "Sweden": "Stockholm",
    "Denmark": "Copenhagen", "Hungary": "Budapest", "Belgium": "Brussels", "Cuba": "Havana", "Iraq": "Baghdad",
    "Iran": "Tehran", "Thailand": "Bangkok", "Canada": "Ottawa", "Scotland": "Edinburgh", "Turkey": "Ankara",
    "Peru": "Lima", "Lebanon": "Beirut", "Syria": "Damascus", "Ukraine": "Kiev", "Finland": "Helsinki",
    "Kenya": "Nairobi", "Indonesia": "Jakarta", "Pakistan": "Islamabad", "Afghanistan": "Kabul", "Libya": "Tripoli",
}  # fmt: skip
RELATIONS = (" population", " language", " currency", " president", " history")

_RELATION = " capital"


@task(
    asks="The capital of France is → Paris, not Rome",
    source="Meng et al. 2022, Locating and Editing Factual Associations in GPT, arXiv:2202.05262",
    corruptions={
        "country": "another country, whose capital is the wrong answer",
        "relation": "something else is asked about the same country",
    },
)
def capitals(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "country",
    same_length: bool = True,
    prepend_bos: bool | None = None,
) -> PromptPair:
    """A country is named: its capital comes next.

    The wrong answer is the capital of another country whose name has as many tokens. Labels: relation, country, END.

    Parameters
    ----------
    same_length
        Whether to use only prompts of the length that is most frequent, so that a position means the same in all.
    """
    draft = Draft(
        "capitals", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos, same_length=same_length
    )
    check_choice("same_length", same_length, (True, False), "bad_task_option")
    known = draft.keep(
        "countries",
        CAPITALS,
        lambda country: not draft.missing(CAPITALS[country]),
        "their capitals not one token",
        fewest=2,
    )
    by_length: dict[int, list[str]] = defaultdict(list)
    for country in known:
        by_length[len(draft.tokens(f" {country}"))].append(country)
    comparable = [country for family in by_length.values() if len(family) > 1 for country in family]
    if not comparable:
        raise draft.unsuitable("no two of its countries have names of as many tokens.")

    def draw(rng: random.Random) -> Drawn:
        country = rng.choice(comparable)
        family = by_length[len(draft.tokens(f" {country}"))]
        other = rng.choice([one for one in family if one != country])
        clean = Sentence(rng.choice(TEMPLATES), {"relation": _RELATION, "country": f" {country}", "other": f" {other}"})
        labels = {"relation": "relation", "country": "country"}
        return Drawn(clean, answer=f" {CAPITALS[country]}", wrong=f" {CAPITALS[other]}", labels=labels)

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        if corruption == "relation":
            return drawn.clean.replace(relation=rng.choice(RELATIONS))
        return drawn.clean.replace(country=drawn.clean.words["other"])

    return draft.build(draw, corrupt, same_length=same_length)
