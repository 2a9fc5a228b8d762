"""The metric prompt by prompt, and the prompts that stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from circuitboard.metrics import likeliest

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.prompts import Prompts

FENCE = 1.5
"""How many interquartile ranges outside the quartiles a value stands out (Tukey 1977, "Exploratory data analysis")."""

_FEWEST = 4
"""Prompts that have quartiles."""


def per_prompt_table(
    values: Float[Tensor, " batch"],
    base_values: Float[Tensor, " batch"],
    logits: Float[Tensor, "batch d_vocab"],
    prompts: Prompts,
    *,
    run: str,
) -> pd.DataFrame:
    """One row a prompt, the one that changed most first.

    Parameters
    ----------
    values, base_values
        The metric with and without edits.
    logits
        At the answer position, with edits.
    prompts
        What was read.
    run
        "clean" or "corrupted": which prompts are the base.

    Returns
    -------
    DataFrame
        Columns: prompt (its index), text (the prompt, or its tokens where it was given as ids), value, base_value,
        change, answer, wrong, top_token, top_prob, outlier; by |change|, largest first, then by index; NaN last.
    """
    import pandas as pd

    change = values - base_values
    top, top_probs = likeliest(logits)
    texts = prompts.clean_text if run == "clean" else prompts.corrupted_text
    if texts is None:
        between = "" if prompts.clean_text is not None else " "
        texts = [between.join(tokens) for tokens in prompts.str_tokens("clean" if run == "clean" else "corrupted")]
    frame = pd.DataFrame(
        {
            "prompt": range(prompts.n),
            "text": texts,
            "value": values.numpy(),
            "base_value": base_values.numpy(),
            "change": change.numpy(),
            "answer": prompts.answer_str,
            "wrong": prompts.wrong_str if prompts.wrong_str is not None else [None] * prompts.n,
            "top_token": [prompts.token_str(int(token)) for token in top],
            "top_prob": top_probs.numpy(),
            "outlier": outliers(change).numpy(),
        }
    )
    order = frame["change"].abs().sort_values(ascending=False, na_position="last", kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def outliers(values: Float[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
    """Which values lie more than 1.5 interquartile ranges outside the quartiles.

    Quartiles are interpolated linearly. With fewer than four finite values nothing stands out; what is not finite does.
    """
    finite = values.isfinite()
    known = values[finite].double()
    if len(known) < _FEWEST:
        return ~finite
    low, high = known.quantile(0.25), known.quantile(0.75)
    margin = FENCE * (high - low)
    # Rounding alone makes nobody stand out where all changes are the same.
    margin = margin + 64 * torch.finfo(values.dtype).eps * known.abs().max()
    return ~finite | (values < low - margin) | (values > high + margin)
