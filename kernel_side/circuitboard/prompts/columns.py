"""Prompts column by column, as they are drawn: tokens of both runs one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from circuitboard.protocol.drawing import TokenColumn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from circuitboard.prompts.prompts import Prompts

_T = TypeVar("_T")


def token_columns(prompts: Prompts, which: Iterable[int] | None = None) -> list[list[TokenColumn]]:
    """The columns of each prompt, or of these.

    Ends lie in the last column; where one run is shorter, the other's first tokens stand alone.
    """
    clean, clean_ids = prompts.str_tokens("clean"), prompts.token_ids("clean")
    corrupted: list[list[str]] | None = None
    corrupted_ids: list[list[int]] | None = None
    if prompts.corrupted_tokens is not None:
        corrupted, corrupted_ids = prompts.str_tokens("corrupted"), prompts.token_ids("corrupted")
    unpaired = None if corrupted is None else ""
    rows = []
    for n in range(prompts.n) if which is None else which:
        first = prompts.n_positions - prompts.longest(n)
        columns = [TokenColumn("", unpaired, differs=False, labels=[], padding=True)] * first
        for column in range(first, prompts.n_positions):
            from_end = column - prompts.n_positions
            here, there = (_token(tokens, n, from_end) for tokens in (clean, corrupted))
            here_id, there_id = (_token(ids, n, from_end) for ids in (clean_ids, corrupted_ids))
            differs = prompts.corrupted_tokens is not None and (
                None in (here, there) or bool(prompts.clean_tokens[n, column] != prompts.corrupted_tokens[n, column])
            )
            columns.append(
                TokenColumn(
                    here or "",
                    None if corrupted is None else there or "",
                    differs,
                    prompts.marks_at(n, column),
                    padding=False,
                    clean_id=here_id,
                    corrupted_id=there_id,
                )
            )
        rows.append(columns)
    return rows


def shared_columns(prompts: Prompts) -> list[TokenColumn]:
    """One row for all prompts: what they share, and else the numbers of the positions."""
    first, *others = token_columns(prompts)
    # Without a tokenizer a token is its id, which would be taken for a position.
    has_names = prompts.tokenizer is not None
    shared = []
    for at, column in enumerate(first):
        alike = [other[at] for other in others]
        labels = [label for label in column.labels if all(label in other.labels for other in alike)]
        if has_names and all((other.clean, other.corrupted) == (column.clean, column.corrupted) for other in alike):
            shared.append(msgspec.structs.replace(column, labels=labels))
        else:
            number = at if prompts.real is None else at - prompts.n_positions
            shared.append(TokenColumn(str(number), None, differs=False, labels=labels, padding=False))
    return shared


def _token(tokens: list[list[_T]] | None, prompt: int, from_end: int) -> _T | None:
    """A token of a prompt, counted from its end; None before its beginning."""
    return None if tokens is None or -from_end > len(tokens[prompt]) else tokens[prompt][from_end]
