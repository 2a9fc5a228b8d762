"""Every token has a name that prints and says what it holds, and no two ids of a vocabulary share one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from circuitboard.models import load
from circuitboard.prompts import PromptPair
from circuitboard.prompts.token_bytes import _byte_letters
from circuitboard.prompts.token_name import name_of, names_of
from tests.prompts.tasks.tokenizers_of_our_own import reader


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" Mary", " Mary"),
        ("Mary", "Mary"),
        (" ", "·"),
        ("    ", "····"),
        (" " * 12, "·⟨×12⟩"),
        ("  x", "··x"),
        ("x ", "x·"),
        ("a b", "a b"),
        ("\n", "⏎"),
        ("\r\n\t", "␍⏎⇥"),
        (" \n", " ⏎"),
        ("-" * 64, "-⟨×64⟩"),
        ("\u200b", "⟨U+200B⟩"),
        ("\u202eabc\u2066", "⟨U+202E⟩abc⟨U+2066⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\u00a0", "⟨U+00A0⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("\x00\x1b", "⟨U+0000⟩⟨U+001B⟩"),
        ("❤\ufe0f", "❤⟨U+FE0F⟩"),
        ("🍕", "🍕"),
        (b" \xf0\x9f", " ⟨F0 9F⟩"),
        (b"\x8d", "⟨8D⟩"),
        (b"\xb3a\xe5\x9b", "⟨B3⟩a⟨E5 9B⟩"),
        ("\ufffd", "⟨U+FFFD⟩"),
        ("é", "é"),
        ("e\u0301", "e◌\u0301"),
        ("\u0301", "◌\u0301"),
        ("·", "⟨C2 B7⟩"),
        ("⟨8D⟩", "⟨E2 9F A8⟩8D⟨E2 9F A9⟩"),
        ("", "⟨⟩"),
    ],
)
def test_a_name_says_what_is_there(text, name):
    assert name_of(text) == name


def test_a_name_is_short_whatever_its_length():
    names = {name_of("ab" * 500_000), name_of("ab" * 499_999 + "ac")}
    assert len(names) == 2
    assert all(len(name) < 230 for name in names)


_PIECES = st.lists(
    st.one_of(
        st.sampled_from([" ", "  ", "\n", "·", "⟨", "⟩", "⏎", "◌", "\u0301", "\u202e", "8D", "×7", "a", "�", "\ud800"]),
        st.text(max_size=3),
    ),
    max_size=6,
).map("".join)


@given(_PIECES, _PIECES)
def test_two_texts_never_share_a_name(one, other):
    assert (name_of(one) == name_of(other)) == (one == other)


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_nor_do_two_sequences_of_bytes(one, other):
    assert (name_of(one) == name_of(other)) == (one == other)


@given(_PIECES)
def test_a_name_prints_and_turns_nothing(text):
    name = name_of(text)
    assert name
    assert name.isprintable()
    assert not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in name)
    assert name.strip() == name.lstrip(), "a space at the end would not be seen"


def test_parts_of_a_character_are_told_apart():
    names = names_of(reader("bytes").tokenizer)
    ids = reader("bytes").to_tokens("a 🍕🍝", prepend_bos=False)[0].tolist()
    assert [names(token) for token in ids] == ["a", "·", *(f"⟨{byte:02X}⟩" for byte in "🍕🍝".encode())]


def test_the_embedded_models_words_are_named_as_they_are_written():
    tokenizer = load("demo", device="cpu").tokenizer
    names = [names_of(tokenizer)(token) for token in range(len(tokenizer))]
    assert len(set(names)) == len(names)
    assert names[tokenizer.convert_tokens_to_ids(" Mary")] == " Mary"


@pytest.mark.parametrize("kind", ["words", "digits", "bytes"])
def test_no_two_ids_of_a_byte_level_tokenizer_share_a_name(kind):
    tokenizer = reader(kind).tokenizer
    names = [names_of(tokenizer)(token) for token in range(len(tokenizer) + 3)]
    assert len(set(names)) == len(names)
    assert names[-1] == f"⟨id {len(tokenizer) + 2}⟩"
    assert "<|end|>" in names


def _sentencepiece():
    pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "A", "▁A", " A", "é", "\n", "▁the"]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, [], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", unk_token="<unk>")  # noqa: S106


def test_sentencepiece_keeps_its_leading_spaces_and_bytes():
    tokenizer = _sentencepiece()
    names = [names_of(tokenizer)(token) for token in range(len(tokenizer))]
    assert len(set(names)) == len(names)
    named = {tokenizer.convert_ids_to_tokens(token): name for token, name in enumerate(names)}
    assert [named[piece] for piece in ("▁the", "▁A", "A", "▁", "\n")] == [" the", " A", "A", "·", "⏎"]
    assert named["<0xE5>"] == "⟨E5⟩"
    # What the tokenizer writes another way carries its id.
    for piece, text in (("<0x41>", "A"), ("<0x0A>", "⏎"), (" A", " A")):
        assert named[piece] == f"{text}⟨id {tokenizer.convert_tokens_to_ids(piece)}⟩"


def test_a_tokenizer_of_another_kind_is_looked_through_for_texts_it_has_twice():
    vocabulary = {"cat</w>": 0, "cat": 1, "dog</w>": 2}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="cat"))  # noqa: S106
    tokenizer.decoder = decoders.BPEDecoder("</w>")
    names = names_of(PreTrainedTokenizerFast(tokenizer_object=tokenizer))
    assert len({names(0), names(1), names(2)}) == 3
    assert names(7) == "⟨id 7⟩"


def test_a_word_among_pieces_of_bytes_has_a_name_of_its_own():
    letters = {byte: letter for letter, byte in _byte_letters().items()}
    spelled = "".join(letters[byte] for byte in "法".encode())
    tokenizer = Tokenizer(models.BPE({"法": 0, spelled: 1, "国": 2}, []))
    tokenizer.decoder = decoders.ByteLevel()
    names = names_of(PreTrainedTokenizerFast(tokenizer_object=tokenizer))
    assert [names(token) for token in range(3)] == ["法⟨id 0⟩", "法", "国"]


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("Å", "\u212b"),
        ("K", "\u212a"),
        (";", "\u037e"),
        ("豈", "\uf900"),
        ("하", "\u1112\u1161"),
        ("각", "가\u11a8"),
        ("é", "e\u0301"),
    ],
)
def test_what_is_drawn_alike_is_named_apart(text, twin):
    assert unicodedata.normalize("NFC", twin) == text
    assert name_of(text) == text
    named = name_of(twin)
    assert unicodedata.normalize("NFC", named) not in (text, name_of(text))


def test_an_added_token_is_found_before_a_piece_of_the_same_text():
    tokenizer = Tokenizer(models.BPE({"Ġ": 0, "ĠĠ": 1, "a": 2}, [("Ġ", "Ġ")]))
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.add_tokens([AddedToken("  ", normalized=False)])
    names = names_of(fast)
    assert (names(1), names(3)) == ("··⟨id 1⟩", "··")


def test_a_pair_of_foods_reads_as_bytes_in_its_table():
    """A difference of two characters is not the same sign twice, and each token can be looked up by its id."""
    pair = PromptPair("so 🍕\n", "so 🍝\n", answer="a")
    pair.bind(reader("bytes"))
    table = pair.table()
    assert "�" not in "".join([*table["clean"], *table["corrupted"]])
    (row,) = table[table["differs"]].to_dict("records")
    assert (row["clean"], row["corrupted"]) == ("⟨95⟩", "⟨9D⟩")
    assert table["clean_id"].tolist() == pair.clean_tokens[0].tolist()
    assert table["corrupted_id"].tolist() == pair.corrupted_tokens[0].tolist()
    assert table["clean"].tolist()[-1] == "⏎"
    assert "·" in table["clean"].tolist()
