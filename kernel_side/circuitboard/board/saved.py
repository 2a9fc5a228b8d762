"""What a saved board's file holds, field by field. Nothing here runs anything."""

from __future__ import annotations

from typing import Literal

import msgspec

from circuitboard.address import How, Per
from circuitboard.board.state import Base

FORMAT_VERSION = 4
"""Version 4 has names of edits, groups and states, and the steps in words; version 3 every intervention, several metrics,
sets of answers, a reference and a manifest; version 2 sites of every kind, edges, and prompts of different lengths. Older files are read as they are: what is new has a default."""

READABLE = (1, FORMAT_VERSION)


class SavedValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor: its numbers in base64, little-endian, row-major."""

    shape: list[int]
    dtype: Literal["float32", "float64"]
    data: str


class SavedEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    site: str
    how: How
    strength: float | None
    enabled: bool
    values: SavedValues | None = None
    seed: int | None = None
    per: Per | None = None
    run: SavedRun | None = None
    name: str | None = None
    group: str | None = None
    renormalize: bool = False


class SavedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run to patch from; its edits may name others."""

    text: list[str] | None
    tokens: list[list[int]] | None
    prepend_bos: bool | None
    edits: list[SavedEdit]


class SavedState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A state; `label` says the step that led to it, `note` is what the user calls it."""

    base: Base
    edits: list[SavedEdit]
    label: str | None = None
    note: str | None = None


class SavedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    reload: str | None
    dtype: str
    n_layers: int
    n_heads: int
    d_model: int
    d_vocab: int
    device: str | None = None
    revision: str | None = None
    weights: str | None = None
    tokenizer: str | None = None


class SavedRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The task call that made the prompts; they are saved themselves too."""

    task: str
    arguments: dict[str, str | int | float | bool | list[str | int | float] | None]


class SavedPrompts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clean_text: list[str] | None
    corrupted_text: list[str] | None
    clean_tokens: list[list[int]]
    corrupted_tokens: list[list[int]] | None
    answer_ids: list[int | list[int]]
    wrong_ids: list[int | list[int]] | None
    labels: dict[str, list[int]]
    prepend_bos: bool
    recipe: SavedRecipe | None = None


class SavedReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prompts that means and resamples come from."""

    text: list[str] | None
    tokens: list[list[int]]
    labels: dict[str, list[int]]
    prepend_bos: bool


class SavedBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `states` leads from the first state to the current one.

    `values` are its first metric per prompt, null if not finite; `more_values` those of the others.
    """

    format: Literal["circuitboard.board"]
    version: int
    versions: dict[str, str]
    model: SavedModel
    prompts: SavedPrompts
    metric: str | dict[str, str]
    states: list[SavedState]
    values: list[float | None]
    more_values: dict[str, list[float | None]] = {}
    reference: SavedReference | None = None
