"""Notes that need the unedited runs: how likely the answers are, and how far the baselines lie apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circuitboard.errors import there
from circuitboard.prompts.notes.note import Note, place, sentence_of, worth
from circuitboard.prompts.notes.spelling import Spelling
from circuitboard.protocol.vocabulary import SMALLEST_SHARE
from circuitboard.protocol.wording import percent

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.prompts.answer_sets import AnswerSets
    from circuitboard.prompts.prompts import Prompts

CLOSE = {"logits": 0.1, "nats": 0.1, "probability": 0.01, "rank": 1.0}
"""Distance of the two baselines, by unit, below which they are called close; or two standard errors, if that is more."""

_AT_ONCE = 32
"""Prompts whose logits are looked at together."""
_FAR = 100


@dataclass(frozen=True, eq=False)
class Baseline:
    """A metric on both unedited runs, for the notes on them.

    Parameters
    ----------
    better
        1 where more is better, −1 where less is, 0 where neither can be said.
    clean, corrupted
        Per prompt; `corrupted` None without a corrupted run.
    """

    name: str
    unit: str
    better: int
    clean: Float[Tensor, " batch"]
    corrupted: Float[Tensor, " batch"] | None


@dataclass(frozen=True)
class _Reading:
    """The best of a prompt's answers in its own run, and what is likelier."""

    token: int
    rank: int
    prob: float
    top: int
    top_prob: float
    variant: int | None
    variant_prob: float


def notes_of_runs(
    prompts: Prompts, tokenizer: Any, logits: Float[Tensor, "batch d_vocab"], baseline: Baseline
) -> tuple[Note, ...]:
    """What the unedited runs say about the prompts.

    Parameters
    ----------
    logits
        Of the clean run, where the answer is read.
    """
    spelling = None if tokenizer is None else Spelling(tokenizer)
    notes: list[Note] = []
    broken = [i for i, bad in enumerate((~logits.isfinite()).any(-1).tolist()) if bad]
    if broken:
        notes.append(
            Note(
                "logits_not_finite",
                sentence_of("the model's unedited clean run has logits that are NaN or infinite.", broken, prompts.n),
                place("clean", broken, prompts.n),
            )
        )
    else:
        rights = list(_readings(prompts, prompts.answers, logits, spelling))
        notes += _unlikely(prompts, rights)
        notes += _misspelled(prompts, "answer", rights)
        if prompts.wrongs is not None:
            wrongs = list(_readings(prompts, prompts.wrongs, logits, spelling))
            notes += _misspelled(prompts, "wrong", wrongs)
            notes += _wrong_first(prompts, rights, wrongs)
    notes += _baselines(prompts, baseline)
    return tuple(notes)


def _readings(prompts: Prompts, answers: AnswerSets, logits: Tensor, spelling: Spelling | None) -> Iterator[_Reading]:
    others = prompts.wrongs if answers is prompts.answers else prompts.answers
    for start in range(0, prompts.n, _AT_ONCE):
        rows = logits[start : start + _AT_ONCE].float()
        norms, tops = rows.logsumexp(-1), rows.max(-1)
        for i, row in enumerate(rows, start):
            ids = answers.sets[i]
            found = row[list(ids)]
            token = ids[int(found.argmax())]
            taken = {*ids, *(() if others is None else others.sets[i])}
            spelled = (
                []
                if spelling is None
                else [one for one in spelling.variants(token) if one not in taken and one < len(row)]
            )
            variant = max(spelled, key=lambda one: float(row[one]), default=None)
            norm, logit = float(norms[i - start]), float(row[token])
            yield _Reading(
                token=token,
                rank=1 + int((row > row[token]).sum()),
                prob=_exp(logit - norm),
                top=int(tops.indices[i - start]),
                top_prob=_exp(float(tops.values[i - start]) - norm),
                variant=variant if variant is not None and float(row[variant]) > logit else None,
                variant_prob=0.0 if variant is None else _exp(float(row[variant]) - norm),
            )


def _exp(x: float) -> float:
    return math.exp(x)


def _unlikely(prompts: Prompts, rights: Sequence[_Reading]) -> Iterator[Note]:
    n, show = prompts.n, prompts.token_str
    found = [i for i, one in enumerate(rights) if one.rank > 1]
    if not worth(found, n):
        return
    worst = max(found, key=lambda i: rights[i].rank)
    one = rights[worst]
    far = f", not among the {_FAR} likeliest" if one.rank > _FAR else ""
    standing = f"rank {one.rank} with {percent(one.prob)}{far}"
    likeliest = f"the likeliest is {show(one.top)!r} with {percent(one.top_prob)}"
    text = f"the answer {show(one.token)!r} is at {standing} in its own, clean run; {likeliest}."
    if n > 1:
        text = f"the answer is not the likeliest token of its own, clean run; worst in prompt {worst}, {show(one.token)!r} at {standing}; {likeliest}."
    text = sentence_of(text, found, n)
    yield Note("answer_not_top", text, place("answer", found, n))


def _misspelled(prompts: Prompts, name: str, readings: Sequence[_Reading]) -> Iterator[Note]:
    n, show = prompts.n, prompts.token_str
    # A wrong answer is often what nobody would say, in any spelling.
    least = SMALLEST_SHARE if name == "wrong" else 0.0
    found = [i for i, one in enumerate(readings) if one.variant is not None and one.variant_prob >= least]
    if not worth(found, n):
        return
    one = readings[found[0]]
    variant = there(one.variant)  # that is how they were found
    words = "answer" if name == "answer" else "wrong answer"
    yield Note(
        f"{name}_variant_likelier",
        sentence_of(
            f"the {words} {show(one.token)!r} = {one.token} ({percent(one.prob)}) has a likelier spelling that is one token too: "
            f"{show(variant)!r} = {variant} ({percent(one.variant_prob)}).",
            found,
            n,
        ),
        place(name, found, n),
    )


def _wrong_first(prompts: Prompts, rights: Sequence[_Reading], wrongs: Sequence[_Reading]) -> Iterator[Note]:
    n, show = prompts.n, prompts.token_str
    found = [i for i, (right, wrong) in enumerate(zip(rights, wrongs, strict=True)) if wrong.rank < right.rank]
    if not worth(found, n):
        return
    right, wrong = rights[found[0]], wrongs[found[0]]
    yield Note(
        "wrong_likelier",
        sentence_of(
            f"the wrong answer {show(wrong.token)!r} ({percent(wrong.prob)}) is likelier than the right one, "
            f"{show(right.token)!r} ({percent(right.prob)}), in the clean run.",
            found,
            n,
        ),
        place("answer", found, n),
    )


def _baselines(prompts: Prompts, baseline: Baseline) -> Iterator[Note]:
    if baseline.corrupted is None or prompts.corrupted_tokens is None:
        return
    if prompts.token_ids("clean") == prompts.token_ids("corrupted"):
        return  # said of the prompts already
    n, gaps = prompts.n, baseline.clean.double() - baseline.corrupted.double()
    gap = float(gaps.mean())
    if not math.isfinite(gap):
        return
    unit = f" {baseline.unit}" if baseline.unit else ""
    clean, corrupted = (float(values.double().mean()) for values in (baseline.clean, baseline.corrupted))
    both = f"{baseline.name} is {_number(clean)} in the clean and {_number(corrupted)}{unit} in the corrupted run"
    error = 2 * float(gaps.std() / n**0.5) if n > 1 else 0.0
    bound = max(CLOSE.get(baseline.unit, 0.0), error)
    if abs(gap) < bound:
        why = "two standard errors of their distance" if error == bound else f"{bound:g}{unit}"
        yield Note(
            "baselines_close",
            f"{both}, closer than {why}: shares of that gap mean little, and so do colours scaled by it.",
            "baselines",
        )
    elif gap * baseline.better < 0:
        yield Note(
            "swapped",
            f"{both}: the clean run does worse than the corrupted one. Are the two prompts, or the two answers, swapped?",
            "baselines",
        )


def _number(x: float) -> str:
    return f"{x:+.3g}".replace("-", "−")
