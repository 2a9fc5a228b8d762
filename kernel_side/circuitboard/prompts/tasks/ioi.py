"""Indirect object identification: who gets the thing is the one who does not give it.

Wang et al. 2022, "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2
small" (arXiv:2211.00593). Sentences of the same fifteen shapes, in our words.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from circuitboard.errors import PromptError
from circuitboard.models.embedded import demo, grammar
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.tasks.size import check_size

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

# No name opens a sentence: there it would lack its leading space and be another token.
TEMPLATES = (
    "When {first} and {second} went to the {place}, {giver} gave the {thing} to",
    "When {first} and {second} walked to the {place}, {giver} gave a {thing} to",
    "After {first} and {second} went to the {place}, {giver} gave a {thing} to",
    "While {first} and {second} were at the {place}, {giver} gave the {thing} to",
    "Then {first} and {second} went to the {place}, and {giver} handed the {thing} to",
    "Then {first} and {second} had a long talk, and later {giver} gave a {thing} to",
    "Then {first} and {second} were working at the {place}. Soon {giver} gave a {thing} to",
    "Then {first} and {second} were thinking about the {place}. Later {giver} gave a {thing} to",
    "Once {first} and {second} had arrived at the {place}, {giver} gave the {thing} to",
    "When {first} and {second} got a {thing} at the {place}, {giver} decided to give it to",
    "When {first} and {second} found a {thing} at the {place}, {giver} gave it to",
    "Yesterday {first} and {second} had lunch at the {place}. Afterwards {giver} gave a {thing} to",
    "Last week {first} and {second} met at the {place}, and {giver} sold the {thing} to",
    "Since {first} and {second} were alone at the {place}, {giver} showed the {thing} to",
    "As {first} and {second} left the {place}, {giver} passed the {thing} to",
)
NAMES = (
    "Mary John Alice Tom Anna Peter Emma Mark Julia Paul Sarah James Laura David Kate Simon Michael Robert William "
    "Richard Thomas Daniel Matthew Andrew Steven Kevin Brian George Edward Jason Ryan Jacob Eric Adam Henry Jack Emily Jessica "
    "Amanda Rachel Maria Lisa Susan Linda Amy Anne Helen Ruth Rose Alan Frank Scott Patrick Charles Lucy Jane Elizabeth Martin"
).split()
PLACES = "store park school office garden station house market library restaurant hospital beach".split()
THINGS = "drink book ring ball letter gift bag key hat phone camera ticket".split()

_FEWEST_NAMES = 4


def ioi(n: int, *, seed: int = 0, model: TransformerBridge, prepend_bos: bool | None = None) -> PromptPair:
    """Two names, one of which is said again: the other one comes next.

    The answer is the indirect object (IO), the wrong answer the subject (S). The corrupted prompt has
    the IO's name in the subject's second place, so that the answer flips. Both orders of the names
    (ABBA and BABA) are drawn. Names, places and things are those that are one token for this model, and
    the templates those of the most frequent length, so that all prompts have equally many tokens.

    Parameters
    ----------
    n
        Number of prompts.
    seed
        The same seed gives the same prompts.
    model
        The model whose tokenizer the prompts are for. For "demo", its own sentences.
    prepend_bos
        None for TransformerLens's default for this model.

    Returns
    -------
    PromptPair
        Bound to `model`; labels IO, S1, S2 and END.

    Raises
    ------
    PromptError
        `bad_task_size`, `no_tokenizer`; `task_unsuitable` if too few of the words are single tokens.
    """
    n = check_size(n)
    if getattr(model, "tokenizer", None) is None:
        raise PromptError(
            "The IOI task is made of text, but this model has no tokenizer; cb.tasks.induction works without.",
            code="no_tokenizer",
        )
    rng = random.Random(seed)
    drawn = _embedded(n, rng) if model.cfg.model_name == demo.NAME else _general(n, rng, model)
    pair = PromptPair(
        [clean for clean, _, _, _ in drawn],
        [corrupted for _, corrupted, _, _ in drawn],
        answer=[io for _, _, io, _ in drawn],
        wrong=[subject for _, _, _, subject in drawn],
        prepend_bos=prepend_bos,
    )
    read = pair.bind(model)
    io_ids, subject_ids = ([model.to_single_token(row[i]) for row in drawn] for i in (2, 3))
    labels: dict[str, list[int]] = {"IO": [], "S1": [], "S2": [], "END": []}
    for row, io, subject in zip(read.token_ids("clean"), io_ids, subject_ids, strict=True):
        first = row.index(subject)
        for label, position in (
            ("IO", row.index(io)),
            ("S1", first),
            ("S2", row.index(subject, first + 1)),
            ("END", len(row) - 1),
        ):
            labels[label].append(position)
    pair = PromptPair(
        pair.clean, pair.corrupted, answer=pair.answer, wrong=pair.wrong, labels=labels, prepend_bos=prepend_bos
    )
    pair.bind(model)
    return pair


_Sentence = tuple[str, str, str, str]
"""Clean text, corrupted text, IO and subject, the names with their leading space."""


def _embedded(n: int, rng: random.Random) -> list[_Sentence]:
    drawn = []
    for _ in range(n):
        clean = grammar.ioi_sentence(rng)
        corrupted = clean.with_second_subject(clean.io)
        drawn.append(("".join(clean.pieces), "".join(corrupted.pieces), clean.io, clean.subject))
    return drawn


def _general(n: int, rng: random.Random, model: TransformerBridge) -> list[_Sentence]:
    names, places, things = (_single_tokens(words, model) for words in (NAMES, PLACES, THINGS))
    if len(names) < _FEWEST_NAMES or not places or not things:
        raise PromptError(
            f"Only {len(names)} names, {len(places)} places and {len(things)} things are single tokens for this model: too few for the IOI task.",
            code="task_unsuitable",
        )
    by_length: dict[int, list[str]] = defaultdict(list)
    for template in TEMPLATES:
        example = template.format(first=names[0], second=names[1], giver=names[0], place=places[0], thing=things[0])
        by_length[_n_tokens(example, model)].append(template)
    templates = max(by_length.values(), key=len)
    drawn = []
    for _ in range(n):
        template, (first, second) = rng.choice(templates), rng.sample(names, 2)
        subject, io = (first, second) if rng.random() < grammar.EVEN else (second, first)
        words = {"first": first, "second": second, "place": rng.choice(places), "thing": rng.choice(things)}
        clean, corrupted = (template.format(giver=giver, **words) for giver in (subject, io))
        drawn.append((clean, corrupted, f" {io}", f" {subject}"))
    return drawn


def _single_tokens(words: Iterable[str], model: TransformerBridge) -> list[str]:
    return [word for word in words if _n_tokens(f" {word}", model) == 1]


def _n_tokens(text: str, model: TransformerBridge) -> int:
    return len(model.to_tokens(text, prepend_bos=False, move_to_device=False)[0])
