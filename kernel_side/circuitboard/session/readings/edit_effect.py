"""What editing a component does to the metric, and how much of it goes straight to the logits."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from circuitboard.address import HEAD_KINDS
from circuitboard.analysis.direct_effects import effect_in_layer, summed_effect
from circuitboard.errors import Cancelled, CircuitboardError
from circuitboard.metrics import standard_error
from circuitboard.protocol import messages as m
from circuitboard.session.readings.component_run import ComponentRun, component_run
from circuitboard.steps.clicking import clicked

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Edge, Site
    from circuitboard.board import Board
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan

WRITES = ("attn_out", "mlp_out", "neuron")
"""Kinds that write into the residual stream, heads apart."""


def edits_of(board: Board, shown: Shown, site: Site, columns: list[int] | None) -> list[int]:
    """The edits in force of a component: of any part of a head, or of another component at these columns.

    Parameters
    ----------
    columns
        Columns of the token tensor; None means all.
    """
    prompts = board.prompts

    def mine(other: Site | Edge) -> bool:
        if site.kind in HEAD_KINDS and other.kind in HEAD_KINDS and columns is None:
            return (other.layer, query_heads(board, other)) == (site.layer, query_heads(board, site))
        at = None if columns is None else prompts.at_columns(columns)
        return other.component == site.component and prompts.resolve(other.positions) == prompts.resolve(at)

    edits = shown.history.state.edits
    return [index for index, edit in enumerate(edits) if edit.enabled and mine(edit.intervention.site)]


def query_heads(board: Board, site: Site | Edge) -> tuple[int, ...]:
    """The heads of a site; of a key or value, all that share it."""
    index = site.index or 0
    if site.kind not in ("head.k", "head.v"):
        return (index,)
    shape = board.lab.adapter.shape
    share = shape.n_heads // shape.n_kv_heads
    return tuple(range(index * share, (index + 1) * share))


def edit_effect(
    board: Board,
    shown: Shown,
    site: Site,
    columns: list[int] | None,
    mode: m.Mode,
    now: ComponentRun | None,
    cancel: CancelToken,
) -> Generator[None, None, m.EditEffect]:
    """Compare the shown state with that without the component's edits; of one that is not edited, with that where it is.

    Parameters
    ----------
    columns
        Where an edit of it would act; None means at all positions.
    now
        The shown run; None for a component that has no direct effect.
    """
    lab, state, indices = board.lab, shown.history.state, edits_of(board, shown, site, columns)
    if indices:
        reduced = state
        for index in reversed(indices):
            reduced = reduced.removed(index)
        without, with_it = lab.plan(state.base, reduced.active), shown.run.plan
        total = shown.outcome.values - board.maps.without(indices, shown, cancel)
        how = ", ".join(str(state.edits[index].intervention) for index in indices)
    else:
        at = site if columns is None else site.at(list(board.prompts.at_columns(columns) or ()))
        cell = clicked(at, mode, board.prompts)
        without, with_it = shown.run.plan, lab.plan(state.base, (*state.active, cell))
        found = yield from board.maps.cells(shown.run, [cell], cancel)
        total, how = found[0] - shown.outcome.values, mode
    yield
    direct, note = None, None
    try:
        if now is not None:
            before = component_run(board, without, site, cancel) if indices else now
            yield
            direct = _direct(board, site, before, with_it, cancel)
    except Cancelled:
        raise
    except CircuitboardError as error:
        note = error.message
    later = None
    if direct is not None:
        note = _why_no_rest(board)
        later = None if note is not None else total.double() - direct
    (total_value, total_stderr), (direct_value, direct_stderr), (later_value, later_stderr) = map(
        _with_error, (total, direct, later)
    )
    assert total_value is not None  # noqa: S101  there is always a total
    return m.EditEffect(
        how=how,
        edited=bool(indices),
        at=columns,
        total=total_value,
        total_stderr=total_stderr,
        direct=direct_value,
        direct_stderr=direct_stderr,
        later=later_value,
        later_stderr=later_stderr,
        note=note,
    )


def _direct(
    board: Board, site: Site, before: ComponentRun, with_it: Plan, cancel: CancelToken
) -> Float[Tensor, " batch"]:
    """How much an edit changes what a component adds to the logit difference, read as the run without it reads."""
    lab, heads = board.lab, query_heads(board, site)
    column, outlets = lab.prompts.answer_position, lab.adapter.outlets()
    read = before.direct.read
    after = effect_in_layer(lab.adapter, outlets, with_it, site, heads, read, cancel, column)
    return after - summed_effect(before.direct, site, heads)


def _why_no_rest(board: Board) -> str | None:
    """Why total and direct effect cannot be subtracted, or None if they can."""
    metric = board.lab.metric
    if metric.formula != "logit_diff":
        return f"The total is of {metric.name}, in {metric.unit}, the direct effect of the logit difference: what goes through later parts cannot be told."
    if board.lab.adapter.outlets().logit_softcap is not None:
        return "This model bends its logits (a soft-cap), the direct effect is before that: what goes through later parts cannot be told."
    return None


def _with_error(values: Float[Tensor, " batch"] | None) -> tuple[m.Real | None, m.Real | None]:
    """Mean and standard error."""
    if values is None:
        return None, None
    values = values.double()
    return m.Real.of(float(values.mean())), m.Real.of(float(standard_error(values))) if len(values) > 1 else None
