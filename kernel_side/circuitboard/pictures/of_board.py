"""From a board's maps to drawings: which cell is what, in words and numbers."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.address import describe
from circuitboard.engine import tolerance
from circuitboard.errors import InterventionError
from circuitboard.metrics import standard_error
from circuitboard.pictures.drawing import ESTIMATED, EXACT, UNKNOWN, Label, MapDrawing, Mark, scale_of
from circuitboard.pictures.look import Look, Other, looked_at, state_words
from circuitboard.pictures.text import metric_words, shown, signed, token_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, UInt8
    from torch import Tensor

    from circuitboard.board.board import Board
    from circuitboard.desk.outcome import Shown
    from circuitboard.desk.state_comparison import StateComparison
    from circuitboard.metrics import Metric
    from circuitboard.pictures.colour import ColourMap
    from circuitboard.prompts import Prompts
    from circuitboard.steps import Edit
    from circuitboard.sweeps import Grid, Sweep

MOST_CELLS = 100_000
"""A drawing of more cells takes megabytes and shows nothing that can be told apart."""

_EDITS = 8
"""Edits that the caption names; of more, the number is told."""

EDITED_CELLS = "The effect of an edited cell is the metric with its edits minus without them."

_DOING = {"zero": "zeroing", "mean": "mean-ablating", "resample": "resampling", "patch": "patching"}
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


def drawing_of(
    board: Board,
    state: Shown,
    grid: Grid,
    effect: Float[np.ndarray, " cell"],
    known: UInt8[np.ndarray, " cell"],
    *,
    metric: Metric | None = None,
    stderr: Float[np.ndarray, " cell"] | None = None,
    live: bool = False,
    colours: ColourMap = "orange-blue",
) -> MapDrawing:
    """A map of a board as it is drawn.

    Parameters
    ----------
    board
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
    metric = metric or board.lab.metric
    shape = (grid.shape[0], grid.shape[1] if len(grid.shape) > 1 else 1)
    effect, known = effect.reshape(shape), known.reshape(shape)
    distance = distance_of(board, state, metric) if grid.over.startswith("resid") else None
    clip, fixed = scale_of(effect, known, None if distance is None else abs(distance))
    ranked = grid.axes[-1] == "rank"
    marks = _marks(board, grid, state.history.state.edits)
    return MapDrawing(
        caption=caption_of(grid, state),
        details=[
            *details_of(board, state, metric),
            *([EDITED_CELLS] if live and marks else []),
        ],
        row_axis=_row_axis(grid),
        column_axis=_column_axis(grid),
        rows=_rows(grid),
        columns=_columns(board, grid, shape[1]),
        names=[str(cell.site) for cell in grid.cells],
        effect=effect,
        known=known,
        unit=metric.unit or "the metric's own unit",
        clip=clip,
        fixed=fixed,
        marks=marks,
        inscribed=[str(getattr(cell.site, "index", "")) for cell in grid.cells] if ranked else None,
        tokens=grid.axes[-1] == "pos",
        stderr=None if stderr is None else stderr.reshape(shape),
        colours=colours,
    )


def drawing_of_sweep(board: Board, sweep: Sweep, *, normalized: bool = False) -> MapDrawing:
    """A sweep of a board as it is drawn; one by position and head has a row a head.

    With `normalized`, its effects are divided by clean − corrupted.

    Raises
    ------
    InterventionError
        `sweep_of_another_state`, if the board has moved on since or is another one; `map_too_large`; `no_share`.
    """
    metric, state = board.lab.metric_called(sweep.metric), board.shown
    values = board.lab.values(state.run, metric)
    if values.shape != sweep.baseline.shape or not _agree(board, values, sweep.baseline):
        raise InterventionError(
            "This sweep started from another state than the board is in now, so its caption would be wrong; sweep again, or undo to that state.",
            code="sweep_of_another_state",
        )
    drawing = _swept(board, state, sweep)
    return looked_at(drawing, Look(share=normalized), None, distance_of(board, state, metric))


def drawing_of_states(board: Board, states: StateComparison, *, normalized: bool = False) -> MapDrawing:
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
    a = _swept(board, left.shown, left.sweep)
    state = left.shown.history.state
    words = state_words(state.base, [str(edit) for edit in state.active])
    settings = "" if state.base == right.shown.history.state.base else f"on the {state.base} run"
    other = Other(a.effect, a.known, words, settings)
    distance = distance_of(board, right.shown, board.lab.metric_called(right.sweep.metric))
    return looked_at(
        _swept(board, right.shown, right.sweep), Look(share=normalized, side="difference"), other, distance
    )


def distance_of(board: Board, state: Shown, metric: Metric | None = None) -> float | None:
    """Clean − corrupted of a metric, mean over prompts; None without a corrupted run."""
    clean, corrupted = board.lab.unedited(state.history.state.base, metric)
    return None if corrupted is None else float(clean.double().mean() - corrupted.double().mean())


def _swept(board: Board, state: Shown, sweep: Sweep) -> MapDrawing:
    grid, effect, exact, stderr = sweep.grid, sweep.effect, sweep.exact, sweep.stderr
    if len(grid.shape) == _BY_LAYER_POSITION_AND_HEAD:
        effect, exact, stderr = (cells.permute(0, 2, 1).flatten(0, 1) for cells in (effect, exact, stderr))
        grid = _head_by_position(grid)
    known = np.where(exact.numpy(), EXACT, np.where(effect.isnan().numpy(), UNKNOWN, ESTIMATED)).astype(np.uint8)
    errors = stderr.double().numpy().ravel() if board.prompts.n > 1 else None
    metric = board.lab.metric_called(sweep.metric)
    return drawing_of(board, state, grid, effect.double().numpy().ravel(), known.ravel(), metric=metric, stderr=errors)


def caption_of(grid: Grid, state: Shown) -> str:
    """What is done to each cell, where, on top of what: "Effect of zeroing each head at END, on top of 2 edits"."""
    base, active = state.history.state.base, state.history.state.active
    what = _OBJECTS.get(grid.over, f"the residual stream ({grid.over})")
    if grid.axes[-1] == "rank":
        what += ", those with the largest estimates of every layer"
    if grid.axes[0] == "head":
        what = what.replace("each head", f"each head of layer {grid.layers[0]}")
    where = " at one position" if grid.by == "pos" else "" if grid.asked is None else f" at {describe(grid.asked)}"
    source = ""
    if grid.how == "patch":
        source = f" from the {'corrupted' if base == 'clean' else 'clean'} run"
    top = f"the {base} run" if not active else f"top of {len(active)} edit{'s' if len(active) > 1 else ''}"
    return f"Effect of {_DOING[grid.how]} {what}{where}{source}, on {top}"


def details_of(board: Board, state: Shown, metric: Metric) -> list[str]:
    """Model, metric and edits in sentences: what a reader needs to judge a map."""
    lab, outcome = board.lab, state.outcome
    base, n = state.history.state.base, board.prompts.n
    clean, corrupted = lab.unedited(base, metric)
    values = (outcome.values if metric is lab.metric else lab.values(state.run, metric)).double()
    now = signed(float(values.mean()))
    if n > 1:
        now += f" ± {float(standard_error(values)):.2f} s.e."
    runs = f"clean run {signed(float(clean.double().mean()))}"
    if corrupted is not None:
        runs += f", corrupted run {signed(float(corrupted.double().mean()))}"
    dtype = str(lab.adapter.dtype).removeprefix("torch.")
    unit = f" in {shown(metric.unit, 40)}" if metric.unit else ""
    active = state.history.state.active
    edits = "; ".join(shown(str(edit), 60) for edit in active[:_EDITS])
    if len(active) > _EDITS:
        edits += f"; and {len(active) - _EDITS} more"
    name = metric_words(metric.name)
    return [
        f"{name[:1].upper()}{name[1:]}{unit}, mean over {n} prompt{'s' if n > 1 else ''}: {now} with the edits in force ({runs}).",
        f"The {base} run is edited: {edits}." if active else f"Nothing is edited: the {base} run.",
        f"{shown(lab.adapter.name)}, {dtype}, {lab.choice.tier}; Circuitboard {version('circuitboard')}.",
    ]


_BY_LAYER_POSITION_AND_HEAD = 3
"""Axes of a sweep of heads by position."""


def _agree(board: Board, found: Tensor, expected: Tensor) -> bool:
    near = (found - expected).abs() <= tolerance(board.lab.adapter.dtype, expected)
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


def _row_axis(grid: Grid) -> str:
    return f"head of layer {grid.layers[0]}" if grid.axes[0] == "head" else grid.axes[0]


def _column_axis(grid: Grid) -> str:
    if len(grid.axes) == 1:
        return ""
    return "" if grid.axes[-1] == "pos" else grid.axes[-1]


def _rows(grid: Grid) -> list[Label]:
    if grid.axes[0] == "layer":
        return [Label(str(layer)) for layer in grid.layers]
    if grid.axes[0] == "head":
        return [Label(str(head)) for head in range(grid.shape[0])]
    n_positions = grid.shape[1]
    return [Label(grid.cells[row * n_positions].site.component.name) for row in range(grid.shape[0])]


def _columns(board: Board, grid: Grid, n: int) -> list[Label]:
    if len(grid.axes) == 1:
        return [Label("")]
    if grid.axes[-1] != "pos":
        return [Label(str(column)) for column in range(n)]
    return [position_label(board.prompts, column) for column in grid.positions or range(n)]


def position_label(prompts: Prompts, column: int) -> Label:
    """A column of the prompts: its label where all share one, else its token where that is the same, else its number."""
    names = [prompts.labels_at(prompt, column) for prompt in range(prompts.n)]
    shared = [name for name in names[0] if all(name in others for others in names)]
    if shared:
        return Label(shown(shared[0], 24), strong=True)
    tokens = prompts.clean_tokens[:, column]
    if prompts.real is None and bool((tokens == tokens[0]).all()):
        token = prompts.token_str(int(tokens[0]))
        if token != str(int(tokens[0])):  # without a tokenizer a token is its id, which would be taken for a position
            return Label(token_text(token))
    return Label(str(column))


def _marks(board: Board, grid: Grid, edits: Sequence[Edit]) -> dict[int, Mark]:
    """Cells whose component is edited, in a map by position at the cell's positions; an edit in force goes first."""
    cells: dict[object, list[int]] = {}
    for cell, intervention in enumerate(grid.cells):
        cells.setdefault(intervention.site.component, []).append(cell)
    resolve, marks = board.prompts.resolve, {}
    for edit in sorted(edits, key=lambda edit: edit.enabled):
        where = set(resolve(edit.intervention.site.positions)[0])
        for cell in cells.get(edit.intervention.site.component, ()):
            if grid.by == "all" or set(resolve(grid.cells[cell].site.positions)[0]) <= where:
                marks[cell] = Mark(edit.intervention.how, edit.enabled)
    return marks
