"""From a board's maps to drawings: which cell is what, in words and numbers."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.address import describe
from circuitboard.engine import tolerance
from circuitboard.errors import InterventionError
from circuitboard.interventions.columns import columns_of
from circuitboard.metrics import standard_error
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, Label, MapDrawing, Mark
from circuitboard.pictures.look import Look, Other, looked_at
from circuitboard.pictures.words import column_names, map_caption, position_names, state_words
from circuitboard.prompts.columns import shared_columns, token_columns
from circuitboard.protocol.vocabulary import CHARACTERS, MAPS
from circuitboard.protocol.wording import (
    capital,
    metric_words,
    name_words,
    signed,
    token_words,
    unit_words,
    with_error,
)
from circuitboard.sweeps.scale import scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, UInt8
    from torch import Tensor

    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.desk.state_comparison import StateComparison
    from circuitboard.metrics import Metric
    from circuitboard.prompts import Prompts
    from circuitboard.protocol.drawing import ColourMap, MapOver, TokenColumn
    from circuitboard.protocol.vocabulary import MapWords
    from circuitboard.steps import Edit
    from circuitboard.sweeps import Grid, Sweep

MOST_CELLS = 100_000
"""A drawing of more cells takes megabytes and shows nothing that can be told apart."""

_EDITS = 8
"""Edits that the caption names; of more, the number is told."""

EDITED_CELLS = "The effect of an edited cell is the metric with its edits minus without them."

_OBJECTS = {
    "head": "each head",
    "head.q": "each head's queries",
    "head.k": "the keys of each head",
    "head.v": "the values of each head",
    "head.pattern": "each head's attention pattern",
    "head.result": "each head's output",
    "neuron": "each neuron",
    "attn_out": "each attention layer's output",
    "mlp_out": "each MLP's output",
}
"""What the cells of sweeps are that the panel has no map of."""


def drawing_of(
    desk: Desk,
    state: Shown,
    grid: Grid,
    effect: Float[np.ndarray, " cell"],
    known: UInt8[np.ndarray, " cell"],
    *,
    metric: Metric | None = None,
    stderr: Float[np.ndarray, " cell"] | None = None,
    live: bool = False,
    colours: ColourMap = "orange-blue",
    prompt: int | None = None,
    filling: bool = False,
) -> MapDrawing:
    """A map of a board as it is drawn.

    Parameters
    ----------
    desk
        Whose map it is.
    state
        The state that the map is of.
    grid
        Its cells, two-dimensional: layer or head down, head, rank or position across.
    effect, known
        Row-major, as in `MapDrawing`.
    metric
        Which of the board's metrics; default the first.
    stderr
        Standard error of each effect over prompts.
    live
        Whether the effect of a cell that is edited already is the metric with minus without its edits, as on the
        panel; in a sweep it is that of one edit more.
    colours
        The map from effects to colours.
    prompt
        Whose tokens name positions; None for those that all prompts share.
    filling
        Whether cells that are not exact will be.

    Raises
    ------
    InterventionError
        `map_too_large`.
    """
    if effect.size > MOST_CELLS:
        raise InterventionError(
            f"A map of {effect.size} cells is too large to be drawn, more than {MOST_CELLS}; sweep fewer layers or positions.",
            code="map_too_large",
        )
    metric = metric or desk.lab.metric
    shape = (grid.shape[0], grid.shape[1] if len(grid.shape) > 1 else 1)
    effect, known = effect.reshape(shape), known.reshape(shape)
    distance = distance_of(desk, state, metric) if grid.over.startswith("resid") else None
    clip, fixed = scale_of(effect, known != UNKNOWN, None if distance is None else abs(distance))
    ranked = grid.axes[-1] == "rank"
    marks = _marks(desk, grid, state.history.state.edits, prompt or 0)
    words, columns = _words_of(grid), _token_columns(desk.prompts, prompt)
    return MapDrawing(
        caption=caption_of(desk, grid, state, prompt, columns),
        details=[
            *details_of(desk, state, metric),
            *([EDITED_CELLS] if live and marks else []),
        ],
        row_axis=grid.axes[0] if words is None else words.rows,
        column_axis=_column_axis(grid) if words is None else words.columns,
        rows=_rows(grid),
        columns=_columns(grid, shape[1], columns),
        names=[str(cell.site) for cell in grid.cells],
        effect=effect,
        known=known,
        unit=unit_words(metric.unit),
        clip=clip,
        fixed=fixed,
        marks=marks,
        inscribed=[str(getattr(cell.site, "index", "")) for cell in grid.cells] if ranked else None,
        tokens=grid.axes[-1] == "pos",
        stderr=None if stderr is None else stderr.reshape(shape),
        colours=colours,
        cells="cells" if words is None else words.cells,
        filling=filling,
    )


def drawing_of_sweep(desk: Desk, sweep: Sweep, *, normalized: bool = False) -> MapDrawing:
    """A sweep of a board as it is drawn; one by position and head has a row a head.

    With `normalized`, its effects are divided by clean − corrupted.

    Raises
    ------
    InterventionError
        `sweep_of_another_state`, if the board has moved on since or is another one; `map_too_large`; `no_share`.
    """
    metric, state = desk.lab.metric_called(sweep.metric), desk.shown
    values = desk.lab.values(state.run, metric)
    if values.shape != sweep.baseline.shape or not _agree(desk, values, sweep.baseline):
        raise InterventionError(
            "This sweep started from another state than the board is in now, so its caption would be wrong; sweep again, or undo to that state.",
            code="sweep_of_another_state",
        )
    drawing = _swept(desk, state, sweep)
    return looked_at(drawing, Look(share=normalized), None, distance_of(desk, state, metric))


def drawing_of_states(desk: Desk, states: StateComparison, *, normalized: bool = False) -> MapDrawing:
    """What the map of the right state has more than that of the left one.

    Raises
    ------
    InterventionError
        `no_map`, if the states were compared without their maps; `map_too_large`; `no_share`.
    """
    left, right = states.left, states.right
    if left.sweep is None or right.sweep is None:
        raise InterventionError(
            "The maps of the two states were not asked for; compare with over='head' or another kind of map.",
            code="no_map",
        )
    a = _swept(desk, left.shown, left.sweep)
    state = left.shown.history.state
    words = state_words(state.base, [str(edit) for edit in state.active])
    settings = "" if state.base == right.shown.history.state.base else f"on the {state.base} run"
    other = Other(a.effect, a.known, words, settings)
    distance = distance_of(desk, right.shown, desk.lab.metric_called(right.sweep.metric))
    return looked_at(_swept(desk, right.shown, right.sweep), Look(share=normalized, side="difference"), other, distance)


def distance_of(desk: Desk, state: Shown, metric: Metric | None = None) -> float | None:
    """Clean − corrupted of a metric, mean over prompts; None without a corrupted run."""
    clean, corrupted = desk.lab.unedited(state.history.state.base, metric)
    return None if corrupted is None else float(clean.double().mean() - corrupted.double().mean())


def _swept(desk: Desk, state: Shown, sweep: Sweep) -> MapDrawing:
    grid, effect, exact, stderr = sweep.grid, sweep.effect, sweep.exact, sweep.stderr
    if len(grid.shape) == _BY_LAYER_POSITION_AND_HEAD:
        effect, exact, stderr = (cells.permute(0, 2, 1).flatten(0, 1) for cells in (effect, exact, stderr))
        grid = _head_by_position(grid)
    known = np.where(exact.numpy(), EXACT, np.where(effect.isnan().numpy(), UNKNOWN, ESTIMATED)).astype(np.uint8)
    errors = stderr.double().numpy().ravel() if desk.prompts.n > 1 else None
    metric = desk.lab.metric_called(sweep.metric)
    return drawing_of(desk, state, grid, effect.double().numpy().ravel(), known.ravel(), metric=metric, stderr=errors)


def caption_of(desk: Desk, grid: Grid, state: Shown, prompt: int | None, columns: Sequence[TokenColumn]) -> str:
    """What is done to each cell, where, on top of what, in the words of the panel, which `columns` has for positions."""
    history, words = state.history.state, _words_of(grid)
    if words is not None:
        what = words.object.replace("{layer}", str(grid.layers[0]))
    else:
        what = _OBJECTS.get(grid.over, f"the residual stream ({grid.over})")
        what += {"pos": " at one position", "label": " at one label"}.get(grid.by, "")
    at = None
    if grid.by == "all" and grid.asked is not None:
        at = describe(grid.asked)
        if prompt is not None or desk.prompts.real is None:
            at = position_names(desk.prompts.resolve(grid.asked)[prompt or 0], columns)
    return map_caption(what, grid.how, history.base, len(history.active), at)


def details_of(desk: Desk, state: Shown, metric: Metric) -> list[str]:
    """Model, metric and edits in sentences: what a reader needs to judge a map."""
    lab, outcome = desk.lab, state.outcome
    base, n = state.history.state.base, desk.prompts.n
    clean, corrupted = lab.unedited(base, metric)
    values = (outcome.values if metric is lab.metric else lab.values(state.run, metric)).double()
    now = with_error(float(values.mean()), float(standard_error(values))) + (" s.e." if n > 1 else "")
    runs = f"clean run {signed(float(clean.double().mean()))}"
    if corrupted is not None:
        runs += f", corrupted run {signed(float(corrupted.double().mean()))}"
    dtype = str(lab.adapter.dtype).removeprefix("torch.")
    unit = f" in {unit_words(metric.unit)}" if metric.unit else ""
    active = state.history.state.active
    edits = "; ".join(name_words(str(edit), 60) for edit in active[:_EDITS])
    if len(active) > _EDITS:
        edits += f"; and {len(active) - _EDITS} more"
    name = metric_words(metric.name)
    return [
        f"{capital(name)}{unit}, mean over {n} prompt{'s' if n > 1 else ''}: {now} with the edits in force ({runs}).",
        f"The {base} run is edited: {edits}." if active else f"Nothing is edited: the {base} run.",
        f"{name_words(lab.adapter.name)}, {dtype}, {lab.choice.tier}; Circuitboard {version('circuitboard')}.",
    ]


_BY_LAYER_POSITION_AND_HEAD = 3
"""Axes of a sweep of heads by position."""


def _agree(desk: Desk, found: Tensor, expected: Tensor) -> bool:
    near = (found - expected).abs() <= tolerance(desk.lab.adapter.dtype, expected)
    return bool((near | (found == expected) | (found.isnan() & expected.isnan())).all())


def _head_by_position(grid: Grid) -> Grid:
    """A grid [layer, pos, head] as [layer and head, pos]."""
    n_layers, n_positions, n_heads = grid.shape
    cells = tuple(
        grid.cells[(layer * n_positions + pos) * n_heads + head]
        for layer in range(n_layers)
        for head in range(n_heads)
        for pos in range(n_positions)
    )
    return replace(grid, axes=(f"layer.{grid.axes[-1]}", "pos"), shape=(n_layers * n_heads, n_positions), cells=cells)


_OF_THE_PANEL: Mapping[tuple[str, tuple[str, ...]], MapOver] = {
    ("head", ("layer", "head")): "head",
    ("head", ("head", "pos")): "head_pos",
    ("neuron", ("layer", "rank")): "neuron",
    ("resid_pre", ("layer", "pos")): "resid_pre",
    ("attn_out", ("layer", "pos")): "attn_out",
    ("mlp_out", ("layer", "pos")): "mlp_out",
}
"""Grids that are maps of the panel, by their cells and axes."""


def _words_of(grid: Grid) -> MapWords | None:
    """The words of the panel's map that a grid is; None for other grids."""
    over = _OF_THE_PANEL.get((grid.over, tuple(grid.axes)))
    return None if over is None else MAPS[over]


def _column_axis(grid: Grid) -> str:
    return "" if len(grid.axes) == 1 or grid.axes[-1] == "pos" else grid.axes[-1]


def _rows(grid: Grid) -> list[Label]:
    if grid.axes[0] == "layer":
        return [Label(str(layer)) for layer in grid.layers]
    if grid.axes[0] == "head":
        return [Label(str(head)) for head in range(grid.shape[0])]
    n_positions = grid.shape[1]
    return [Label(grid.cells[row * n_positions].site.component.name) for row in range(grid.shape[0])]


def _columns(grid: Grid, n: int, tokens: Sequence[TokenColumn]) -> list[Label]:
    if len(grid.axes) == 1:
        return [Label("")]
    if grid.axes[-1] == "pos":
        names = column_names(tokens)
        return [Label(names[at], strong=bool(tokens[at].labels)) for at in grid.positions or range(n)]
    if grid.axes[-1] == "label" and grid.labels is not None:
        return [Label(token_words(label, CHARACTERS["position"]), strong=True) for label in grid.labels]
    first = 1 if grid.axes[-1] == "rank" else 0
    return [Label(str(column)) for column in range(first, first + n)]


def _token_columns(prompts: Prompts, prompt: int | None) -> Sequence[TokenColumn]:
    """What names the columns: the tokens of one prompt, or what all share."""
    return shared_columns(prompts) if prompt is None else token_columns(prompts, [prompt])[0]


def _marks(desk: Desk, grid: Grid, edits: Sequence[Edit], prompt: int) -> dict[int, Mark]:
    """Cells whose component is edited, in a map by position at the cell's positions; an edit in force goes first."""
    cells: dict[object, list[int]] = {}
    for cell, intervention in enumerate(grid.cells):
        cells.setdefault(intervention.site.component, []).append(cell)
    marks: dict[int, Mark] = {}
    for edit in sorted(edits, key=lambda edit: edit.enabled):
        where = columns_of(edit.intervention, desk.prompts, prompt)
        for cell in cells.get(edit.intervention.site.component, ()):
            here = desk.prompts.resolve(grid.cells[cell].site.positions)[prompt]
            if grid.by == "all" or where is None or (here and set(here) <= set(where)):
                marks[cell] = Mark(edit.intervention.how, edit.enabled)
    return marks
