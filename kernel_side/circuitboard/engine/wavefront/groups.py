"""Cells that can join a wave together, and cells that change nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circuitboard.interventions import Plan, Where, Write
    from circuitboard.runs import Origin


@dataclass(frozen=True, eq=False)
class Group:
    """Cells that write the same kind of activation of one layer at the same positions in the same way.

    Parameters
    ----------
    layer
        Where they join.
    first, stop
        The positions that they change, from … to before.
    cells
        Their indices.
    """

    layer: int
    first: int
    stop: int
    cells: list[int] = field(default_factory=list)


def groups_of(indices: Sequence[int], cells: Sequence[Write], plan: Plan) -> tuple[list[int], list[Group]]:
    """Group the cells of a sweep on top of a plan.

    Returns
    -------
    tuple
        Cells that change nothing: before clean and corrupted prompts differ, and before any edit in force, patching puts
        back what is there, by causality; so does scaling by 1. And the groups of the others.
    """
    edited = min((write.where.first for write in plan.writes), default=plan.base.tokens.shape[1])
    shared: dict[Origin, int] = {}
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    groups: dict[tuple[object, ...], Group] = {}
    idle: list[int] = []
    for index in indices:
        write = cells[index]
        same = 0
        if write.origin is not None:
            if write.origin not in shared:
                shared[write.origin] = min(edited, write.origin.shared_prefix(plan.base))
            same = shared[write.origin]
        key = (id(write.where), same)
        if key not in spans:
            spans[key] = _span(write.where, same)
        first, stop = spans[key]
        scaled_by_one = write.origin is None and write.constant is None and write.gain == 1
        if first >= stop or scaled_by_one:
            idle.append(index)
            continue
        receiver = write.receiver
        # An edge's cells share a sender and differ in the head that receives; others differ in the head written.
        alike = None if receiver is None else (receiver[0], write.index)
        value = (write.origin, write.gain, id(write.constant), write.intervention.renormalize)
        together = (write.place, alike, id(write.where), value, first)
        if together not in groups:
            groups[together] = Group(write.layer, first, stop)
        groups[together].cells.append(index)
    return idle, list(groups.values())


def _span(where: Where, same: int) -> tuple[int, int]:
    """The positions from `same` on where something is written."""
    first = min((position for row in where.positions for position in row if position >= same), default=where.last + 1)
    return first, where.last + 1
