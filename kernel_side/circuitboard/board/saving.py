"""Between a board and what its file holds."""

from __future__ import annotations

import base64
import binascii
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import torch

from circuitboard.address import Intervention, Values, site
from circuitboard.board import saved as s
from circuitboard.board.history import Node
from circuitboard.board.state import BoardState, Edit, checked_name
from circuitboard.errors import SessionFileError
from circuitboard.models import reload_name
from circuitboard.models.fingerprint import Fingerprint, fingerprint
from circuitboard.prompts import PromptPair
from circuitboard.prompts.recipe import Recipe
from circuitboard.runs import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.board.board import Board
    from circuitboard.prompts import Prompts

_VERSIONED = ("circuitboard", "torch", "transformer-lens", "transformers", "numpy")


def saved_of(
    board: Board, marks: Fingerprint | Literal["now"] | None = "now", *, states: int | None = None
) -> s.SavedBoard:
    """What the file of a board holds.

    Parameters
    ----------
    board
        The board.
    marks
        The model's fingerprint where it is known; "now" takes it, which hashes the weights; None leaves it out.
    states
        How many states of the way to the current one are kept, the current one included; default all.
    """
    history, lab = board.history, board.lab
    path: list[Node] = []
    index = history.current
    while states is None or len(path) < states:
        path.append(history.nodes[index])
        parent = history.nodes[index].parent
        if parent is None:
            break
        index = parent
    first, *more = lab.metrics
    values = {metric.name: _numbers(lab.values(board.shown.run, metric)) for metric in lab.metrics}
    return s.SavedBoard(
        format="circuitboard.board",
        version=s.FORMAT_VERSION,
        versions=versions(),
        model=saved_model(board, fingerprint(board.model) if marks == "now" else marks),
        prompts=_prompts(board.prompts, board.pair.recipe),
        metric={metric.name: metric.formula or "" for metric in lab.metrics},
        states=[_state(node) for node in reversed(path)],
        values=values[first.name],
        more_values={metric.name: values[metric.name] for metric in more},
        reference=None if board.reference_prompts is None else _reference(board.reference_prompts),
    )


def versions() -> dict[str, str]:
    """What computes here."""
    return {name: version(name) for name in _VERSIONED} | {"python": platform.python_version()}


def _state(node: Node) -> s.SavedState:
    label = None if node.parent is None else node.label
    return s.SavedState(node.state.base, [_edit(edit) for edit in node.state.edits], label, node.note)


def step_in(saved: s.SavedState) -> Node:
    """A state of a saved board, with the step that led to it.

    Raises
    ------
    CircuitboardError
        If it could not have been made.
    """
    edits = [Edit(_intervention(edit), edit.enabled, _name(edit.name), _name(edit.group)) for edit in saved.edits]
    return Node(None, saved.label or "restore", BoardState(saved.base, tuple(edits)), _name(saved.note))


def _name(saved: str | None) -> str | None:
    return None if saved is None else checked_name(saved)


def pair_in(saved: s.SavedPrompts, model: TransformerBridge) -> PromptPair:
    """The prompts of a saved board, for a model that must read them as the one that they were saved with.

    Raises
    ------
    SessionFileError
        `tokenizer_differs`, `bad_session_file`.
    """
    as_text = saved.clean_text is not None and (saved.corrupted_tokens is None or saved.corrupted_text is not None)
    clean: Any = saved.clean_text if as_text else _rows(saved.clean_tokens)
    corrupted: Any = saved.corrupted_text
    if not as_text:
        corrupted = None if saved.corrupted_tokens is None else _rows(saved.corrupted_tokens)
    pair = PromptPair(
        clean,
        corrupted,
        answer=saved.answer_ids,
        wrong=saved.wrong_ids,
        labels=saved.labels or None,
        prepend_bos=saved.prepend_bos,
        recipe=None if saved.recipe is None else Recipe(saved.recipe.task, saved.recipe.arguments),
    )
    if as_text:
        bound = pair.bind(model)
        _require_same(bound.token_ids("clean"), saved.clean_tokens)
        if saved.corrupted_tokens is not None:
            _require_same(bound.token_ids("corrupted"), saved.corrupted_tokens)
    return pair


def reference_in(saved: s.SavedReference | None, model: TransformerBridge) -> PromptPair | None:
    """The reference prompts of a saved board.

    Raises
    ------
    SessionFileError
        `tokenizer_differs`, `bad_session_file`.
    """
    if saved is None:
        return None
    prompts: Any = saved.text if saved.text is not None else _rows(saved.tokens)
    pair = PromptPair(prompts, answer=0, labels=saved.labels or None, prepend_bos=saved.prepend_bos)
    _require_same(pair.bind(model).token_ids("clean"), saved.tokens)
    return pair


def _require_same(found: list[list[int]], expected: list[list[int]]) -> None:
    if found != expected:
        raise SessionFileError(
            "this model's tokenizer splits the prompts differently than when they were saved.", code="tokenizer_differs"
        )


def _rows(tokens: list[list[int]]) -> list[Tensor]:
    try:
        return [torch.tensor(row, dtype=torch.int64) for row in tokens]
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise SessionFileError("its prompts are no lists of token ids.", code="bad_session_file") from error


def saved_model(board: Board, marks: Fingerprint | None) -> s.SavedModel:
    """Which model, to tell whether it is the same one."""
    adapter = board.lab.adapter
    return s.SavedModel(
        name=adapter.name,
        reload=reload_name(board.model),
        dtype=str(adapter.dtype).removeprefix("torch."),
        n_layers=adapter.shape.n_layers,
        n_heads=adapter.shape.n_heads,
        d_model=adapter.shape.d_model,
        d_vocab=adapter.shape.d_vocab,
        device=str(adapter.device),
        revision=None if marks is None else marks.revision,
        weights=None if marks is None else marks.weights,
        tokenizer=None if marks is None else marks.tokenizer,
    )


def _prompts(prompts: Prompts, recipe: Recipe | None) -> s.SavedPrompts:
    return s.SavedPrompts(
        clean_text=None if prompts.clean_text is None else list(prompts.clean_text),
        corrupted_text=None if prompts.corrupted_text is None else list(prompts.corrupted_text),
        clean_tokens=prompts.token_ids("clean"),
        corrupted_tokens=None if prompts.corrupted_tokens is None else prompts.token_ids("corrupted"),
        answer_ids=prompts.answers.to_list(),
        wrong_ids=None if prompts.wrongs is None else prompts.wrongs.to_list(),
        labels={label: list(positions) for label, positions in prompts.labels.items()},
        prepend_bos=prompts.bos_added,
        recipe=None if recipe is None else s.SavedRecipe(recipe.task, dict(recipe.arguments)),
    )


def _reference(prompts: Prompts) -> s.SavedReference:
    return s.SavedReference(
        text=None if prompts.clean_text is None else list(prompts.clean_text),
        tokens=prompts.token_ids("clean"),
        labels={label: list(positions) for label, positions in prompts.labels.items()},
        prepend_bos=prompts.bos_added,
    )


def _edit(edit: Edit) -> s.SavedEdit:
    one = edit.intervention
    return s.SavedEdit(
        str(one.site),
        one.how,
        one.strength,
        edit.enabled,
        _values(one.values),
        one.seed,
        one.per,
        _run(one.run),
        edit.name,
        edit.group,
        one.renormalize,
    )


def _run(run: Run | None) -> s.SavedRun | None:
    if run is None:
        return None
    texts = [row for row in run.prompts if isinstance(row, str)]
    tokens = [list(row) for row in run.prompts if not isinstance(row, str)]
    edits = [_edit(Edit(one)) for one in run.interventions]
    return s.SavedRun(texts or None, tokens or None, run.prepend_bos, edits)


def _values(values: Values | None) -> s.SavedValues | None:
    if values is None:
        return None
    numbers = values.tensor.numpy()
    data = base64.b64encode(numpy_little(numbers)).decode("ascii")
    return s.SavedValues(list(values.shape), "float64" if values.tensor.dtype is torch.float64 else "float32", data)


def numpy_little(numbers: Any) -> bytes:
    """The bytes of an array, little-endian whatever the machine."""
    found: bytes = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
    return found


def _intervention(saved: s.SavedEdit) -> Intervention:
    per = saved.per or ("position" if saved.how in ("mean", "resample") else None)
    run = None
    if saved.run is not None:
        prompts: Any = saved.run.text if saved.run.text is not None else _rows(saved.run.tokens or [])
        edits = [_intervention(edit) for edit in saved.run.edits]
        run = Run(prompts, edits, prepend_bos=saved.run.prepend_bos)
    values = None if saved.values is None else _tensor(saved.values)
    return Intervention(site(saved.site), saved.how, saved.strength, values, saved.seed, per, run, saved.renormalize)


def _tensor(saved: s.SavedValues) -> Values:
    import numpy as np

    try:
        data = base64.b64decode(saved.data, validate=True)
        numbers = np.frombuffer(data, dtype=np.dtype(saved.dtype).newbyteorder("<"))
        native = numbers.astype(saved.dtype).reshape([max(size, 0) for size in saved.shape])
    except (ValueError, binascii.Error) as error:
        raise SessionFileError(f"the numbers of an edit are damaged: {error}.", code="bad_session_file") from error
    return Values.of(torch.from_numpy(native), "A saved edit")


def _numbers(values: Sequence[float] | Tensor) -> list[float | None]:
    return [float(value) if torch.isfinite(torch.as_tensor(value)) else None for value in values]
