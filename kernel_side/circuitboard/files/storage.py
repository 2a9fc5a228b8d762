"""Saved boards: JSON, checked field by field when read, never anything that runs."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
import torch

from circuitboard.desk.desk import Desk, OnDesk
from circuitboard.desk.lab import Lab
from circuitboard.desk.manifest import ModelManifest, manifest_of, versions
from circuitboard.engine import tolerance
from circuitboard.engine.tolerance import RELATIVE
from circuitboard.errors import CircuitboardError, SessionFileError
from circuitboard.files import (
    FEWEST,
    changed_texts,
    metrics_in,
    path_of,
    plain,
    require_place,
    shown_path,
    tree_in,
    why,
    write,
)
from circuitboard.files.saved import READABLE, SavedBoard
from circuitboard.files.saving import pair_in, reference_in, saved_of
from circuitboard.models import load as load_model
from circuitboard.models.bridge import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.files import MetricsGiven
    from circuitboard.models.account.fingerprint import Fingerprint

MAX_BYTES = 64 * 2**20
"""A larger file is refused unread; tokens and edits of a large board take a few megabytes."""


_INDENTED = 2**20
"""A larger file is written without line breaks, which would be most of it."""


B = TypeVar("B", bound=OnDesk)


class _Header(msgspec.Struct):
    format: str = ""
    version: int = 0


@dataclass(frozen=True)
class Encoded:
    """The file of a board, and how many of its states it has no room for."""

    data: bytes
    left_out: int


def save(desk: Desk, path: str | Path) -> None:
    """Write a board, whole or not at all; warn if its history is larger than a file may be."""
    desk.lab.watch.require_unchanged()
    place = path_of(path)
    require_place(place, overwrite=True)
    found = encoded(desk)
    write(place, found.data)
    if found.left_out:
        warnings.warn(
            f"{shown_path(place)} has no room for {found.left_out:,} of the board's {len(desk.history.nodes):,} states, the oldest that are neither named nor on the way to the current one.",
            stacklevel=3,
        )


def encoded(
    desk: Desk, marks: Callable[[Lab], Fingerprint | None] = Lab.fingerprint, *, most_bytes: int | None = None
) -> Encoded:
    """The file of a board. A history that is too large is cut to the states that fit.

    Parameters
    ----------
    marks
        Takes or knows the fingerprint of the model that a bench measured; that hashes the weights. None leaves it out.

    Raises
    ------
    SessionFileError
        `file_too_large` if not even the first state and the current one fit; `not_text` where prompts or names are no
        text that a file can hold.
    """
    most_bytes = MAX_BYTES if most_bytes is None else most_bytes
    states = None
    while True:
        lab = desk.lab
        saved = saved_of(desk, lab, marks(lab), states=states)
        if saved is None:
            continue  # measured again meanwhile: weights and numbers must be of one moment
        try:
            data = msgspec.json.encode(saved)
        except UnicodeEncodeError as error:
            raise SessionFileError(
                f"The board has {plain(repr(error.object))[:80]} in its prompts or names, which is half of a character and no text; files hold UTF-8.",
                code="not_text",
            ) from error
        if len(data) <= min(_INDENTED, most_bytes):
            indented = msgspec.json.format(data, indent=1)
            data = indented if len(indented) <= most_bytes else data
        if len(data) <= most_bytes:
            return Encoded(data, saved.left_out)
        n = len(saved.states)
        if n <= FEWEST:
            raise SessionFileError(
                f"The board takes {len(data):,} bytes, more than the {most_bytes:,} that its file may have.",
                code="file_too_large",
            )
        # A little less than would fit if all states were of one size, so that few rounds are needed.
        states = max(FEWEST, min(n - 1, int(0.9 * n * most_bytes / len(data))))


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
class Reopened(Generic[B]):
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

    board: B
    metrics: tuple[Recomputed, ...]
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return all(metric.ok for metric in self.metrics)


def load(
    kind: Callable[..., B], path: str | Path, model: TransformerBridge | None, metric: MetricsGiven | None = None
) -> B:
    """Read a board and compute it again; warn if its numbers are others now."""
    place = path_of(path)
    reopened = reopen(kind, place, model, metric)
    try:
        for found in reopened.metrics:
            if not found.ok:
                why = "; ".join(reopened.differences) or "nothing in the file says why"
                warnings.warn(
                    f"{shown_path(place)}: {plain(found.metric)[:80]} is now {found.found:+.4f} but was {found.saved:+.4f} when it was saved ({why}).",
                    stacklevel=3,
                )
    except BaseException:
        reopened.board.close()
        raise
    return reopened.board


def reopen(
    kind: Callable[..., B], path: Path, model: TransformerBridge | None, metric: MetricsGiven | None = None
) -> Reopened[B]:
    """Read a board, compute it again and compare.

    Parameters
    ----------
    kind
        Makes the board, as `cb.Board` is called.
    path, model, metric
        As for `cb.Board.load`.

    Raises
    ------
    SessionFileError
        If the file is none, is damaged, does not fit the model, or needs a function.
    """
    saved = read(path)
    try:
        history, values = tree_in(saved)
    except CircuitboardError as error:
        code = error.code if isinstance(error, SessionFileError) else "bad_session_file"
        raise SessionFileError(f"{shown_path(path)} is damaged: {plain(error.message)[:1_000]}", code=code) from error
    metrics = metrics_in(path, saved, metric, with_model=model is not None)
    if model is None:
        model = _model_in(path, saved.model)
    _check_model(path, saved.model, model)
    with ExitStack() as unless_taken:
        try:
            board = kind(
                model,
                pair_in(saved.prompts, model),
                metric=metrics,
                base=history.nodes[0].state.base,
                reference=reference_in(saved.reference, model),
            )
            unless_taken.callback(board.close)
            desk = board.desk
            desk.resume(history)
            compared = tuple(_compared(path, saved, desk))
            differences = tuple(_differences(saved, desk))
        except CircuitboardError as error:
            message, where = plain(error.message, lines=True)[:1_500], shown_path(path)
            if isinstance(error, SessionFileError):
                raise SessionFileError(
                    message if where in message else f"{where}: {message}", code=error.code
                ) from error
            raise SessionFileError(
                f"{where} does not fit {plain(saved.model.name)[:80]}: {message}", code="does_not_fit"
            ) from error
        if all(one.ok for one in compared) and not any(one.startswith("weights ") for one in differences):
            # What the states were then they still are; the numbers of another model would be no states of this board.
            desk.remember(values)
        unless_taken.pop_all()
    return Reopened(board, compared, differences)


def _model_in(path: Path, saved: ModelManifest) -> TransformerBridge:
    """The model of a file, by the name that it was loaded by.

    Raises
    ------
    SessionFileError
        `model_needed` if it was given as an object.
    ModelError
        As `cb.load`.
    """
    if saved.reload is None:
        raise SessionFileError(
            f"{shown_path(path)} was made with a model that was passed as an object ({plain(saved.name)[:80]}); pass it again: cb.Board.load(path, model).",
            code="model_needed",
        )
    dtype = {str(dtype).removeprefix("torch."): dtype for dtype in RELATIVE}.get(saved.dtype)
    return load_model(saved.reload, dtype=dtype)


def read(path: Path) -> SavedBoard:
    """What a file holds, checked field by field; nothing is loaded or computed.

    Raises
    ------
    SessionFileError
        If the file is none, is damaged, or is of another version.
    """
    name = shown_path(path)
    try:
        if path.is_symlink() or not path.is_file():
            found = "a symbolic link" if path.is_symlink() else "no file" if not path.exists() else "no regular file"
            raise SessionFileError(f"{name} is {found}; expected a board that board.save() wrote.", code="no_such_file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it, or that no file system can say
        raise SessionFileError(f"{name} cannot be read: {why(error)}.", code="cannot_read") from error
    if len(data) > MAX_BYTES:
        raise SessionFileError(
            f"{name} is larger than {MAX_BYTES} bytes, which no saved board is; nothing was read.",
            code="file_too_large",
        )
    if data[:1] == b"\x80" or data[:2] == b"PK":
        raise SessionFileError(
            f"{name} looks like a pickle or a torch file. Those can run code, so they are never opened; boards are JSON.",
            code="pickle_refused",
        )
    try:
        header = msgspec.json.decode(data, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SessionFileError(
            f"{name} is no saved board, or it is cut short: {error}.", code="bad_session_file"
        ) from error
    if header.format != "circuitboard.board":
        raise SessionFileError(
            f"{name} is JSON, but no saved board: its format is {plain(header.format[:40])!r}.", code="bad_session_file"
        )
    if not READABLE[0] <= header.version <= READABLE[-1]:
        raise SessionFileError(
            f"{name} has format version {header.version}; this Circuitboard reads versions {READABLE[0]} to {READABLE[-1]}. Update Circuitboard, or save the board again.",
            code="wrong_version",
        )
    try:
        return msgspec.json.decode(data, type=SavedBoard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SessionFileError(f"{name} is damaged: {error}.", code="bad_session_file") from error


def _check_model(path: Path, saved: ModelManifest, model: TransformerBridge) -> None:
    found = asdict(shape_of(model))
    found = {name: found[name] for name in ("n_layers", "n_heads", "d_model", "d_vocab")}
    expected = {name: getattr(saved, name) for name in found}
    if found != expected:
        raise SessionFileError(
            f"{shown_path(path)} was made with {plain(saved.name)[:80]} {expected}, but the model given has {found}.",
            code="does_not_fit",
        )


def _compared(path: Path, saved: SavedBoard, desk: Desk) -> Iterator[Recomputed]:
    lab = desk.lab
    dtypes = {str(dtype).removeprefix("torch."): dtype for dtype in RELATIVE}
    here = lab.adapter.dtype
    for metric in lab.metrics:
        numbers = saved.more_values.get(metric.name, saved.values)
        expected = torch.tensor([float("nan") if value is None else value for value in numbers], dtype=torch.float64)
        found = lab.values(desk.shown.run, metric).double()
        if expected.shape != found.shape:
            raise SessionFileError(
                f"{shown_path(path)} is damaged: {len(expected)} values for {len(found)} prompts.",
                code="bad_session_file",
            )
        known, finite = ~expected.isnan(), expected.nan_to_num()
        allowed = max(tolerance(here, finite), tolerance(dtypes.get(saved.model.dtype, here), finite))
        missed = (found - expected)[known].abs().nan_to_num(nan=torch.inf)
        worst = float(missed.max()) if known.any() else 0.0
        if bool(found[~known].isfinite().any()):
            worst = float("inf")
        yield Recomputed(metric.name, float(expected.mean()), float(found.mean()), worst, allowed)


def _differences(saved: SavedBoard, desk: Desk) -> Iterator[str]:
    """What is not as the manifest says."""
    now, model = versions(), manifest_of(desk.lab, desk.lab.fingerprint())
    for name, then in saved.versions.items():
        here = now.get(name)
        if here != then:
            yield f"{plain(name)[:40]} was {plain(then)[:80]} and is {here or 'missing'}"
    for name in ("weights", "tokenizer", "revision", "dtype", "device"):
        then, here = getattr(saved.model, name), getattr(model, name)
        if then is not None and then != here:
            yield f"{name} was {plain(then)[:80]} and is {here}"
    yield from changed_texts(saved, {metric.name: metric.given for metric in desk.lab.metrics})
