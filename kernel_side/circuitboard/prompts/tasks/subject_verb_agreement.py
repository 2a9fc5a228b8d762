"""Subject-verb agreement: the verb has the number of its subject, whatever stands between.

Linzen, Dupoux and Goldberg 2016, "Assessing the Ability of LSTMs to Learn Syntax-Sensitive Dependencies"
(arXiv:1611.01368); as a causal analysis Finlayson et al. 2021 (arXiv:2106.06087).
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

TEMPLATE = "The{subject}{preposition} the{distractor}"
SUBJECTS = (
    "key book picture boy girl dog teacher student worker player driver doctor farmer letter box bird horse tree flower "
    "house chair table bottle ring ticket"
).split()
DISTRACTORS = "cabinet door window car shop garden building road river tower wall bridge school office".split()
PREPOSITIONS = (" near", " behind", " beside")
SINGULAR, PLURAL = (" is", " was", " has"), (" are", " were", " have")


@task(
    asks="The keys near the cabinet → are, were, have; not is, was, has",
    source="Linzen et al. 2016, arXiv:1611.01368; Finlayson et al. 2021, arXiv:2106.06087",
    corruptions={
        "number": "the subject has the other number, so that the answer flips",
        "distractor": "the noun in between has the other number; the answer stays",
        "both": "both nouns have the other number",
    },
)
def subject_verb_agreement(
    n: int, *, seed: int = 0, model: TransformerBridge, corruption: str = "number", prepend_bos: bool | None = None
) -> PromptPair:
    """A subject, a preposition and another noun: the verb comes next.

    The answers are verbs of the subject's number (three of them), the wrong answers the same verbs in the other
    number. Singular and plural subjects and distractors are drawn equally often. Labels: subject, distractor (also END).
    """
    draft = Draft("subject_verb_agreement", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos)
    subjects, distractors = (
        draft.keep(
            kind, words, lambda word: not draft.missing(word, f"{word}s"), "not one token as singular and plural", fewest=2
        )
        for kind, words in (("subjects", SUBJECTS), ("other nouns", DISTRACTORS))
    )  # fmt: skip
    draft.single_tokens("verbs", [verb.strip() for verb in (*SINGULAR, *PLURAL)], fewest=len(SINGULAR + PLURAL))

    def draw(rng: random.Random) -> Drawn:
        subject, distractor = (f" {rng.choice(nouns)}{rng.choice(('', 's'))}" for nouns in (subjects, distractors))
        words = {"subject": subject, "preposition": rng.choice(PREPOSITIONS), "distractor": distractor}
        right, wrong = (PLURAL, SINGULAR) if _is_plural(subject, subjects) else (SINGULAR, PLURAL)
        labels = {"subject": "subject", "distractor": "distractor"}
        return Drawn(Sentence(TEMPLATE, words), answer=right, wrong=wrong, labels=labels)

    def corrupt(drawn: Drawn, _rng: random.Random) -> Sentence:
        changed = {"number": ("subject",), "distractor": ("distractor",), "both": ("subject", "distractor")}[corruption]
        nouns = {"subject": subjects, "distractor": distractors}
        words = drawn.clean.words
        return drawn.clean.replace(
            **{
                place: words[place][:-1] if _is_plural(words[place], nouns[place]) else f"{words[place]}s"
                for place in changed
            }
        )

    return draft.build(draw, corrupt)


def _is_plural(noun: str, singulars: list[str]) -> bool:
    return noun.strip() not in singulars
