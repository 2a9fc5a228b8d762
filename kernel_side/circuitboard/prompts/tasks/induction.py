"""Induction: what followed a token once follows it again.

Olsson et al. 2022, "In-context Learning and Induction Heads" (arXiv:2209.11895).
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import torch

from circuitboard.address import whole
from circuitboard.errors import PromptError
from circuitboard.models.embedded import grammar
from circuitboard.prompts.tasks.draft import Draft
from circuitboard.prompts.tasks.task import task

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

_WORD = re.compile(r" [A-Za-z]{2,}")
_SHORTEST = 4
# Draws before giving up on finding different plain words in a vocabulary.
_PATIENCE = 200


@task(
    asks="… A B … A → B, among random tokens",
    source="Olsson et al. 2022, In-context Learning and Induction Heads, arXiv:2209.11895",
    corruptions={
        "b1": "the first B is another token, the wrong answer, so that the answer flips",
        "a1": "the first A is another token, so that the last one has not been said before",
        "no_repeat": "the first part is made of other tokens, so that nothing is repeated",
    },
)
def induction(
    n: int,
    *,
    seed: int = 0,
    model: TransformerBridge,
    corruption: str = "b1",
    length: int = 20,
    prepend_bos: bool | None = None,
) -> PromptPair:
    """Random words, then a part of them again: … A B … A → B.

    Each prompt is `length` different random tokens followed by `length // 2` of them once more, in the
    same order, up to some A. The answer is B, which followed A the first time; the wrong answer is a token
    that the clean prompt does not hold. Labels: A1, B1, A2, END (the last two are the same position).

    Tokens are drawn from the plain words of the tokenizer, from all ids if the model has none.

    Parameters
    ----------
    length
        Tokens before the repetition.
    """
    draft = Draft(
        "induction", n, seed=seed, model=model, corruption=corruption, prepend_bos=prepend_bos,
        text=False, length=length,
    )  # fmt: skip
    n_ctx = int(model.cfg.n_ctx)
    if whole(length) is None or length < _SHORTEST:
        raise PromptError(
            f"length must be a whole number of at least {_SHORTEST}, not {length!r}.", code="bad_task_size"
        )
    again = length // 2
    if length + again + 1 > n_ctx:
        raise PromptError(
            f"Prompts of length {length} take {length + again + 1} tokens, but this model reads at most {n_ctx}.",
            code="prompt_too_long",
        )
    rng = random.Random(seed)
    start = _start(model, prepend_bos=prepend_bos)
    clean, corrupted, answers, wrongs = [], [], [], []
    labels: dict[str, list[int]] = {"A1": [], "B1": [], "A2": [], "END": []}
    for _ in range(n):
        *once, other = _different_tokens(rng, length + 1, draft)
        first = rng.randrange(again - 1, length - 1)
        repeated = once[first - again + 1 : first + 1]
        clean.append([*start, *once, *repeated])
        if corruption == "no_repeat":
            drawn = _different_tokens(random.Random(f"{seed} {once}"), 2 * length + 1, draft)
            unsaid = [token for token in drawn if token not in {*once, other}]
            corrupted.append([*start, *unsaid[:length], *repeated])
        else:
            changed = first + 1 if corruption == "b1" else first
            corrupted.append([*start, *once[:changed], other, *once[changed + 1 :], *repeated])
        answers.append(once[first + 1])
        wrongs.append(other)
        end = len(clean[-1]) - 1
        for label, position in (("A1", len(start) + first), ("B1", len(start) + first + 1), ("A2", end), ("END", end)):
            labels[label].append(position)
    return draft.finish(torch.tensor(clean), torch.tensor(corrupted), answer=answers, wrong=wrongs, labels=labels)


def _start(model: TransformerBridge, *, prepend_bos: bool | None) -> list[int]:
    tokenizer = getattr(model, "tokenizer", None)
    if prepend_bos is None:
        prepend_bos = tokenizer is not None and bool(getattr(model.cfg, "default_prepend_bos", True))
    if not prepend_bos:
        return []
    if tokenizer is None or tokenizer.bos_token_id is None:
        raise PromptError(
            "prepend_bos=True was asked for, but this model has no BOS token; use prepend_bos=False.", code="no_bos"
        )
    return [int(tokenizer.bos_token_id)]


def _different_tokens(rng: random.Random, n: int, draft: Draft) -> list[int]:
    tokenizer, d_vocab = draft.tokenizer, int(draft.model.cfg.d_vocab)
    if tokenizer is None and d_vocab >= n:
        return rng.sample(range(d_vocab), n)
    if tokenizer is not None and draft.embedded:
        return [int(token) for token in tokenizer.convert_tokens_to_ids(rng.sample(grammar.words(), n))]
    chosen: list[int] = []
    for _ in range(_PATIENCE * n):
        if tokenizer is None or len(chosen) == n:
            break
        token = rng.randrange(min(d_vocab, len(tokenizer)))
        if token not in chosen and _WORD.fullmatch(tokenizer.decode([token], clean_up_tokenization_spaces=False)):
            chosen.append(token)
    if len(chosen) < n:
        raise draft.unsuitable(
            f"its vocabulary has too few plain words for {n} different ones; ask for a shorter length."
        )
    return chosen
