"""Prompts as a model reads them: what the engine and the metrics work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from circuitboard.errors import PromptError

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Prompts:
    """One prompt pair or a data set of them, tokenised for one model.

    Attributes
    ----------
    clean_tokens, corrupted_tokens
        Token ids on the CPU, int64 [batch, pos]; `corrupted_tokens` is None without a counterfactual.
    answer_ids, wrong_ids
        The right and the wrong next token, int64 [batch]; `wrong_ids` may be None.
    answer_str, wrong_str
        The same as strings.
    labels
        Label → its position in each prompt, counted from 0.
    prepend_bos
        Whether every clean prompt starts with the tokenizer's BOS token.
    clean_text, corrupted_text
        The texts, if the prompts were given as text.
    token_str
        Token id → how it is shown.
    bos_added
        Whether that BOS was put in front of the texts, rather than written in them.
    """

    clean_tokens: Int[Tensor, "batch pos"]
    corrupted_tokens: Int[Tensor, "batch pos"] | None
    answer_ids: Int[Tensor, " batch"]
    wrong_ids: Int[Tensor, " batch"] | None
    answer_str: list[str]
    wrong_str: list[str] | None
    labels: dict[str, list[int]]
    prepend_bos: bool
    clean_text: list[str] | None
    corrupted_text: list[str] | None
    token_str: Callable[[int], str] = field(repr=False)
    bos_added: bool = False

    @property
    def n(self) -> int:
        """Number of prompts."""
        return int(self.clean_tokens.shape[0])

    @property
    def n_positions(self) -> int:
        """Number of tokens in each prompt."""
        return int(self.clean_tokens.shape[1])

    @property
    def answer_position(self) -> int:
        """The position whose logits the metric reads: the last one."""
        return self.n_positions - 1

    def str_tokens(self, run: Literal["clean", "corrupted"]) -> list[list[str]]:
        """Every token as a string, prompt by prompt.

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
        return [[self.token_str(token) for token in row] for row in tokens.tolist()]
