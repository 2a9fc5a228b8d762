"""Prompts as a model reads them: what the engine and the metrics work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from circuitboard.address import ByContent, Span, resolve
from circuitboard.boundary import public
from circuitboard.errors import AddressError, PromptError, there
from circuitboard.prompts.kept_names import KeptNames
from circuitboard.prompts.notes import notes_of_prompts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jaxtyping import Bool, Int
    from torch import Tensor

    from circuitboard.address import Positions
    from circuitboard.prompts.answer_sets import AnswerSets
    from circuitboard.prompts.notes import Note

Side = Literal["clean", "corrupted"]
"""One of the two runs of a pair."""


@public
@dataclass(frozen=True, eq=False)
class Layout(ByContent):
    """Where the tokens of one run lie.

    Parameters
    ----------
    real
        Where tokens are no padding, bool [batch, pos]; None if nothing is padded.
    labels
        Label → its position in each prompt, counted from 0 in that prompt's own tokens.
    """

    real: Bool[Tensor, "batch pos"] | None
    labels: dict[str, list[int]]


@public
@dataclass(frozen=True, eq=False)
class Prompts(ByContent):
    """One prompt pair or a data set of them, tokenised for one model.

    Attributes
    ----------
    clean_tokens, corrupted_tokens
        Token ids on the CPU, int64 [batch, pos]; `corrupted_tokens` is None without a counterfactual. Prompts that
        are shorter than others, on either side, are padded on the left, so that the ends of all lie in the last column.
    answers, wrongs
        The right and the wrong next tokens, one or several a prompt; `wrongs` may be None.
    answer_str, wrong_str
        The same as strings, prompt by prompt; several are joined: " Mary | John".
    labels
        Label → its position in each prompt of the run that is seen, counted from 0 in that prompt's own tokens.
    prepend_bos
        Whether every clean prompt starts with the tokenizer's BOS token.
    clean_text, corrupted_text
        The texts, if the prompts were given as text.
    token_str
        Token id → how it is shown.
    bos_added
        Whether BOS was put in front of the texts; None where some are written with it, which then get no second one.
    real
        Where tokens of the run that is seen are no padding, bool [batch, pos]; None if nothing is padded.
    seen
        The run that positions count in: that which is edited.
    other
        Where the tokens and labels of the other run lie; None where they lie at the same places, or without one.
    tokenizer
        What read the texts, if the model has one.
    """

    clean_tokens: Int[Tensor, "batch pos"]
    corrupted_tokens: Int[Tensor, "batch pos"] | None
    answers: AnswerSets
    wrongs: AnswerSets | None
    answer_str: list[str]
    wrong_str: list[str] | None
    labels: dict[str, list[int]]
    prepend_bos: bool
    clean_text: list[str] | None
    corrupted_text: list[str] | None
    token_str: Callable[[int], str] = field(repr=False, compare=False)
    bos_added: bool | None = False
    real: Bool[Tensor, "batch pos"] | None = None
    seen: Side = "clean"
    other: Layout | None = None
    tokenizer: Any = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Without the tokenizer, which may be large or unable to travel; with what it said of these prompts."""
        return super().__getstate__() | {
            "token_str": KeptNames.of(self.token_str, self._ids()),
            "tokenizer": None,
            "notes": self.notes,
        }

    def naming(self, ids: Iterable[int]) -> Prompts:
        """The same, for a value that travels and shows these ids too."""
        return replace(self, token_str=KeptNames.of(self.token_str, (*self._ids(), *ids)))

    def _ids(self) -> set[int]:
        """The ids of all tokens and answers."""
        tokens = [self.clean_tokens, *([] if self.corrupted_tokens is None else [self.corrupted_tokens])]
        tokens += [self.answers.ids, *([] if self.wrongs is None else [self.wrongs.ids])]
        return {token for part in tokens for token in part.flatten().tolist()}

    def of(self, run: str) -> Prompts:
        """The same prompts, positions counted in another run: "clean" or "corrupted"."""
        return self if run == self.seen or self.other is None else self._turned

    @cached_property
    def _turned(self) -> Prompts:
        other = there(self.other)  # asked for only where there is one
        seen: Side = "corrupted" if self.seen == "clean" else "clean"
        here = Layout(self.real, self.labels)
        return replace(self, real=other.real, labels=other.labels, seen=seen, other=here)

    @property
    def aligned(self) -> bool:
        """Whether clean and corrupted have as many tokens, prompt by prompt, so that each position has its like."""
        return self.other is None or self.lengths == self._turned.lengths

    @property
    def answer_ids(self) -> Int[Tensor, " batch"] | list[set[int]]:
        """The right next tokens: int64 [batch] where every prompt has one, else a set of ids a prompt."""
        return _ids(self.answers)

    @property
    def wrong_ids(self) -> Int[Tensor, " batch"] | list[set[int]] | None:
        """The wrong next tokens in the same form; None if there are none."""
        return None if self.wrongs is None else _ids(self.wrongs)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What may not be meant, as far as tokens tell."""
        return notes_of_prompts(self, self.tokenizer)

    @property
    def n(self) -> int:
        """Number of prompts."""
        return int(self.clean_tokens.shape[0])

    @property
    def n_positions(self) -> int:
        """Number of columns: tokens in the longest prompt."""
        return int(self.clean_tokens.shape[1])

    @property
    def answer_position(self) -> int:
        """The position whose logits the metric reads: the last one."""
        return self.n_positions - 1

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each prompt, padding left out."""
        if self.real is None:
            return (self.n_positions,) * self.n
        return tuple(int(length) for length in self.real.sum(-1))

    def resolve(self, positions: Positions) -> tuple[tuple[int, ...], ...]:
        """The columns of the token tensors that positions mean, prompt by prompt, sorted.

        Positions and labels count in each prompt's own tokens; None means all of these. Padding is never meant.

        Raises
        ------
        AddressError
            `position_out_of_range` or `unknown_label`.
        """
        padded = None if self.real is None else self.lengths
        return resolve(positions, self.n_positions, self.labels, self.n, padded)

    def at_columns(self, columns: Iterable[int]) -> Positions:
        """Positions that mean these columns, and nothing in a prompt that is padded there.

        Raises
        ------
        AddressError
            `position_out_of_range`.
        """
        if self.real is None:
            return tuple(columns)
        spans = []
        for column in columns:
            if not 0 <= column < self.n_positions:
                raise AddressError(
                    f"Column {column} does not exist: the padded prompts have {self.n_positions}, 0 … {self.n_positions - 1}.",
                    code="position_out_of_range",
                )
            spans.append(Span(column - self.n_positions, column - self.n_positions + 1 or None))
        return tuple(spans)

    def longest(self, prompt: int) -> int:
        """Tokens of a prompt in the run where it has more."""
        return max(self.lengths[prompt], 0 if self.other is None else self._turned.lengths[prompt])

    def labels_at(self, prompt: int, column: int) -> list[str]:
        """The labels of a column in one prompt of the run that is seen."""
        position = column - (self.n_positions - self.lengths[prompt])
        return [label for label, positions in self.labels.items() if positions[prompt] == position]

    def marks_at(self, prompt: int, column: int) -> list[str]:
        """The labels of a column in one prompt of both runs; those of one run alone say of which."""
        if self.other is None:
            return self.labels_at(prompt, column)
        clean, corrupted = (self.of(run).labels_at(prompt, column) for run in ("clean", "corrupted"))
        both = [label if label in corrupted else f"{label} (clean)" for label in clean]
        return [*both, *(f"{label} (corrupted)" for label in corrupted if label not in clean)]

    def token_ids(self, run: Side) -> list[list[int]]:
        """The token ids of each prompt, padding left out.

        Raises
        ------
        PromptError
            `no_corrupted_run` if there is no corrupted run.
        """
        tokens = self.clean_tokens if run == "clean" else self.corrupted_tokens
        if tokens is None:
            raise PromptError(
                "There are no corrupted prompts to show: pass corrupted=… to PromptPair.", code="no_corrupted_run"
            )
        return [row[-length:] for row, length in zip(tokens.tolist(), self.of(run).lengths, strict=True)]

    def str_tokens(self, run: Side) -> list[list[str]]:
        """Every token as a string, prompt by prompt, padding left out.

        Raises
        ------
        PromptError
            `no_corrupted_run` if there is no corrupted run.
        """
        return [[self.token_str(token) for token in row] for row in self.token_ids(run)]


def _ids(answers: AnswerSets) -> Int[Tensor, " batch"] | list[set[int]]:
    return answers.ids[:, 0] if answers.single else [set(ids) for ids in answers.sets]
