"""Training text: documents of the embedded language, packed end to end, with a weight per target.

Most of the targets are random words that nobody can predict. Left at full weight they drown the few
that matter, so each target is weighted by how predictable it is: 1 where the context decides it,
0.15 for syntax, 0.05 for random words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.models.embedded import grammar

if TYPE_CHECKING:
    import random

PREDICTABLE, SYNTAX, RANDOM = 1.0, 0.15, 0.05

Weighted = tuple[list[str], list[float]]


def _docstring(rng: random.Random) -> Weighted:
    pieces = list(grammar.docstring(rng, rng.randint(2, 6)).pieces)
    known = set(grammar.words())
    weights = [
        (PREDICTABLE if pieces[i - 1] == ":param" else RANDOM) if piece in known else SYNTAX
        for i, piece in enumerate(pieces)
    ]
    return pieces, weights


def _repeat(rng: random.Random) -> Weighted:
    length = rng.randint(4, 30)
    pieces = list(grammar.repeated_words(rng, length))
    # The first word of the second copy is still a guess: nothing says where the copy starts.
    return pieces, [RANDOM] * (length + 1) + [PREDICTABLE] * (length - 1)


def _scattered_repeat(rng: random.Random) -> Weighted:
    stream = rng.choices(grammar.words(), k=rng.randint(10, 20))
    pieces, weights = list(stream), [RANDOM] * len(stream)
    for _ in range(6):
        start, size, gap = rng.randrange(len(stream) - 2), rng.randint(2, 3), rng.randint(0, 2)
        pieces += stream[start : start + size] + rng.choices(grammar.words(), k=gap)
        weights += [RANDOM] + [PREDICTABLE] * (size - 1) + [RANDOM] * gap
    return pieces, weights


def _ioi(rng: random.Random) -> Weighted:
    sentence = grammar.ioi_sentence(rng)
    pieces = [*sentence.pieces, sentence.io, "."]
    weights = [0.1] * len(pieces)
    weights[grammar.IOI_ROLES["S2"]] = 0.3
    weights[grammar.IOI_ROLES["END"] + 1] = PREDICTABLE
    return pieces, weights


_KINDS = (_docstring, _repeat, _scattered_repeat, _ioi)
_SHARES = (0.30, 0.35, 0.15, 0.20)


def sample(rng: random.Random, length: int) -> Weighted:
    """Draw one training sequence.

    Parameters
    ----------
    rng
        Source of randomness.
    length
        Number of pieces, BOS included.

    Returns
    -------
    tuple
        The pieces, and the loss weight of each piece as a target (0 for BOS).
    """
    pieces, weights = [grammar.BOS], [0.0]
    while len(pieces) < length:
        (kind,) = rng.choices(_KINDS, weights=_SHARES)
        more, more_weights = kind(rng)
        pieces += more
        weights += more_weights
    return pieces[:length], weights[:length]
