"""From text to the tokens of a model, and from a place in a text to a place among its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuitboard.errors import PromptError
from circuitboard.models.vocabulary import tokens_read
from circuitboard.prompts.token_name import names_of

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


def read_text(what: str, text: str, model: TransformerBridge, *, prepend_bos: bool | None) -> list[int]:
    """The token ids of a text, at least one.

    Parameters
    ----------
    what
        What the text is, for messages: "clean prompt 3".
    text, model
        The text, and the model whose tokenizer reads it.
    prepend_bos
        None for TransformerLens's default for this model, where a text that begins with the BOS token gets no second one.

    Raises
    ------
    PromptError
        `no_tokenizer`, `bad_prompt` for text that is no Unicode, `no_bos`, `empty_prompts`, `unknown_word`,
        `token_out_of_range` for tokens that only the tokenizer has.
    """
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None:
        raise PromptError(
            f"The {what} is text ({text!r:.60}), but this model has no tokenizer; give token ids (a tensor for prompts, ints for answers).",
            code="no_tokenizer",
        )
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PromptError(f"The {what} is no Unicode text: {text!a:.80} holds half of a surrogate pair.")
    ids: list[int] = model.to_tokens(text, prepend_bos=prepend_bos, truncate=False, move_to_device=False)[0].tolist()
    if prepend_bos is None and begins_with_bos(text, tokenizer) and ids[:2] == [tokenizer.bos_token_id] * 2:
        ids = ids[1:]
    if prepend_bos and (not ids or ids[0] != tokenizer.bos_token_id):
        raise PromptError(
            f"prepend_bos=True was asked for, but this tokenizer cannot put a BOS token before the {what}; use prepend_bos=False.",
            code="no_bos",
        )
    if not ids:
        raise PromptError(f"The {what} has no tokens; give at least one.", code="empty_prompts")
    known = tokens_read(model)
    beyond = next((token for token in ids if token >= known), None)
    if beyond is not None:
        raise PromptError(
            f"The {what} holds {names_of(tokenizer)(beyond)!r}, token id {beyond}, which the tokenizer has and the model has not: its embedding has {known} rows, 0 … {known - 1}. "
            "Tokens were added and the embedding was not resized: call resize_token_embeddings(len(tokenizer)) on the Hugging Face model, then make the bridge.",
            code="token_out_of_range",
        )
    unknown = tokenizer.unk_token_id
    # Byte-level tokenizers name some ordinary special token as "unknown" and never produce it.
    if unknown not in {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id} and ids.count(
        unknown
    ) > text.count(str(tokenizer.unk_token)):
        pieces = list(map(names_of(tokenizer), ids))
        raise PromptError(
            f"The {what} has words that this model does not know (position {ids.index(unknown)} of {pieces}). "
            'The model "demo" knows only its own few hundred words, each with a space before it.',
            code="unknown_word",
        )
    return ids


def begins_with_bos(text: str, tokenizer: Any) -> bool:
    """Whether a text is written with the tokenizer's BOS token in front, as chat templates write it."""
    bos = getattr(tokenizer, "bos_token", None)
    return bool(bos) and text.startswith(str(bos))


def token_before(stop: int, text: str, ids: list[int], tokenizer: Any) -> int:
    """The position of the token that holds the last character of `text[:stop]`.

    Of a word that is several tokens this is the last one, where a model can first know the whole word.

    Parameters
    ----------
    stop
        Where the word ends in the text, exclusive; at least 1.
    text
        The text.
    ids
        Its tokens as the model reads them, special ones included.
    tokenizer
        The tokenizer that made them. Its offsets are used where it gives any; otherwise the tokens are decoded one
        after the other until they reach the place.

    Raises
    ------
    PromptError
        `place_unknown` if the tokens, decoded, do not give the text again.
    """
    if getattr(tokenizer, "is_fast", False):
        read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        own, offsets = list(read["input_ids"]), read["offset_mapping"]
        # Special tokens may stand around the text's own; they have no place in it.
        for start in range(len(ids) - len(own) + 1):
            if ids[start : start + len(own)] == own:
                return start + next(i for i, (_, end) in enumerate(offsets) if end >= stop)
    return _decode_up_to(stop, text, ids, tokenizer)


def _decode_up_to(stop: int, text: str, ids: list[int], tokenizer: Any) -> int:
    def written(upto: int) -> str:
        return str(tokenizer.decode(ids[:upto], skip_special_tokens=True, clean_up_tokenization_spaces=False))

    whole = written(len(ids))
    # Some tokenizers add or drop a space at the very beginning.
    shift = len(whole) - len(text)
    if whole.strip() != text.strip() or abs(shift) > 1:
        raise PromptError(
            f"No token of {text!r:.80} can be named by its place in the text: this tokenizer gives back {whole!r:.80}. Give labels as token positions.",
            code="place_unknown",
        )
    return next(i for i in range(len(ids)) if len(written(i + 1)) >= stop + shift)
