"""The cells of the panel's maps, in the order in which they are drawn."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.address import Site
from circuitboard.desk.ground import ground_of
from circuitboard.errors import EngineError
from circuitboard.interventions import check_site
from circuitboard.steps.clicking import per_of
from circuitboard.sweeps import Grid

if TYPE_CHECKING:
    from circuitboard.address import Intervention, Kind
    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import CancelToken
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.protocol.messages import MapOver, View

TOP_NEURONS = 16
"""Neurons of each layer in the map of neurons."""

_NEURONS_AT_ONCE = 32_768
"""Neurons whose effects are estimated in one go: between two, a click can come in."""

_KINDS: dict[MapOver, Kind] = {
    "head": "head",
    "resid_pre": "resid_pre",
    "attn_out": "attn_out",
    "mlp_out": "mlp_out",
    "head_pos": "head",
    "neuron": "neuron",
}
"""What the cells of each map are, in the order in which the panel offers them."""

TOGETHER: frozenset[MapOver] = frozenset({"head", "neuron"})
"""Maps whose cells edit all selected positions together; those of others are a position each."""


def maps_of(adapter: ModelAdapter) -> list[MapOver]:
    """The maps that a model has."""
    layers = range(adapter.shape.n_layers)
    return [over for over, kind in _KINDS.items() if any(adapter.refusal(kind, layer) is None for layer in layers)]


def require_map(adapter: ModelAdapter, view: View) -> None:
    """Refuse a map that a model lacks, with the reason.

    Raises
    ------
    CircuitboardError
        `layer_out_of_range`, `site_not_in_model`.
    """
    kind = _KINDS[view.map]
    index = 0 if kind in ("head", "neuron") else None
    check_site(Site("resid_pre", view.map_layer), adapter)
    if view.map == "head_pos":
        check_site(Site(kind, view.map_layer, index), adapter)
    elif view.map not in maps_of(adapter):
        check_site(Site(kind, 0, index), adapter)


def grid_for(desk: Desk, view: View) -> Grid:
    """The cells of the map that is looked at, row-major in the map's shape.

    Those of the map of neurons depend on the state of the board: its grid has a shape and no cells, until
    `rank_neurons` has chosen them.
    """
    selected = view.positions
    at = None if selected is None else desk.prompts.at_columns(selected)
    per = per_of(view.mode, desk.prompts)
    if view.map == "head":
        return desk.maps.grid("head", how=view.mode, positions=at, per=per)
    if view.map == "neuron":
        adapter = desk.lab.adapter
        rows = [layer for layer in range(adapter.shape.n_layers) if adapter.refusal("neuron", layer) is None]
        shape = (len(rows), min(TOP_NEURONS, adapter.shape.n_of("neuron") or 0))
        return Grid("neuron", "all", view.mode, tuple(rows), None, ("layer", "rank"), shape, (), at, per=per)
    if view.map != "head_pos":
        return _every_column(desk, desk.maps.grid(view.map, by="pos", how=view.mode, per=per))
    grid = _every_column(desk, desk.maps.grid("head", by="pos", how=view.mode, layers=[view.map_layer], per=per))
    _, n_positions, n_heads = grid.shape
    by_head = tuple(grid.cells[pos * n_heads + head] for head in range(n_heads) for pos in range(n_positions))
    return replace(grid, axes=("head", "pos"), shape=(n_heads, n_positions), cells=by_head)


def _every_column(desk: Desk, grid: Grid) -> Grid:
    """A map by position with a cell at each column, as it is drawn: one that cannot be edited there changes nothing."""
    prompts, given = desk.prompts, grid.positions or ()
    if len(given) == prompts.n_positions:
        return grid
    by_site = {(cell.site.component, cell.site.positions): cell for cell in grid.cells}
    components = tuple(dict.fromkeys(cell.site.component for cell in grid.cells))
    n = len(components) // len(grid.layers)
    cells = tuple(
        by_site.get((component, at)) or component.at(list(at or ())).scale(1.0)
        for row in range(len(grid.layers))
        for at in (prompts.at_columns((column,)) for column in range(prompts.n_positions))
        for component in components[row * n : (row + 1) * n]
    )
    shape = (grid.shape[0], prompts.n_positions, *grid.shape[2:])
    return replace(grid, positions=tuple(range(prompts.n_positions)), shape=shape, cells=cells)


def rank_neurons(
    desk: Desk, grid: Grid, shown: Shown, cancel: CancelToken
) -> Generator[None, None, tuple[Grid, np.ndarray, np.ndarray]]:
    """Choose the neurons of each layer: those that are edited, then those with the largest estimated effect.

    Attribution patching estimates the effect of every neuron, a forward and a backward pass for a few layers at once.

    Returns
    -------
    tuple
        The grid with its cells; which neuron each is, int32 [cell]; the estimates, float64 [cell], NaN where there is
        none.

    Raises
    ------
    EngineError
        `no_ranking` if effects cannot be estimated.
    """
    edited: dict[int, set[int]] = {}
    for site in (edit.site for edit in shown.history.state.active):
        if site.kind == "neuron" and site.index is not None:
            edited.setdefault(site.layer, set()).add(site.index)
    step = max(1, _NEURONS_AT_ONCE // (desk.lab.adapter.shape.n_of("neuron") or 1))
    cells: list[Intervention] = []
    chosen: list[int] = []
    estimates: list[float] = []
    for start in range(0, len(grid.layers), step):
        layers = list(grid.layers[start : start + step])
        part = desk.maps.grid("neuron", how=grid.how, layers=layers, positions=grid.asked, per=grid.per)
        yield
        found = ground_of(desk.lab, shown.run).estimate(part.cells, cancel, needed=True)
        if found is None:
            raise EngineError(
                f"The neurons that matter most cannot be told beforehand: {desk.lab.metric.name} has no gradient to estimate their effects from. "
                "Sweep the neurons of a layer with board.sweep('neuron', layers=[…]).",
                code="no_ranking",
            )
        effects = found.double().mean(-1).unflatten(0, part.shape).numpy()
        for row, layer in enumerate(layers):
            size = np.nan_to_num(np.abs(effects[row]), nan=-1.0)
            size[sorted(edited.get(layer, ()))] = np.inf
            top = np.argsort(-size, kind="stable")[: grid.shape[1]]
            chosen.extend(top.tolist())
            estimates.extend(effects[row][top].tolist())
            cells.extend(part.cells[row * part.shape[1] + neuron] for neuron in top)
        yield
    return replace(grid, cells=tuple(cells)), np.array(chosen, np.int32), np.array(estimates)


def same_map(a: View, b: View) -> bool:
    """Whether two settings show the same map of a state."""
    same = (a.map, a.mode) == (b.map, b.mode)
    same = same and (a.map not in TOGETHER or a.positions == b.positions)
    return same and (a.map != "head_pos" or a.map_layer == b.map_layer)
