"""Whether what a board computes is what the user's model computes, before any edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from circuitboard.engine import tolerance
from circuitboard.engine.tolerance import largest_difference
from circuitboard.errors import ModelError, PromptError

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.metrics import Reads
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun


def require_same_model(adapter: ModelAdapter, clean: CachedRun, reads: Reads) -> None:
    """Refuse a model of which a copy of its modules computes something else."""
    given = adapter.of_user()
    whole = given.forward(clean.tokens, clean.real)
    adapter.account.settle()

    def difference(found: Tensor, other: Tensor) -> float:
        if clean.real is not None and reads == "all":
            found, other = found[clean.real], other[clean.real]
        return largest_difference(found, other)

    def read(logits: Tensor) -> Tensor:
        return logits if reads == "all" else logits[:, -1:]

    theirs = read(whole)
    error, allowed = difference(clean.logits, theirs), tolerance(adapter.dtype, theirs)
    if error > allowed:
        own = difference(read(given.forward(clean.tokens, clean.real)), theirs)
        if own > allowed:
            raise ModelError(
                f"{adapter.name}, run twice on the same tokens, gives logits that differ by {own:.3g}, more than the {allowed:.3g} that rounding explains: "
                "a hook or a part of it draws at random or counts its calls. No number of a board could hold; take that away, and make the board then.",
                code="not_reproducible",
            )
        raise ModelError(
            f"A copy of the modules of {adapter.name} gives logits that differ from the model's own by {error:.3g}, more than the {allowed:.3g} that rounding explains: "
            "something in it refers to the original, such as a replaced forward function. A board works on such a copy, so it cannot be exact here.",
            code="not_the_same_model",
        )


def require_padding_to_work(adapter: ModelAdapter, prompts: Prompts, run: CachedRun) -> None:
    """Refuse padding where it alone turns a prompt to NaN, as Transformers' masks do in float64 for some families."""
    broken = run.logits[:, -1].isnan().any(-1)
    if prompts.real is None or not bool(broken.any()):
        return
    prompt = int(broken.nonzero()[0])
    alone = torch.tensor([prompts.token_ids(prompts.seen)[prompt]])
    if bool(adapter.forward(alone)[:, -1].isfinite().all()):
        raise PromptError(
            f"{adapter.name} in {str(adapter.dtype).removeprefix('torch.')} gives NaN for prompt {prompt} when it is padded, and numbers when it is alone. "
            "Take prompts of one length, or load the model in float32.",
            code="padding_breaks_model",
        )
