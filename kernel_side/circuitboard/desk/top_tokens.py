"""The likeliest next tokens of a run, beside the unedited base run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from circuitboard.address import count_of, prompt_of
from circuitboard.boundary import public

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.desk.lab import Lab
    from circuitboard.engine import EditedRun


Side = Literal["answer", "wrong"]

_ALL_OF = 4
"""Answers of a prompt that are all listed; of more, the likeliest."""


@dataclass(frozen=True)
class TopToken:
    """One token; logits in the edited and in the unedited base run, and their softmax.

    `rank` is 1 + how many tokens have a larger logit in the edited run, None where that is NaN. `side` tells a right
    and a wrong answer of the prompt.
    """

    token: str
    token_id: int
    logit: float
    prob: float
    base_logit: float
    base_prob: float
    rank: int | None
    side: Side | None

    @property
    def change(self) -> float:
        """How far the logit moved."""
        return self.logit - self.base_logit


def top_tokens(lab: Lab, run: EditedRun, k: int, prompt: int) -> list[TopToken]:
    """The `k` likeliest tokens at the answer position of one prompt, likeliest first, and its answers wherever they are.

    A right or a wrong answer that is not among the `k` follows them, in the order of ranks. Of more than a few
    alternatives it is the likeliest.

    Raises
    ------
    AddressError
        `no_such_prompt`.
    """
    prompt, k = require_prompt(lab, prompt), count_of("k", k, least=0)
    now, before = run.logits[prompt, -1].cpu().double(), run.plan.base.logits[prompt, -1].cpu().double()
    probs, base_probs = now.softmax(-1), before.softmax(-1)
    order = now.nan_to_num(nan=float("-inf"))
    chosen: list[int] = order.topk(min(k, now.shape[-1])).indices.tolist()
    sides = _sides(lab, prompt)
    if chosen:
        chosen += [token for token in _answers(lab, now, prompt) if token not in chosen]
    return [
        TopToken(
            token=lab.prompts.token_str(index),
            token_id=index,
            logit=float(now[index]),
            prob=float(probs[index]),
            base_logit=float(before[index]),
            base_prob=float(base_probs[index]),
            rank=None if bool(now[index].isnan()) else 1 + int((order > now[index]).sum()),
            side=sides.get(index),
        )
        for index in chosen
    ]


def _sides(lab: Lab, prompt: int) -> dict[int, Side]:
    wrongs = () if lab.prompts.wrongs is None else lab.prompts.wrongs.sets[prompt]
    found: dict[int, Side] = dict.fromkeys(wrongs, "wrong")
    for token in lab.prompts.answers.sets[prompt]:
        found[token] = "answer"
    return found


def _answers(lab: Lab, logits: Tensor, prompt: int) -> list[int]:
    """The right and the wrong answers that have a place, likeliest first."""
    found: list[int] = []
    for answers in (lab.prompts.answers, lab.prompts.wrongs):
        ids = () if answers is None else answers.sets[prompt]
        ranked = sorted(
            (index for index in ids if not bool(logits[index].isnan())), key=lambda index: -float(logits[index])
        )
        found += ranked if len(ids) <= _ALL_OF else ranked[:1]
    return sorted(found, key=lambda index: -float(logits[index]))


@public
@dataclass(frozen=True)
class TokenChange:
    """One token in two runs; `side` as in `TopToken`."""

    token: str
    token_id: int
    left_logit: float
    left_prob: float
    right_logit: float
    right_prob: float
    side: Side | None

    @property
    def change(self) -> float:
        """How far the probability moved."""
        return self.right_prob - self.left_prob


def token_changes(lab: Lab, left: EditedRun, right: EditedRun, k: int, prompt: int) -> list[TokenChange]:
    """The tokens among the `k` likeliest of either run at the answer position of one prompt, the likeliest of both first.

    The prompt's answers are among them wherever they are.

    Raises
    ------
    AddressError
        `no_such_prompt`.
    """
    import torch

    prompt, k = require_prompt(lab, prompt), count_of("k", k, least=0)
    logits = torch.stack([run.logits[prompt, -1].cpu().double() for run in (left, right)])
    probs = logits.softmax(-1)
    most = logits.nan_to_num(nan=float("-inf")).topk(min(k, logits.shape[-1])).indices.flatten().tolist()
    sides = _sides(lab, prompt)
    if most:
        most += [token for row in logits for token in _answers(lab, row, prompt)]
    chosen = sorted(dict.fromkeys(most), key=lambda index: -float(probs[:, index].nan_to_num().max()))
    return [
        TokenChange(
            token=lab.prompts.token_str(index),
            token_id=index,
            left_logit=float(logits[0, index]),
            left_prob=float(probs[0, index]),
            right_logit=float(logits[1, index]),
            right_prob=float(probs[1, index]),
            side=sides.get(index),
        )
        for index in chosen
    ]


def require_prompt(lab: Lab, prompt: object) -> int:
    """The index of a prompt; refuses what is no prompt of the board.

    Raises
    ------
    AddressError
        `no_such_prompt`.
    """
    return prompt_of(lab.prompts.n, prompt)
