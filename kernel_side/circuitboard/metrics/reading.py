"""What a metric may look at besides the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.prompts import Prompts


@dataclass(frozen=True, eq=False)
class Reading:
    """The data set, and the unedited run that the logits are an edit of.

    Parameters
    ----------
    prompts
        Answers, wrong answers and padding.
    tokens
        What the base run read, int64 [batch, pos].
    base_logits
        What it said, float [batch, read, d_vocab]; the last row is the answer position.
    """

    prompts: Prompts
    tokens: Int[Tensor, "batch pos"]
    base_logits: Float[Tensor, "batch read d_vocab"]
