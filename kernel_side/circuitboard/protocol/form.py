"""The new-board form: what it may offer, its values field by field, and what it shows under them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from circuitboard.protocol.drawing import Base, ColourMap, Mode, PromptNote

LONGEST = 100_000
"""Characters of a prompt."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class NamedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="name"):
    """A model that `cb.load` knows by this name."""

    name: Name


class ModelInVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="variable"):
    """A model in a variable of the notebook."""

    name: Name


class FormText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text, typed or in a variable of the notebook."""

    text: Words = ""
    variable: Name | None = None


class TypedPrompts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="typed"):
    """A pair of prompts and its answers; an empty `wrong` is none."""

    clean: FormText
    corrupted: FormText | None
    answer: Words
    wrong: Words


class TaskPrompts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="task"):
    """Prompts that `cb.tasks` makes."""

    task: Name
    n: int
    seed: int


class PairInVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pair"):
    """A `PromptPair` in a variable of the notebook."""

    name: Name


class FormView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the panel starts; null where the panel's own default holds."""

    mode: Mode | None = None
    live: bool | None = None
    updates_per_second: int | None = None
    colours: ColourMap | None = None


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. `memory_mb` is null for the board's own choice."""

    model: NamedModel | ModelInVariable
    prompts: TypedPrompts | TaskPrompts | PairInVariable
    metric: Name
    base: Base
    view: FormView = FormView()
    memory_mb: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ModelName(msgspec.Struct, frozen=True):
    """A model that can be loaded by its name, where from, and what it does."""

    name: str
    available: str
    does: str


class ModelVariable(msgspec.Struct, frozen=True):
    """A model that a variable of the notebook holds."""

    name: str
    model: str
    layers: int
    heads: int


class FormVariables(msgspec.Struct, frozen=True):
    """Variables of the notebook that may be chosen: models, pairs of prompts, and texts."""

    models: list[ModelVariable]
    pairs: list[str]
    texts: list[str]


class TaskName(msgspec.Struct, frozen=True):
    """A task that makes prompts, and what these ask."""

    name: str
    asks: str


class MetricName(msgspec.Struct, frozen=True):
    """A metric; some need a wrong answer."""

    name: str
    unit: str
    needs_wrong: bool


class FormOptions(msgspec.Struct, frozen=True):
    """What there is to choose from."""

    models: list[ModelName]
    variables: FormVariables
    tasks: list[TaskName]
    metrics: list[MetricName]


Field = Literal["model", "clean", "corrupted", "answer", "wrong", "prompts", "metric"]


class Problem(msgspec.Struct, frozen=True):
    """Why a field's value cannot be used."""

    field: Field
    code: str
    message: str


class Strip(msgspec.Struct, frozen=True):
    """One prompt as tokens. `differs` marks those that are not the other prompt's; `more` counts tokens left out."""

    tokens: list[str]
    ids: list[int]
    differs: list[bool]
    more: int


class AnswerCheck(msgspec.Struct, frozen=True):
    """Whether an answer is one token, and why not."""

    field: Literal["answer", "wrong"]
    ok: bool
    tokens: list[str]
    words: str


class Checked(msgspec.Struct, frozen=True):
    """What the form shows under its fields.

    `code` is null while something is wrong; `prompts` how many there are; `load_first` names a model that has to be
    loaded before its tokens can be looked at.
    """

    problems: list[Problem]
    clean: Strip | None = None
    corrupted: Strip | None = None
    answers: list[AnswerCheck] = []
    prompts: int | None = None
    notes: list[PromptNote] = []
    code: str | None = None
    load_first: str | None = None
