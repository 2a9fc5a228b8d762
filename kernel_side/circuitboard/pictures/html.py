"""Tables and other pieces of a page, from text and numbers; the one place where these become HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
) -> str:
    """A table whose first column heads its rows; where `total` is more than there are rows, that is said."""
    head = "".join(_cell("th", column, ' scope="col"') for column in columns)
    body, n = [], 0
    for n, (first, *more) in enumerate(rows, 1):
        look = f' class="{looks[n - 1]}"' if n <= len(looks) and looks[n - 1] else ""
        cells = _cell("th", first, ' scope="row"') + "".join(_cell("td", cell) for cell in more)
        body.append(f"<tr{look}>{cells}</tr>")
    if total is not None and total > n:
        body.append(f'<tr><td colspan="{len(columns)}">… and {total - n} more</td></tr>')
    named = f"<caption>{markup(caption)}</caption>" if caption else ""
    label = f' aria-label="{markup(caption)}"' if caption else ' aria-label="Table"'
    return (
        f'<div class="scroll" role="group" tabindex="0"{label}><table>{named}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def folded(summary: str, content: str) -> str:
    """Content that opens at a click, without a script."""
    return f"<details><summary>{markup(summary)}</summary>{content}</details>"


def number(text: str, x: float | None = None) -> Cell:
    """A number as a cell, in the colour of its sign if `x` is given."""
    return text, "n" if x is None or not x else "n pos" if x > 0 else "n neg"


def _cell(tag: str, cell: Cell, more: str = "") -> str:
    text, look = (cell, "") if isinstance(cell, str) else cell
    named = f' class="{look}"' if look else ""
    return f"<{tag}{more}{named}>{markup(text)}</{tag}>"
