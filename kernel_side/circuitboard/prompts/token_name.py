"""The name of a token: one rule for every table, message, export and panel.

A name is short, prints, and says exactly which text or which bytes the token holds:

- text that prints is itself, with its leading space: " Mary" (panels and exports draw that space as `·`);
- a space that would not be seen is `·`, a line break `⏎`, a tab `⇥`, a carriage return `␍`: "·", "⏎⏎";
- a character that does not print, has no width, turns the text around it or is drawn like the one that it is equal
  to by Unicode's account (the Kelvin sign is a K) is its code point: "⟨U+200B⟩";
- bytes that are only a part of a character are themselves: " ⟨F0 9F⟩";
- a long run of one character is counted: "-⟨×64⟩";
- an id that the tokenizer has no text for is "⟨id 50300⟩", and without a tokenizer a token's name is its id.

A mark that stands in the text itself is written by its bytes, so no two texts have one name. Where two ids hold the
same text, all but the one that the tokenizer would choose end in their id: "A⟨id 68⟩".
"""

from __future__ import annotations

import unicodedata
import zlib
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from circuitboard.prompts.token_bytes import reader_of
from circuitboard.protocol.vocabulary import MARKS, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

_MARKS = {" ": SPACE, **MARKS}
_CIRCLE = "◌"
_RESERVED = frozenset((*_MARKS.values(), _CIRCLE, "⟨", "⟩"))
# Printable by Python's account, but nothing is drawn: fillers, variation selectors, the blank of Braille.
_BLANK = frozenset(
    chr(code)
    for first, last in (
        (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
        (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFFD, 0xFFFD), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip

# Vowels and finals of Hangul, which are drawn as one with what stands before them.
_JOINING = frozenset(map(chr, (*range(0x1160, 0x1200), *range(0xD7B0, 0xD800))))

_RUN, _LONGEST = 7, 200
"""Equal characters that are counted, and characters that are written out."""


def names_of(tokenizer: Any) -> Callable[[int], str]:
    """The name of each id of a tokenizer as it is now; of None, the id itself."""
    if tokenizer is None:
        return str
    read = reader_of(tokenizer)

    @cache
    def name(token: int) -> str:
        found = read(token)
        if found is None:
            return f"⟨id {token}⟩"
        data, chosen = found
        return name_of(data) if chosen else f"{name_of(data)}⟨id {token}⟩"

    return name


def name_of(text: str | bytes) -> str:
    r"""The name of a text, or of bytes that may hold a part of a character.

    Examples
    --------
    >>> [name_of(text) for text in (" Mary", " ", "\n", "a\u200bb", b" \xf0\x9f")]
    [' Mary', '·', '⏎', 'a⟨U+200B⟩b', ' ⟨F0 9F⟩']
    """
    if isinstance(text, bytes):
        # A byte that is no character comes through as half of a surrogate pair.
        text = text.decode(errors="surrogateescape")
    if not text:
        return "⟨⟩"
    head = text[:_LONGEST]
    composed = unicodedata.is_normalized("NFC", head)
    out: list[str] = []
    at = 0
    for is_byte, group in groupby(head, _is_byte):
        letters = list(group)
        if is_byte:
            out.append(f"⟨{' '.join(f'{ord(letter) - 0xDC00:02X}' for letter in letters)}⟩")
            at += len(letters)
            continue
        for letter, run in groupby(letters):
            count = len(list(run))
            inside = count == 1 and at + 1 < len(head)  # a space here has something to its right
            unit = " " if letter == " " and inside else _unit(letter, alone=at == 0 or not composed)
            out.append(unit * count if count < _RUN else f"{unit}⟨×{count}⟩")
            at += count
    if len(text) > len(head):
        out.append(f"⟨+{len(text) - len(head)} {zlib.crc32(text.encode(errors='surrogatepass')):08x}⟩")
    return "".join(out)


def _is_byte(letter: str) -> bool:
    return "\udc80" <= letter <= "\udcff"


def _unit(letter: str, *, alone: bool) -> str:
    """One character; `alone` if it has no letter before it to which it could be joined."""
    if letter in _MARKS:
        return _MARKS[letter]
    if letter in _RESERVED:
        return f"⟨{letter.encode().hex(' ').upper()}⟩"
    twin = unicodedata.normalize("NFC", letter) != letter or (alone and letter in _JOINING)
    if twin or not letter.isprintable() or letter in _BLANK:
        return f"⟨U+{ord(letter):04X}⟩"
    return _CIRCLE + letter if alone and unicodedata.category(letter).startswith("M") else letter
