"""Nothing that a cell waits for holds up a click: it is answered in the middle of a pass, and the cell gets its numbers.

A pass asks once a layer whether it should go on. Here it is made to stand still at one of these questions for as long
as nothing newer comes, as if that layer took for ever: a click that waited for the pass, or for the next one, would
never be answered.
"""

from __future__ import annotations

import ast
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
import torch

import circuitboard as cb
from circuitboard import analysis
from circuitboard.engine import CancelToken
from tests.board.prompts import pair

EDIT, OTHER, CLICK = cb.head(1, 2).zero(), cb.head(2, 1).zero(), cb.head(0, 3).zero()
TEXT = torch.arange(200).view(5, 40) % 60

READINGS = {
    "attention": lambda b: b.attention(0, 1).to_dataframe(),
    "direct_logit_attribution": lambda b: b.direct_logit_attribution(neurons=True).to_dataframe(),
    "logit_lens": lambda b: b.logit_lens(slice(-3, None), mid=True).to_dataframe(),
    "max_activating": lambda b: b.max_activating(TEXT, 1, 7, k=20),
    "metrics": lambda b: b.metrics,
    "neurons": lambda b: b.neurons(1, k=7),
    "per_prompt": lambda b: b.per_prompt(),
    "self_repair": lambda b: b.self_repair(OTHER).to_dataframe(),
    "show_attention": lambda b: pd.DataFrame([bool(b.show_attention(0, 1))]),
    "show_tokens": lambda b: pd.DataFrame([bool(b.show_tokens(range(b.prompts.n_positions)))]),
    "top_tokens": lambda b: b.top_tokens(5),
}
OTHERS = {
    "self_test": lambda b: pd.DataFrame(map(asdict, b.self_test().checks)),
    "compare_states": lambda b: b.compare_states(0, 1, over="head").effects,
    "effects_of_edits": lambda b: pd.DataFrame(b.desk.maps.effects_of_edits(b.desk.shown), index=[0]),
    "estimate": lambda b: b.sweep("head", approximate="atp").to_dataframe(),
    "logits": lambda b: pd.DataFrame(b.logits(1).numpy()),
    "preview": lambda b: pd.DataFrame(b.preview(OTHER).values.numpy()),
    "sweep": lambda b: b.sweep("head", by="pos").to_dataframe(),
    "verify": lambda b: pd.DataFrame(asdict(b.verify()), index=[0]),
}


def test_every_reading_is_tried():
    tables = {*analysis.__all__, "pd.DataFrame"}
    public = {
        name: value.fget if isinstance(value, property) else value
        for name in dir(cb.Board)
        if not name.startswith("_")
        and (isinstance(value := inspect.getattr_static(cb.Board, name), property) or inspect.isfunction(value))
    }
    assert {name for name, call in public.items() if call.__annotations__.get("return") in tables} == READINGS.keys()


def test_only_what_moves_the_board_is_done_in_one_go():
    plain = []
    for path in Path(cb.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("worker.submit"):
                plain.append((path.stem, any(word.arg == "moves" for word in call.keywords)))
    assert plain == [("desk", True)], "a refresh, which is a step; all else is submitted in pieces"


class Pause:
    """Makes what a cell waits for stand still at one of its questions, until something newer comes."""

    def __init__(self, monkeypatch):
        self.asked, self.at, self.over = 0, None, False
        self.reached = threading.Event()
        check = CancelToken.check

        def checked(token):
            if token.patient:
                if self.asked == self.at:
                    self.reached.set()
                    while not (token.cancelled or self.over):
                        threading.Event().wait(0.001)
                else:
                    self.asked += 1
            check(token)

        monkeypatch.setattr(CancelToken, "check", checked)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        # What failed does not leave a cell standing still, which the test would wait for.
        self.over, self.at = True, None


@pytest.mark.parametrize(
    ("name", "tier"),
    [*((name, "auto") for name in (*READINGS, *OTHERS)), ("sweep", "hooked"), ("sweep", "replay")],
)
def test_a_click_is_answered_in_the_middle_of_a_pass_and_the_call_returns_what_it_was_asked_for(
    model, monkeypatch, name, tier
):
    call = {**READINGS, **OTHERS}[name]
    board = cb.Board(model, pair(), engine=tier)
    board.edit(EDIT)
    pause = Pause(monkeypatch)
    expected, questions = call(board), pause.asked
    assert questions or name in ("metrics", "per_prompt", "show_tokens", "top_tokens"), "these read what is known"
    with ThreadPoolExecutor() as cell, pause:
        for at in sorted({0, questions // 2, questions - 1}) if questions else ():
            pause.reached.clear()
            pause.asked, pause.at = 0, at
            answer = cell.submit(call, board)
            for _ in range(2):
                assert pause.reached.wait(60)
                pause.reached.clear()
                board.edit(CLICK)
                assert not answer.done()
            assert pause.reached.wait(60)
            pause.at = None
            board.undo(), board.undo()
            pd.testing.assert_frame_equal(answer.result(), expected, rtol=1e-4, atol=1e-5)
    board.close()
