"""Saved boards: JSON, checked field by field when read, never anything that runs."""

from __future__ import annotations

import os
import secrets
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import torch

from circuitboard.board.saved import READABLE, SavedBoard, SavedModel
from circuitboard.board.saving import pair_in, reference_in, saved_model, saved_of, step_in, versions
from circuitboard.engine import tolerance
from circuitboard.engine.tolerance import RELATIVE
from circuitboard.errors import CircuitboardError, SessionFileError
from circuitboard.models import load as load_model
from circuitboard.models.bridge import shape_of
from circuitboard.models.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.board.board import Board
    from circuitboard.models.fingerprint import Fingerprint

MAX_BYTES = 64 * 2**20
"""A larger file is refused unread; tokens and edits of a large board take a few megabytes."""


class _Header(msgspec.Struct):
    format: str = ""
    version: int = 0


def save(board: Board, path: str | Path) -> None:
    """Write a board, whole or not at all."""
    write(Path(path), encoded(board))


def encoded(board: Board, marks: Fingerprint | Literal["now"] | None = "now", *, states: int | None = None) -> bytes:
    """The file of a board; `marks` and `states` as for `saved_of`.

    Raises
    ------
    SessionFileError
        `metric_not_saveable`, `file_too_large`.
    """
    for metric in board.lab.metrics:
        if metric.formula is None:
            raise SessionFileError(
                f"The metric {metric.name!r} is a function of yours, and files hold no code; save a board with named metrics.",
                code="metric_not_saveable",
            )
    text = msgspec.json.format(msgspec.json.encode(saved_of(board, marks, states=states)), indent=1)
    if len(text) > MAX_BYTES:
        raise SessionFileError(
            f"The board takes {len(text)} bytes, more than the {MAX_BYTES} that a file may have.", code="file_too_large"
        )
    return text


def write(path: Path, text: bytes, *, overwrite: bool = True) -> None:
    """Put a file in its place, whole or not at all.

    Raises
    ------
    SessionFileError
        `cannot_write`; `file_exists` where another is there and must not be replaced.
    """
    require_place(path, overwrite=overwrite)
    try:
        # Not by tempfile, whose files nobody else may read: this one is as readable as any that the user writes.
        temporary = path.parent / f".{path.name}.{secrets.token_hex(6)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise SessionFileError(f"{path} cannot be written: {error}.", code="cannot_write") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        if overwrite:
            temporary.replace(path)
        else:
            _appear(temporary, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise SessionFileError(f"{path} cannot be written: {error.strerror}.", code="cannot_write") from error
    finally:
        temporary.unlink(missing_ok=True)


def require_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where no file can be put, before anything is computed for it.

    Raises
    ------
    SessionFileError
        `cannot_write` without its folder, or for a folder; `file_exists` unless it may be replaced.
    """
    try:
        is_folder, exists, has_folder = path.is_dir(), path.exists() or path.is_symlink(), path.parent.is_dir()
    except (OSError, ValueError) as error:  # a name that is too long, or with a NUL in it
        raise SessionFileError(f"{str(path)!r:.200} is no name of a file: {error}.", code="cannot_write") from error
    if is_folder:
        raise SessionFileError(f"{path} is a folder; name a file in it.", code="cannot_write")
    if not has_folder:
        raise SessionFileError(
            f"{path} cannot be written: there is no folder {path.parent.absolute()}; make it, or choose another.",
            code="cannot_write",
        )
    if exists and not overwrite:
        raise _exists(path)


def _exists(path: Path) -> SessionFileError:
    return SessionFileError(
        f"{path} exists already and was left as it is; choose another name, or say overwrite=True.", code="file_exists"
    )


def _appear(temporary: Path, path: Path) -> None:
    """Give a file its name unless the name is taken, even by somebody in this very moment.

    Raises
    ------
    FileExistsError
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        temporary.replace(path)


@dataclass(frozen=True)
class Recomputed:
    """One metric of a saved board, computed again.

    Parameters
    ----------
    metric
        Its name.
    saved, found
        Mean over prompts, then and now.
    error
        The largest difference of any prompt; infinite if only one of the two is a number.
    allowed
        What rounding explains at these dtypes.
    """

    metric: str
    saved: float
    found: float
    error: float
    allowed: float

    @property
    def ok(self) -> bool:
        return self.error <= self.allowed


@dataclass(frozen=True, eq=False)
class Reopened:
    """A saved board, computed again, and how it compares with what was saved.

    Parameters
    ----------
    board
        The board.
    metrics
        What its numbers were and are.
    differences
        What the manifest says otherwise than this machine: versions, weights, tokenizer, device, dtype.
    """

    board: Board
    metrics: tuple[Recomputed, ...]
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return all(metric.ok for metric in self.metrics)


def load(kind: type[Board], path: str | Path, model: TransformerBridge | None) -> Board:
    """Read a board and compute it again; warn if its numbers are others now."""
    reopened = reopen(kind, path, model)
    for metric in reopened.metrics:
        if not metric.ok:
            why = "; ".join(reopened.differences) or "nothing in the file says why"
            warnings.warn(
                f"{path}: {metric.metric} is now {metric.found:+.4f} but was {metric.saved:+.4f} when it was saved ({why}).",
                stacklevel=3,
            )
    return reopened.board


def reopen(kind: type[Board], path: str | Path, model: TransformerBridge | None) -> Reopened:
    """Read a board, compute it again and compare.

    Raises
    ------
    SessionFileError
        If the file is none, is damaged, or does not fit the model.
    """
    path = Path(path)
    saved = read(path)
    try:
        steps = tuple(step_in(state) for state in saved.states)
    except CircuitboardError as error:
        raise SessionFileError(f"{path} is damaged: {error.message}", code="bad_session_file") from error
    if not steps:
        raise SessionFileError(f"{path} holds no state.", code="bad_session_file")
    if model is None:
        if saved.model.reload is None:
            raise SessionFileError(
                f"{path} was made with a model that was passed as an object ({saved.model.name}); pass it again: cb.Board.load(path, model).",
                code="model_needed",
            )
        dtype = {str(dtype).removeprefix("torch."): dtype for dtype in RELATIVE}.get(saved.model.dtype)
        model = load_model(saved.model.reload, dtype=dtype)
    _check_model(path, saved.model, model)
    board = None
    try:
        board = kind(
            model,
            pair_in(saved.prompts, model),
            metric=saved.metric,
            base=steps[0].state.base,
            reference=reference_in(saved.reference, model),
        )
        first, *later = steps
        if first.state.edits or later:
            board.restore((first, *later) if first.state.edits else tuple(later))
        if first.note is not None and not first.state.edits:
            board.note(first.note, 0)
        return Reopened(board, tuple(_compared(path, saved, board)), tuple(_differences(saved, board)))
    except CircuitboardError as error:
        if board is not None:
            board.close()
        if isinstance(error, SessionFileError):
            raise SessionFileError(
                error.message if str(path) in error.message else f"{path}: {error.message}", code=error.code
            ) from error
        raise SessionFileError(
            f"{path} does not fit {saved.model.name}: {error.message}", code="does_not_fit"
        ) from error


def read(path: Path) -> SavedBoard:
    """What a file holds, checked field by field; nothing is loaded or computed.

    Raises
    ------
    SessionFileError
        If the file is none, is damaged, or is of another version.
    """
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
    if not READABLE[0] <= header.version <= READABLE[-1]:
        raise SessionFileError(
            f"{path} has format version {header.version}; this Circuitboard reads versions {READABLE[0]} to {READABLE[-1]}. Update Circuitboard, or save the board again.",
            code="wrong_version",
        )
    try:
        return msgspec.json.decode(data, type=SavedBoard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SessionFileError(f"{path} is damaged: {error}.", code="bad_session_file") from error


def _check_model(path: Path, saved: SavedModel, model: TransformerBridge) -> None:
    found = asdict(shape_of(model))
    found = {name: found[name] for name in ("n_layers", "n_heads", "d_model", "d_vocab")}
    expected = {name: getattr(saved, name) for name in found}
    if found != expected:
        raise SessionFileError(
            f"{path} was made with {saved.name} {expected}, but the model given has {found}.", code="does_not_fit"
        )


def _compared(path: Path, saved: SavedBoard, board: Board) -> Iterator[Recomputed]:
    lab = board.lab
    dtypes = {str(dtype).removeprefix("torch."): dtype for dtype in RELATIVE}
    here = lab.adapter.dtype
    for metric in lab.metrics:
        numbers = saved.more_values.get(metric.name, saved.values)
        expected = torch.tensor([float("nan") if value is None else value for value in numbers], dtype=torch.float64)
        found = lab.values(board.shown.run, metric).double()
        if expected.shape != found.shape:
            raise SessionFileError(
                f"{path} is damaged: {len(expected)} values for {len(found)} prompts.", code="bad_session_file"
            )
        known, finite = ~expected.isnan(), expected.nan_to_num()
        allowed = max(tolerance(here, finite), tolerance(dtypes.get(saved.model.dtype, here), finite))
        missed = (found - expected)[known].abs().nan_to_num(nan=torch.inf)
        worst = float(missed.max()) if known.any() else 0.0
        if bool(found[~known].isfinite().any()):
            worst = float("inf")
        yield Recomputed(metric.name, float(expected.mean()), float(found.mean()), worst, allowed)


def _differences(saved: SavedBoard, board: Board) -> Iterator[str]:
    """What is not as the manifest says."""
    now, model = versions(), saved_model(board, fingerprint(board.model))
    for name, then in saved.versions.items():
        here = now.get(name)
        if here != then:
            yield f"{name} was {then} and is {here or 'missing'}"
    for name in ("weights", "tokenizer", "revision", "dtype", "device"):
        then, here = getattr(saved.model, name), getattr(model, name)
        if then is not None and then != here:
            yield f"{name} was {then} and is {here}"
