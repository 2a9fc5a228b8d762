"""The rows of a user's table, from a data frame, a list of dicts, a CSV or a JSONL file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuitboard.errors import PromptError
from circuitboard.prompts.tasks.task import MOST

JSONL = (".jsonl", ".ndjson")
CSV = (".csv",)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    where
        What messages call it: "row 3 (line 5)". Rows count from 0, lines of a file from 1.
    cells
        Column → value; what is missing (None, NaN, an empty cell of a CSV file) is left out.
    fault
        Why it could not be read at all, if it could not.
    """

    where: str
    cells: Mapping[str, Any]
    fault: str | None = None


def rows_of(table: Any) -> tuple[list[Row], list[str]]:
    """Read a table: its rows, and its columns in order.

    Raises
    ------
    PromptError
        `bad_table` if it is no table or a file that is none, `no_such_file`, `empty_prompts` for no rows,
        `bad_task_size` for more than anybody sweeps over.
    """
    if isinstance(table, (str, Path)):
        rows, columns = _file(Path(table))
    elif hasattr(table, "to_dict") and hasattr(table, "columns"):
        columns = [str(name) for name in table.columns]
        counted = list(table.index) == list(range(len(table)))
        rows = [
            Row(f"row {i}" + ("" if counted else f" (index {index!r:.40})"), _present(dict(zip(columns, cells, strict=True))))
            for i, (index, cells) in enumerate(zip(table.index, table.itertuples(index=False, name=None), strict=True))
        ]  # fmt: skip
    elif isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
        columns = list(dict.fromkeys(str(name) for row in table for name in row))
        rows = [Row(f"row {i}", _present(row)) for i, row in enumerate(table)]
    else:
        raise PromptError(
            f"A table is a data frame, a list of dicts, or the path of a CSV or JSONL file, not a {type(table).__name__}.",
            code="bad_table",
        )
    if not rows:
        raise PromptError("The table has no rows; give at least one prompt.", code="empty_prompts")
    if len(rows) > MOST:
        raise PromptError(
            f"The table has {len(rows)} rows; a data set has at most {MOST} prompts.", code="bad_task_size"
        )
    return rows, columns


def _file(path: Path) -> tuple[list[Row], list[str]]:
    suffix = path.suffix.lower()
    if suffix not in CSV + JSONL:
        raise PromptError(
            f"{path} is no table that can be read: expected a name ending in {', '.join(CSV + JSONL)}.",
            code="bad_table",
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _csv(file) if suffix in CSV else _jsonl(file)
    except UnicodeDecodeError as error:
        raise PromptError(f"{path} is no UTF-8 text: {error}.", code="bad_table") from error
    except OSError as error:
        raise PromptError(f"{path} cannot be read: {error.strerror}.", code="no_such_file") from error


def _csv(lines: Iterator[str]) -> tuple[list[Row], list[str]]:
    reader = csv.reader(lines, strict=True)
    columns: list[str] = []
    rows: list[Row] = []
    try:
        columns = next(reader, [])
        if len(set(columns)) < len(columns):
            raise PromptError(f"The file names a column twice: {', '.join(columns)}.", code="bad_table")
        for cells in reader:
            if not cells:
                continue
            where = f"row {len(rows)} (line {reader.line_num})"
            fault = None if len(cells) == len(columns) else f"it has {len(cells)} cells, but there are {len(columns)} columns"  # fmt: skip
            found = dict(zip(columns, cells, strict=False))
            rows.append(Row(where, {name: cell for name, cell in found.items() if cell}, fault))
    except csv.Error as error:
        # What follows a broken quote cannot be told apart into rows.
        rows.append(Row(f"row {len(rows)} (line {reader.line_num})", {}, f"it and what follows are no CSV: {error}"))
    return rows, columns


def _jsonl(lines: Iterator[str]) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"row {len(rows)} (line {number})"
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            rows.append(Row(where, {}, f"it is no JSON: {error}"))
            continue
        if not isinstance(cells, dict):
            rows.append(Row(where, {}, f"it is no JSON object but {line.strip()!r:.40}"))
            continue
        columns |= dict.fromkeys(cells)
        rows.append(Row(where, _present(cells)))
    return rows, list(columns)


def _present(cells: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): cell for name, cell in cells.items() if not _missing(cell)}


def _missing(cell: Any) -> bool:
    if cell is None:
        return True
    import pandas as pd

    # Of a list or an array, isna would answer for each entry.
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))
