"""The likeliest next tokens of a run, beside the unedited base run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.errors import AddressError

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
    if isinstance(prompt, bool) or not isinstance(prompt, int) or not 0 <= prompt < lab.prompts.n:
        raise AddressError(
            f"There is no prompt {prompt!r}: the board has {lab.prompts.n}, 0 … {lab.prompts.n - 1}.",
            code="no_such_prompt",
        )
    now, before = run.logits[prompt, -1].float().cpu(), run.plan.base.logits[prompt, -1].float().cpu()
    probs, base_probs = now.softmax(-1), before.softmax(-1)
    chosen = now.nan_to_num(nan=float("-inf")).topk(max(0, min(k, now.shape[-1]))).indices.tolist()
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
