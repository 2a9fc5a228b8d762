"""The cells of a sweep, in TransformerLens's axis order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from circuitboard.address import Intervention, Site, positions_of, resolve
from circuitboard.errors import AddressError, InterventionError
from circuitboard.interventions import check_site

if TYPE_CHECKING:
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts

Over = Literal["head", "resid_pre", "attn_out", "mlp_out"]
By = Literal["all", "pos"]
SweepHow = Literal["patch", "zero"]

_OVER: tuple[Over, ...] = get_args(Over)
_BY: tuple[By, ...] = get_args(By)
_HOW: tuple[SweepHow, ...] = get_args(SweepHow)


@dataclass(frozen=True)
class Grid:
    """What is swept.

    Parameters
    ----------
    over, by, how
        As passed to `Board.sweep`.
    layers
        The layers of the first axis.
    positions
        The positions of the pos axis (by="pos"), or None.
    axes
        Names of the axes: ("layer", "head"), ("layer", "pos", "head"), ("layer",) or ("layer", "pos").
    shape
        Their lengths.
    cells
        One intervention per cell, row-major.
    """

    over: Over
    by: By
    how: SweepHow
    layers: tuple[int, ...]
    positions: tuple[int, ...] | None
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    cells: tuple[Intervention, ...]


def grid_of(
    over: str,
    *,
    by: str,
    how: str,
    layers: object,
    positions: object,
    adapter: ModelAdapter,
    prompts: Prompts,
) -> Grid:
    """Lay out a sweep.

    Raises
    ------
    InterventionError
        `unknown_sweep` for an unknown `over`, `by` or `how`; `site_not_in_model`.
    AddressError
        Layers or positions that do not exist.
    """
    if over not in _OVER:
        raise InterventionError(
            f"Sweep over {over!r} is not known; expected head, resid_pre, attn_out or mlp_out.", code="unknown_sweep"
        )
    if by not in _BY:
        raise InterventionError(
            f"Sweep by {by!r} is not known; expected 'all' (positions together) or 'pos' (each alone).",
            code="unknown_sweep",
        )
    if how not in _HOW:
        raise InterventionError(f"A sweep can patch or zero, not {how!r}.", code="unknown_sweep")
    rows = _layers(layers, adapter, over)
    spec = positions_of(positions)
    columns: tuple[int, ...] | None = None
    if by == "pos":
        resolved = resolve(spec, prompts.n_positions, prompts.labels, prompts.n)
        if len(set(resolved)) > 1:
            raise AddressError(
                "A sweep by position needs the same positions in every prompt, but the labels given lie at different ones.",
                code="positions_differ",
            )
        columns = resolved[0]
    heads: tuple[int | None, ...] = tuple(range(adapter.shape.n_heads)) if over == "head" else (None,)
    cells = []
    for layer in rows:
        for column in columns or (None,):
            for head in heads:
                site = Site(over, layer, head, spec if column is None else (column,))
                cells.append(Intervention(site, how))
    axes = ("layer", *(("pos",) if columns else ()), *(("head",) if over == "head" else ()))
    shape = (len(rows), *((len(columns),) if columns else ()), *((len(heads),) if over == "head" else ()))
    return Grid(over, by, how, rows, columns, axes, shape, tuple(cells))


def _layers(layers: object, adapter: ModelAdapter, over: Over) -> tuple[int, ...]:
    every = range(adapter.shape.n_layers)
    if layers is None:
        rows: tuple[int, ...] = tuple(layer for layer in every if adapter.refusal(over, layer) is None)
        if not rows:
            check_site(Site(over, 0), adapter)
        return rows
    wanted: Iterable[Any] = layers if isinstance(layers, Iterable) else (layers,)
    sites = [Site(over, layer, 0 if over == "head" else None) for layer in wanted]
    for site in sites:
        check_site(site, adapter)
    rows = tuple(site.layer for site in sites)
    if not rows:
        raise AddressError("An empty list of layers leaves nothing to sweep.", code="unknown_sweep")
    return rows
