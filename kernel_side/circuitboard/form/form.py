"""What the new-board form of a front end asks the kernel: what there is to choose from, and whether a choice holds.

The form's values arrive as JSON and stay data: names are looked up, prompts are read by the model's tokenizer, nothing
is run and no forward pass is made. What comes back holds the Python that makes the board, for a cell of the notebook.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from circuitboard.board.kernel import namespace
from circuitboard.errors import CircuitboardError, ModelError, PromptError, ProtocolError
from circuitboard.form.form_code import code_of
from circuitboard.metrics import METRICS, metrics_of
from circuitboard.models import load, models
from circuitboard.models.bridge import shape_of
from circuitboard.prompts import PromptPair, tasks
from circuitboard.prompts.text import read_text
from circuitboard.prompts.token_name import names_of
from circuitboard.protocol.drawing import PromptNote
from circuitboard.protocol.form import (
    AnswerCheck,
    Checked,
    Field,
    Form,
    FormOptions,
    FormText,
    FormVariables,
    MetricName,
    ModelName,
    ModelVariable,
    NamedModel,
    PairInVariable,
    Problem,
    Strip,
    TaskName,
    TaskPrompts,
    TypedPrompts,
)

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

LIGHT = "demo"
"""The model that is small enough to be loaded for a look at tokens."""

MOST_VARIABLES, MOST_TOKENS, MOST_PROMPTS = 50, 400, 2000
"""Variables that are offered, tokens of a prompt that are sent, prompts that a task makes for a look."""

_FIELD_OF: dict[str, Field] = {
    "answer_not_one_token": "answer",
    "answer_equals_wrong": "wrong",
    "unequal_lengths": "corrupted",
    "no_wrong_answer": "metric",
    "count_mismatch": "corrupted",
    "empty_answers": "answer",
}


def options() -> dict[str, Any]:
    """What there is to choose from: models by name and in variables, pairs and texts in variables, tasks, metrics."""
    from transformer_lens.model_bridge import TransformerBridge

    mine = {
        name: value
        for name, value in tuple(namespace().items())
        if name.isidentifier() and not name.startswith("_") and name not in ("In", "Out")
    }
    bridges = [name for name, value in mine.items() if isinstance(value, TransformerBridge)]
    table = models()
    found = FormOptions(
        models=[
            ModelName(str(name), str(row["available"]), str(row["does"]))
            for name, row in table.iterrows()
            if str(row["available"]).startswith(("embedded", "installed"))
        ],
        variables=FormVariables(
            models=[_model_variable(name, mine[name]) for name in bridges[:MOST_VARIABLES]],
            pairs=[name for name, value in mine.items() if isinstance(value, PromptPair)][:MOST_VARIABLES],
            texts=[name for name, value in mine.items() if isinstance(value, str) and value][:MOST_VARIABLES],
        ),
        tasks=[TaskName(str(name), str(row["asks"])) for name, row in tasks.list().iterrows()],
        metrics=[MetricName(name, metric.unit, metric.needs_wrong) for name, metric in METRICS.items()],
    )
    return _plain(found)


def check(text: str) -> dict[str, Any]:
    """Look at the form's values, given as JSON.

    Raises
    ------
    ProtocolError
        `bad_message` if they are no form.
    """
    try:
        form = msgspec.json.decode(text, type=Form)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ProtocolError(f"These are no values of the form: {error}.") from error
    return _plain(_checked(form))


def _plain(told: FormOptions | Checked) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(told)
    return found


def _checked(form: Form) -> Checked:
    try:
        model = _model(form)
    except CircuitboardError as error:
        return Checked([Problem("model", error.code, error.message)])
    if model is None:
        return Checked([], load_first=form.model.name)
    if isinstance(form.prompts, TypedPrompts):
        return _typed(form, form.prompts, model)
    try:
        pair = _pair(form.prompts, model)
        prompts = pair.bind(model)
        metrics_of(form.metric, prompts)
    except CircuitboardError as error:
        return Checked([_problem(error, "prompts")])
    show = prompts.token_str
    clean, corrupted = _strips(
        prompts.token_ids("clean")[0],
        prompts.token_ids("corrupted")[0] if prompts.corrupted_tokens is not None else [],
        show,
    )
    code = code_of(form, tuple(namespace()))
    return Checked([], clean, corrupted, [], prompts.n, _notes(pair), code)


def _typed(form: Form, typed: TypedPrompts, model: TransformerBridge) -> Checked:
    problems: list[Problem] = []
    ids: dict[Field, list[int]] = {}
    texts: dict[Field, str] = {}
    fields: list[tuple[Field, FormText | None]] = [("clean", typed.clean), ("corrupted", typed.corrupted)]
    for field, given in fields:
        if given is None:
            continue
        try:
            texts[field] = _text(given)
            ids[field] = read_text(f"{field} prompt", texts[field], model, prepend_bos=None)
        except CircuitboardError as error:
            problems.append(_problem(error, field))
    show = names_of(getattr(model, "tokenizer", None))
    clean, corrupted = _strips(ids.get("clean", []), ids.get("corrupted", []), show)
    wanted: list[tuple[Literal["answer", "wrong"], str]] = [("answer", typed.answer)]
    if typed.wrong:
        wanted.append(("wrong", typed.wrong))
    answers = [_answer(field, text, model) for field, text in wanted if text]
    if not typed.answer:
        problems.append(Problem("answer", "empty_answers", "Give the next token that is right."))
    problems += [Problem(one.field, "answer_not_one_token", one.words) for one in answers if not one.ok]
    notes: list[PromptNote] = []
    if not problems:
        try:
            pair = PromptPair(texts["clean"], texts.get("corrupted"), answer=typed.answer, wrong=typed.wrong or None)
            metrics_of(form.metric, pair.bind(model))
            notes = _notes(pair)
        except CircuitboardError as error:
            problems.append(_problem(error, "prompts"))
    code = None if problems else code_of(form, tuple(namespace()))
    return Checked(problems, clean, corrupted, answers, 1, notes, code)


def _model(form: Form) -> TransformerBridge | None:
    """The form's model; None for one that has to be loaded first, which is for the user to say."""
    from transformer_lens.model_bridge import TransformerBridge

    name = form.model.name
    if isinstance(form.model, NamedModel):
        if name == LIGHT:
            return _light()
        return None
    found = namespace().get(name)
    if keyword.iskeyword(name) or not isinstance(found, TransformerBridge):
        raise ModelError(f"There is no model in the variable {name:.60} any more.", code="unknown_model")
    return found


_light_models: list[TransformerBridge] = []


def _light() -> TransformerBridge:
    if not _light_models:
        _light_models.append(load(LIGHT, device="cpu"))
    return _light_models[0]


def _pair(given: TaskPrompts | PairInVariable, model: TransformerBridge) -> PromptPair:
    if isinstance(given, TaskPrompts):
        if not 1 <= given.n <= MOST_PROMPTS:
            raise PromptError(f"Give a number of prompts from 1 to {MOST_PROMPTS}, not {given.n}.", code="bad_prompt")
        return tasks.make(given.task, given.n, model=model, seed=given.seed)
    found = namespace().get(given.name)
    if not isinstance(found, PromptPair):
        raise PromptError(f"There is no PromptPair in the variable {given.name:.60} any more.", code="bad_prompt")
    return found


def _text(given: FormText) -> str:
    if given.variable is None:
        return given.text
    found = namespace().get(given.variable)
    if not isinstance(found, str):
        raise PromptError(f"There is no text in the variable {given.variable:.60} any more.", code="bad_prompt")
    return found


def _answer(field: Literal["answer", "wrong"], text: str, model: TransformerBridge) -> AnswerCheck:
    """Whether a text is one token; where a space before it would make it one, that is said."""
    tokens, reason = _tokens(text, model)
    if len(tokens) == 1:
        return AnswerCheck(field, ok=True, tokens=tokens, words=f"{tokens[0]!r} is one token.")
    words = reason or f"{text!r} is {len(tokens)} tokens: {', '.join(map(repr, tokens[:8]))}. An answer is one token."
    if not text.startswith(" "):
        spaced, _ = _tokens(f" {text}", model)
        if len(spaced) == 1:
            words += f" With a space before it, {spaced[0]!r}, it is one."
    return AnswerCheck(field, ok=False, tokens=tokens[:MOST_TOKENS], words=words)


def _tokens(text: str, model: TransformerBridge) -> tuple[list[str], str | None]:
    try:
        ids = read_text("answer", text, model, prepend_bos=False)
    except CircuitboardError as error:
        return [], error.message
    show = names_of(getattr(model, "tokenizer", None))
    return [show(token) for token in ids], None


def _strips(clean: list[int], corrupted: list[int], show: Any) -> tuple[Strip | None, Strip | None]:
    def strip(mine: list[int], other: list[int]) -> Strip | None:
        if not mine:
            return None
        differs = [bool(other) and (i >= len(other) or other[i] != token) for i, token in enumerate(mine)]
        shown = mine[:MOST_TOKENS]
        return Strip([show(token) for token in shown], shown, differs[:MOST_TOKENS], len(mine) - len(shown))

    return strip(clean, corrupted), strip(corrupted, clean)


def _notes(pair: PromptPair) -> list[PromptNote]:
    return [PromptNote(note.code, note.text, note.where) for note in pair.notes]


def _problem(error: CircuitboardError, field: Field) -> Problem:
    return Problem(_FIELD_OF.get(error.code, field), error.code, error.message)


def _model_variable(name: str, model: TransformerBridge) -> ModelVariable:
    shape = shape_of(model)
    words = str(getattr(model.cfg, "model_name", "") or type(model).__name__)[:80]
    return ModelVariable(name, words, shape.n_layers, shape.n_heads)
