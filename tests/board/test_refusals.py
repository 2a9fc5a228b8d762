"""Bad input: one clear error each, and the board is what it was before."""

from __future__ import annotations

import json
import math

import pytest
import torch

import circuitboard as cb
from circuitboard.steps.state import MAX_EDITS
from tests.board.prompts import ANSWERS, CLEAN, WRONG, pair, plain_values

EDIT = cb.head(1, 2).zero()


def _save(tmp_path, board, change):
    path = tmp_path / "saved.board.json"
    board.save(path)
    path.write_bytes(change(path.read_bytes()))
    return path


def _word(cell):
    return cb.PromptPair(" the a", " a the", answer=cell, wrong=" the")


ATTEMPTS = {
    "unknown model name": (lambda board, _: cb.load("no-such-model-anywhere"), "unknown_model"),
    "an answer of two tokens": (
        lambda board, _: cb.Board(cb.load("demo"), _word(" the a")),
        "answer_not_one_token",
    ),
    "prompts of unequal length": (
        lambda board, _: cb.Board(cb.load("demo"), cb.PromptPair(" the a", " the", answer=" a", wrong=" the")),
        "unequal_lengths",
    ),
    "tokens of unequal length": (
        lambda board, _: cb.Board(board.model, cb.PromptPair(CLEAN, CLEAN[:, :3], answer=ANSWERS, wrong=WRONG)),
        "unequal_lengths",
    ),
    "head 99.0": (lambda board, _: board.edit(cb.head(99, 0).zero()), "layer_out_of_range"),
    "head 0.99": (lambda board, _: board.edit(cb.head(0, 99).zero()), "head_out_of_range"),
    "preview of head 99.0": (lambda board, _: board.preview(cb.site("99.0").zero()), "layer_out_of_range"),
    "sweep of layer 99": (lambda board, _: board.sweep("head", layers=99), "layer_out_of_range"),
    "verify of head 99.0": (lambda board, _: board.verify(cb.head(99, 0).zero()), "layer_out_of_range"),
    "a good and a bad edit": (
        lambda board, _: board.edit(EDIT, cb.resid_pre(99).zero()),
        "layer_out_of_range",
    ),
    "position 5 of 5": (lambda board, _: board.edit(EDIT.site.at(5).zero()), "position_out_of_range"),
    "position -6 of 5": (lambda board, _: board.edit(EDIT.site.at([0, -6]).zero()), "position_out_of_range"),
    "an empty slice": (lambda board, _: board.edit(EDIT.site.at(slice(3, 2)).zero()), "position_out_of_range"),
    "an unknown label": (lambda board, _: board.edit(EDIT.site.at("IO").zero()), "unknown_label"),
    "sweep of position 5": (lambda board, _: board.sweep("head", by="pos", positions=5), "position_out_of_range"),
    "scale by nan": (lambda board, _: board.edit(EDIT.site.scale(math.nan)), "non_finite_value"),
    "scale by inf": (lambda board, _: board.edit(EDIT.site.scale(math.inf)), "non_finite_value"),
    "scale by text": (lambda board, _: board.edit(EDIT.site.scale("much")), "bad_strength"),
    "a site, not an intervention": (lambda board, _: board.edit(EDIT.site), "not_an_intervention"),
    "text, not an intervention": (lambda board, _: board.edit("9.6"), "not_an_intervention"),
    "nothing at all": (lambda board, _: board.edit(), "not_an_intervention"),
    "remove what is not there": (lambda board, _: board.remove(7), "no_such_edit"),
    "toggle what is not there": (lambda board, _: board.toggle(-3), "no_such_edit"),
    "remove by name": (lambda board, _: board.remove("1.2"), "no_such_group"),
    "an unknown base": (lambda board, _: board.set_base("dirty"), "unknown_base"),
    "redo of nothing": (lambda board, _: board.redo(), "nothing_to_redo"),
    "more edits than a board holds": (lambda board, _: board.edit(*[EDIT] * MAX_EDITS), "too_many_edits"),
    "an unknown sweep": (lambda board, _: board.sweep("embed"), "unknown_sweep"),
    "an unknown way to sweep": (lambda board, _: board.sweep("head", how="scale"), "unknown_sweep"),
    "an unknown order": (lambda board, _: board.sweep_async("head", order="effect"), "unknown_sweep"),
    "an edge, not an intervention": (
        lambda board, _: board.edit(cb.edge(cb.head(0, 0), cb.head(1, 0))),
        "not_an_intervention",
    ),
    "an unknown axis": (lambda board, _: board.sweep("head", by="layer"), "unknown_sweep"),
    "no layers": (lambda board, _: board.sweep("head", layers=[]), "unknown_sweep"),
    "labels at different places": (lambda board, _: board.sweep("head", by="pos", positions="S2"), "positions_differ"),
    "a model that is none": (lambda board, _: cb.Board("gpt2", pair()), "not_a_bridge"),
    "half of a surrogate pair": (
        lambda board, _: cb.Board(cb.load("demo"), cb.PromptPair(" the \ud800", " a \udfff", answer=" a", wrong=" the")),
        "bad_prompt",
    ),
    "half of a surrogate pair as answer": (
        lambda board, _: cb.Board(cb.load("demo"), cb.PromptPair(" the", " a", answer="\udc00", wrong=" the")),
        "bad_prompt",
    ),
    "prompts that are no pair": (lambda board, _: cb.Board(board.model, "When John and Mary"), "bad_prompt"),
    "a corrupted session file": (
        lambda board, tmp: cb.Board.load(_save(tmp, board, lambda data: data[: len(data) // 2]), board.model),
        "bad_session_file",
    ),
    "a session file for another model": (
        lambda board, tmp: cb.Board.load(_save(tmp, board, lambda data: data), cb.load("demo")),
        "does_not_fit",
    ),
    "a session file for an edit that does not exist": (
        lambda board, tmp: cb.Board.load(_save(tmp, board, lambda data: data.replace(b'"1.2"', b'"99.0"')), board.model),
        "does_not_fit",
    ),
    "a pickle as session file": (
        lambda board, tmp: cb.Board.load(_save(tmp, board, lambda _: b"\x80\x04\x95\x00."), board.model),
        "pickle_refused",
    ),
    "no session file": (lambda board, tmp: cb.Board.load(tmp / "none.json", board.model), "no_such_file"),
    "a session file into no folder": (lambda board, tmp: board.save(tmp / "none" / "a.json"), "cannot_write"),
    "a session file named with NUL": (lambda board, tmp: board.save(f"{tmp}/a\0b.json"), "cannot_write"),
    "loading for no model": (
        lambda board, tmp: cb.Board.load(_save(tmp, board, lambda data: data), None),
        "model_needed",
    ),
    "loading for what is no model": (
        lambda board, tmp: cb.Board.load(_save(tmp, board, lambda data: data), "gpt2"),
        "not_a_bridge",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_bad_input_is_refused_and_changes_nothing(board, model, attempt, tmp_path):
    bad, code = ATTEMPTS[attempt]
    board.edit(EDIT)
    before = (board.desk.shown, board.history, board.edits, board.base, board.value, board.values.tolist())
    with pytest.raises(cb.CircuitboardError) as caught:
        bad(board, tmp_path)
    assert caught.value.code == code
    assert len(caught.value.message) >= 20, "says what was asked, what was found, what to do"
    assert code in str(caught.value)
    assert (board.desk.shown, board.history, board.edits, board.base, board.value, board.values.tolist()) == before
    board.edit(cb.attn_out(0).zero())
    torch.testing.assert_close(board.values, plain_values(model, [EDIT, cb.attn_out(0).zero()]), rtol=0, atol=1e-4)


def test_a_board_holds_as_many_edits_as_it_says_and_no_more(board):
    scales = [cb.head(0, 0).scale(1)] * (MAX_EDITS - 1)
    board.edit(*scales)
    board.edit(EDIT)
    assert len(board.edits) == MAX_EDITS
    with pytest.raises(cb.InterventionError) as caught:
        board.edit(EDIT)
    assert caught.value.code == "too_many_edits"
    assert len(board.edits) == MAX_EDITS
    board.remove(0)
    board.edit(EDIT)


def test_a_board_whose_setting_up_fails_leaves_no_thread(model):
    import gc
    import threading

    before = {thread for thread in threading.enumerate() if thread.name == "circuitboard"}
    for _ in range(5):
        with pytest.raises(cb.CircuitboardError):
            cb.Board(model, pair(), engine="warp")
        with pytest.raises(cb.CircuitboardError):
            cb.Board(model, pair(), metric=id)
    gc.collect()
    left = [thread for thread in threading.enumerate() if thread.name == "circuitboard" and thread not in before]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)


def test_a_closed_board_says_so(model):
    board = cb.Board(model, pair())
    value = board.value
    board.close()
    board.close()
    for attempt in (lambda: board.edit(EDIT), lambda: board.sweep("head"), board.verify):
        with pytest.raises(cb.EngineError) as caught:
            attempt()
        assert caught.value.code == "board_closed"
    assert board.value == value
    assert board.edits == ()


def test_the_file_is_json_that_people_can_read(board, tmp_path):
    board.edit(EDIT)
    board.save(tmp_path / "a.board.json")
    assert json.loads((tmp_path / "a.board.json").read_text())["states"][-1]["edits"][0]["site"] == "1.2"
