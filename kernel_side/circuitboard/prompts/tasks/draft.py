"""Drawing a task's prompts for one tokenizer: what fits is kept, what does not is counted and told."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from circuitboard.address import whole
from circuitboard.errors import PromptError
from circuitboard.models.embedded import demo
from circuitboard.models.offered import require_model
from circuitboard.prompts.pair import PromptPair
from circuitboard.prompts.recipe import Recipe
from circuitboard.prompts.tasks.sentence import Drawn, Sentence
from circuitboard.prompts.tasks.task import check_choice, check_size, task_named
from circuitboard.prompts.text import read_text, token_before

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

Draw = Callable[[random.Random], Drawn]
Corrupt = Callable[[Drawn, random.Random], Sentence]

_PATIENCE = 3000
"""Draws in a row that give nothing new before a task says that there are no more prompts. Most cost no tokenising."""

_CORRUPTION_TRIES = 30
_PILOT = 100
_NAMED = 4


class Draft:
    """The making of one `PromptPair`: checks the arguments, picks words, draws prompts, keeps count of what it leaves out.

    Parameters
    ----------
    name
        The task's name.
    n, seed, model, corruption, prepend_bos
        As the task was called.
    text
        Whether the prompts are text, for which the model needs a tokenizer.
    options
        The task's own arguments, for the recipe.

    Raises
    ------
    PromptError
        `bad_task_size`, `bad_task_option`, `unknown_corruption`, `no_tokenizer`.
    """

    def __init__(
        self,
        name: str,
        n: int,
        *,
        seed: int,
        model: TransformerBridge,
        corruption: str,
        prepend_bos: bool | None,
        text: bool = True,
        **options: Any,
    ) -> None:
        self.n = check_size(n)
        if whole(seed) is None:
            raise PromptError(f"seed must be a whole number, not {seed!r:.60}.", code="bad_task_option")
        check_choice(
            f"The corruption of cb.tasks.{name}", corruption, task_named(name).corruptions, "unknown_corruption"
        )
        require_model(model)
        self.name, self.seed, self.model, self.corruption = name, seed, model, corruption
        self.tokenizer = getattr(model, "tokenizer", None)
        if text and self.tokenizer is None:
            raise PromptError(
                f"The task {name!r} is made of text, but this model has no tokenizer; cb.tasks.induction works without.",
                code="no_tokenizer",
            )
        self.prepend_bos = prepend_bos
        self.notes: list[str] = []
        arguments = {"n": n, "seed": seed, "corruption": corruption, **options, "prepend_bos": prepend_bos}
        self.recipe = Recipe(name, arguments)

    @property
    def embedded(self) -> bool:
        """Whether the model is our own small one, which knows its own sentences only."""
        return bool(self.tokenizer is not None and self.model.cfg.model_name == demo.NAME)

    def unsuitable(self, reason: str) -> PromptError:
        """The error that this tokenizer does not suit the task."""
        return PromptError(f"The task {self.name!r} does not suit this model: {reason}", code="task_unsuitable")

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text by itself, without BOS."""
        try:
            return read_text(f"text {text!r:.60}", text, self.model, prepend_bos=False)
        except PromptError as error:
            if error.code != "unknown_word":
                raise
            raise self.unsuitable(error.message) from error

    def next_token(self, text: str, continuation: str) -> int | None:
        """The token that a continuation adds to a text; None if it adds several, or changes those before it."""
        before, after = self.tokens(text), self.tokens(text + continuation)
        return after[-1] if len(after) == len(before) + 1 and after[:-1] == before else None

    def single_tokens(self, kind: str, words: Iterable[str], *, fewest: int) -> list[str]:
        """The words that are one token with a space before them; a note tells about the others.

        Raises
        ------
        PromptError
            `task_unsuitable` if fewer than `fewest` are left.
        """
        return self.keep(kind, words, lambda word: not self.missing(word), "not one token", fewest=fewest)

    def missing(self, *words: str) -> list[str]:
        """Those of the words that are not one token with a space before them."""
        return [word for word in words if not self._is_single(word)]

    def keep(
        self, kind: str, words: Iterable[str], fits: Callable[[str], bool], why_not: str, *, fewest: int
    ) -> list[str]:
        """The words that fit; a note tells about the others.

        Raises
        ------
        PromptError
            `task_unsuitable` if fewer than `fewest` are left.
        """
        words = list(words)
        kept = [word for word in words if fits(word)]
        left_out = [word for word in words if word not in kept]
        if left_out:
            named = ", ".join(left_out[:_NAMED]) + (", …" if len(left_out) > _NAMED else "")
            self.notes.append(f"{len(left_out)} of {len(words)} {kind} left out, {why_not}: {named}")
        if len(kept) < fewest:
            raise self.unsuitable(f"only {len(kept)} of {len(words)} {kind} fit, the others do not: {why_not}.")
        return kept

    def _is_single(self, word: str) -> bool:
        ids = self.model.to_tokens(f" {word}", prepend_bos=False, move_to_device=False)[0].tolist()
        return len(ids) == 1 and (not self.embedded or ids[0] != self.model.tokenizer.unk_token_id)

    def build(self, draw: Draw, corrupt: Corrupt, *, same_length: bool = False) -> PromptPair:
        """Draw `n` different prompts, corrupt and label them, and bind them to the model.

        Parameters
        ----------
        draw
            Draws a clean prompt.
        corrupt
            Gives its counterfactual. Asked again while that is not as many tokens; the prompt is left out if it never is.
        same_length
            Whether to keep only prompts of the length that is most frequent, so that positions mean the same in all.

        Raises
        ------
        PromptError
            `bad_task_size` if there are fewer different prompts than asked for, `task_unsuitable`, and what binding raises.
        """
        usual = self._usual_length(draw) if same_length else None
        rng = random.Random(self.seed)
        kept: list[tuple[Drawn, str, list[int]]] = []
        seen: set[str] = set()
        dropped: Counter[str] = Counter()
        in_vain = 0
        while len(kept) < self.n:
            if in_vain == _PATIENCE:
                raise self._too_few(len(kept), dropped)
            in_vain += 1
            drawn = draw(rng)
            text = drawn.clean.text
            if text in seen:
                continue
            seen.add(text)
            ids = self._read(text)
            if usual is not None and len(ids) != usual:
                dropped[f"not {usual} tokens long (same_length=False keeps them)"] += 1
                continue
            if not self._answers_follow(drawn):
                dropped["whose answers do not follow as one token"] += 1
                continue
            corrupted = self._corrupted(drawn, corrupt, len(ids))
            if corrupted is None:
                dropped["whose corruption is never as many tokens"] += 1
                continue
            kept.append((drawn, corrupted, ids))
            in_vain = 0
        self.notes += [f"{count} of {len(kept) + sum(dropped.values())} prompts drawn left out, {why}" for why, count in dropped.items()]  # fmt: skip
        labels = {
            label: [token_before(drawn.clean.end(drawn.labels[label]), drawn.clean.text, ids, self.tokenizer) for drawn, _, ids in kept]
            for label in kept[0][0].labels
        }  # fmt: skip
        return self.finish(
            [drawn.clean.text for drawn, _, _ in kept],
            [corrupted for _, corrupted, _ in kept],
            answer=[drawn.answer for drawn, _, _ in kept],
            wrong=[drawn.wrong for drawn, _, _ in kept],
            labels={**labels, "END": [len(ids) - 1 for _, _, ids in kept]},
        )

    def finish(
        self, clean: Any, corrupted: Any, *, answer: Any, wrong: Any, labels: dict[str, list[int]]
    ) -> PromptPair:
        """The pair of these prompts, with recipe and notes, bound to the model."""
        pair = PromptPair(
            clean,
            corrupted,
            answer=answer,
            wrong=wrong,
            labels=labels,
            prepend_bos=self.prepend_bos,
            recipe=self.recipe,
            notes=self.notes,
        )
        pair.bind(self.model)
        return pair

    def _read(self, text: str) -> list[int]:
        try:
            return read_text("prompt", text, self.model, prepend_bos=self.prepend_bos)
        except PromptError as error:
            if error.code != "unknown_word":
                raise
            raise self.unsuitable(error.message) from error

    def _answers_follow(self, drawn: Drawn) -> bool:
        """Whether each answer, behind the text, is one token more. Answers given as ids were looked up there."""
        given = (drawn.answer, drawn.wrong)
        tokens = [one for answer in given for one in (answer if isinstance(answer, tuple) else (answer,))]
        return all(self.next_token(drawn.clean.text, token) is not None for token in tokens if isinstance(token, str))

    def _corrupted(self, drawn: Drawn, corrupt: Corrupt, length: int) -> str | None:
        """The corrupted text. Its randomness is its own, so that the clean prompts are the same for all corruptions."""
        rng = random.Random(f"{self.seed} {drawn.clean.text}")
        for _ in range(_CORRUPTION_TRIES):
            text = corrupt(drawn, rng).text
            if text != drawn.clean.text and len(self._read(text)) == length:
                return text
        return None

    def _usual_length(self, draw: Draw) -> int:
        # One seed for all, so that the length depends on the tokenizer alone.
        rng = random.Random(0)
        lengths = Counter(len(self._read(text)) for text in {draw(rng).clean.text: None for _ in range(_PILOT)})
        return max(lengths, key=lambda length: (lengths[length], length))

    def _too_few(self, found: int, dropped: Counter[str]) -> PromptError:
        why = "".join(f"; {count} were left out, {reason}" for reason, count in dropped.items())
        if not found:
            return self.unsuitable(f"no prompt fits{why}.")
        return PromptError(
            f"The task {self.name!r} has only {found} different prompts for this tokenizer{why}; ask for n={found} at most.",
            code="bad_task_size",
        )
