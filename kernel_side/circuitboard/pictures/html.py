"""Tables and other pieces of a page, from text and numbers; the one place where these become HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from circuitboard.pictures.text import markup

Cell = str | tuple[str, str]
"""A cell's text; or its text and the name of its look: "n" for numbers, "n pos", "n neg", "wide" for sentences."""


def table(
    columns: Sequence[Cell],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: str = "",
    total: int | None = None,
    looks: Sequence[str] = (),
    styles: Mapping[str, str] | None = None,
) -> str:
    """A table whose first column heads its rows; where `total` is more than there are rows, that is said.

    `looks` are those of the rows. With `styles`, a style for each element, it needs no style sheet.
    """
    head = "".join(_cell("th", column, styles, ' scope="col"') for column in columns)
    body, n = [], 0
    for n, (first, *more) in enumerate(rows, 1):
        look = f' class="{looks[n - 1]}"' if n <= len(looks) and looks[n - 1] else ""
        cells = _cell("th", first, styles, ' scope="row"') + "".join(_cell("td", cell, styles) for cell in more)
        body.append(f"<tr{look}>{cells}</tr>")
    if total is not None and total > n:
        more_of = _cell("td", f"… and {total - n} more", styles, f' colspan="{len(columns)}"')
        body.append(f"<tr>{more_of}</tr>")
    named = f"<caption{_look('caption', '', styles)}>{markup(caption)}</caption>" if caption else ""
    rest = f"{named}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    if styles is not None:
        return f"<table{_look('table', '', styles)}>{rest}"
    label = f' aria-label="{markup(caption)}"' if caption else ' aria-label="Table"'
    return f'<div class="scroll" role="group" tabindex="0"{label}><table>{rest}</div>'


def folded(summary: str, content: str) -> str:
    """Content that opens at a click, without a script."""
    return f"<details><summary>{markup(summary)}</summary>{content}</details>"


def number(text: str, x: float | None = None) -> Cell:
    """A number as a cell, in the colour of its sign if `x` is given."""
    return text, "n" if x is None or not x else "n pos" if x > 0 else "n neg"


def _cell(tag: str, cell: Cell, styles: Mapping[str, str] | None, more: str = "") -> str:
    text, look = (cell, "") if isinstance(cell, str) else cell
    return f"<{tag}{more}{_look(tag, look, styles)}>{markup(text)}</{tag}>"


def _look(tag: str, look: str, styles: Mapping[str, str] | None) -> str:
    if styles is not None:
        return f' style="{styles[tag]}"'
    return f' class="{look}"' if look else ""
