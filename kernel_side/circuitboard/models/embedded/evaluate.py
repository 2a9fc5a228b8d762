"""What the embedded model can do, measured: induction, IOI, docstring arguments, and its induction heads."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.models.embedded import grammar

if TYPE_CHECKING:
    from torch import Tensor

    Logits = Callable[[Tensor], Tensor]

EVALUATION_SEED = 12345


@dataclass(frozen=True)
class Scores:
    """Accuracies in [0, 1] on text never seen in training.

    Attributes
    ----------
    induction
        Right next words in the second copy of 25 repeated random words, from the second word on.
    ioi
        Prompts whose most likely next token is the indirect object.
    ioi_logit_diff
        Mean of logit(IO) - logit(S) over those prompts.
    docstring
        Prompts whose most likely next token is the right argument name: the third of four, the
        third of six and the fourth of six, pooled.
    """

    induction: float
    ioi: float
    ioi_logit_diff: float
    docstring: float


def token_ids(documents: list[list[str]]) -> Tensor:
    """Turn documents of equal length into int64 tokens [batch, pos]."""
    import torch

    index = {piece: i for i, piece in enumerate(grammar.vocabulary())}
    return torch.tensor([[index[piece] for piece in document] for document in documents])


def induction_tokens(n: int, *, length: int = 25, seed: int = EVALUATION_SEED) -> Tensor:
    """BOS and `length` different random words said twice: int64 [n, 1 + 2 × length]."""
    rng = random.Random(seed)
    once = [rng.sample(grammar.words(), length) for _ in range(n)]
    return token_ids([[grammar.BOS, *line, *line] for line in once])


def induction_accuracy(logits: Logits, tokens: Tensor) -> float:
    """Share of right next words in the second copy, from its second word on."""
    length = (tokens.shape[1] - 1) // 2
    guess = logits(tokens).argmax(-1)
    return float((guess[:, length + 1 : -1] == tokens[:, length + 2 :]).float().mean())


def _ioi(logits: Logits, n: int) -> tuple[float, float]:
    rng = random.Random(EVALUATION_SEED + 1)
    drawn = [grammar.ioi_sentence(rng) for _ in range(n)]
    tokens = token_ids([[grammar.BOS, *one.pieces] for one in drawn])
    names = token_ids([[one.io, one.subject] for one in drawn])
    last = logits(tokens)[:, -1]
    right, wrong = last.gather(1, names).unbind(1)
    return float((last.argmax(-1) == names[:, 0]).float().mean()), float((right - wrong).mean())


def _docstring(logits: Logits, n: int) -> float:
    rng = random.Random(EVALUATION_SEED + 2)
    shares = []
    for n_arguments, upto in ((4, 2), (6, 2), (6, 3)):
        drawn = [grammar.docstring(rng, n_arguments, upto=upto, description=3) for _ in range(n)]
        tokens = token_ids([[grammar.BOS, *one.pieces] for one in drawn])
        answers = token_ids([[one.arguments[upto]] for one in drawn])[:, 0]
        shares.append(float((logits(tokens)[:, -1].argmax(-1) == answers).float().mean()))
    return sum(shares) / len(shares)


def evaluate(logits: Logits, *, n: int = 256) -> Scores:
    """Measure a model given as a function from tokens [batch, pos] to logits [batch, pos, d_vocab]."""
    import torch

    with torch.no_grad():
        induction = induction_accuracy(logits, induction_tokens(n // 2))
        ioi, ioi_logit_diff = _ioi(logits, n)
        docstring = _docstring(logits, n)
    return Scores(induction, ioi, ioi_logit_diff, docstring)


def induction_scores(patterns: Tensor) -> Tensor:
    """Mean attention from a word of the second copy to the word after its first occurrence.

    The prefix-matching score of Olsson et al. 2022, "In-context Learning and Induction Heads"
    (arXiv:2209.11895).

    Parameters
    ----------
    patterns
        Attention patterns on `induction_tokens`: float [layer, batch, head, dest, src].

    Returns
    -------
    Tensor
        float [layer, head], each in [0, 1].
    """
    length = (patterns.shape[-1] - 1) // 2
    diagonal = patterns.diagonal(offset=1 - length, dim1=-2, dim2=-1)
    # diagonal[..., j] is the weight from dest j + length - 1 to src j; the second copy starts at dest 1 + length.
    return diagonal[..., 2:].mean(dim=(1, -1))
