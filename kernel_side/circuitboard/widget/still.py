"""What a notebook shows of a board where no kernel runs: a still picture, a table, and how to get the panel back.

Everything comes from the same snapshot that the panel draws, by the same rules and parts as the page; there is no
script, no style sheet and no address in it, and it keeps light colours of its own in every theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.pictures import ESTIMATED, MapDrawing, svg_of
from circuitboard.pictures.html import table
from circuitboard.pictures.text import markup
from circuitboard.protocol.wording import (
    metric_words,
    name_words,
    percent,
    plain,
    signed,
    token_words,
    unit_words,
    visible,
)
from circuitboard.session.export import drawn_map

if TYPE_CHECKING:
    from circuitboard.board import Board
    from circuitboard.protocol.messages import EditRow, MetricView, Real, Snapshot
    from circuitboard.session.maps.live_map import MapState

MAX_BYTES = 200_000
"""What a still takes at most, in UTF-8."""

CELLS = 6000
"""A map with more cells is left to its table."""

_EDITS, _METRICS, _CELLS = 40, 12, 10
"""Rows of each table; of more, the number is told."""

_NOTE = 500
"""Characters of a note; what is cut is marked."""

_DIGITS = 4

BACK = (
    "For the live panel run this cell again; or, in a new kernel, board = cb.Board.load(cb.Board.last_saved(), model), "
    "or cb.Board.load(path, model) with a file that board.save(path) wrote."
)

_BOX = "background:#fff;color:#1f2328;border:1px solid #d0d7de;padding:10px;font:13px/1.45 sans-serif;overflow:auto"
_CELL = "border:1px solid #d0d7de;padding:2px 8px;text-align:left;background:#fff;color:#1f2328"
_STYLES = {
    "table": "border-collapse:collapse;margin:8px 0;background:#fff;color:#1f2328",
    "caption": "text-align:left",
    "th": _CELL,
    "td": _CELL,
}


@dataclass(frozen=True, eq=False)
class Still:
    """A board as it is at one moment.

    Parameters
    ----------
    heading
        Model, prompts and engine in one line.
    snapshot
        What the panel draws.
    map
        The map of this very state as far as it is known, or None.
    note
        Why there is no map, where that has another reason than that none was computed.
    """

    heading: str
    snapshot: Snapshot
    map: MapDrawing | None
    note: str | None = None


def still_of(board: Board, snapshot: Snapshot, live: MapState | None) -> Still:
    """The still of a board; nothing is computed for it, a map of another state is left out."""
    n, lab = board.prompts.n, board.desk.lab
    heading = (
        f"{name_words(lab.adapter.name)}, {n} prompt{'s' if n > 1 else ''}, {snapshot.base} run is edited, "
        f"engine {lab.choice.tier}"
    )
    if live is None or live.shown.revision != snapshot.revision:
        return Still(heading, snapshot, None)
    if len(live.grid.cells) != live.effect.size:
        return Still(heading, snapshot, None, "The cells of the map were still being chosen.")
    if live.effect.size > CELLS:
        return Still(heading, snapshot, None, f"The map has {live.effect.size} cells, too many for a still picture.")
    return Still(heading, snapshot, drawn_map(board.desk, live, snapshot.view.colours, snapshot.view.prompt))


def html_of(still: Still) -> str:
    """The still as HTML: an SVG, tables, and one sentence how to get the panel back."""
    snapshot = still.snapshot
    metrics = [snapshot.metric, *snapshot.more_metrics]
    parts = [f"<p><strong>Circuitboard</strong> · {markup(still.heading)}</p>"]
    if still.map is not None:
        parts.append(f"<p>{markup(still.map.caption)}</p>{svg_of(still.map, bare=True)}")
    elif still.note is not None:
        parts.append(f"<p>{markup(still.note)}</p>")
    parts.append(
        _table(
            "Metric, mean over prompts",
            ["metric", "value", "± standard error", "95 % interval", "clean run", "corrupted run"],
            [_metric_row(metric) for metric in metrics[:_METRICS]],
            len(metrics),
        )
    )
    parts += [f"<p>Note: {markup(name_words(note.text, _NOTE))}</p>" for note in snapshot.notes]
    if snapshot.edits:
        rows = [_edit_row(edit) for edit in snapshot.edits[:_EDITS]]
        parts.append(_table("Edits", ["edit", "at", "in force", "effect"], rows, len(snapshot.edits)))
    else:
        parts.append("<p>No edits.</p>")
    tokens = [
        [token_words(row.token), percent(row.prob.number), percent(row.base_prob.number), _number(row.logit)]
        for row in snapshot.top_tokens.rows
    ]
    caption = f"Likeliest next tokens of prompt {snapshot.top_tokens.prompt}"
    parts.append(_table(caption, ["token", "probability", "unedited", "logit"], tokens, len(tokens)))
    if still.map is not None:
        parts.append(_largest(still.map))
    parts.append(f"<p><em>This is a still picture. {markup(BACK)}</em></p>")
    html = f'<div data-cb="still" style="{_BOX}">{"".join(parts)}</div>'
    if len(html.encode()) > MAX_BYTES:
        short = Still(still.heading, snapshot, None, "The map is too large for a still picture.")
        return html_of(short)
    return html


def text_of(still: Still, board: Board) -> str:
    """The still in a few lines of plain text."""
    snapshot = still.snapshot
    lines = [visible(repr(board).partition("\n  note: ")[0])]
    lines += [f"  note: {name_words(note.text, _NOTE)}" for note in snapshot.notes]
    for metric in [snapshot.metric, *snapshot.more_metrics][:_METRICS]:
        name, value, error, _, clean, corrupted = _metric_row(metric)
        lines.append(
            f"  {name} {value}{f' ± {error}' if error else ''} (clean {clean}, corrupted {corrupted or 'none'})"
        )
    lines += [f"  {name_words(edit.what)}{'' if edit.enabled else ' (off)'}" for edit in snapshot.edits[:_EDITS]]
    if len(snapshot.edits) > _EDITS:
        lines.append(f"  … and {len(snapshot.edits) - _EDITS} more edits")
    tokens = ", ".join(f"{token_words(row.token)} {percent(row.prob.number)}" for row in snapshot.top_tokens.rows[:5])
    lines.append(f"  next: {tokens}")
    lines.append("  " + BACK)
    return "\n".join(lines)


def _largest(drawn: MapDrawing) -> str:
    rows = []
    for cell in drawn.largest(_CELLS):
        known = "estimated" if drawn.known.flat[cell] == ESTIMATED else "exact"
        rows.append([name_words(drawn.names[cell]), signed(float(drawn.effect.flat[cell]), _DIGITS), known])
    return _table("Largest effects of the map", ["site", "effect", "known"], rows, len(rows))


def _metric_row(metric: MetricView) -> list[str]:
    low, high, base = metric.low, metric.high, metric.baselines
    between = "" if low is None or high is None else f"{_number(low)} … {_number(high)}"
    name = metric_words(metric.name) + (f" ({unit_words(metric.unit)})" if metric.unit else "")
    error = "" if metric.stderr is None else plain(metric.stderr.number, _DIGITS)
    corrupted = "" if base.corrupted is None else _number(base.corrupted)
    return [name, _number(metric.value), error, between, _number(base.clean), corrupted]


def _edit_row(edit: EditRow) -> list[str]:
    effect = "" if edit.effect is None else _number(edit.effect)
    return [name_words(edit.what), name_words(edit.at), "yes" if edit.enabled else "no", effect]


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], total: int) -> str:
    return table(columns, rows, caption=caption, total=total, styles=_STYLES)


def _number(real: Real) -> str:
    return signed(real.number, _DIGITS)
