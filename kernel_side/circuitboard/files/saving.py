"""Between a board and what its file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from circuitboard.desk.manifest import manifest_of, versions
from circuitboard.errors import SessionFileError
from circuitboard.files import rows_in, saved_tree
from circuitboard.files import saved as s
from circuitboard.models.account.fingerprint import Fingerprint
from circuitboard.prompts import PromptPair
from circuitboard.prompts.answer_sets import Alternatives
from circuitboard.prompts.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.desk.desk import Desk
    from circuitboard.desk.lab import Lab
    from circuitboard.metrics import Metric
    from circuitboard.prompts import Prompts


def saved_of(desk: Desk, lab: Lab, marks: Fingerprint | None, *, states: int | None = None) -> s.SavedBoard | None:
    """What the file of a board holds; None if its numbers come from another bench than `lab` by now.

    Parameters
    ----------
    desk, lab
        The board, and the bench that it had when `marks` were taken.
    marks
        The fingerprint of the model that the bench measured; None leaves it out.
    states
        How many states are kept at most; see `saved_tree`.
    """
    shown = desk.shown
    tree = saved_tree(shown.history, desk.values, states)
    _first, *more = lab.metrics
    values = {metric.name: _numbers(lab.values(shown.run, metric)) for metric in more}
    if desk.lab is not lab:
        return None
    return s.SavedBoard(
        format="circuitboard.board",
        version=s.FORMAT_VERSION,
        versions=versions(),
        model=manifest_of(lab, marks),
        prompts=_prompts(desk.prompts.of("clean"), desk.pair.recipe),
        metric={metric.name: _metric(metric) for metric in lab.metrics},
        states=tree.states,
        values=_numbers(shown.outcome.values),
        more_values=values,
        reference=None if desk.reference_prompts is None else _reference(desk.reference_prompts),
        current=tree.current,
        ahead=tree.ahead,
        left_out=tree.left_out,
    )


def _metric(metric: Metric) -> str | s.SavedFunction:
    if metric.formula is not None:
        return metric.formula
    found = metric.source
    return s.SavedFunction(metric.name) if found is None else s.SavedFunction(found.name, found.text, found.remark)


def pair_in(saved: s.SavedPrompts, model: TransformerBridge) -> PromptPair:
    """The prompts of a saved board, for a model that must read them as the one that they were saved with.

    Raises
    ------
    SessionFileError
        `tokenizer_differs`, `bad_session_file`.
    """
    as_text = saved.clean_text is not None and (saved.corrupted_tokens is None or saved.corrupted_text is not None)
    clean: Any = saved.clean_text if as_text else rows_in(saved.clean_tokens)
    corrupted: Any = saved.corrupted_text
    if not as_text:
        corrupted = None if saved.corrupted_tokens is None else rows_in(saved.corrupted_tokens)
    pair = PromptPair(
        clean,
        corrupted,
        answer=[one if isinstance(one, int) else Alternatives(one) for one in saved.answer_ids],
        wrong=saved.wrong_ids,
        labels=_labels_in(saved) or None,
        prepend_bos=saved.prepend_bos,
        recipe=None if saved.recipe is None else Recipe(saved.recipe.task, saved.recipe.arguments),
    )
    if as_text:
        bound = pair.bind(model)
        _require_same(bound.token_ids("clean"), saved.clean_tokens)
        if saved.corrupted_tokens is not None:
            _require_same(bound.token_ids("corrupted"), saved.corrupted_tokens)
    return pair


def _labels_in(saved: s.SavedPrompts) -> dict[str, Any]:
    if saved.corrupted_labels is None:
        return dict(saved.labels)
    if saved.corrupted_labels.keys() != saved.labels.keys():
        raise SessionFileError("its labels differ between clean and corrupted prompts.", code="bad_session_file")
    return {
        label: {"clean": positions, "corrupted": saved.corrupted_labels[label]}
        for label, positions in saved.labels.items()
    }


def reference_in(saved: s.SavedReference | None, model: TransformerBridge) -> PromptPair | None:
    """The reference prompts of a saved board.

    Raises
    ------
    SessionFileError
        `tokenizer_differs`, `bad_session_file`.
    """
    if saved is None:
        return None
    prompts: Any = saved.text if saved.text is not None else rows_in(saved.tokens)
    pair = PromptPair(prompts, answer=0, labels=saved.labels or None, prepend_bos=saved.prepend_bos)
    _require_same(pair.bind(model).token_ids("clean"), saved.tokens)
    return pair


def _require_same(found: list[list[int]], expected: list[list[int]]) -> None:
    if found != expected:
        raise SessionFileError(
            "this model's tokenizer splits the prompts differently than when they were saved.", code="tokenizer_differs"
        )


def _prompts(prompts: Prompts, recipe: Recipe | None) -> s.SavedPrompts:
    corrupted = prompts.of("corrupted").labels
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
        corrupted_labels=None if corrupted == prompts.labels else {name: list(row) for name, row in corrupted.items()},
    )


def _reference(prompts: Prompts) -> s.SavedReference:
    return s.SavedReference(
        text=None if prompts.clean_text is None else list(prompts.clean_text),
        tokens=prompts.token_ids("clean"),
        labels={label: list(positions) for label, positions in prompts.labels.items()},
        prepend_bos=prompts.bos_added,
    )


def _numbers(values: Sequence[float] | Tensor) -> list[float | None]:
    return [float(value) if torch.isfinite(torch.as_tensor(value)) else None for value in values]
