"""Saved boards: JSON, checked field by field when read, never anything that runs."""

from __future__ import annotations

import os
import tempfile
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import torch

from circuitboard.address import How, Intervention, site
from circuitboard.board.state import Base, BoardState, Edit
from circuitboard.engine import tolerance
from circuitboard.engine.tolerance import RELATIVE
from circuitboard.errors import CircuitboardError, SessionFileError
from circuitboard.models import load as load_model
from circuitboard.models import reload_name
from circuitboard.models.bridge import shape_of
from circuitboard.prompts import PromptPair

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.board.board import Board

FORMAT_VERSION = 2
"""Version 2 has sites of every kind, edges, and prompts of different lengths. It is otherwise as version 1, which is
read as it is."""

READABLE = (1, FORMAT_VERSION)
MAX_BYTES = 64 * 2**20
"""A larger file is refused unread; tokens and edits of a large board take a few megabytes."""


class SavedEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site: str
    how: How
    strength: float | None
    enabled: bool


class SavedState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base: Base
    edits: list[SavedEdit]


class SavedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    reload: str | None
    dtype: str
    n_layers: int
    n_heads: int
    d_model: int
    d_vocab: int


class SavedPrompts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clean_text: list[str] | None
    corrupted_text: list[str] | None
    clean_tokens: list[list[int]]
    corrupted_tokens: list[list[int]] | None
    answer_ids: list[int]
    wrong_ids: list[int] | None
    labels: dict[str, list[int]]
    prepend_bos: bool


class SavedBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `states` leads from the first state to the current one; `values` are its metric per prompt, null if not finite."""

    format: Literal["circuitboard.board"]
    version: int
    versions: dict[str, str]
    model: SavedModel
    prompts: SavedPrompts
    metric: str
    states: list[SavedState]
    values: list[float | None]


class _Header(msgspec.Struct):
    format: str = ""
    version: int = 0


def save(board: Board, path: str | Path) -> None:
    """Write a board, whole or not at all."""
    path = Path(path)
    if board.lab.metric.reads == "all":
        raise SessionFileError(
            f"The metric {board.lab.metric.name!r} is a function of yours, and files hold no code; save a board with a named metric.",
            code="metric_not_saveable",
        )
    text = msgspec.json.format(msgspec.json.encode(_saved(board)), indent=1)
    if len(text) > MAX_BYTES:
        raise SessionFileError(
            f"The board takes {len(text)} bytes, more than the {MAX_BYTES} that a file may have.", code="file_too_large"
        )
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise SessionFileError(f"{path} cannot be written: {error}.", code="cannot_write") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        raise SessionFileError(f"{path} cannot be written: {error.strerror}.", code="cannot_write") from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def load(kind: type[Board], path: str | Path, model: TransformerBridge | None) -> Board:
    """Read a board and compute it again."""
    path = Path(path)
    saved = _read(path)
    states = tuple(_state(path, state) for state in saved.states)
    if not states:
        raise SessionFileError(f"{path} holds no state.", code="bad_session_file")
    if model is None:
        if saved.model.reload is None:
            raise SessionFileError(
                f"{path} was made with a model that was passed as an object ({saved.model.name}); pass it again: cb.Board.load(path, model).",
                code="model_needed",
            )
        model = load_model(saved.model.reload)
    _check_model(path, saved.model, model)
    board = None
    try:
        board = kind(model, _pair(path, saved.prompts, model), metric=saved.metric, base=states[0].base)
        if states[1:] or states[0].edits:
            board.restore(states[1:] if not states[0].edits else states)
        _compare(path, saved, board)
    except CircuitboardError as error:
        if board is not None:
            board.close()
        if isinstance(error, SessionFileError):
            raise
        raise SessionFileError(
            f"{path} does not fit {saved.model.name}: {error.message}", code="does_not_fit"
        ) from error
    return board


def _saved(board: Board) -> SavedBoard:
    prompts, adapter, history = board.prompts, board.lab.adapter, board.history
    path, index = [], history.current
    while True:
        path.append(history.nodes[index].state)
        parent = history.nodes[index].parent
        if parent is None:
            break
        index = parent
    return SavedBoard(
        format="circuitboard.board",
        version=FORMAT_VERSION,
        versions={name: version(name) for name in ("circuitboard", "torch", "transformer-lens")},
        model=SavedModel(
            name=adapter.name,
            reload=reload_name(board.model),
            dtype=str(adapter.dtype).removeprefix("torch."),
            n_layers=adapter.shape.n_layers,
            n_heads=adapter.shape.n_heads,
            d_model=adapter.shape.d_model,
            d_vocab=adapter.shape.d_vocab,
        ),
        prompts=SavedPrompts(
            clean_text=None if prompts.clean_text is None else list(prompts.clean_text),
            corrupted_text=None if prompts.corrupted_text is None else list(prompts.corrupted_text),
            clean_tokens=prompts.token_ids("clean"),
            corrupted_tokens=None if prompts.corrupted_tokens is None else prompts.token_ids("corrupted"),
            answer_ids=prompts.answer_ids.tolist(),
            wrong_ids=None if prompts.wrong_ids is None else prompts.wrong_ids.tolist(),
            labels={label: list(positions) for label, positions in prompts.labels.items()},
            prepend_bos=prompts.bos_added,
        ),
        metric=board.lab.metric.name,
        states=[
            SavedState(
                state.base,
                [
                    SavedEdit(
                        str(edit.intervention.site), edit.intervention.how, edit.intervention.strength, edit.enabled
                    )
                    for edit in state.edits
                ],
            )
            for state in reversed(path)
        ],
        values=[float(value) if torch.isfinite(value) else None for value in board.values],
    )


def _read(path: Path) -> SavedBoard:
    try:
        if path.is_symlink() or not path.is_file():
            found = "a symbolic link" if path.is_symlink() else "no file" if not path.exists() else "no regular file"
            raise SessionFileError(f"{path} is {found}; expected a board that board.save() wrote.", code="no_such_file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SessionFileError(f"{str(path)[:200]} cannot be read: {error.strerror}.", code="cannot_read") from error
    if len(data) > MAX_BYTES:
        raise SessionFileError(
            f"{path} is larger than {MAX_BYTES} bytes, which no saved board is; nothing was read.",
            code="file_too_large",
        )
    if data[:1] == b"\x80" or data[:2] == b"PK":
        raise SessionFileError(
            f"{path} looks like a pickle or a torch file. Those can run code, so they are never opened; boards are JSON.",
            code="pickle_refused",
        )
    try:
        header = msgspec.json.decode(data, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SessionFileError(
            f"{path} is no saved board, or it is cut short: {error}.", code="bad_session_file"
        ) from error
    if header.format != "circuitboard.board":
        raise SessionFileError(
            f"{path} is JSON, but no saved board: its format is {header.format[:40]!r}.", code="bad_session_file"
        )
    if header.version not in READABLE:
        raise SessionFileError(
            f"{path} has format version {header.version}; this Circuitboard reads versions {READABLE[0]} to {READABLE[-1]}. Update Circuitboard, or save the board again.",
            code="wrong_version",
        )
    try:
        return msgspec.json.decode(data, type=SavedBoard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SessionFileError(f"{path} is damaged: {error}.", code="bad_session_file") from error


def _state(path: Path, saved: SavedState) -> BoardState:
    try:
        edits = tuple(
            Edit(Intervention(site(edit.site), edit.how, edit.strength), edit.enabled) for edit in saved.edits
        )
        return BoardState(saved.base, edits)
    except CircuitboardError as error:
        raise SessionFileError(f"{path} is damaged: {error.message}", code="bad_session_file") from error


def _check_model(path: Path, saved: SavedModel, model: TransformerBridge) -> None:
    found = asdict(shape_of(model))
    found = {name: found[name] for name in ("n_layers", "n_heads", "d_model", "d_vocab")}
    expected = {name: getattr(saved, name) for name in found}
    if found != expected:
        raise SessionFileError(
            f"{path} was made with {saved.name} {expected}, but the model given has {found}.", code="does_not_fit"
        )


def _pair(path: Path, saved: SavedPrompts, model: TransformerBridge) -> PromptPair:
    options: dict[str, Any] = {
        "answer": saved.answer_ids,
        "wrong": saved.wrong_ids,
        "labels": saved.labels or None,
        "prepend_bos": saved.prepend_bos,
    }
    if saved.clean_text is not None and (saved.corrupted_tokens is None or saved.corrupted_text is not None):
        pair = PromptPair(saved.clean_text, saved.corrupted_text, **options)
        bound = pair.bind(model)
        if bound.token_ids("clean") == saved.clean_tokens and (
            bound.corrupted_tokens is None or bound.token_ids("corrupted") == saved.corrupted_tokens
        ):
            return pair
        raise SessionFileError(
            f"{path}: this model's tokenizer splits the prompts differently than when they were saved.",
            code="tokenizer_differs",
        )
    try:
        clean = _rows(saved.clean_tokens)
        corrupted = None if saved.corrupted_tokens is None else _rows(saved.corrupted_tokens)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise SessionFileError(
            f"{path} is damaged: its prompts are no lists of token ids.", code="bad_session_file"
        ) from error
    return PromptPair(clean, corrupted, **options)


def _rows(tokens: list[list[int]]) -> list[torch.Tensor]:
    return [torch.tensor(row, dtype=torch.int64) for row in tokens]


def _compare(path: Path, saved: SavedBoard, board: Board) -> None:
    expected = torch.tensor([float("nan") if value is None else value for value in saved.values], dtype=torch.float64)
    found = board.values.double()
    if expected.shape != found.shape:
        raise SessionFileError(
            f"{path} is damaged: {len(expected)} values for {len(found)} prompts.", code="bad_session_file"
        )
    dtypes = {str(dtype).removeprefix("torch."): dtype for dtype in RELATIVE}
    here = board.lab.adapter.dtype
    finite = expected.nan_to_num()
    allowed = max(tolerance(here, finite), tolerance(dtypes.get(saved.model.dtype, here), finite))
    known = ~expected.isnan()
    worst = float((found - expected)[known].abs().nan_to_num(nan=float("inf")).max()) if known.any() else 0.0
    if worst > allowed or bool(found[~known].isfinite().any()):
        warnings.warn(
            f"{path}: {saved.metric} is now {board.value:+.4f} but was {float(expected.mean()):+.4f} when it was saved; the weights or versions differ.",
            stacklevel=4,
        )
