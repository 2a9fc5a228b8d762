"""The little language of the embedded model: its words and the three kinds of text it knows.

Everything is made of *pieces*, strings that are one token each; a word carries its leading space, so
joining the pieces gives ordinary prose ("When", " Mary", " and", ...). The training corpus and the
tasks for this model both draw from here, so a task never leaves what the model was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

BOS, EOS, PAD, UNK = "<bos>", "<eos>", "<pad>", "<unk>"
SPECIAL = (BOS, EOS, PAD, UNK)
SYNTAX = ("def", "(", "self", ",", "):", "\n", "    ", '"""', ":param", ":", ".")
OPENERS = ("When", "After")
GIVING = (" gave", " handed")
DETERMINERS = (" a", " the")
GLUE = (" and", " went", " to")
NAMES = tuple(
    " " + name
    for name in ("Mary John Alice Tom Anna Peter Emma Mark Julia Paul Sarah James Laura David Kate Simon").split()
)
PLACES = tuple(" " + place for place in "store park school office garden station shops".split())
OBJECTS = tuple(" " + thing for thing in "drink book ring ball letter gift bag".split())

EVEN = 0.5
#: Positions of the roles in an IOI sentence, before any BOS is prepended.
IOI_ROLES = {"first": 1, "second": 3, "S2": 9, "END": 13}


@cache
def words() -> tuple[str, ...]:
    """Plain lower-case words, each with its leading space, in the order of the shipped list."""
    text = files("circuitboard.models.embedded").joinpath("words.txt").read_text("utf-8")
    return tuple(" " + word for word in text.split())


@cache
def vocabulary() -> tuple[str, ...]:
    """Every piece the model knows; the index is the token id."""
    fixed = (*SPECIAL, *SYNTAX, *OPENERS, *GLUE, *GIVING, *DETERMINERS, *NAMES, *PLACES, *OBJECTS)
    pieces = (*fixed, *words())
    if len(set(pieces)) != len(pieces):
        msg = "the vocabulary of the embedded model repeats a piece"
        raise ValueError(msg)
    return pieces


@dataclass(frozen=True)
class IOISentence:
    """An indirect-object sentence up to the word " to", and what comes next.

    Attributes
    ----------
    pieces
        The sentence as pieces, without BOS.
    io, subject
        The indirect object (the right answer) and the repeated subject, as pieces.
    """

    pieces: tuple[str, ...]
    io: str
    subject: str

    def with_second_subject(self, name: str) -> IOISentence:
        """Say who gives: the other of the two names becomes the answer."""
        pieces = list(self.pieces)
        pieces[IOI_ROLES["S2"]] = name
        other = self.io if name == self.subject else self.subject
        return IOISentence(tuple(pieces), io=other, subject=name)


def ioi_sentence(rng: random.Random) -> IOISentence:
    """Draw "When A and B went to the PLACE, B gave a THING to", either name giving.

    The task is that of Wang et al. 2022, "Interpretability in the Wild" (arXiv:2211.00593), in one
    sentence shape.
    """
    first, second = rng.sample(NAMES, 2)
    subject, io = (first, second) if rng.random() < EVEN else (second, first)
    pieces = (
        rng.choice(OPENERS), first, " and", second, " went", " to", " the", rng.choice(PLACES), ",",
        subject, rng.choice(GIVING), rng.choice(DETERMINERS), rng.choice(OBJECTS), " to",
    )  # fmt: skip
    return IOISentence(pieces, io=io, subject=subject)


@dataclass(frozen=True)
class Docstring:
    """The head of a function and its docstring.

    Attributes
    ----------
    pieces
        The text as pieces, without BOS.
    arguments
        The argument names in the order of the signature, as pieces.
    """

    pieces: tuple[str, ...]
    arguments: tuple[str, ...]


def docstring(
    rng: random.Random,
    n_arguments: int,
    *,
    upto: int | None = None,
    description: int | None = None,
    documented: Sequence[str] | None = None,
) -> Docstring:
    """Draw a function whose docstring lists its arguments in the order of the signature.

    Parameters
    ----------
    rng
        Source of randomness.
    n_arguments
        How many arguments besides `self`.
    upto
        Stop after ":param" of this argument (from 0), so that its name comes next; None for the
        whole text.
    description
        Words in the summary; drawn between 2 and 4 if None. If given, every argument gets a
        two-word description, else one to three words.
    documented
        Names to put into the docstring instead of those of the signature.

    Notes
    -----
    The task is that of Heimersheim and Janiak 2023, "A circuit for Python docstrings in a 4-layer
    attention-only transformer".
    """
    arguments = tuple(rng.sample(words(), n_arguments))
    pieces = ["def", rng.choice(words()), "(", "self"]
    for argument in arguments:
        pieces += [",", argument]
    n_summary = description if description is not None else rng.randint(2, 4)
    pieces += ["):", "\n", "    ", '"""', *rng.choices(words(), k=n_summary), "\n", "\n"]
    for index, argument in enumerate(documented or arguments):
        pieces += ["    ", ":param"]
        if index == upto:
            return Docstring(tuple(pieces), arguments)
        n_words = 2 if description is not None else rng.randint(1, 3)
        pieces += [argument, ":", *rng.choices(words(), k=n_words), "\n"]
    pieces += ["    ", '"""', "\n"]
    return Docstring(tuple(pieces), arguments)


def repeated_words(rng: random.Random, length: int) -> tuple[str, ...]:
    """Draw `length` words and say them twice: 2 × length pieces."""
    once = tuple(rng.choices(words(), k=length))
    return once + once
