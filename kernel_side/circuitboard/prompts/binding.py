"""Reading a prompt pair with a model's tokenizer, refusing what cannot be compared."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuitboard.errors import PromptError
from circuitboard.prompts.alignment import first_difference, side_by_side
from circuitboard.prompts.prompts import Prompts

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.prompts.pair import PromptPair

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")


def spread(name: str, given: Any, n: int) -> tuple[str | int, ...]:
    """Give every prompt its own answer: one for all, or one each.

    Raises
    ------
    PromptError
        `not_supported` for sets of answers, `count_mismatch`, `bad_prompt`.
    """
    if isinstance(given, Tensor):
        given = given.tolist()
    if isinstance(given, (list, tuple)):
        answers = tuple(_answer(name, one) for one in given)
        if len(answers) != n:
            raise PromptError(
                f"{name} has {len(answers)} entries for {n} prompts; give one for all or one each.",
                code="count_mismatch",
            )
        return answers
    return (_answer(name, given),) * n


def _answer(name: str, given: Any) -> str | int:
    if isinstance(given, (set, frozenset)):
        raise PromptError(
            f"{name} was given as a set; sets of answers are not supported, give one token per prompt.",
            code="not_supported",
        )
    if isinstance(given, str):
        return given
    if not isinstance(given, (bool, float)):
        try:
            return operator.index(given)
        except TypeError:
            pass
    raise PromptError(f"{name} must be a token as a string or a token id, not {given!r:.80}.")


def bind(pair: PromptPair, model: TransformerBridge) -> Prompts:
    """Tokenise a pair for a model; see `PromptPair.bind` for what is refused."""
    tokenizer = getattr(model, "tokenizer", None)
    show = _shower(tokenizer)
    clean = _read("clean", pair.clean, model, prepend_bos=pair.prepend_bos)
    corrupted = (
        None if pair.corrupted is None else _read("corrupted", pair.corrupted, model, prepend_bos=pair.prepend_bos)
    )
    if corrupted is not None:
        _check_aligned(clean, corrupted, show)
    clean_tokens = _rectangle("clean", clean)
    answer_ids = _answer_ids("answer", pair.answer, model, show)
    wrong_ids = None if pair.wrong is None else _answer_ids("wrong", pair.wrong, model, show)
    if wrong_ids is not None:
        for prompt, (right, wrong) in enumerate(zip(answer_ids, wrong_ids, strict=True)):
            if right == wrong:
                raise PromptError(
                    f"The right and the wrong answer of prompt {prompt} are the same token, {show(right)!r} = {right}; their difference is always 0.",
                    code="answer_equals_wrong",
                )
    bos = getattr(tokenizer, "bos_token_id", None)
    starts_with_bos = bos is not None and bool((clean_tokens[:, 0] == bos).all())
    asked = getattr(model.cfg, "default_prepend_bos", True) if pair.prepend_bos is None else pair.prepend_bos
    return Prompts(
        clean_tokens=clean_tokens,
        corrupted_tokens=None if corrupted is None else _rectangle("corrupted", corrupted),
        answer_ids=torch.tensor(answer_ids),
        wrong_ids=None if wrong_ids is None else torch.tensor(wrong_ids),
        answer_str=[show(token) for token in answer_ids],
        wrong_str=None if wrong_ids is None else [show(token) for token in wrong_ids],
        labels=_labels(pair.labels, len(clean), int(clean_tokens.shape[1])),
        prepend_bos=starts_with_bos,
        clean_text=list(pair.clean) if isinstance(pair.clean, tuple) else None,
        corrupted_text=list(pair.corrupted) if isinstance(pair.corrupted, tuple) else None,
        token_str=show,
        bos_added=starts_with_bos and bool(asked),
    )


def _shower(tokenizer: Any) -> Callable[[int], str]:
    if tokenizer is None:
        return str
    return lambda token: str(tokenizer.decode([token], clean_up_tokenization_spaces=False))


def _read(
    name: str, prompts: tuple[str, ...] | Tensor, model: TransformerBridge, *, prepend_bos: bool | None
) -> list[list[int]]:
    rows: list[list[int]]
    if isinstance(prompts, Tensor):
        rows = prompts.tolist()
        _check_range(name, rows, model)
    else:
        rows = [_tokens(f"{name} prompt {i}", text, model, prepend_bos=prepend_bos) for i, text in enumerate(prompts)]
    n_ctx = int(model.cfg.n_ctx)
    longest = max(range(len(rows)), key=lambda i: len(rows[i]))
    if len(rows[longest]) > n_ctx:
        raise PromptError(
            f"The {name} prompt {longest} has {len(rows[longest])} tokens, but this model reads at most {n_ctx}; shorten it.",
            code="prompt_too_long",
        )
    return rows


def _tokens(what: str, text: str, model: TransformerBridge, *, prepend_bos: bool | None) -> list[int]:
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None:
        raise PromptError(
            f"The {what} is text ({text!r:.60}), but this model has no tokenizer; give token ids (a tensor for prompts, ints for answers).",
            code="no_tokenizer",
        )
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PromptError(f"The {what} is no Unicode text: {text!a:.80} holds half of a surrogate pair.")
    ids: list[int] = model.to_tokens(text, prepend_bos=prepend_bos, truncate=False, move_to_device=False)[0].tolist()
    if prepend_bos and (not ids or ids[0] != tokenizer.bos_token_id):
        raise PromptError(
            f"prepend_bos=True was asked for, but this tokenizer cannot put a BOS token before the {what}; use prepend_bos=False.",
            code="no_bos",
        )
    if not ids:
        raise PromptError(f"The {what} has no tokens; give at least one.", code="empty_prompts")
    unknown = tokenizer.unk_token_id
    # Byte-level tokenizers name some ordinary special token as "unknown" and never produce it.
    if unknown in ids and unknown not in {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}:
        pieces = [str(tokenizer.decode([token])) for token in ids]
        raise PromptError(
            f"The {what} has words that this model does not know (position {ids.index(unknown)} of {pieces}). "
            'The model "demo" knows only its own few hundred words, each with a space before it.',
            code="unknown_word",
        )
    return ids


def _check_range(name: str, rows: list[list[int]], model: TransformerBridge) -> None:
    d_vocab = int(model.cfg.d_vocab)
    for prompt, row in enumerate(rows):
        for token in row:
            if not 0 <= token < d_vocab:
                raise PromptError(
                    f"{name} prompt {prompt} holds token id {token}, but this model's ids are 0 … {d_vocab - 1}.",
                    code="token_out_of_range",
                )


def _check_aligned(clean: list[list[int]], corrupted: list[list[int]], show: Callable[[int], str]) -> None:
    for prompt, (left, right) in enumerate(zip(clean, corrupted, strict=True)):
        if len(left) != len(right):
            pieces = [[show(token) for token in row] for row in (left, right)]
            raise PromptError(
                f"Prompt {prompt} has {len(left)} clean but {len(right)} corrupted tokens; patching needs them aligned. "
                f"They part at position {first_difference(*pieces)}:\n{side_by_side(*pieces)}\n"
                "Choose words that are as many tokens.",
                code="unequal_lengths",
            )


def _rectangle(name: str, rows: list[list[int]]) -> Tensor:
    lengths: dict[int, list[int]] = {}
    for prompt, row in enumerate(rows):
        lengths.setdefault(len(row), []).append(prompt)
    if len(lengths) > 1:
        found = "; ".join(f"{n} tokens: prompts {_some(prompts)}" for n, prompts in sorted(lengths.items()))
        raise PromptError(
            f"The {name} prompts of a data set must have equally many tokens, so that positions mean the same in all; found {found}.",
            code="mixed_lengths",
        )
    return torch.tensor(rows)


def _some(prompts: list[int], most: int = 5) -> str:
    return ", ".join(map(str, prompts[:most])) + (" …" if len(prompts) > most else "")


def _answer_ids(
    name: str, answers: tuple[str | int, ...], model: TransformerBridge, show: Callable[[int], str]
) -> list[int]:
    known: dict[str | int, int] = {}
    for answer in answers:
        if answer not in known:
            known[answer] = _answer_id(name, answer, model, show)
    return [known[answer] for answer in answers]


def _answer_id(name: str, answer: str | int, model: TransformerBridge, show: Callable[[int], str]) -> int:
    if isinstance(answer, int):
        d_vocab = int(getattr(model.cfg, "d_vocab_out", -1))
        d_vocab = d_vocab if d_vocab > 0 else int(model.cfg.d_vocab)
        if not 0 <= answer < d_vocab:
            raise PromptError(
                f"{name} is token id {answer}, but this model's ids are 0 … {d_vocab - 1}.", code="token_out_of_range"
            )
        return answer
    ids = _tokens(name, answer, model, prepend_bos=False) if answer else []
    if len(ids) != 1:
        hint = " Most words need their leading space." if not answer.startswith(" ") else ""
        raise PromptError(
            f"The {name} {answer!r} is {len(ids)} tokens for this model, {[show(token) for token in ids]}; it must be exactly one.{hint}",
            code="answer_not_one_token",
        )
    return ids[0]


def _labels(labels: Any, n: int, n_positions: int) -> dict[str, list[int]]:
    resolved: dict[str, list[int]] = {}
    for label, given in labels.items():
        if not isinstance(label, str) or not _LABEL.fullmatch(label) or label == "all":
            raise PromptError(
                f"{label!r} is no position label: labels start with a letter, hold letters, digits, '_', '.', '+' or '-', and are not 'all'.",
                code="bad_label",
            )
        positions = given.tolist() if isinstance(given, Tensor) else given
        positions = list(positions) if isinstance(positions, (list, tuple)) else [positions] * n
        if len(positions) != n:
            raise PromptError(f"Label {label!r} has {len(positions)} positions for {n} prompts.", code="bad_label")
        resolved[label] = [_position(label, position, n_positions) for position in positions]
    return resolved


def _position(label: str, given: Any, n_positions: int) -> int:
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise PromptError(f"Label {label!r} must name an integer position, not {given!r:.60}.", code="bad_label")
    position = operator.index(given)
    if not -n_positions <= position < n_positions:
        raise PromptError(
            f"Label {label!r} names position {position}, but the prompts have {n_positions} tokens, 0 … {n_positions - 1}.",
            code="label_out_of_range",
        )
    return position % n_positions
