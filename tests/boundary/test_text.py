"""Text that is a subclass of `str`, as numpy and enumerations have it, is the text that it is: in files, code and reports."""

from __future__ import annotations

import enum

import numpy as np
import pandas as pd
import pytest

import circuitboard as cb
from circuitboard.boundary import own_text


class Own(str):
    """A class that people have for their prompts."""

    __slots__ = ()

    def __str__(self):
        return "something else"


def member(text):
    """A member of an enumeration whose value is this text."""
    return enum.Enum("Named", {"ONE": text}, type=str).ONE


@pytest.mark.parametrize("kind", [np.str_, Own, member])
def test_a_board_made_of_such_text_is_saved_and_written_as_code(kind, tmp_path):
    model = cb.load(kind("demo"), device=kind("cpu"))
    clean, corrupted = "When John and Mary went to the shops, John gave the bag to", "When John and Mary went to the shops, Mary gave the bag to"  # fmt: skip
    pair = cb.PromptPair(kind(clean), [kind(corrupted)], answer={kind(" Mary")}, wrong=kind(" John"), labels={kind("END"): -1})  # fmt: skip
    board = cb.Board(model, pair, metric=[kind("logit_diff"), kind("kl")], base=kind("clean"), engine=kind("auto"))
    board.edit(
        cb.head(1, 2).at(kind("END")).zero(), cb.Site(kind("head"), 2, 1, [kind("END")]).patch(per=kind("label"))
    )
    board.group(kind("mine"), 0, 1)
    board.note(kind("here"))
    board.save(kind(tmp_path / "of.board.json"))
    again = cb.Board.load(tmp_path / "of.board.json", model)
    assert again.history == board.history
    assert again.value == pytest.approx(board.value)
    text = board.to_python()
    assert not any(word in text for word in ("np.", "Named", "something else"))
    names = {}
    exec(text, names)  # noqa: S102  the code that the board wrote
    assert names["board"].value == pytest.approx(board.value)
    sweep = board.sweep(kind("head"), by=kind("pos"), how=kind("zero"), on=kind("kl"), layers=[3], positions=[-1])
    assert repr(sweep).startswith("Sweep(zero head, ")
    for one in (board, again, names["board"]):
        one.close()


def test_a_series_of_such_text_is_a_list_of_labels():
    labels = pd.Series([np.str_("S1"), np.str_("S2")], dtype=object)
    assert all(type(label) is str for label in cb.head(0, 0).at(labels).positions)
    assert all(type(label) is str for label in cb.head(0, 0).at(label for label in labels).positions)


def test_what_holds_no_such_text_is_passed_on_as_it_is():
    cyclic = []
    cyclic.append(cyclic)
    for given in ([1, "a", [2]], {"a": 1}, (1,), {"a"}, cyclic, np.array(["a"]), None, object()):
        assert own_text(given) is given
    found = own_text({np.str_("a"): [np.str_("b"), ("c", np.str_("d"))]})
    assert found == {"a": ["b", ("c", "d")]}
    assert all(type(text) is str for text in (*found, found["a"][0], found["a"][1][1]))
