"""What editing a component does to the metric, and how much of it goes straight to the logits."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.address import HEAD_KINDS
from circuitboard.analysis.component_run import ComponentRun, component_run, query_heads
from circuitboard.analysis.direct_effects import effect_in_layer, summed_effect
from circuitboard.engine import piece
from circuitboard.errors import Cancelled, CircuitboardError
from circuitboard.steps.clicking import clicked

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Edge, Site
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan
    from circuitboard.protocol.drawing import Mode
    from circuitboard.steps import BoardState
    from circuitboard.sweeps import Ground

WRITES = ("attn_out", "mlp_out", "neuron")
"""Kinds that write into the residual stream, heads apart."""


@dataclass(frozen=True, eq=False)
class EditEffect:
    """What the edits of a component do, or of one that is not edited, what editing it would do.

    Parameters
    ----------
    how
        The edit, in words.
    edited
        Whether it is edited.
    total
        The change of the metric.
    direct
        The change of what the component itself adds to the logit difference; None where that cannot be told.
    later
        What goes through later parts: the rest, where both are of one kind.
    note
        Why something of this is missing.
    """

    how: str
    edited: bool
    total: Float[Tensor, " batch"]
    direct: Float[Tensor, " batch"] | None
    later: Float[Tensor, " batch"] | None
    note: str | None


def edit_effect(
    ground: Ground,
    state: BoardState,
    site: Site,
    columns: list[int] | None,
    mode: Mode,
    now: ComponentRun | None,
    cancel: CancelToken,
) -> Generator[None, None, EditEffect]:
    """Compare a state with that without the component's edits; of one that is not edited, with that where it is.

    Parameters
    ----------
    ground
        The run of the state.
    columns
        Where an edit of it would act; None means at all positions.
    now
        The same run as the component's; None for a component that has no direct effect.
    """
    prompts, indices = ground.prompts, _edits_of(ground, state, site, columns)
    if indices:
        without, with_it = ground.plan(state.removed(*indices).active), ground.run.plan
        total = ground.values - (yield from piece(lambda: ground.measured(without, cancel), cancel))
        how = ", ".join(str(state.edits[index].intervention) for index in indices)
    else:
        at = site if columns is None else site.at(list(prompts.at_columns(columns) or ()))
        cell = clicked(at, mode, prompts)
        without, with_it = ground.run.plan, ground.plan((*state.active, cell))
        found = yield from ground.cells([cell], cancel)
        total, how = found[0] - ground.values, mode
    direct, note = None, None
    try:
        if now is not None:
            before = now
            if indices:
                before = yield from piece(lambda: component_run(ground, without, site, cancel), cancel)
            direct = yield from piece(lambda: _direct(ground, site, before, with_it, cancel), cancel)
    except Cancelled:
        raise
    except CircuitboardError as error:
        note = error.message
    later = None
    if direct is not None:
        note = _why_no_rest(ground)
        later = None if note is not None else total.double() - direct
    return EditEffect(how, bool(indices), total, direct, later, note)


def _edits_of(ground: Ground, state: BoardState, site: Site, columns: list[int] | None) -> list[int]:
    """The edits in force of a component: of any part of a head, or of another component at these columns."""
    prompts, shape = ground.prompts, ground.adapter.shape

    def mine(other: Site | Edge) -> bool:
        if site.kind in HEAD_KINDS and other.kind in HEAD_KINDS and columns is None:
            return (other.layer, query_heads(shape, other)) == (site.layer, query_heads(shape, site))
        at = None if columns is None else prompts.at_columns(columns)
        return other.component == site.component and prompts.resolve(other.positions) == prompts.resolve(at)

    return [index for index, edit in enumerate(state.edits) if edit.enabled and mine(edit.intervention.site)]


def _direct(
    ground: Ground, site: Site, before: ComponentRun, with_it: Plan, cancel: CancelToken
) -> Float[Tensor, " batch"]:
    """How much an edit changes what a component adds to the logit difference, read as the run without it reads."""
    adapter, heads = ground.adapter, query_heads(ground.adapter.shape, site)
    read, column = before.direct.read, ground.prompts.answer_position
    after = effect_in_layer(adapter, adapter.outlets(), with_it, site, heads, read, cancel, column)
    return after - summed_effect(before.direct, site, heads)


def _why_no_rest(ground: Ground) -> str | None:
    """Why total and direct effect cannot be subtracted, or None if they can."""
    metric = ground.metric
    if metric.formula != "logit_diff":
        return f"The total is of {metric.name}, in {metric.unit}, the direct effect of the logit difference: what goes through later parts cannot be told."
    if ground.adapter.outlets().logit_softcap is not None:
        return "This model bends its logits (a soft-cap), the direct effect is before that: what goes through later parts cannot be told."
    return None
