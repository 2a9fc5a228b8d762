"""The step that led to a state, as Python that takes it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from circuitboard.address.expression import expression
from circuitboard.errors import InterventionError
from circuitboard.steps import BoardState

if TYPE_CHECKING:
    from circuitboard.steps import Edit, History


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
    acted, then = _acted(before.edits, after.edits)
    lines += [*acted, *_named(then, after)]
    return lines or ["# The last step changed nothing."]


def _acted(before: tuple[Edit, ...], after: tuple[Edit, ...]) -> tuple[list[str], BoardState]:
    """What makes edits do what they do after the step, and the edits that this leads to, names as they were."""
    old, new = _nameless(before), _nameless(after)
    if old == new:
        return [], BoardState(edits=before)
    if new[: len(old)] == old:
        return _added(new[len(old) :], len(old)), BoardState(edits=(*before, *new[len(old) :]))
    if (gone := _removed(old, new)) is not None:
        lines = [f"board.remove({index})" for index in gone] if new else ["board.clear()"]
        return lines, BoardState(edits=before).removed(*gone)
    if (moved := _moved(old, new)) is not None:
        return [f"board.move({moved[0]}, {moved[1]})"], BoardState(edits=before).moved(*moved)
    if len(old) == len(new):
        lines = [line for index in range(len(old)) for line in _changed(index, old[index], new[index])]
        kept = (replace(edit, name=was.name, group=was.group) for edit, was in zip(new, before, strict=True))
        return lines, BoardState(edits=tuple(kept))
    return [*(["board.clear()"] if old else []), *_added(new, 0)], BoardState(edits=new)


def _nameless(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    return tuple(replace(edit, name=None, group=None) for edit in edits)


def _named(then: BoardState, after: BoardState) -> list[str]:
    """What gives edits the names and groups that they have after the step."""
    lines = [
        f"board.rename({index}, {new.name!r})"
        for index, (old, new) in enumerate(zip(then.edits, after.edits, strict=True))
        if old.name != new.name
    ]
    groups = [(name, indices) for name, indices in after.groups.items() if then.groups.get(name) != indices]
    for name, indices in groups:
        then = then.grouped(name, *indices)
        lines.append(f"board.group({name!r}, {', '.join(map(str, indices))})")
    alone = [index for index, edit in enumerate(after.edits) if edit.group is None and then.edits[index].group]
    if alone:
        lines.append(f"board.group(None, {', '.join(map(str, alone))})")
    return lines


def _added(edits: tuple[Edit, ...], first: int) -> list[str]:
    lines = [f"board.edit({', '.join(expression(edit.intervention) for edit in edits)})"]
    lines += [f"board.toggle({first + i})" for i, edit in enumerate(edits) if not edit.enabled]
    lines += [f"board.rename({first + i}, {edit.name!r})" for i, edit in enumerate(edits) if edit.name is not None]
    return lines


def _changed(index: int, old: Edit, new: Edit) -> list[str]:
    lines = []
    if old.intervention != new.intervention:
        lines.append(f"board.replace({index}, {expression(new.intervention)})")
    if old.enabled != new.enabled:
        lines.append(f"board.toggle({index})")
    if old.name != new.name:
        lines.append(f"board.rename({index}, {new.name!r})")
    return lines


def _grouped(old: tuple[Edit, ...], new: tuple[Edit, ...]) -> list[str]:
    """The steps from one grouping of the same edits to another."""
    before, after = BoardState(edits=old).groups, BoardState(edits=new).groups
    left = [i for i, edit in enumerate(new) if edit.group is None and old[i].group is not None]
    lines = [f"board.group(None, {', '.join(map(str, left))})"] if left else []
    changed = {name: indices for name, indices in after.items() if before.get(name) != indices}
    return lines + [f"board.group({name!r}, {', '.join(map(str, indices))})" for name, indices in changed.items()]


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
