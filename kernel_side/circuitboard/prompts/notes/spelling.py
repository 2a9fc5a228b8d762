"""How a tokenizer spells a word otherwise: with and without the space in front, with another first letter."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from circuitboard.prompts.token_bytes import reader_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Spelling:
    """The words of one tokenizer.

    Parameters
    ----------
    tokenizer
        Of the model; asked for single tokens only.
    """

    def __init__(self, tokenizer: Any) -> None:
        read = reader_of(tokenizer)

        @cache
        def text(token: int) -> str | None:
            found = read(token)
            try:
                return None if found is None else found[0].decode()
            except UnicodeDecodeError:  # a part of a character spells nothing
                return None

        @cache
        def single(word: str) -> int | None:
            ids = tokenizer(word, add_special_tokens=False, verbose=False)["input_ids"]
            return ids[0] if len(ids) == 1 and text(ids[0]) == word else None

        self.text: Callable[[int], str | None] = text
        """The text of an id; None for a part of a character."""
        self.single: Callable[[str], int | None] = single
        """The id whose text this is, if the tokenizer writes it as one token."""

    def begins_word(self, token: int) -> bool | None:
        """Whether a word has its space in front; None for what is no word."""
        text = self.text(token)
        if text is None or not text.strip()[:1].isalpha():
            return None
        return text.startswith(" ")

    def spaced(self, token: int) -> int | None:
        """The same word with a space in front, if that is one token."""
        text = self.text(token)
        return None if text is None else self.single(f" {text}")

    def variants(self, token: int) -> tuple[int, ...]:
        """The same word with or without its space, and with its first letter the other way, as far as they are one token."""
        text = self.text(token)
        if text is None or not text.strip():
            return ()
        word, space = text.lstrip(" "), text.startswith(" ")
        other = word[0].lower() + word[1:] if word[0].isupper() else word[0].upper() + word[1:]
        spellings = [(" " if with_space else "") + one for one in (word, other) for with_space in (not space, space)]
        found = (self.single(one) for one in spellings if one != text)
        return tuple(dict.fromkeys(one for one in found if one is not None and one != token))
