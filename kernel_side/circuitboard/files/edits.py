"""Edits in a file: each is written once, and named by its number where it stands again."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from circuitboard.address import Intervention, Values, describe, parse_positions, site
from circuitboard.address.values import little_endian
from circuitboard.errors import SessionFileError
from circuitboard.files import saved as s
from circuitboard.runs import Run
from circuitboard.steps.state import BoardState, Edit, checked_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from circuitboard.address.run import SourceRun


T = TypeVar("T")


class EditWriter:
    """Makes the saved edits of one file, in the order in which they will stand there."""

    def __init__(self) -> None:
        # By identity, which states that share an edit share; the history that is written keeps them alive.
        self._edits: dict[int, int] = {}
        self._of_steps: list[Edit] = []
        self._values: dict[tuple[Values, torch.dtype], int] = {}

    def edit(self, edit: Edit) -> s.SavedEdit | int:
        """An edit of a state; its number if it was written before."""
        known = self._edits.get(id(edit))
        if known is not None:
            return known
        self._edits[id(edit)] = len(self._edits)
        return self._whole(edit)

    def of_step(self, intervention: Intervention, state: BoardState) -> s.SavedEdit | int:
        """What a step brought into the state that it led to; the edit there, which is written already, if it has one."""
        edit = next((edit for edit in reversed(state.edits) if edit.intervention is intervention), None)
        if edit is None:
            edit = Edit(intervention)
            self._of_steps.append(edit)  # kept alive, as the states' are
        return self.edit(edit)

    def _whole(self, edit: Edit) -> s.SavedEdit:
        one = edit.intervention
        return s.SavedEdit(
            str(one.site),
            one.how,
            one.strength,
            edit.enabled,
            self._tensor(one.values),
            one.seed,
            one.per,
            self._run(one.run),
            edit.name,
            edit.group,
            one.renormalize,
            None if one.from_ is None else describe(one.from_),
        )

    def _run(self, run: SourceRun | None) -> s.SavedRun | None:
        if run is None:
            return None
        texts = [row for row in run.prompts if isinstance(row, str)]
        tokens = [list(row) for row in run.prompts if not isinstance(row, str)]
        edits = [self._whole(Edit(one)) for one in run.interventions]
        labels = {label: list(positions) for label, positions in run.labels}
        return s.SavedRun(texts or None, tokens or None, run.prepend_bos, edits, labels)

    def _tensor(self, values: Values | None) -> s.SavedValues | int | None:
        if values is None:
            return None
        key = values, values.tensor.dtype
        known = self._values.get(key)
        if known is not None:
            return known
        self._values[key] = len(self._values)
        data = base64.b64encode(little_endian(values.tensor.numpy())).decode("ascii")
        return s.SavedValues(list(values.shape), "float64" if values.tensor.dtype is torch.float64 else "float32", data)


class EditReader:
    """Reads the edits of one file, which must be asked for in the order in which they stand there."""

    def __init__(self) -> None:
        self._edits: list[Edit] = []
        self._values: list[Values] = []

    def edit(self, saved: s.SavedEdit | int) -> Edit:
        """An edit of a state.

        Raises
        ------
        CircuitboardError
            If it could not have been made, or names one that did not stand before it.
        """
        if isinstance(saved, int):
            return _numbered("edit", saved, self._edits)
        edit = Edit(self._intervention(saved), saved.enabled, name_in(saved.name), name_in(saved.group))
        self._edits.append(edit)
        return edit

    def _intervention(self, saved: s.SavedEdit) -> Intervention:
        # In the order of the file's fields, since tensors are counted in it.
        values = self._tensor(saved.values)
        per = saved.per or ("position" if saved.how in ("mean", "resample") else None)
        run = None
        if saved.run is not None:
            prompts: Any = saved.run.text if saved.run.text is not None else rows_in(saved.run.tokens or [])
            edits = [self._intervention(edit) for edit in saved.run.edits]
            run = Run(prompts, edits, prepend_bos=saved.run.prepend_bos, labels=saved.run.labels)
        from_ = None if saved.from_ is None else parse_positions(saved.from_)
        return Intervention(
            site(saved.site), saved.how, saved.strength, values, saved.seed, per, run, saved.renormalize, from_
        )

    def _tensor(self, saved: s.SavedValues | int | None) -> Values | None:
        if saved is None:
            return None
        if isinstance(saved, int):
            return _numbered("tensor", saved, self._values)
        values = _values_in(saved)
        self._values.append(values)
        return values


def _numbered(what: str, number: int, there: Sequence[T]) -> T:
    if not 0 <= number < len(there):
        raise SessionFileError(
            f"it names {what} {number}, but {len(there)} stand before that place.", code="bad_session_file"
        )
    return there[number]


def name_in(saved: str | None) -> str | None:
    """A name that a user gave.

    Raises
    ------
    InterventionError
        `bad_name` if nobody could have given it.
    """
    return None if saved is None else checked_name(saved)


def rows_in(tokens: list[list[int]]) -> list[Tensor]:
    """Prompts as token ids.

    Raises
    ------
    SessionFileError
        `bad_session_file`.
    """
    try:
        return [torch.tensor(row, dtype=torch.int64) for row in tokens]
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise SessionFileError("its prompts are no lists of token ids.", code="bad_session_file") from error


def _values_in(saved: s.SavedValues) -> Values:
    import numpy as np

    try:
        data = base64.b64decode(saved.data, validate=True)
        numbers = np.frombuffer(data, dtype=np.dtype(saved.dtype).newbyteorder("<"))
        native = numbers.astype(saved.dtype).reshape([max(size, 0) for size in saved.shape])
    except (ValueError, binascii.Error) as error:
        raise SessionFileError(f"the numbers of an edit are damaged: {error}.", code="bad_session_file") from error
    return Values.of(torch.from_numpy(native), "A saved edit")
