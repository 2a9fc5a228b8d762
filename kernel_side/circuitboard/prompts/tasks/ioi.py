"""Indirect object identification: who gets the thing is the one who does not give it.

Wang et al. 2022, "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2
small" (arXiv:2211.00593). Fifteen sentences after theirs, in our words. For byte-level tokenizers all are equally long.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from circuitboard.models.embedded import grammar
from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.rota import Rota
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import check_choice, task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

# No name opens a sentence: there it would lack its leading space and be another token.
TEMPLATES = (
    "When{first} and{second} were going to the{place},{giver} gave the{thing} to",
    "When{first} and{second} walked over to the{place},{giver} gave a{thing} to",
    "When{first} and{second} came home from the{place},{giver} gave a{thing} to",
    "When{first} and{second} found a{thing} at the{place},{giver} gave it to",
    "After{first} and{second} went back to the{place},{giver} gave a{thing} to",
    "After{first} and{second} got a{thing} at the{place},{giver} handed it to",
    "While{first} and{second} were still at the{place},{giver} gave the{thing} to",
    "While{first} and{second} were walking to the{place},{giver} passed a{thing} to",
    "Then{first} and{second} went to the{place}, where{giver} gave a{thing} to",
    "Then{first} and{second} worked at the{place}. Soon{giver} gave a{thing} to",
    "Then{first} and{second} thought about the{place}. Later{giver} gave a{thing} to",
    "Then{first} and{second} had a talk, and later{giver} gave a{thing} to",
    "Once{first} and{second} had arrived at the{place},{giver} gave the{thing} to",
    "Since{first} and{second} were alone at the{place},{giver} showed the{thing} to",
    "Because{first} and{second} had left the{place} early,{giver} gave the{thing} to",
)
# As many women as men; given names only, none that is also a word or as often a family name.
NAMES = (
    "Alice Amanda Amy Anna Anne Brian Daniel David Edward Elizabeth Emily Emma Eric George Helen Henry Jack Jacob "
    "James Jane Jessica John Julia Kate Kevin Laura Linda Lisa Lucy Maria Mary Matthew Paul Peter Rachel Richard "
    "Robert Ryan Sarah Simon Susan Thomas Tom William"
).split()
PLACES = "beach garden hospital house library market office park restaurant school station store".split()
THINGS = "bag ball book camera drink gift hat key letter phone ring ticket".split()

_ROLES = ("first", "second", "giver")
_FEWEST_NAMES = 8

Invent = Callable[[random.Random], tuple[str, dict[str, str], str, str, bool]]
"""Draws a template, words for it, the IO, the subject, and whether the IO is named first if either may be."""

Order = Literal["both", "ABBA", "BABA"]


@task(
    asks="When Mary and John went to the store, John gave a drink to → Mary, not John",
    source="Wang et al. 2022, Interpretability in the Wild, arXiv:2211.00593",
    corruptions={
        "s2_io": "the giver (S2) has the IO's name, so that the answer flips",
        "s2_random": "the giver has a third name, so that neither name is said twice",
        "abc": "three new names, all different (the paper's pABC): no name of the clean prompt is left",
        "swap": "IO and S1 change places; the answer stays, its position does not",
        "new_names": "the same pattern with two other names",
    },
)
def ioi(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "s2_io",
    order: Order = "both",
    same_length: bool = True,
    prepend_bos: bool | None = None,
) -> PromptPair:
    """Two names, one of which is said again: the other one comes next.

    The answer is the indirect object (IO), the wrong answer the subject (S). Labels: IO, S1, S2, END. For the model
    "demo", sentences of its own small language; for others, templates, orders and words take turns, so that a data set
    uses each about equally often.

    Parameters
    ----------
    order
        Who is named first: "ABBA" the one who gets the thing, "BABA" the one who gives it, "both" either.
    same_length
        Whether to use only templates of the length that is most frequent for this tokenizer, so that a position means
        the same in all prompts and maps by position read well. With GPT-2's and similar tokenizers that is all of them.
    """
    draft = Draft(
        "ioi", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos,
        order=order, same_length=same_length,
    )  # fmt: skip
    check_choice("order", order, ("both", "ABBA", "BABA"), "bad_task_option")
    check_choice("same_length", same_length, (True, False), "bad_task_option")
    names: Sequence[str] = grammar.NAMES
    invent: Invent = _embedded
    if not draft.embedded:
        names, places, things = (
            [f" {word}" for word in draft.single_tokens(kind, words, fewest=fewest)]
            for kind, words, fewest in (("names", NAMES, _FEWEST_NAMES), ("places", PLACES, 2), ("things", THINGS, 2))
        )
        invent = _general(names, places, things)

    def draw(rng: random.Random) -> Drawn:
        template, words, io, subject, either = invent(rng)
        io_first = either if order == "both" else order == "ABBA"
        first, second = (io, subject) if io_first else (subject, io)
        clean = Sentence(template, {**words, "first": first, "second": second, "giver": subject})
        labels = {"IO": "first" if io_first else "second", "S1": "second" if io_first else "first", "S2": "giver"}
        return Drawn(clean, answer=io, wrong=subject, labels=labels)

    def corrupt(drawn: Drawn, rng: random.Random) -> Sentence:
        clean, io, subject = drawn.clean, str(drawn.answer), str(drawn.wrong)
        others = [name for name in names if name not in {io, subject}]
        if corruption == "s2_io":
            return clean.replace(giver=io)
        if corruption == "s2_random":
            return clean.replace(giver=rng.choice(others))
        if corruption == "abc":
            return clean.replace(**dict(zip(_ROLES, rng.sample(others, 3), strict=True)))
        new = (subject, io) if corruption == "swap" else rng.sample(others, 2)
        renamed = dict(zip((io, subject), new, strict=True))
        roles = ("first", "second") if corruption == "swap" else _ROLES
        return clean.replace(**{role: renamed[clean.words[role]] for role in roles})

    return draft.build(draw, corrupt, same_length=same_length)


def _general(names: Sequence[str], places: Sequence[str], things: Sequence[str]) -> Invent:
    templates, takers, givers, where, what = map(Rota, (TEMPLATES, names, names, places, things))
    io_first = Rota((True, False))

    def invent(rng: random.Random) -> tuple[str, dict[str, str], str, str, bool]:
        io = takers.draw(rng)
        words = {"place": where.draw(rng), "thing": what.draw(rng)}
        return templates.draw(rng), words, io, givers.draw(rng, but={io}), io_first.draw(rng)

    return invent


def _embedded(rng: random.Random) -> tuple[str, dict[str, str], str, str, bool]:
    """A sentence of the small model's language."""
    sentence = grammar.ioi_sentence(rng)
    pieces, places = list(sentence.pieces), grammar.IOI_ROLES
    io_first = pieces[places["first"]] == sentence.io
    for role, place in (("first", "first"), ("second", "second"), ("giver", "S2")):
        pieces[places[place]] = f"{{{role}}}"
    return "".join(pieces), {}, sentence.io, sentence.subject, io_first
