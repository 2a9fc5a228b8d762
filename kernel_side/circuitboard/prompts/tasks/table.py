"""A user's own table as a data set of prompts, with every unusable row told at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from circuitboard.address import entries, single, whole
from circuitboard.boundary import public
from circuitboard.errors import PromptError
from circuitboard.models.offered import require_model
from circuitboard.prompts import binding
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.tasks.rows import CSV, Row, rows_of
from circuitboard.prompts.tasks.task import check_choice
from circuitboard.prompts.text import read_text, token_before

if TYPE_CHECKING:
    from pandas import DataFrame
    from transformer_lens.model_bridge import TransformerBridge

LABEL = "label:"
"""What a column's name starts with if it holds places of a label."""

_INTEGER = re.compile(r"-?\d{1,9}")
_SHOWN = 50


class _UnusableError(Exception):
    """Why a row cannot be used."""


@public
def from_table(
    table: DataFrame | Sequence[dict[str, Any]] | str | Path,
    *,
    model: TransformerBridge,
    clean: str = "clean",
    corrupted: str = "corrupted",
    answer: str = "answer",
    wrong: str = "wrong",
    labels: Sequence[str] = (),
    separator: str | None = None,
    on_bad: Literal["raise", "drop"] = "raise",
    prepend_bos: bool | None = None,
) -> PromptPair:
    """Make a data set of prompts from a table of your own.

    Parameters
    ----------
    table
        A pandas DataFrame, a list of dicts, or the path of a .csv or .jsonl file (UTF-8, CSV with a header).
    model
        The model whose tokenizer reads it.
    clean, corrupted, answer, wrong
        Names of the columns. `clean` and `answer` are needed; `corrupted` and `wrong` may be left out of the table, but
        not out of some rows only. Prompts are text, or lists of token ids. An answer is a token as text (mind its
        leading space), or in JSONL, dicts and data frames also an id.
    labels
        Names of columns that hold places. A column "label:S2" holds the places of label S2 without being named here.
        A place is a position in the prompt's own tokens (negative from the end), or words that occur exactly once in
        the clean text; the label then names their last token. Every row needs every label.
    separator
        What separates several answers in one cell of text: " Mary| John". In a CSV file "|" if None; elsewhere None
        means that text is one answer, and several are given as a list.
    on_bad
        "raise": refuse the table if any row cannot be used, telling all of them; "drop": leave them out, and tell them
        in `notes`.
    prepend_bos
        None for TransformerLens's default for this model.

    Returns
    -------
    PromptPair
        Bound to `model`. Its `notes` tell rows that were dropped and columns that were not used.

    Raises
    ------
    PromptError
        `bad_row` with the number and the reason of each row; `bad_table`, `no_such_file`, `missing_column`,
        `empty_prompts` for a table without rows, `bad_task_size` for too many, `bad_task_option`.
    """
    check_choice("on_bad", on_bad, ("raise", "drop"), "bad_task_option")
    if separator is not None and (not isinstance(separator, str) or not separator):
        raise PromptError(f"separator must be text or None, not {separator!r:.40}.", code="bad_task_option")
    require_model(model)
    rows, columns = rows_of(table)
    if separator is None and isinstance(table, (str, Path)) and Path(table).suffix.lower() in CSV:
        separator = "|"
    places = {name: name.removeprefix(LABEL) for name in columns if name.startswith(LABEL)} | {
        name: name for name in _names_of(labels)
    }
    used = _columns(columns, {"clean": clean, "corrupted": corrupted, "answer": answer, "wrong": wrong}, places)
    # A column that is empty throughout is as good as none.
    used = {role: name for role, name in used.items() if role in _NEEDED or any(name in row.cells for row in rows)}
    reader = _RowReader(model, used, places, separator, prepend_bos)
    good, bad = [], []
    for number, row in enumerate(rows):
        try:
            good.append(reader.read(number, row))
        except _UnusableError as reason:
            bad.append(f"{row.where}: {reason}".replace("\n", "\n    "))
    if bad and (on_bad == "raise" or not good):
        told = "".join(f"\n  {line}" for line in bad[:_SHOWN])
        more = f"\n  … and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        hint = "" if not good else '\nCorrect them, or leave them out with on_bad="drop".'
        raise PromptError(f"{len(bad)} of {len(rows)} rows cannot be used:{told}{more}{hint}", code="bad_row")
    notes = [f"dropped {line}" for line in bad]
    if unused := [name for name in columns if name not in {*used.values(), *places}]:
        notes.append(f"columns not used: {', '.join(unused)}")
    pair = PromptPair(**reader.together(good), prepend_bos=prepend_bos, notes=notes)
    pair.bind(model)
    return pair


def _names_of(labels: object) -> list[Any]:
    found = entries(labels)
    if found is None:
        raise PromptError(f"labels is a list of names of columns, not {labels!r:.60}.", code="bad_task_option")
    return found


_NEEDED = ("clean", "answer")


def _columns(columns: list[str], asked: dict[str, str], places: dict[str, str]) -> dict[str, str]:
    """Role → column, of those that the table has."""
    # A name that is not the default was asked for on purpose.
    needed = [name for role, name in asked.items() if role in _NEEDED or name != role]
    if missing := [name for name in (*needed, *places) if name not in columns]:
        raise PromptError(
            f"The table has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, columns)) or 'none'}.",
            code="missing_column",
        )
    return {role: name for role, name in asked.items() if name in columns}


class _RowReader:
    """Reads rows one at a time, each checked as a prompt pair of its own."""

    def __init__(
        self,
        model: TransformerBridge,
        columns: dict[str, str],
        places: dict[str, str],
        separator: str | None,
        prepend_bos: bool | None,  # noqa: FBT001
    ) -> None:
        self._model, self._columns, self._places = model, columns, places
        self._separator, self._prepend_bos = separator, prepend_bos

    def read(self, number: int, row: Row) -> dict[str, Any]:
        if row.fault is not None:
            raise _UnusableError(row.fault)
        if missing := [name for name in self._columns.values() if name not in row.cells]:
            also = "" if missing[0] in {self._columns[role] for role in _NEEDED} else ", which other rows have"
            raise _UnusableError(f"it has no {missing[0]!r}{also}")
        values: dict[str, Any] = {
            role: self._prompt(name, row.cells[name])
            for role, name in self._columns.items()
            if role in {"clean", "corrupted"}
        }
        for role in ("answer", "wrong"):
            if role in self._columns:
                values[role] = self._answer(row.cells[self._columns[role]])
        values["labels"] = {}
        try:
            for name, label in self._places.items():
                values["labels"][label] = [self._place(name, row, values["clean"])]
            # Labels are places in the clean prompt, so the corrupted one must be as long: it is bound without them.
            bound = binding.bind(
                PromptPair(
                    [values["clean"]],
                    [values["corrupted"]] if "corrupted" in values else None,
                    answer=[values["answer"]],
                    wrong=[values["wrong"]] if "wrong" in values else None,
                    prepend_bos=self._prepend_bos,
                ),
                self._model,
                first=number,
            )
            binding.labels_of(values["labels"], bound.lengths, number)
        except PromptError as error:
            raise _UnusableError(f"{error.message} [{error.code}]") from error
        return values

    def together(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """The arguments of the pair of all rows."""
        joined: dict[str, Any] = {role: [row[role] for row in rows] for role in self._columns}
        joined["labels"] = {label: [row["labels"][label][0] for row in rows] for label in self._places.values()}
        return joined

    def _prompt(self, name: str, cell: Any) -> Any:
        if isinstance(cell, str):
            return cell
        ids = [whole(token) for token in entries(cell) or [None]]
        if None not in ids:
            return torch.tensor(ids)
        raise _UnusableError(f"{name!r} is {cell!r:.60}, neither text nor a list of token ids")

    def _answer(self, cell: Any) -> Any:
        if isinstance(cell, str) and self._separator is not None:
            return cell.split(self._separator)
        return cell

    def _place(self, name: str, row: Row, clean: Any) -> int:
        label = self._places[name]
        if name not in row.cells:
            raise PromptError(f"label {label!r} has no place", code="label_missing")
        cell = single(row.cells[name])
        if isinstance(cell, float) and cell.is_integer():
            return int(cell)  # a column of integers of which some are missing becomes one of floats
        if not isinstance(cell, str):
            position = whole(cell)
            if position is None:
                raise PromptError(f"label {label!r} has the place {cell!r:.60}, neither a position nor words", code="bad_label")  # fmt: skip
            return position
        if _INTEGER.fullmatch(cell):
            return int(cell)
        if not isinstance(clean, str) or clean.count(cell) != 1:
            found = "the prompt is no text" if not isinstance(clean, str) else f"they occur {clean.count(cell)} times"
            raise PromptError(
                f"label {label!r} has the words {cell!r:.60}, which must occur once in the clean text, but {found}; give a position",
                code="bad_label",
            )
        ids = read_text(f"{name} prompt", clean, self._model, prepend_bos=self._prepend_bos)
        return token_before(clean.index(cell) + len(cell), clean, ids, self._model.tokenizer)
