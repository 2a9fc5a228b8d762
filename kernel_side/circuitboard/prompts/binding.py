"""Reading a prompt pair with a model's tokenizer, refusing what cannot be compared."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from circuitboard.address import entries, single, whole
from circuitboard.errors import PromptError
from circuitboard.models.offered import require_model
from circuitboard.models.vocabulary import tokens_read, tokens_written
from circuitboard.prompts.alignment import first_difference, side_by_side
from circuitboard.prompts.answer_sets import Answer, AnswerSets, refuse_overlap, show_set
from circuitboard.prompts.notes.spelling import Spelling
from circuitboard.prompts.prompts import Layout, Prompts
from circuitboard.prompts.text import begins_with_bos, read_text
from circuitboard.prompts.token_name import names_of

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.prompts import Side

_NAMED = 5
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")


Texts = tuple[str, ...] | tuple[Tensor, ...] | Tensor


class Given(Protocol):
    """Prompts as they were given: a `PromptPair`."""

    @property
    def clean(self) -> Texts: ...
    @property
    def corrupted(self) -> Texts | None: ...
    @property
    def answer(self) -> tuple[Answer, ...]: ...
    @property
    def wrong(self) -> tuple[Answer, ...] | None: ...
    @property
    def labels(self) -> Mapping[str, Any]: ...
    @property
    def prepend_bos(self) -> bool | None: ...


def bind(pair: Given, model: TransformerBridge, *, first: int = 0) -> Prompts:
    """Tokenise a pair for a model; see `PromptPair.bind` for what is refused. Messages count prompts from `first`."""
    require_model(model)
    tokenizer = getattr(model, "tokenizer", None)
    show = names_of(tokenizer)
    clean = _read("clean", pair.clean, model, prepend_bos=pair.prepend_bos, first=first)
    corrupted = None
    if pair.corrupted is not None:
        corrupted = _read("corrupted", pair.corrupted, model, prepend_bos=pair.prepend_bos, first=first)
        if not pair.labels:
            _check_aligned(clean, corrupted, show, first)
    pad = _pad_token(tokenizer)
    width = max(map(len, (*clean, *(corrupted or ()))))
    labels = labels_of(pair.labels, [len(row) for row in clean], first)
    other = None
    if corrupted is not None:
        named = labels_of(pair.labels, [len(row) for row in corrupted], first, side="corrupted")
        if named != labels or [*map(len, clean)] != [*map(len, corrupted)]:
            other = Layout(_real(corrupted, width), named)
    answers = _answer_sets("answer", pair.answer, model, show)
    wrongs = None if pair.wrong is None else _answer_sets("wrong", pair.wrong, model, show)
    if wrongs is not None:
        refuse_overlap(answers, wrongs, show, first)
    bos = getattr(tokenizer, "bos_token_id", None)
    starts_with_bos = bos is not None and all(row[0] == bos for row in clean)
    return Prompts(
        clean_tokens=_rectangle(clean, pad, width),
        corrupted_tokens=None if corrupted is None else _rectangle(corrupted, pad, width),
        answers=answers,
        wrongs=wrongs,
        answer_str=_shown(answers, show),
        wrong_str=None if wrongs is None else _shown(wrongs, show),
        labels=labels,
        prepend_bos=starts_with_bos,
        clean_text=_texts(pair.clean),
        corrupted_text=None if pair.corrupted is None else _texts(pair.corrupted),
        token_str=show,
        bos_added=_bos_added(pair, model, starts_with_bos=starts_with_bos),
        real=_real(clean, width),
        other=other,
        tokenizer=tokenizer,
    )


def _bos_added(pair: Given, model: TransformerBridge, *, starts_with_bos: bool) -> bool | None:
    if pair.prepend_bos is not None:
        return starts_with_bos and pair.prepend_bos
    texts = [text for text in (*pair.clean, *(pair.corrupted if pair.corrupted is not None else ())) if isinstance(text, str)]  # fmt: skip
    if any(begins_with_bos(text, getattr(model, "tokenizer", None)) for text in texts):
        return None
    return starts_with_bos and bool(getattr(model.cfg, "default_prepend_bos", True))


def _texts(prompts: tuple[str, ...] | tuple[Tensor, ...] | Tensor) -> list[str] | None:
    texts = [prompt for prompt in prompts if isinstance(prompt, str)]
    return texts if len(texts) == len(prompts) else None


def _pad_token(tokenizer: Any) -> int:
    """Any token would do, since nothing attends to padding; the tokenizer's own is the least surprising."""
    for name in ("pad_token_id", "eos_token_id"):
        token = getattr(tokenizer, name, None)
        if isinstance(token, int):
            return token
    return 0


def _read(
    name: str,
    prompts: tuple[str, ...] | tuple[Tensor, ...] | Tensor,
    model: TransformerBridge,
    *,
    prepend_bos: bool | None,
    first: int,
) -> list[list[int]]:
    rows: list[list[int]] = []
    for i, prompt in enumerate(prompts, first):
        if isinstance(prompt, str):
            rows.append(read_text(f"{name} prompt {i}", prompt, model, prepend_bos=prepend_bos))
        else:
            rows.append(prompt.tolist())
            _check_range(name, i, rows[-1], model)
    n_ctx = int(model.cfg.n_ctx)
    longest = max(range(len(rows)), key=lambda i: len(rows[i]))
    if len(rows[longest]) > n_ctx:
        raise PromptError(
            f"The {name} prompt {first + longest} has {len(rows[longest])} tokens, but this model reads at most {n_ctx}; shorten it.",
            code="prompt_too_long",
        )
    return rows


def _check_range(name: str, prompt: int, row: list[int], model: TransformerBridge) -> None:
    d_vocab = tokens_read(model)
    for token in row:
        if not 0 <= token < d_vocab:
            raise PromptError(
                f"{name} prompt {prompt} holds token id {token}, but this model's ids are 0 … {d_vocab - 1}.",
                code="token_out_of_range",
            )


def _check_aligned(clean: list[list[int]], corrupted: list[list[int]], show: Callable[[int], str], first: int) -> None:
    for prompt, (left, right) in enumerate(zip(clean, corrupted, strict=True), first):
        if len(left) != len(right):
            pieces = [[show(token) for token in row] for row in (left, right)]
            raise PromptError(
                f"Prompt {prompt} has {len(left)} clean but {len(right)} corrupted tokens; patching needs them aligned. "
                f"They part at position {first_difference(*pieces)}:\n{side_by_side(*pieces)}\n"
                "Choose words that are as many tokens; or name the positions that mean the same in both, PromptPair(…, labels={'END': -1}), "
                "and patch there: cb.head(0, 0).at('END').patch(per='label'), or .at(-1).patch(from_=-1).",
                code="unequal_lengths",
            )


def _rectangle(rows: list[list[int]], pad: int, width: int) -> Tensor:
    """Token ids [batch, pos], the shorter rows padded on the left."""
    return torch.tensor([[pad] * (width - len(row)) + row for row in rows])


def _real(rows: list[list[int]], width: int) -> Tensor | None:
    """Where the rectangle of these rows holds tokens of theirs; None if it does everywhere."""
    real = torch.arange(width) >= width - torch.tensor([len(row) for row in rows])[:, None]
    return None if bool(real.all()) else real


def _answer_sets(
    name: str, answers: tuple[Answer, ...], model: TransformerBridge, show: Callable[[int], str]
) -> AnswerSets:
    known: dict[str | int, int] = {}
    sets = [answer if isinstance(answer, tuple) else (answer,) for answer in answers]
    for alternatives in sets:
        for answer in alternatives:
            if answer not in known:
                known[answer] = _answer_id(name, answer, model, show)
    return AnswerSets.of([[known[answer] for answer in alternatives] for alternatives in sets])


def _shown(answers: AnswerSets, show: Callable[[int], str]) -> list[str]:
    return [show_set([show(token) for token in ids]) for ids in answers.sets]


def _answer_id(name: str, answer: str | int, model: TransformerBridge, show: Callable[[int], str]) -> int:
    if isinstance(answer, int):
        token = answer
    else:
        what = "wrong answer" if name == "wrong" else name
        ids = read_text(what, answer, model, prepend_bos=False) if answer else []
        if len(ids) != 1:
            raise PromptError(
                f"The {what} {answer!r} is {len(ids)} tokens for this model, {[show(token) for token in ids]}; it must be exactly one.{_hint(answer, model)}",
                code="answer_not_one_token",
            )
        token = ids[0]
    d_vocab = tokens_written(model)
    if not 0 <= token < d_vocab:
        raise PromptError(
            f"{name} is token id {token}, but this model's ids are 0 … {d_vocab - 1}.", code="token_out_of_range"
        )
    return token


def _hint(answer: str, model: TransformerBridge) -> str:
    """The same word with or without its space, where that is one token."""
    other = answer[1:] if answer.startswith(" ") else f" {answer}"
    if other.strip() and Spelling(model.tokenizer).single(other) is not None:
        return f" {other!r} is one."
    return "" if answer.startswith(" ") else " Most words need their leading space."


def labels_of(labels: Any, lengths: Sequence[int], first: int = 0, *, side: Side = "clean") -> dict[str, list[int]]:
    """The position of each label in each prompt of one run, counted from 0 in that prompt's own tokens.

    Raises
    ------
    PromptError
        `bad_label`, `label_missing`, `label_out_of_range`.
    """
    n = len(lengths)
    resolved: dict[str, list[int]] = {}
    for label, given in labels.items():
        if not isinstance(label, str) or not _LABEL.fullmatch(label) or label == "all":
            raise PromptError(
                f"{label!r} is no position label: labels start with a letter, hold letters, digits, '_', '.', '+' or '-', and are not 'all'.",
                code="bad_label",
            )
        positions = spread_over(label, _on_side(label, given, n, side), n)
        missing = [prompt for prompt, position in enumerate(positions, first) if _absent(position)]
        if missing:
            raise PromptError(
                f"Label {label!r} has no position in {'prompt' if len(missing) == 1 else 'prompts'} {_some(missing)} of {n}; "
                "a label names a position in every prompt. Leave these prompts out, or the label.",
                code="label_missing",
            )
        resolved[label] = [
            _position(label, f"{'corrupted ' if side == 'corrupted' else ''}prompt {prompt}", position, length)
            for prompt, (position, length) in enumerate(zip(positions, lengths, strict=True), first)
        ]
    return resolved


def spread_over(label: str, given: Any, n: int) -> tuple[Any, ...]:
    """What a label names, one a prompt.

    Raises
    ------
    PromptError
        `bad_label`.
    """
    positions = entries(given)
    if positions is None:
        positions = [given] * n
    if len(positions) != n:
        raise PromptError(
            f"Label {label!r} has {len(positions)} positions for {n} {'prompt' if n == 1 else 'prompts'}. "
            "A label is one position a prompt; name a span by several labels.",
            code="bad_label",
        )
    return tuple(positions)


_BOTH: tuple[Side, ...] = ("clean", "corrupted")


def _on_side(label: str, given: Any, n: int, side: Side) -> Any:
    """What a label names in one of the two runs, where it names each by itself."""
    if isinstance(given, Mapping):
        if set(given) != set(_BOTH):
            raise PromptError(
                f"Label {label!r} names positions in {', '.join(map(repr, given)) or 'no run'}; expected one for each run: {{'clean': …, 'corrupted': …}}.",
                code="bad_label",
            )
        return given[side]
    # Two positions for two prompts are one a prompt, as they have always been.
    apart = isinstance(given, tuple) and len(given) == len(_BOTH)
    if apart and (n != len(_BOTH) or all(entries(one) is not None for one in given)):
        return given[_BOTH.index(side)]
    return given


def _absent(position: Any) -> bool:
    found = single(position)
    return found is None or (isinstance(found, float) and math.isnan(found))


def _some(prompts: list[int]) -> str:
    shown = ", ".join(map(str, prompts[:_NAMED]))
    return shown if len(prompts) <= _NAMED else f"{shown} and {len(prompts) - _NAMED} more"


def _position(label: str, prompt: str, given: Any, length: int) -> int:
    position = whole(given)
    if position is None:
        raise PromptError(f"Label {label!r} must name an integer position, not {given!r:.60}.", code="bad_label")
    if not -length <= position < length:
        raise PromptError(
            f"Label {label!r} names position {position}, but {prompt} has {length} tokens, 0 … {length - 1}.",
            code="label_out_of_range",
        )
    return position % length
