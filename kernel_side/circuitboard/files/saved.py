"""What a saved board's file holds, field by field. Nothing here runs anything."""

from __future__ import annotations

from typing import Literal

import msgspec

from circuitboard.address import How, Per
from circuitboard.desk.manifest import ModelManifest
from circuitboard.steps import Base

FORMAT_VERSION = 6
"""Version 6 has the step that led to each state; version 5 the whole tree of states and where the board stands in it, and metrics that are functions by their source
text; version 4 names of edits, groups and states, and the steps in words; version 3 every intervention, several metrics,
sets of answers, a reference and a manifest; version 2 sites of every kind, edges, and prompts of different lengths. Older files are read as they are: what is new has a default."""

READABLE = (1, FORMAT_VERSION)

TREES_SINCE = 5
"""The first version whose states name their parents."""


MAX_STATES = 100_000
"""States that a file may hold; one of more was not written by a board."""


class SavedValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor: its numbers in base64, little-endian, row-major.

    Where the same one stands again in the file, it is named by its number: tensors are counted from 0 in the order in
    which they stand there.
    """

    shape: list[int]
    dtype: Literal["float32", "float64"]
    data: str


class SavedEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    site: str
    how: How
    strength: float | None
    enabled: bool
    values: SavedValues | int | None = None
    seed: int | None = None
    per: Per | None = None
    run: SavedRun | None = None
    name: str | None = None
    group: str | None = None
    renormalize: bool = False
    from_: str | None = None


class SavedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A run to patch from; its edits may name others."""

    text: list[str] | None
    tokens: list[list[int]] | None
    prepend_bos: bool | None
    edits: list[SavedEdit]
    labels: dict[str, list[int]] = {}


class SavedStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A step: its kind, its fields, and in place of those that are interventions, edits as states have them."""

    kind: str
    given: dict[str, str | int | float | list[str | int] | None]
    edits: dict[str, list[SavedEdit | int]]


class SavedState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A state; `label` says the step that led to it, `note` is what the user calls it.

    An edit that a state before this one has is named by its number: the edits of states are counted from 0 in the order
    in which they stand in the file. `parent` is the state that undo leads to, by its place in the file; null for the
    first one, which is unedited. `step` is the step that `label` tells in words, null where only that is known. `value` is the first metric, mean over prompts, null where it is not known or not
    finite.
    """

    base: Base
    edits: list[SavedEdit | int]
    label: str | None = None
    note: str | None = None
    parent: int | None = None
    value: float | None = None
    step: SavedStep | None = None


class SavedRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The task call that made the prompts; they are saved themselves too."""

    task: str
    arguments: dict[str, str | int | float | bool | list[str | int | float] | None]


class SavedPrompts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The pair; `corrupted_labels` is null where labels lie at the same positions in both runs."""

    clean_text: list[str] | None
    corrupted_text: list[str] | None
    clean_tokens: list[list[int]]
    corrupted_tokens: list[list[int]] | None
    answer_ids: list[int | list[int]]
    wrong_ids: list[int | list[int]] | None
    labels: dict[str, list[int]]
    prepend_bos: bool | None
    recipe: SavedRecipe | None = None
    corrupted_labels: dict[str, list[int]] | None = None


class SavedReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prompts that means and resamples come from."""

    text: list[str] | None
    tokens: list[list[int]]
    labels: dict[str, list[int]]
    prepend_bos: bool | None


class SavedFunction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A metric that is the user's function: its name and its Python, to be read by people, never run."""

    function: str
    source: str | None = None
    remark: str | None = None


class SavedBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file.

    `current` is the place of the state that the board shows, `ahead` where redo leads, the next one last; up to version
    4 `states` leads from the first state to the current one, and these are missing.

    `values` are the current state's first metric per prompt, null if not finite; `more_values` those of the others.
    `left_out` counts states that the file had no room for.
    """

    format: Literal["circuitboard.board"]
    version: int
    versions: dict[str, str]
    model: ModelManifest
    prompts: SavedPrompts
    metric: str | dict[str, str | SavedFunction]
    states: list[SavedState]
    values: list[float | None]
    more_values: dict[str, list[float | None]] = {}
    reference: SavedReference | None = None
    current: int | None = None
    ahead: list[int] = []
    left_out: int = 0
