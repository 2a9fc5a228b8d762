"""What a user compares: a clean and a corrupted prompt (or many), the right and the wrong answer."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from circuitboard.address import ByContent, entries, truth, whole
from circuitboard.boundary import public
from circuitboard.errors import PromptError
from circuitboard.prompts import alignment, binding
from circuitboard.prompts.answer_sets import Answer, listed, refuse_right_and_wrong, spread
from circuitboard.prompts.notes import Note, notes_of_texts
from circuitboard.prompts.offered import instead_of
from circuitboard.prompts.recipe import Recipe
from circuitboard.words import Meant

if TYPE_CHECKING:
    from jaxtyping import Int
    from pandas import DataFrame
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.prompts import Prompts

Text = str | Iterable[str] | Tensor | Iterable[Tensor]
Answers = Any  # str | int | a set of these | a sequence with one of these per prompt | a tensor of ids

_MATRIX = 2
_ANY_VOCABULARY = 2**62
_SHOWN = 4


@dataclass
class _Binding:
    """The last model that read the prompts, and what it made of them."""

    model: weakref.ReferenceType[Any] | None = None
    prompts: Prompts | None = None


@public
@dataclass(frozen=True, eq=False, repr=False)
class PromptPair(ByContent):
    """A clean prompt, its counterfactual and the answers between which the model has to choose.

    Made without a model. A model turns it into tokens with `bind` (a `Board` does that by itself, and
    the pairs made by `cb.tasks` are bound already); only then are there tokens and answer ids to show.

    Parameters
    ----------
    clean
        A string, a list or Series of strings (a data set), or token ids: a tensor, an array or lists of whole numbers,
        [pos] or [batch, pos], or a list of tensors [pos]. Prompts of a data set may differ in length: the shorter ones are padded on the left. Whether a token
        in a tensor [batch, pos] is padding is never guessed; give a list of tensors where some are shorter.
    corrupted
        The same for the counterfactual; may be left out. Prompt by prompt it has as many tokens as `clean`, so that
        activations can be patched position by position; or there are labels, and patches are aligned by these
        (`.patch(per="label")`) or by positions of your choice (`.patch(from_=…)`).
    answer, wrong
        The right and the wrong next token: a string that is one token (mind the leading space) or a
        token id; one for all prompts or a list with one per prompt. A set means alternatives that count
        alike, for all prompts; in a list, an entry may be a set or list of alternatives of that prompt:
        `{" Mary", " Kate"}`, `[{" Mary", " Kate"}, " John"]`. `wrong` may be left out for metrics that
        do not need it. (right, wrong) tuples, TransformerLens's habit, are two arguments here.
    labels
        Names for positions: label → one position for all prompts or a list with one per prompt, counted
        in the prompt's own tokens. Negative positions count from the end. Where a label lies elsewhere in the corrupted
        prompts, name both: `{"S2": {"clean": 10, "corrupted": 13}}`, or as a tuple, `{"S2": (10, 13)}` (of lists with
        one position per prompt where there are two prompts, since two positions are then one a prompt).
    prepend_bos
        Whether the tokenizer's BOS token goes in front of text. None follows TransformerLens:
        `model.cfg.default_prepend_bos`, which is True for most models, also for some that were
        trained without; text that begins with the BOS token gets no second one then. Numbers depend on
        it, so `table()` and `Prompts.prepend_bos` tell which was used. Token ids are taken as they are.
    recipe, notes
        Set by `cb.tasks`: the call that made the pair, and what had to be left out for this tokenizer. The property
        `notes` has these and what else may not be meant.

    Raises
    ------
    PromptError
        `bad_prompt` for wrong types, `empty_prompts`, `empty_answers`, `count_mismatch`, `right_and_wrong`.
    """

    _told_as: ClassVar[Meant] = "PromptPair"

    clean: tuple[str, ...] | tuple[Tensor, ...] | Tensor
    corrupted: tuple[str, ...] | tuple[Tensor, ...] | Tensor | None
    answer: tuple[Answer, ...]
    wrong: tuple[Answer, ...] | None
    labels: Mapping[str, Any]
    prepend_bos: bool | None
    recipe: Recipe | None
    _given_notes: tuple[Note, ...]
    _binding: _Binding = field(default_factory=_Binding, compare=False)

    def __init__(
        self,
        clean: Text,
        corrupted: Text | None = None,
        *,
        answer: Answers,
        wrong: Answers = None,
        labels: Mapping[str, Any] | None = None,
        prepend_bos: bool | None = None,
        recipe: Recipe | None = None,
        notes: Iterable[str | Note] = (),
    ) -> None:
        if prepend_bos is not None and truth(prepend_bos) is None:
            raise PromptError(f"prepend_bos must be True, False or None, not {prepend_bos!r:.60}.")
        if labels is not None and not isinstance(labels, Mapping):
            raise PromptError(f"labels must map names to positions, not {labels!r}.", code="bad_label")
        clean_value = _prompts_of("clean", clean)
        corrupted_value = None if corrupted is None else _prompts_of("corrupted", corrupted)
        n = len(clean_value)
        if corrupted_value is not None and len(corrupted_value) != n:
            raise PromptError(
                f"There are {n} clean but {len(corrupted_value)} corrupted prompts; each clean prompt needs its own counterfactual.",
                code="count_mismatch",
            )
        answer, wrong = listed(answer), listed(wrong)
        if wrong is None:
            refuse_right_and_wrong(answer, n)
        values = {
            "clean": clean_value,
            "corrupted": corrupted_value,
            "answer": spread("answer", answer, n),
            "wrong": None if wrong is None else spread("wrong", wrong, n),
            "labels": dict(labels or {}),
            "prepend_bos": None if prepend_bos is None else truth(prepend_bos),
            "recipe": recipe,
            "_given_notes": tuple(one if isinstance(one, Note) else Note("left_out", one, "task") for one in notes),
            "_binding": _Binding(),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Without the model that read it, with what it made of the prompts."""
        return super().__getstate__() | {"_binding": _Binding(prompts=self._binding.prompts)}

    def bind(self, model: TransformerBridge) -> Prompts:
        """Turn the pair into tokens of `model`. A second call for the same model costs nothing.

        Returns
        -------
        Prompts
            What the engine and the metrics work on.

        Raises
        ------
        PromptError
            `answer_not_one_token`, `unequal_lengths`, `prompt_too_long`,
            `empty_prompts`, `no_tokenizer`, `unknown_word`, `token_out_of_range`,
            `answer_equals_wrong`, `no_bos`, `bad_label`, `label_missing`,
            `label_out_of_range`.
        """
        bound = self._binding
        if bound.prompts is not None and bound.model is not None and bound.model() is model:
            return bound.prompts
        prompts = binding.bind(self, model)
        bound.model, bound.prompts = weakref.ref(model), prompts
        return prompts

    def _bound(self) -> Prompts:
        if self._binding.prompts is None:
            raise PromptError(
                "This pair has no tokens yet, since no model has read it: make a Board or call pair.bind(model).",
                code="not_bound",
            )
        return self._binding.prompts

    @property
    def clean_tokens(self) -> Int[Tensor, "batch pos"]:
        """Tokens of the clean prompts for the model that read them last."""
        return self._bound().clean_tokens

    @property
    def corrupted_tokens(self) -> Int[Tensor, "batch pos"] | None:
        """Tokens of the corrupted prompts for the model that read them last."""
        return self._bound().corrupted_tokens

    @property
    def answer_ids(self) -> Int[Tensor, " batch"] | list[set[int]]:
        """The right next tokens: int64 [batch] where every prompt has one, else a set of ids a prompt."""
        return self._bound().answer_ids

    @property
    def wrong_ids(self) -> Int[Tensor, " batch"] | list[set[int]] | None:
        """The wrong next tokens in the same form, if they were given."""
        return self._bound().wrong_ids

    @property
    def notes(self) -> tuple[Note, ...]:
        """What may not be meant and needs no run to be found; all of it once a model has read the pair.

        Frozen values with `code`, `text` and `where`. `Board.notes` adds what the unedited runs tell.
        """
        if self._binding.prompts is not None:
            return self._given_notes + self._binding.prompts.notes
        clean, corrupted = _all_text(self.clean), None if self.corrupted is None else _all_text(self.corrupted)
        return self._given_notes + notes_of_texts(
            clean, corrupted if self.corrupted is not None and corrupted else None
        )

    def table(self, prompt: int = 0) -> DataFrame:
        """Tokens of one prompt side by side, with what differs and which positions have labels.

        Returns
        -------
        DataFrame
            One row a position: clean, corrupted, differs, labels, clean_id, corrupted_id. `attrs["checks"]` lists what was
            checked: single-token answers, BOS, alignment; `attrs["notes"]` is `notes`. Both are shown under it.

        Raises
        ------
        PromptError
            `not_bound`, `no_such_prompt`.
        """
        return alignment.table(self._bound(), prompt, self.notes)

    def __len__(self) -> int:
        return len(self.clean)

    def __repr__(self) -> str:
        first = repr(self.clean[0]) if isinstance(self.clean[0], str) else f"{len(self.clean[0])} token ids"
        more = "" if len(self) == 1 else f" and {len(self) - 1} more"
        against = "no corrupted run" if self.corrupted is None else "with corrupted run"
        wrong = "" if self.wrong is None else f", wrong={_brief(self.wrong[0])}"
        notes = "".join(f"\n  {note}" for note in self.notes)
        return f"PromptPair({first}{more}, {against}, answer={_brief(self.answer[0])}{wrong}){notes}"


def _all_text(prompts: Iterable[Any]) -> tuple[str, ...]:
    """The prompts if all are text, else none."""
    texts = tuple(prompts)
    return texts if all(isinstance(text, str) for text in texts) else ()


def _brief(answer: Answer) -> str:
    if not isinstance(answer, tuple):
        return repr(answer)
    more = ", …" if len(answer) > _SHOWN else ""
    return f"{{{', '.join(map(repr, answer[:_SHOWN]))}{more}}}"


def _prompts_of(name: str, given: object) -> tuple[str, ...] | tuple[Tensor, ...] | Tensor:
    prompts: tuple[str, ...] | tuple[Tensor, ...] | Tensor
    if isinstance(given, str):
        prompts = (given,)
    elif isinstance(given, Tensor):
        prompts = _token_ids(name, given)
    elif (found := _listed(given)) is not None:
        prompts = found
    else:
        raise PromptError(
            f"{name} must be a string, a list of strings, token ids (a tensor, an array or a list) or a list of tensors [pos], not {type(given).__name__}: {given!r:.80}.{instead_of(given)}",
        )
    if len(prompts) == 0 or any(len(prompt) == 0 for prompt in prompts):
        raise PromptError(
            f"{name} holds an empty prompt or none at all; give at least one token.", code="empty_prompts"
        )
    return prompts


def _listed(given: object) -> tuple[str, ...] | tuple[Tensor, ...] | Tensor | None:
    """A list or an array of texts, of ids (one prompt) or of lists of ids (a prompt each); None for anything else."""
    found = None if isinstance(given, (set, frozenset)) else entries(given)
    if found is None or all(isinstance(text, str) for text in found):
        return None if found is None else tuple(found)
    if (ids := _row(found)) is not None:
        return ids[None]
    rows = [_row(row) if isinstance(row, (list, tuple)) else None for row in found]
    read = tuple(row for row in rows if row is not None)
    if len(read) < len(rows):
        return None
    return read if len({len(row) for row in read}) > 1 else torch.stack(read)


def _row(ids: Sequence[Any]) -> Tensor | None:
    """Token ids [pos]; None if they are no whole numbers, or larger than any vocabulary."""
    found = [whole(token) for token in ids]
    if not all(token is not None and abs(token) < _ANY_VOCABULARY for token in found):
        return None
    return torch.tensor(found, dtype=torch.int64)


def _token_ids(name: str, given: Tensor) -> Tensor:
    if given.is_floating_point() or given.is_complex() or given.dtype is torch.bool or given.dim() not in {1, _MATRIX}:
        raise PromptError(
            f"{name} as token ids must be whole numbers of shape [pos] or [batch, pos], not {given.dtype} {tuple(given.shape)}.",
        )
    if given.device.type == "meta" or given.is_nested or given.layout is not torch.strided:
        raise PromptError(
            f"{name} as token ids must be a plain tensor that holds numbers, not {'one on the device meta' if given.device.type == 'meta' else 'a sparse or nested one'}; .to_dense() makes one of a sparse tensor.",
        )
    ids = given.detach().to(device="cpu", dtype=torch.int64, copy=True)
    return ids.unsqueeze(0) if ids.dim() == 1 else ids
