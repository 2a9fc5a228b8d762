"""Notes that need no run: on texts, tokens, labels and the spelling of answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from circuitboard.prompts.notes.note import Note, place, sentence_of, those
from circuitboard.prompts.notes.spelling import Spelling
from circuitboard.prompts.token_name import name_of

if TYPE_CHECKING:
    from circuitboard.prompts.prompts import Prompts

Run = Literal["clean", "corrupted"]

_SPECIAL = re.compile(
    r"<\|[\w./ -]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?s>|<(?:bos|eos|pad|unk|mask)>|\[(?:CLS|SEP|PAD|UNK|MASK)\]"
)
"""How special tokens of known tokenizers are written."""

_VISIBLE = frozenset("\n\t\r ")
_WITHIN = frozenset("\u200c\u200d") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_SPACES = "".join(map(name_of, _VISIBLE))
_SHOWN = 3


def notes_of_prompts(prompts: Prompts, tokenizer: Any) -> tuple[Note, ...]:
    """What can be said of prompts as a model's tokenizer reads them, before anything runs."""
    notes = [*_of_text(prompts, "clean", tokenizer), *_of_tokens(prompts, "clean", tokenizer)]
    if prompts.corrupted_tokens is not None:
        other = [*_of_text(prompts, "corrupted", tokenizer), *_of_tokens(prompts, "corrupted", tokenizer)]
        notes = _together(notes, other)
    notes += _bos_of_its_own(prompts, tokenizer)
    notes += _same_prompts(prompts)
    notes += _same_labels(prompts)
    if tokenizer is not None:
        notes += _of_answers(prompts, Spelling(tokenizer))
    return tuple(notes)


def notes_of_texts(clean: Sequence[str], corrupted: Sequence[str] | None) -> tuple[Note, ...]:
    """What can be said of texts that no tokenizer has read yet."""
    notes = list(_as_written("clean", clean))
    if corrupted is not None:
        notes = _together(notes, list(_as_written("corrupted", corrupted)))
        notes += _no_corruption([one == other for one, other in zip(clean, corrupted, strict=True)])
    return tuple(notes)


def _together(clean: Sequence[Note], corrupted: Sequence[Note]) -> list[Note]:
    """The notes on both runs, where both have the same one it is said once."""
    places = {note.code: note.where for note in corrupted}
    found = {note.code for note in clean}
    both = [replace(one, where=f"{one.where}; {places[one.code]}") if one.code in places else one for one in clean]
    return both + [note for note in corrupted if note.code not in found]


def _as_written(run: str, texts: Sequence[str]) -> Iterator[Note]:
    n = len(texts)
    if found := _those(texts, lambda text: text[-1:] in {" ", "\t"}):
        yield Note(
            "prompt_ends_in_space",
            f"{_the(run, found, n, 'ends')} in a space. Most words carry theirs in front, so the model is asked for a word without one: "
            "leave the space to the answer.",
            place(run, found, n),
        )
    if found := _those(texts, lambda text: any(_hidden(text))):
        letters = dict.fromkeys(_hidden(texts[found[0]]))
        yield Note(
            "invisible_characters",
            f"{_the(run, found, n, 'holds')} characters that are not seen or look like others: {', '.join(map(name_of, list(letters)[:_SHOWN]))}. They are tokens like any other.",
            place(run, found, n),
        )


def _of_text(prompts: Prompts, run: Run, tokenizer: Any) -> Iterator[Note]:
    texts = prompts.clean_text if run == "clean" else prompts.corrupted_text
    if texts is None:
        return
    n = len(texts)
    yield from _as_written(run, texts)
    if tokenizer is None:
        return
    special = {str(token) for token in dict(tokenizer.added_tokens_decoder).values()}
    foreign = [next((one for one in _SPECIAL.findall(text) if one not in special), None) for text in texts]
    if found := [i for i, one in enumerate(foreign) if one is not None]:
        yield Note(
            "special_as_text",
            f"{_the(run, found, n, 'holds')} {_quoted(str(foreign[found[0]]))}, which this tokenizer does not know as a special token: it is read as ordinary text, in several tokens.",
            place(run, found, n),
        )
    ids = prompts.token_ids(run)
    if found := _those(range(n), lambda i: _letters(tokenizer.decode(ids[i], clean_up_tokenization_spaces=False), special) != _letters(texts[i], special)):  # fmt: skip
        again = tokenizer.decode(ids[found[0]], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        yield Note(
            "text_changed",
            f"{_the(run, found, n, 'is')} not what the model reads: this tokenizer makes it {_quoted(again, 60)}.",
            place(run, found, n),
        )


def _letters(text: str, special: set[str]) -> str:
    """A text without special tokens and spaces, which tokenizers add and drop."""
    for token in special:
        text = text.replace(token, "")
    return "".join(text.split())


def _of_tokens(prompts: Prompts, run: Run, tokenizer: Any) -> Iterator[Note]:
    rows, n = prompts.token_ids(run), prompts.n
    bos, eos, pad, unknown = (getattr(tokenizer, f"{name}_token_id", None) for name in ("bos", "eos", "pad", "unk"))
    show = prompts.token_str
    if bos is not None and (found := _those(rows, lambda row: row[0] == bos == _next_seen(row[1:], show))):
        yield Note(
            "bos_twice",
            f"{_the(run, found, n, 'begins')} with {show(bos)} twice. Numbers change with the second one; "
            "leave it out of the text or the ids, or use prepend_bos=False.",
            place(run, found, n),
        )
    added = {} if tokenizer is None else dict(tokenizer.added_tokens_decoder)
    special = {token for token, content in added.items() if content.special}
    pads = {i: token for i, row in enumerate(rows) if (token := _padding(row, pad, special, bos, eos)) is not None}
    if found := list(pads):
        yield Note(
            "padding_in_prompt",
            f"{_the(run, found, n, 'holds')} the padding token {show(pads[found[0]])} = {pads[found[0]]}, which is read like any other token. "
            "Give prompts of different lengths as a list of tensors without padding.",
            place(run, found, n),
        )
    if eos is not None and (found := _those(rows, lambda row: len(row) > 1 and row[-1] == eos and row[-2] != eos)):  # fmt: skip
        yield Note(
            "ends_in_eos",
            f"{_the(run, found, n, 'ends')} in {show(eos)}, the end of a text: the answer is read after it, where a new text begins.",
            place(run, found, n),
        )
    if (
        unknown is not None
        and _may_be_unknown(tokenizer)
        and unknown not in {bos, eos, pad}
        and (found := _those(rows, lambda row: unknown in row))
    ):
        yield Note(
            "unknown_token",
            f"{_the(run, found, n, 'holds')} {show(unknown)} = {unknown}, which stands for words that this tokenizer does not know.",
            place(run, found, n),
        )
    nameless = {token for row in rows for token in set(row) if show(token) == f"⟨id {token}⟩"}
    if nameless and (found := _those(rows, lambda row: not nameless.isdisjoint(row))):
        yield Note(
            "token_without_text",
            f"{_the(run, found, n, 'holds')} ids that the tokenizer has no text for ({', '.join(map(str, sorted(nameless)[:_SHOWN]))}): "
            "the model has more embeddings than its tokenizer has tokens, and these were never trained.",
            place(run, found, n),
        )
    # One of several answers may well be what came before, and so may a digit of a number.
    if run == "clean" and (found := [i for i, row in enumerate(rows) if (row[-1],) == prompts.answers.sets[i] and not (tokenizer and show(row[-1]).strip().isdigit())]):  # fmt: skip
        yield Note(
            "ends_in_answer",
            f"{_the(run, found, n, 'ends')} in its own answer, {_quoted(show(rows[found[0]][-1]))}: the answer is what comes after the prompt.",
            place(run, found, n),
        )


def _next_seen(row: list[int], show: Callable[[int], str]) -> int | None:
    """The first token that is more than spaces and line breaks, which templates put in front."""
    return next((token for token in row if show(token).strip(_SPACES)), None)


def _may_be_unknown(tokenizer: Any) -> bool:
    """Whether the tokenizer ever writes its unknown token: those that read bytes lend the name to another one."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return backend is None or getattr(backend.model, "unk_token", "") is not None


def _padding(row: list[int], pad: int | None, special: set[int], bos: int | None, eos: int | None) -> int | None:
    """The token that a prompt is padded with."""
    if pad in row and pad not in {bos, eos}:
        return pad
    # A single one at the beginning or at the end is what it is besides.
    first, last = row[0], row[-1]
    if row[-2:] == [last, last] and last in special | {pad}:
        return last
    return first if row[:2] == [first, first] and first in special | {pad} and first != bos else None


def _bos_of_its_own(prompts: Prompts, tokenizer: Any) -> Iterator[Note]:
    bos = getattr(tokenizer, "bos_token_id", None)
    if bos is None or not prompts.bos_added or bos != tokenizer.eos_token_id:
        return
    if getattr(tokenizer, "init_kwargs", {}).get("bos_token") is None:
        yield Note(
            "eos_as_bos",
            f"This tokenizer has no BOS token: its EOS, {prompts.token_str(bos)}, was put in front of the texts, as TransformerLens does. "
            "The model may never have seen that; prepend_bos=False leaves it out, and the numbers change.",
            "clean" if prompts.corrupted_tokens is None else "clean, corrupted",
        )


def _same_prompts(prompts: Prompts) -> Iterator[Note]:
    n, clean = prompts.n, prompts.token_ids("clean")
    corrupted: list[list[int]] = [[] for _ in clean]
    if prompts.corrupted_tokens is not None:
        corrupted = prompts.token_ids("corrupted")
        yield from _no_corruption([one == other for one, other in zip(clean, corrupted, strict=True)])
    first: dict[tuple[tuple[int, ...], ...], int] = {}
    again = []
    for i in range(n):
        key = (tuple(clean[i]), tuple(corrupted[i]), prompts.answers.sets[i])
        if first.setdefault(key, i) != i:
            again.append(i)
    if again:
        yield Note(
            "prompts_repeat",
            f"{len(again)} of {n} prompts {'is' if len(again) == 1 else 'are'} there before, with the same answer ({those(again)}): "
            "the error bars take all prompts for independent, so they are too small.",
            place("clean", again, n),
        )


def _no_corruption(same: Sequence[bool]) -> Iterator[Note]:
    if found := [i for i, one in enumerate(same) if one]:
        words = (
            "clean and corrupted are the same: patching changes nothing there, and there is no gap to take shares of."
        )
        yield Note("clean_is_corrupted", sentence_of(words, found, len(same)), place("corrupted", found, len(same)))


def _same_labels(prompts: Prompts) -> Iterator[Note]:
    labels: Mapping[str, list[int]] = prompts.labels
    # The end is the end, whatever else stands there.
    for one, other in combinations([label for label in labels if label != "END"], 2):
        if labels[one] == labels[other]:
            yield Note(
                "labels_same_position",
                f"The labels {one} and {other} name the same position in every prompt.",
                "labels",
            )


def _of_answers(prompts: Prompts, spelling: Spelling) -> Iterator[Note]:
    n, show, texts = prompts.n, prompts.token_str, prompts.clean_text
    sides = [("answer", prompts.answers)] + ([("wrong", prompts.wrongs)] if prompts.wrongs is not None else [])
    rows = prompts.token_ids("clean")
    for name, answers in sides:
        found = []
        for i, ids in enumerate(answers.sets):
            after = texts[i] if texts is not None else spelling.text(rows[i][-1]) or ""
            if any(_lacks_space(spelling, token, after, ids) for token in ids):
                found.append(i)
        if found:
            i = found[0]
            after = texts[i] if texts is not None else spelling.text(rows[i][-1]) or ""
            token = next(token for token in answers.sets[i] if _lacks_space(spelling, token, after, answers.sets[i]))
            yield Note(
                f"{name}_without_space",
                sentence_of(
                    f"the {_word(name)} {_quoted(show(token))} = {token} has no space in front and follows a word; "
                    f"{_quoted(' ' + show(token))} = {spelling.spaced(token)} is one token too, and is usually what comes next.",
                    found,
                    n,
                ),
                place(name, found, n),
            )
    if prompts.wrongs is not None:
        found = [
            i
            for i, (right, wrong) in enumerate(zip(prompts.answers.sets, prompts.wrongs.sets, strict=True))
            if len({spelling.begins_word(token) for token in (*right, *wrong)} - {None}) > 1
        ]
        if found:
            right, wrong = prompts.answers.sets[found[0]][0], prompts.wrongs.sets[found[0]][0]
            yield Note(
                "spaces_differ",
                sentence_of(
                    f"one of {_quoted(show(right))} and {_quoted(show(wrong))} has a space in front and the other has none: "
                    "the metric compares a new word with the end of one.",
                    found,
                    n,
                ),
                place("answer", found, n),
            )


def _lacks_space(spelling: Spelling, token: int, after: str, among: Sequence[int]) -> bool:
    """A word that follows a word without a space, though the tokenizer has it with one."""
    if spelling.begins_word(token) is not False or not after[-1:].isalnum() or len(spelling.text(token) or "") < 2:  # noqa: PLR2004
        return False  # a single letter may well go on with a word, as in an acronym
    spaced = spelling.spaced(token)
    return spaced is not None and spaced not in among


def _those(given: Sequence[Any], is_so: Callable[[Any], bool]) -> list[int]:
    return [i for i, one in enumerate(given) if is_so(one)]


def _hidden(text: str) -> Iterator[str]:
    """The characters that a reader would not find; joiners within an emoji or a script that has them are none."""
    for before, letter in zip("\n" + text, text, strict=False):
        if letter in _VISIBLE or (letter in _WITHIN and not before.isascii()):
            continue
        if name_of(letter) == f"⟨U+{ord(letter):04X}⟩":
            yield letter


def _the(run: str, found: Sequence[int], n: int, verb: str) -> str:
    """Which prompts of a run, and what they do: "The clean prompt ends", "2 of 8 clean prompts end"."""
    if n == 1:
        return f"The {run} prompt {verb}"
    if len(found) == n:
        return f"Each {run} prompt {verb}"
    return f"{len(found)} of {n} {run} prompts {verb if len(found) == 1 else 'are' if verb == 'is' else verb[:-1]}"


def _word(name: str) -> str:
    return "answer" if name == "answer" else "wrong answer"


def _quoted(text: str, longest: int = 40) -> str:
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")
