"""What a front end asks after a kernel was restarted: how the board that was kept on disk comes back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from circuitboard.board.kernel import namespace
from circuitboard.errors import CircuitboardError, ProtocolError
from circuitboard.files import functions_of, plain, tree_in, variable_of
from circuitboard.files.autosave import folder, of_this_notebook, saved_boards
from circuitboard.files.storage import read
from circuitboard.form.form_code import free
from circuitboard.models import reload_name
from circuitboard.models.bridge import shape_of
from circuitboard.protocol.output import SAVED_NAME, Offer

if TYPE_CHECKING:
    from pathlib import Path

    from circuitboard.desk.manifest import ModelManifest
    from circuitboard.files.saved import SavedBoard


def offer(text: str = "null") -> dict[str, Any]:
    """The Python that loads a kept board again, and whether it can be run as it is.

    Parameters
    ----------
    text
        The file's name as JSON, as the board's output carries it; null for the newest of this notebook.

    Returns
    -------
    dict
        An `Offer`.

    Raises
    ------
    ProtocolError
        `bad_message` if it is neither.
    """
    try:
        name = msgspec.json.decode(text, type=str | None)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ProtocolError(f"This is no file's name: {error}.") from error
    found: dict[str, Any] = msgspec.to_builtins(offer_of(name))
    return found


def offer_of(name: str | None) -> Offer:
    """The same for a name itself."""
    mine = [path for path in saved_boards() if of_this_notebook(path)]
    path = _named(name) if name is not None else (mine[0] if mine else None)
    if path is None or not path.is_file():
        return Offer(
            possible=False,
            words="No state of this board is kept: boards are kept a second after their first step. "
            "Run the cell that made it.",
            code=None,
        )
    try:
        saved = read(path)
    except CircuitboardError as error:
        return Offer(possible=False, words=error.message, code=None)
    newest = bool(mine) and mine[0] == path
    where = "cb.Board.last_saved()" if newest else repr(str(path))
    variable = _variable(saved.model)
    try:
        edits = len(tree_in(saved)[0].state.edits)
    except CircuitboardError as error:
        return Offer(possible=False, words=f"{path.name} is damaged: {error.message}", code=None)
    board = free("board", ()) if _is_board("board") else free("board", tuple(namespace()))
    words = f"{saved.model.name}, {edits} edit{'' if edits == 1 else 's'}"
    metric, missing = _metric(saved)
    given = "model" if variable is None and saved.model.reload is None else variable
    code = f"import circuitboard as cb\n{board} = cb.Board.load({where}{'' if given is None else f', {given}'}{metric})\n{board}"
    if missing:
        return Offer(
            possible=False,
            words=f"The board's metric {', '.join(missing)} is a function, and code in a file is never run. "
            "Run the cell that defines it, then these lines:",
            code=code,
        )
    if variable is None and saved.model.reload is None:
        return Offer(
            possible=False,
            words=f"The board's model ({saved.model.name}) was given as an object, so it cannot be loaded by name. "
            "Run the cell that makes it, then these lines:",
            code=code,
        )
    return Offer(possible=True, words=words, code=code)


def _metric(saved: SavedBoard) -> tuple[str, list[str]]:
    """What `load` is given of the functions that a board asks for, and the names of those that nobody has defined."""
    needed = functions_of(saved)
    if not needed:
        return "", []
    here = namespace()
    missing = [plain(repr(name))[:80] for name, one in needed.items() if not callable(here.get(variable_of(one)))]
    return f", metric={{{', '.join(f'{name!r}: {variable_of(one)}' for name, one in needed.items())}}}", missing


def _named(name: str) -> Path | None:
    return folder() / name if re.fullmatch(SAVED_NAME, name) else None


def _variable(saved: ModelManifest) -> str | None:
    """A variable of the user's that holds this model: the one loaded by the same name, else one of the same shape."""
    from transformer_lens.model_bridge import TransformerBridge

    bridges = {
        name: value
        for name, value in tuple(namespace().items())
        if name.isidentifier() and not name.startswith("_") and isinstance(value, TransformerBridge)
    }
    if saved.reload is not None:
        return next((name for name, value in bridges.items() if reload_name(value) == saved.reload), None)
    return next((name for name, value in bridges.items() if _fits(value, saved)), None)


def _fits(model: Any, saved: ModelManifest) -> bool:
    shape = shape_of(model)
    return (shape.n_layers, shape.n_heads, shape.d_model, shape.d_vocab) == (
        saved.n_layers,
        saved.n_heads,
        saved.d_model,
        saved.d_vocab,
    )


def _is_board(name: str) -> bool:
    from circuitboard.board import Board

    return isinstance(namespace().get(name), Board)
