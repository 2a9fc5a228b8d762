"""What a view asks to see of one component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.address import Edge, Site
from circuitboard.address import site as site_called
from circuitboard.errors import AddressError
from circuitboard.interventions import check_site
from circuitboard.protocol import messages as m

if TYPE_CHECKING:
    from circuitboard.desk.desk import Desk


@dataclass(frozen=True)
class Asked:
    """A component, the prompt and column to read it at, and what a sweep does to it.

    Parameters
    ----------
    column
        A column of the token tensor.
    by_position
        Whether a head's effect is to be computed at each position.
    where
        The columns at which an edit of it would act; None means all.
    row, source
        Columns between which a head is looked at; source None for the one that it attends to most.
    circuit
        Whether a head's circuits are to be read there.
    """

    site: Site
    prompt: int
    column: int
    by_position: bool
    how: m.Mode
    where: list[int] | None
    row: int
    source: int | None
    circuit: bool

    @classmethod
    def of(cls, request: m.Detail, desk: Desk, view: m.View) -> Asked:
        """What a request asks for, or the reason why that does not exist.

        Raises
        ------
        CircuitboardError
            Of an address, `no_such_prompt`, `position_out_of_range`, `no_detail` for an edge.
        """
        site = site_called(request.site)
        if isinstance(site, Edge):
            raise AddressError(
                f"{site} is a path between two components; ask for one of them.", code="no_detail", where=str(site)
            )
        if site != site.component:
            raise AddressError("A detail names its position apart from its site.", code="bad_positions")
        check_site(site, desk.lab.adapter)
        prompts = desk.prompts
        if not 0 <= request.prompt < prompts.n:
            raise AddressError(
                f"There is no prompt {request.prompt}: the board has {prompts.n}.", code="no_such_prompt"
            )
        column = prompts.answer_position if request.position is None else request.position
        row = column if request.row is None else request.row
        for given in (column, row, request.source):
            if given is not None and not 0 <= given < prompts.n_positions:
                raise AddressError(
                    f"There is no column {given}: the prompts have {prompts.n_positions}, 0 … {prompts.n_positions - 1}.",
                    code="position_out_of_range",
                )
        padding = prompts.n_positions - prompts.lengths[request.prompt]
        if request.circuit and min(row, request.source if request.source is not None else row) < padding:
            raise AddressError(
                f"Prompt {request.prompt} begins at column {padding}; nothing attends before it.",
                code="position_out_of_range",
            )
        return cls(
            site,
            request.prompt,
            column,
            request.by_position,
            view.mode,
            view.positions if request.position is None else [request.position],
            row,
            request.source,
            request.circuit,
        )
