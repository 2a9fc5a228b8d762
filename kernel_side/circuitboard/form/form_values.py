"""The values of the new-board form, field by field."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from circuitboard.protocol.messages import ColourMap
from circuitboard.steps import Base

LONGEST = 100_000
"""Characters of a prompt."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="name"):
    """A model that `cb.load` knows by this name."""

    name: Name


class InVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="variable"):
    """A model in a variable of the notebook."""

    name: Name


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text, typed or in a variable of the notebook."""

    text: Words = ""
    variable: Name | None = None


class Typed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="typed"):
    """A pair of prompts and its answers; an empty `wrong` is none."""

    clean: Text
    corrupted: Text | None
    answer: Words
    wrong: Words


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="task"):
    """Prompts that `cb.tasks` makes."""

    task: Name
    n: int
    seed: int


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pair"):
    """A `PromptPair` in a variable of the notebook."""

    name: Name


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the panel starts; null where the panel's own default holds."""

    mode: Literal["zero", "mean", "resample", "patch"] | None = None
    live: bool | None = None
    updates_per_second: int | None = None
    colours: ColourMap | None = None


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. `memory_mb` is null for the board's own choice."""

    model: Named | InVariable
    prompts: Typed | Task | Pair
    metric: Name
    base: Base
    view: View = View()
    memory_mb: Annotated[int, msgspec.Meta(ge=1)] | None = None
