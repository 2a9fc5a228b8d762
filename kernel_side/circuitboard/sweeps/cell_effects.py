"""What cells do on top of a state, where some of their components are edited already."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch

from circuitboard.engine import piece

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention, Positions
    from circuitboard.engine import CancelToken
    from circuitboard.prompts import Prompts
    from circuitboard.steps import BoardState, Edit
    from circuitboard.sweeps.ground import Ground


def edited_cells(
    cells: Sequence[Intervention], edits: Sequence[Edit], prompts: Prompts, *, by_position: bool
) -> dict[int, list[int]]:
    """Cells whose own component is edited already → the edits; their effect is with minus without these."""
    by_component: dict[object, list[int]] = {}
    for index, edit in enumerate(edits):
        if edit.enabled:
            by_component.setdefault(edit.intervention.site.component, []).append(index)

    def where(positions: Positions) -> tuple[tuple[int, ...], ...]:
        return prompts.resolve(positions)

    edited: dict[int, list[int]] = {}
    for cell, intervention in enumerate(cells):
        indices = by_component.get(intervention.site.component, [])
        if by_position and indices:
            here = where(intervention.site.positions)
            indices = [index for index in indices if where(edits[index].intervention.site.positions) == here]
        if indices:
            edited[cell] = indices
    return edited


def cell_effects(
    ground: Ground, state: BoardState, cells: Sequence[Intervention], cancel: CancelToken, *, by_position: bool
) -> Generator[None, None, Float[Tensor, "cell batch"]]:
    """What each cell does to the metric of a state; of a component that is edited, what its own edits do there.

    Parameters
    ----------
    by_position
        Whether edits of a component at other positions are another's.
    """
    edited = edited_cells(cells, state.edits, ground.prompts, by_position=by_position)
    others = [cell for cell in range(len(cells)) if cell not in edited]
    effects = torch.empty(len(cells), ground.prompts.n, dtype=torch.float64)
    values = yield from ground.cells([cells[cell] for cell in others], cancel)
    effects[others] = (values - ground.values).double()
    for cell, indices in edited.items():
        without = ground.plan(state.removed(*indices).active)
        values = yield from piece(partial(ground.measured, without, cancel), cancel)
        effects[cell] = (ground.values - values).double()
    return effects
