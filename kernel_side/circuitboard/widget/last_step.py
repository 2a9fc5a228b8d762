"""The step that led to a state, as Python that takes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.board.code import expression
from circuitboard.errors import InterventionError

if TYPE_CHECKING:
    from circuitboard.board import BoardState, Edit, History


def last_step(history: History) -> str:
    """The step that led to the current state, as code for a variable `board` that holds the state before.

    Raises
    ------
    InterventionError
        `no_last_step` for the state that the board began with.
    """
    node = history.nodes[history.current]
    if node.parent is None:
        raise InterventionError(
            "This is the state that the board began with, so there is no last step to copy; copy the whole state instead.",
            code="no_last_step",
        )
    lines = _steps(history.nodes[node.parent].state, node.state)
    body = "\n".join(lines) + "\n"
    imports = [f"import {name}\n" for name in ("base64", "torch") if f"{name}." in body]
    if "cb." in body:
        imports.insert(0, "import circuitboard as cb\n")
    return "".join(imports) + ("\n" if imports else "") + body


def _steps(before: BoardState, after: BoardState) -> list[str]:
    lines = []
    if before.base != after.base:
        lines.append(f"board.set_base({after.base!r})")
    old, new = before.edits, after.edits
    if old == new:
        return lines or ["# The last step changed nothing."]
    if not new:
        lines.append("board.clear()")
    elif new[: len(old)] == old:
        lines += _added(new[len(old) :], len(old))
    elif (gone := _removed(old, new)) is not None:
        lines += [f"board.remove({index})" for index in gone]
    elif (moved := _moved(old, new)) is not None:
        lines.append(f"board.move({moved[0]}, {moved[1]})")
    elif len(old) == len(new):
        lines += [line for index in range(len(old)) for line in _changed(index, old[index], new[index])]
    else:
        lines += ["board.clear()"] if old else []
        lines += _added(new, 0)
    return lines


def _added(edits: tuple[Edit, ...], first: int) -> list[str]:
    lines = [f"board.edit({', '.join(expression(edit.intervention) for edit in edits)})"]
    return lines + [f"board.toggle({first + i})" for i, edit in enumerate(edits) if not edit.enabled]


def _changed(index: int, old: Edit, new: Edit) -> list[str]:
    lines = []
    if old.intervention != new.intervention:
        lines.append(f"board.replace({index}, {expression(new.intervention)})")
    if old.enabled != new.enabled:
        lines.append(f"board.toggle({index})")
    return lines


def _removed(old: tuple[Edit, ...], new: tuple[Edit, ...]) -> list[int] | None:
    """The indices that are gone, last first, if nothing else has changed."""
    gone, kept = [], 0
    for index, edit in enumerate(old):
        if kept < len(new) and edit == new[kept]:
            kept += 1
        else:
            gone.append(index)
    return gone[::-1] if kept == len(new) else None


def _moved(old: tuple[Edit, ...], new: tuple[Edit, ...]) -> tuple[int, int] | None:
    """From where to where one edit went, if nothing else has changed."""
    differing = [index for index, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]]
    if len(old) != len(new) or not differing:
        return None
    first, last = differing[0], differing[-1]
    for source, to in ((first, last), (last, first)):
        rest = [*old[:source], *old[source + 1 :]]
        rest.insert(to, old[source])
        if tuple(rest) == new:
            return source, to
    return None
