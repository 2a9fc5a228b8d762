"""What a token id holds, in bytes: read from the tokenizer's own piece, since decoding one id alone loses too much.

(It drops the leading space of Llama's pieces, and turns a part of a character to "�".)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

Reader = Callable[[int], tuple[bytes, bool] | None]
"""Id → its bytes, and whether the tokenizer itself would write these bytes with this id; None for an id without text."""

_UNDERLINE = "▁"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def reader_of(tokenizer: Any) -> Reader:
    """How this tokenizer's ids are read: byte-level, sentencepiece, or as it decodes them."""
    added = {index: str(token) for index, token in dict(tokenizer.added_tokens_decoder).items()}
    kinds = set(_decoders(tokenizer))
    if "ByteLevel" in kinds:
        return _byte_level(tokenizer, added)
    if kinds & {"Metaspace", "ByteFallback", _UNDERLINE} or getattr(tokenizer, "sp_model", None) is not None:
        return _sentencepiece(tokenizer, added)
    return _decoded(tokenizer, added)


def _decoders(tokenizer: Any) -> Iterator[str]:
    """The kinds of decoder of a fast tokenizer, and `▁` if one of them replaces that."""
    decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
    if decoder is None:
        return
    found = json.loads(decoder.__getstate__())
    for one in found.get("decoders", [found]):
        yield one["type"]
        if one["type"] == "Replace" and one["pattern"].get("String") == _UNDERLINE:
            yield _UNDERLINE


def _piece(tokenizer: Any, token: int) -> str | bytes | None:
    """The tokenizer's own name of an id, if it has one."""
    try:
        found: str | bytes | None = tokenizer.convert_ids_to_tokens(token)
    except (IndexError, KeyError, ValueError, OverflowError):  # how tokenizers say that there is none
        return None
    return found


def _byte_level(tokenizer: Any, added: dict[int, str]) -> Reader:
    bytes_of, contents = _byte_letters(), set(added.values())
    letter_of = {byte: letter for letter, byte in bytes_of.items()}

    def read(token: int) -> tuple[bytes, bool] | None:
        if token in added:
            return _encoded(added[token]), True
        piece = _piece(tokenizer, token)
        if not isinstance(piece, str):
            return None if piece is None else (piece, True)
        if any(letter not in bytes_of for letter in piece):
            # A whole word among pieces of bytes: text is split into the bytes, where these are a piece too.
            spelled = "".join(letter_of[byte] for byte in _encoded(piece))
            return _encoded(piece), piece not in contents and _id(tokenizer, spelled) is None
        data = bytes(bytes_of[letter] for letter in piece)
        # Added tokens are found before any other.
        return data, data.decode(errors="replace") not in contents

    return read


@cache
def _byte_letters() -> dict[str, int]:
    """GPT-2's letters for bytes: those that print stand for themselves, the others are counted from 256."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(256 + i): byte for i, byte in enumerate(rest)}


def _sentencepiece(tokenizer: Any, added: dict[int, str]) -> Reader:
    contents = {content: token for token, content in added.items()}

    def read(token: int) -> tuple[bytes, bool] | None:
        piece = added.get(token, _piece(tokenizer, token))
        if not isinstance(piece, str):
            return None if piece is None else (piece, True)
        byte = _BYTE.fullmatch(piece)
        if byte is not None:
            data = bytes([int(byte[1], 16)])
        else:
            data = _encoded(piece if token in added else piece.replace(_UNDERLINE, " "))
        text = data.decode(errors="replace")
        for spelling in dict.fromkeys((text.replace(" ", _UNDERLINE), text, f"<0x{data[0]:02X}>" if data else "")):
            found = contents.get(text, _id(tokenizer, spelling))
            if found is not None:
                return data, found == token
        return data, True

    return read


def _id(tokenizer: Any, piece: str) -> int | None:
    found = tokenizer.convert_tokens_to_ids(piece)
    return found if isinstance(found, int) and _piece(tokenizer, found) == piece else None


def _decoded(tokenizer: Any, added: dict[int, str]) -> Reader:
    """As the tokenizer decodes it; the whole vocabulary is looked through once, at the first id that its piece does not name."""

    def text_of(token: int) -> str:
        return added.get(token) or str(tokenizer.decode([token], clean_up_tokenization_spaces=False))

    @cache
    def first_with() -> dict[str, int]:
        found: dict[str, int] = {}
        for token in range(len(tokenizer)):
            piece, text = added.get(token, _piece(tokenizer, token)), text_of(token)
            if piece == text:
                found[text] = token
            elif piece is not None:
                found.setdefault(text, token)
        return found

    def read(token: int) -> tuple[bytes, bool] | None:
        piece = added.get(token, _piece(tokenizer, token))
        if piece is None:
            return None
        if isinstance(piece, bytes):
            return piece, True
        text = text_of(token)
        return _encoded(text), text == piece or first_with().get(text) == token

    return read


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
