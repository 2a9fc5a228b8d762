"""What a notebook shows of a board where no kernel runs: a still picture, a table, and how to get the panel back.

Everything comes from the same snapshot that the panel draws. Text is escaped once, where it becomes HTML; there is no
script, no style sheet and no address in it, and it keeps light colours of its own in every theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from circuitboard.pictures import ESTIMATED, MapDrawing, svg_of
from circuitboard.pictures.text import printable
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

_CHARACTERS, _NOTE = 80, 500
"""Of a token or a name, and of a note; what is cut is marked."""

BACK = (
    "For the live panel run this cell again; or, in a new kernel, board = cb.Board.load(cb.Board.last_saved(), model), "
    "or cb.Board.load(path, model) with a file that board.save(path) wrote."
)

_BOX = "background:#fff;color:#1f2328;border:1px solid #d0d7de;padding:10px;font:13px/1.45 sans-serif;overflow:auto"
_TABLE = "border-collapse:collapse;margin:8px 0;background:#fff;color:#1f2328"
_CELL = "border:1px solid #d0d7de;padding:2px 8px;text-align:left;background:#fff;color:#1f2328"


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
    n, lab = board.prompts.n, board.lab
    heading = (
        f"{_shown(lab.adapter.name)}, {n} prompt{'s' if n > 1 else ''}, {snapshot.base} run is edited, "
        f"engine {lab.choice.tier}"
    )
    if live is None or live.shown.revision != snapshot.revision:
        return Still(heading, snapshot, None)
    if len(live.grid.cells) != live.effect.size:
        return Still(heading, snapshot, None, "The cells of the map were still being chosen.")
    if live.effect.size > CELLS:
        return Still(heading, snapshot, None, f"The map has {live.effect.size} cells, too many for a still picture.")
    return Still(heading, snapshot, drawn_map(board, live, snapshot.view.colours))


def html_of(still: Still) -> str:
    """The still as HTML: an SVG, tables, and one sentence how to get the panel back."""
    snapshot = still.snapshot
    metrics = [snapshot.metric, *snapshot.more_metrics]
    parts = [f"<p><strong>Circuitboard</strong> · {_text(still.heading)}</p>"]
    if still.map is not None:
        parts.append(f"<p>{_text(still.map.caption)}</p>{svg_of(still.map, bare=True)}")
    elif still.note is not None:
        parts.append(f"<p>{_text(still.note)}</p>")
    parts.append(
        _table(
            "Metric, mean over prompts",
            ["metric", "value", "± standard error", "95 % interval", "clean run", "corrupted run"],
            [_metric_row(metric) for metric in metrics[:_METRICS]],
            len(metrics),
        )
    )
    parts += [f"<p>Note: {_text(_shown(note.text, _NOTE))}</p>" for note in snapshot.notes]
    if snapshot.edits:
        rows = [_edit_row(edit) for edit in snapshot.edits[:_EDITS]]
        parts.append(_table("Edits", ["edit", "at", "in force", "effect"], rows, len(snapshot.edits)))
    else:
        parts.append("<p>No edits.</p>")
    tokens = [
        [_token(row.token), _percent(row.prob), _percent(row.base_prob), _number(row.logit)]
        for row in snapshot.top_tokens.rows
    ]
    caption = f"Likeliest next tokens of prompt {snapshot.top_tokens.prompt}"
    parts.append(_table(caption, ["token", "probability", "unedited", "logit"], tokens, len(tokens)))
    if still.map is not None:
        parts.append(_largest(still.map))
    parts.append(f"<p><em>This is a still picture. {_text(BACK)}</em></p>")
    html = f'<div data-cb="still" style="{_BOX}">{"".join(parts)}</div>'
    if len(html.encode()) > MAX_BYTES:
        short = Still(still.heading, snapshot, None, "The map is too large for a still picture.")
        return html_of(short)
    return html


def text_of(still: Still, board: Board) -> str:
    """The still in a few lines of plain text."""
    snapshot = still.snapshot
    lines = [printable(repr(board).partition("\n  note: ")[0])]
    lines += [f"  note: {_shown(note.text, _NOTE)}" for note in snapshot.notes]
    for metric in [snapshot.metric, *snapshot.more_metrics][:_METRICS]:
        name, value, error, _, clean, corrupted = _metric_row(metric)
        lines.append(
            f"  {name} {value}{f' ± {error}' if error else ''} (clean {clean}, corrupted {corrupted or 'none'})"
        )
    lines += [f"  {_shown(edit.what)}{'' if edit.enabled else ' (off)'}" for edit in snapshot.edits[:_EDITS]]
    if len(snapshot.edits) > _EDITS:
        lines.append(f"  … and {len(snapshot.edits) - _EDITS} more edits")
    tokens = ", ".join(f"{_token(row.token)} {_percent(row.prob)}" for row in snapshot.top_tokens.rows[:5])
    lines.append(f"  next: {tokens}")
    lines.append("  " + BACK)
    return "\n".join(lines)


def _largest(drawn: MapDrawing) -> str:
    rows = []
    for cell in drawn.largest(_CELLS):
        known = "estimated" if drawn.known.flat[cell] == ESTIMATED else "exact"
        rows.append([_shown(drawn.names[cell]), f"{float(drawn.effect.flat[cell]):+.4g}", known])
    return _table("Largest effects of the map", ["site", "effect", "known"], rows, len(rows))


def _metric_row(metric: MetricView) -> list[str]:
    low, high, base = metric.low, metric.high, metric.baselines
    between = "" if low is None or high is None else f"{_number(low)} … {_number(high)}"
    name = _shown(metric.name) + (f" ({_shown(metric.unit)})" if metric.unit else "")
    error = "" if metric.stderr is None else _number(metric.stderr).lstrip("+")
    corrupted = "" if base.corrupted is None else _number(base.corrupted)
    return [name, _number(metric.value), error, between, _number(base.clean), corrupted]


def _edit_row(edit: EditRow) -> list[str]:
    effect = "" if edit.effect is None else _number(edit.effect)
    return [_shown(edit.what), _shown(edit.at), "yes" if edit.enabled else "no", effect]


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], total: int) -> str:
    """A table whose first column heads its rows."""
    head = "".join(f'<th scope="col" style="{_CELL}">{_text(name)}</th>' for name in columns)
    body, n = [], 0
    for first, *more in rows:
        n += 1
        cells = "".join(f'<td style="{_CELL}">{_text(cell)}</td>' for cell in more)
        body.append(f'<tr><th scope="row" style="{_CELL}">{_text(first)}</th>{cells}</tr>')
    if total > n:
        body.append(f'<tr><td colspan="{len(columns)}" style="{_CELL}">… and {total - n} more</td></tr>')
    return (
        f'<table style="{_TABLE}"><caption style="text-align:left">{_text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _text(text: str) -> str:
    """The leaf where text becomes HTML."""
    return escape(text, quote=True)


def _shown(text: str, longest: int = _CHARACTERS) -> str:
    """A name as it can be read, cut where it is long."""
    return printable(text[:longest] + ("…" if len(text) > longest else ""))


def _token(text: str) -> str:
    """A token in quotes, so that its spaces are seen."""
    return f"'{_shown(text)}'"


def _number(real: Real) -> str:
    if real.value is None:
        return {"nan": "NaN", "inf": "+∞", "-inf": "−∞"}[real.special or "nan"]
    return f"{real.value:+.4f}" if abs(real.value) < 1e4 else f"{real.value:+.4g}"  # noqa: PLR2004


def _percent(real: Real) -> str:
    return _number(real) if real.value is None else f"{100 * real.value:.2f} %"
