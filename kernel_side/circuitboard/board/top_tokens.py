"""The likeliest next tokens of a run, beside the unedited base run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.address import count_of, prompt_of

if TYPE_CHECKING:
    from circuitboard.board.lab import Lab
    from circuitboard.engine import EditedRun


@dataclass(frozen=True)
class TopToken:
    """One token; logits in the edited and in the unedited base run, and their softmax."""

    token: str
    token_id: int
    logit: float
    prob: float
    base_logit: float
    base_prob: float

    @property
    def change(self) -> float:
        """How far the logit moved."""
        return self.logit - self.base_logit


def top_tokens(lab: Lab, run: EditedRun, k: int, prompt: int) -> list[TopToken]:
    """The `k` likeliest tokens at the answer position of one prompt, likeliest first.

    Raises
    ------
    AddressError
        `no_such_prompt`.
    """
    prompt, k = require_prompt(lab, prompt), count_of("k", k, least=0)
    now, before = run.logits[prompt, -1].float().cpu(), run.plan.base.logits[prompt, -1].float().cpu()
    probs, base_probs = now.double().softmax(-1), before.double().softmax(-1)
    chosen = now.nan_to_num(nan=float("-inf")).topk(min(k, now.shape[-1])).indices.tolist()
    return [
        TopToken(
            token=lab.prompts.token_str(index),
            token_id=index,
            logit=float(now[index]),
            prob=float(probs[index]),
            base_logit=float(before[index]),
            base_prob=float(base_probs[index]),
        )
        for index in chosen
    ]


@dataclass(frozen=True)
class TokenChange:
    """One token in two runs."""

    token: str
    token_id: int
    left_logit: float
    left_prob: float
    right_logit: float
    right_prob: float

    @property
    def change(self) -> float:
        """How far the probability moved."""
        return self.right_prob - self.left_prob


def token_changes(lab: Lab, left: EditedRun, right: EditedRun, k: int, prompt: int) -> list[TokenChange]:
    """The tokens among the `k` likeliest of either run at the answer position of one prompt, the likeliest of both first.

    Raises
    ------
    AddressError
        `no_such_prompt`.
    """
    import torch

    prompt, k = require_prompt(lab, prompt), count_of("k", k, least=0)
    logits = torch.stack([run.logits[prompt, -1].float().cpu() for run in (left, right)])
    probs = logits.double().softmax(-1)
    most = logits.nan_to_num(nan=float("-inf")).topk(min(k, logits.shape[-1])).indices.flatten().tolist()
    chosen = sorted(dict.fromkeys(most), key=lambda index: -float(probs[:, index].nan_to_num().max()))
    return [
        TokenChange(
            token=lab.prompts.token_str(index),
            token_id=index,
            left_logit=float(logits[0, index]),
            left_prob=float(probs[0, index]),
            right_logit=float(logits[1, index]),
            right_prob=float(probs[1, index]),
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
