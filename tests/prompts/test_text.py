"""Places in a text are found again among its tokens, by offsets and by decoding alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.errors import PromptError
from circuitboard.models import load
from circuitboard.prompts import PromptPair
from circuitboard.prompts.text import token_before
from tests.prompts.tasks.tokenizers_of_our_own import reader

TEXT = "When Mary and John went to the store, John gave a drink to"


class Slow:
    """The same tokenizer without offsets."""

    def __init__(self, tokenizer, change=str):
        self._tokenizer, self._change = tokenizer, change

    def decode(self, ids, **options):
        return self._change(self._tokenizer.decode(ids, **options))


@pytest.mark.parametrize("prepend_bos", [True, False])
@pytest.mark.parametrize("kind", ["words", "bytes", "demo"])
def test_the_token_is_the_one_that_ends_the_word(kind, prepend_bos):
    model = load("demo", device="cpu") if kind == "demo" else reader(kind)
    ids = model.to_tokens(TEXT, prepend_bos=prepend_bos)[0].tolist()
    for tokenizer in (model.tokenizer, Slow(model.tokenizer)):
        for word in ("Mary", "went", "store", "to"):
            stop = TEXT.rindex(word) + len(word)
            at = token_before(stop, TEXT, ids, tokenizer)
            own = ids[prepend_bos : at + 1]
            assert model.tokenizer.decode(own) == TEXT[:stop]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12), st.data())
def test_any_text_has_its_places(text, data):
    model = reader("bytes")
    ids = model.to_tokens(text, prepend_bos=True)[0].tolist()
    stop = data.draw(st.integers(1, len(text)))
    at = token_before(stop, text, ids, model.tokenizer)
    assert model.tokenizer.decode(ids[1 : at + 1]).startswith(text[: stop - 1])
    assert model.tokenizer.decode(ids[1:at]) != text[:stop]


def test_a_space_that_the_tokenizer_drops_or_adds_is_allowed_for():
    model = reader("words")
    ids = model.to_tokens(TEXT, prepend_bos=False)[0].tolist()
    expected = token_before(9, TEXT, ids, model.tokenizer)
    assert token_before(9, TEXT, ids, Slow(model.tokenizer, lambda text: f" {text}")) == expected


def test_a_tokenizer_that_changes_the_text_is_refused():
    model = reader("words")
    ids = model.to_tokens(TEXT, prepend_bos=False)[0].tolist()
    with pytest.raises(PromptError) as caught:
        token_before(9, TEXT, ids, Slow(model.tokenizer, str.lower))
    assert caught.value.code == "place_unknown"


WRITTEN = "<|end|>" + TEXT


def _bound(clean, **options):
    return PromptPair(clean, answer=0, **options).bind(reader("words"))


def test_text_that_begins_with_bos_gets_no_second_one_unless_asked():
    """Chat templates write the BOS token themselves."""
    model, bos = reader("words"), reader("words").tokenizer.bos_token_id
    plain = model.to_tokens(TEXT, prepend_bos=True)[0].tolist()
    assert plain[0] == bos != plain[1]
    assert _bound(WRITTEN).token_ids("clean") == [plain]
    assert _bound(WRITTEN, prepend_bos=False).token_ids("clean") == [plain]
    assert _bound(WRITTEN, prepend_bos=True).token_ids("clean") == [[bos, *plain]]
    assert _bound([WRITTEN, TEXT]).token_ids("clean") == [plain, plain]
    assert _bound("<|end|>").token_ids("clean") == [[bos]]
    assert _bound("<|end|><|end|>" + TEXT).token_ids("clean") == [[bos, *plain]], "two that are written are two"
    assert _bound(f" {WRITTEN}").token_ids("clean")[0][:2] == [bos, model.to_single_token(" ")]


@pytest.mark.parametrize("prepend_bos", [None, True, False])
def test_a_board_of_text_with_bos_is_saved_and_written_as_code_with_as_many(tmp_path, prepend_bos):
    model = reader("words")
    pair = PromptPair([WRITTEN, TEXT], answer=" Mary", wrong=" John", prepend_bos=prepend_bos)
    board = cb.Board(model, pair, autosave=False)
    board.save(tmp_path / "bos.board.json")
    loaded = cb.Board.load(tmp_path / "bos.board.json", model)
    assert loaded.prompts.token_ids("clean") == board.prompts.token_ids("clean")
    scope = {"model": model, "cb": cb}
    exec(compile(board.to_python(), "code", "exec"), scope)  # noqa: S102
    assert scope["board"].prompts.token_ids("clean") == board.prompts.token_ids("clean")
    for one in (board, loaded, scope["board"]):
        one.close()
