"""Who reads from a token: the heads that attend to it, and what each entry of their patterns does."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Site, prompt_of
from circuitboard.engine import piece
from circuitboard.engine.recording import recorded
from circuitboard.errors import AddressError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.models.shape import Place
    from circuitboard.sweeps import Ground

MOST_READERS = 16
"""Heads that attend most to a token, whose effects are computed."""


@dataclass(frozen=True, eq=False)
class TokenReaders:
    """The heads that attend most from where the answer is read to a token.

    Parameters
    ----------
    heads
        (layer, head), the one that attends most first.
    attention
        Float32 [head], in the prompt that was asked about.
    effects
        Float64 [head, batch]: what zeroing that entry of the pattern does to the metric.
    omitted
        How many other heads there are.
    """

    heads: tuple[tuple[int, int], ...]
    attention: Float[Tensor, " head"]
    effects: Float[Tensor, "head batch"]
    omitted: int


def token_readers(ground: Ground, column: int, prompt: int) -> InPieces[TokenReaders]:
    """The heads that read from a column of one prompt; what cannot be is refused at once.

    Raises
    ------
    AddressError
        `no_such_prompt`, `position_out_of_range`.
    """
    adapter, prompts = ground.adapter, ground.prompts
    prompt_of(prompts.n, prompt)
    first = prompts.n_positions - min(prompts.lengths)
    if not first <= column < prompts.n_positions:
        raise AddressError(
            f"Column {column} is no token of all prompts; these have the columns {first} … {prompts.n_positions - 1}.",
            code="position_out_of_range",
        )
    row = prompts.answer_position
    places: list[Place] = [
        ("head.pattern", layer)
        for layer in range(adapter.shape.n_layers)
        if adapter.refusal("head.pattern", layer) is None
    ]

    def read(cancel: CancelToken) -> Generator[None, None, TokenReaders]:
        found = yield from piece(
            lambda: recorded(adapter, ground.run.plan, places, cancel, columns=[row] * prompts.n), cancel
        )
        heads = [(layer, head) for _, layer in places for head in range(adapter.shape.n_heads)]
        shares = torch.cat([found.activations[place][prompt, :, column].float().cpu() for place in places])
        order = shares.nan_to_num(nan=-1.0).argsort(descending=True, stable=True).tolist()
        chosen = [index for index in order if shares[index] != 0][:MOST_READERS]
        where = [list(prompts.at_columns([column]) or ()) for column in (row, column)]
        cells = [Site("head.pattern", *heads[index]).at(*where).zero() for index in chosen]
        values = yield from ground.cells(cells, cancel)
        effects = (values - ground.values).double()
        return TokenReaders(tuple(heads[index] for index in chosen), shares[chosen], effects, len(heads) - len(chosen))

    return read
