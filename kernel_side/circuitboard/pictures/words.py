"""A map in words, exactly as the panel says it: its caption, its columns, how it is looked at.

The panel's own rules are in `extension/src/panels/map`; `tests/protocol/maps.json` is read by the tests of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from circuitboard.protocol.vocabulary import CHARACTERS, DOING, DRAWN, EDITS_NAMED
from circuitboard.protocol.wording import name_words, token_words

if TYPE_CHECKING:
    from circuitboard.pictures.drawing import Side
    from circuitboard.protocol.drawing import Base, Mode, TokenColumn


def map_caption(what: str, how: Mode, base: Base, n_edits: int, at: str | None = None) -> str:
    """What is done, where, on top of what.

    "Effect of patching each head from corrupted at S2, on the clean run".
    """
    source = "" if how != "patch" else f" from {'corrupted' if base == 'clean' else 'clean'}"
    where = "" if at is None else f" at {at}"
    top = f"on the {base} run" if n_edits == 0 else f"on top of {n_edits} edit{'' if n_edits == 1 else 's'}"
    return f"Effect of {DOING[how]} {what}{source}{where}, {top}"


def comparison_caption(side: Side, caption: str, state: str, settings: str) -> str:
    """What each of two maps is, and which is drawn; `caption` is that of B, `state` and `settings` are of A."""
    computed = f" A was computed {settings}." if settings else ""
    return f"Drawn: {DRAWN[side]}. B: {caption[:1].lower()}{caption[1:]}. A: the same {state}.{computed}"


def state_words(base: str, edits: Sequence[str]) -> str:
    """A state after "the same": "on the clean run", "after zero 9.9, zero 9.6 and 3 more"."""
    if not edits:
        return f"on the {base} run"
    more = f" and {len(edits) - EDITS_NAMED} more" if len(edits) > EDITS_NAMED else ""
    return f"after {name_words(', '.join(edits[:EDITS_NAMED]) + more, CHARACTERS['state'])}"


def position_names(positions: Sequence[int], columns: Sequence[TokenColumn]) -> str:
    """Positions by label where there is one, else counted in the prompt's own tokens."""
    padding = sum(column.padding for column in columns)
    names = ((columns[at].labels or [str(at - padding)])[0] for at in positions)
    return ", ".join(token_words(name, CHARACTERS["position"]) for name in names)


def column_names(columns: Sequence[TokenColumn]) -> list[str]:
    """What fits above a cell: a column's label, or its token, and never one name for two different tokens.

    The space in front of a token is left out where nothing else has the name.
    """
    longest = CHARACTERS["column"]
    names = ["" if column.padding else token_words(_without_space(token_of(column)[0]), longest) for column in columns]
    _tell(columns, names, lambda text, _: token_words(text, longest))
    _tell(columns, names, lambda text, token: f"{token_words(text, 4)}#{'' if token is None else token}")
    labels = (token_words(column.labels[0], longest) if column.labels else "" for column in columns)
    return [label or name for label, name in zip(labels, names, strict=True)]


def token_of(column: TokenColumn) -> tuple[str, int | None]:
    """The token that a column goes by: the clean one, or the corrupted one where it stands alone."""
    has_clean = column.clean != "" or column.clean_id is not None
    if column.padding or column.corrupted is None or has_clean:
        return column.clean, column.clean_id
    return column.corrupted, column.corrupted_id


def _without_space(text: str) -> str:
    return text[1:] if len(text) > 1 and text.startswith(" ") else text


def _tell(columns: Sequence[TokenColumn], names: list[str], otherwise: Callable[[str, int | None], str]) -> None:
    """Write names that stand for more than one token another way."""
    tokens: dict[str, set[str]] = {}
    for column, name in zip(columns, names, strict=True):
        if not column.padding:
            text, token = token_of(column)
            tokens.setdefault(name, set()).add(text if token is None else str(token))
    for at, column in enumerate(columns):
        if not column.padding and len(tokens[names[at]]) > 1:
            names[at] = otherwise(*token_of(column))
