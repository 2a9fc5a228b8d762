"""Steps as values: what a cell, a click and the copied code do is one step, in the same words."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from circuitboard.steps.step import KINDS

STEPS = {
    "edit": lambda board: board.edit(cb.head(1, 2).at([1, 3]).zero(), cb.neuron(0, 3).patch()),
    "a tensor": lambda board: board.edit(cb.head(1, 2).at(2).add(torch.arange(8.0), scale=0.5)),
    "a long tensor": lambda board: board.edit(cb.resid_pre(1).add(torch.randn(5, 32))),
    "an edge": lambda board: board.edit(cb.edge(cb.head(0, 1), cb.head(2, 3).q).zero()),
    "a run": lambda board: board.edit(cb.head(0, 3).patch(board.as_run())),
    "remove": lambda board: board.remove(1),
    "toggle": lambda board: board.toggle(0),
    "strength": lambda board: board.set_strength(2, -3),
    "up": lambda board: board.move(2, 0),
    "down": lambda board: board.move(0, 2),
    "next to it": lambda board: board.move(0, 1),
    "clear": lambda board: board.clear(),
    "base": lambda board: board.set_base("corrupted"),
    "a pattern": lambda board: board.edit(cb.head(1, 0).pattern.at(-1, [0, 1]).zero(renormalize=True)),
    "rename": lambda board: board.rename(1, "mover"),
    "unname": lambda board: (board.rename(1, "mover"), board.rename(1, None)),
    "group": lambda board: board.group("late", 0, 2),
    "regroup": lambda board: (board.group("late", 0, 2), board.group("late", 1, 2)),
    "ungroup": lambda board: (board.group("late", 0, 2), board.group(None, "late")),
    "rename a group": lambda board: (board.group("late", 0, 2), board.rename("late", "early")),
    "toggle a group": lambda board: (board.group("late", 0, 2), board.toggle("late")),
    "remove a group": lambda board: (board.group("late", 0, 2), board.remove("late")),
    "move a named one": lambda board: (board.rename(0, "first"), board.move(0, 2)),
    "a group": lambda board: board.group("movers", 0, 2),
    "another group": lambda board: (board.group("a", 0), board.group("b", 0, 1)),
    "a group less": lambda board: (board.group("a", 0, 1), board.group(None, 0)),
    "a group's name": lambda board: (board.group("a", 0, 1), board.rename("a", "b")),
    "a name": lambda board: board.rename(1, "it's"),
    "a group off": lambda board: (board.group("a", 0, 1), board.toggle("a")),
    "replace": lambda board: board.replace(1, cb.head(1, 0).patch()),
    "replace in a group": lambda board: (board.group("a", 0, 1), board.replace(1, cb.head(1, 0).patch())),
    "strength in a group": lambda board: (board.group("a", 2), board.set_strength(2, 0.25)),
    "groups into one": lambda board: (board.group("a", 0), board.group("b", 1), board.group("c", "a", "b")),
    "the same twice": lambda board: board.edit(cb.head(0, 0).zero(), cb.head(0, 0).zero()),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_the_code_takes_the_step_again(board, view, step):
    board.edit(cb.head(0, 0).zero(), cb.head(0, 1).patch(), cb.head(1, 1).scale(0.5))
    step(board)
    taken, state, value = board.history.nodes[-1], board.history.state, board.value
    answer = view.ask("export", what="python")
    assert isinstance(answer, m.Exported)
    assert (answer.filename, answer.media_type) == ("last_step.py", "text/x-python")
    board.undo()
    before = board.history
    exec(compile(answer.text, "last_step.py", "exec"), {"board": board})  # noqa: S102  what a user pastes
    assert len(board.history.nodes) == len(before.nodes) + 1, "one step, one undo"
    assert board.history.nodes[-1].label == taken.label
    assert board.history.nodes[-1].step == taken.step
    assert board.history.state == state
    assert board.value == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_the_code_of_the_state_and_that_of_the_step_lead_there_on_a_new_board(board, view, step):
    board.edit(cb.head(0, 0).zero(), cb.head(0, 1).patch(), cb.head(1, 1).scale(0.5))
    step(board)
    state, value = board.history.state, board.value
    whole, last = view.ask("copy_code").text, view.ask("export", what="python").text
    board.undo()
    before = view.ask("copy_code").text
    for code in ([whole], [before, last]):
        scope: dict = {"model": board.model}
        for text in code:
            exec(compile(text, "pasted.py", "exec"), scope)  # noqa: S102  what a user pastes
        made = scope["board"]
        assert made.history.state == state
        assert made.value == pytest.approx(value, abs=1e-5)
        made.close()


def test_a_click_is_one_line(board, view):
    view.ask("click", site="1.2", positions=[1])
    text = view.ask("export", what="python").text
    assert text == "import circuitboard as cb\n\nboard.edit(cb.head(1, 2).at(1).zero())\n"
    view.ask("click", site="1.2")
    assert view.ask("export", what="python").text == "board.remove(0)\n"


FROM_THE_PANEL = {
    "remove": (lambda b: b.remove(1), {"index": 1}),
    "remove a group": (lambda b: b.remove("late"), {"index": [0, 2]}),
    "remove several": (lambda b: b.remove(0, 1), {"index": [0, 1]}),
    "toggle": (lambda b: b.toggle(0), {"index": 0}),
    "toggle a group": (lambda b: b.toggle("late"), {"index": [0, 2]}),
    "set_strength": (lambda b: b.set_strength(2, 0.25), {"index": 2, "strength": 0.25}),
    "move": (lambda b: b.move(0, 2), {"index": 0, "to": 2}),
    "group": (lambda b: b.group("x", 0, 1), {"indices": [0, 1], "name": "x"}),
    "group a group": (lambda b: b.group("x", "late"), {"indices": [0, 2], "name": "x"}),
    "group it out": (lambda b: b.group(None, "late"), {"indices": [0, 2], "name": None}),
    "rename": (lambda b: b.rename(1, "mover"), {"which": 1, "name": "mover"}),
    "rename a group": (lambda b: b.rename("late", "early"), {"which": "late", "name": "early"}),
    "rename to none": (lambda b: b.rename(1, None), {"which": 1, "name": None}),
    "set_base": (lambda b: b.set_base("corrupted"), {"base": "corrupted"}),
    "clear": (lambda b: b.clear(), {}),
    "apply": (lambda b: b.edit(cb.head(2, 2).zero()), {"edits": [{"site": "2.2", "how": "zero"}]}),
    "click": (lambda b: b.edit(cb.head(2, 2).zero()), {"site": "2.2"}),
    "click back": (lambda b: b.remove(1), {"site": "0.1"}),
}


@pytest.mark.parametrize(("call", "asked"), FROM_THE_PANEL.values(), ids=FROM_THE_PANEL)
def test_a_cell_and_the_panel_take_the_same_step(board, view, request, call, asked):
    kind = request.node.callspec.id.split(" ")[0]
    board.edit(cb.head(0, 0).zero(), cb.head(0, 1).zero(), cb.head(1, 1).scale(0.5))
    board.group("late", 0, 2)
    call(board)
    cell = board.history.nodes[-1]
    board.undo()
    revision = {"revision": board.desk.shown.revision} if {"index", "indices", "which"} & asked.keys() else {}
    assert isinstance(view.ask(kind, **asked, **revision), m.Done)
    panel = board.history.nodes[-1]
    assert (panel.label, panel.state) == (cell.label, cell.state)


NUMBERS = {
    "remove": lambda b, n: b.remove(n(1)),
    "toggle": lambda b, n: b.toggle(n(0), n(2)),
    "replace": lambda b, n: b.replace(n(1), cb.head(2, 2).zero()),
    "set_strength": lambda b, n: b.set_strength(n(2), n(3)),
    "move": lambda b, n: b.move(n(2), n(0)),
    "group": lambda b, n: b.group("late", n(0), n(2)),
    "rename": lambda b, n: b.rename(n(1), "mover"),
}


@pytest.mark.parametrize("number", [np.int64, torch.tensor, lambda n: np.array([n])], ids=["numpy", "torch", "array"])
@pytest.mark.parametrize("call", NUMBERS.values(), ids=NUMBERS)
def test_a_step_holds_numbers_of_python_whatever_it_was_given(board, view, tmp_path, call, number):
    board.edit(cb.head(0, 0).zero(), cb.head(0, 1).patch(), cb.head(1, 1).scale(0.5))
    call(board, int)
    expected = board.history.nodes[-1]
    board.undo()
    call(board, number)
    assert board.history.nodes[-1] == expected
    assert view.ask("export", what="python").text.endswith(f"{expected.step.python}\n")
    board.save(tmp_path / "a.board.json")
    loaded = cb.Board.load(tmp_path / "a.board.json", board.model)
    assert loaded.history == board.history
    loaded.close()


def test_every_kind_of_step_is_a_call_of_a_board_and_every_call_that_steps_is_a_kind():
    calls = {kind.call for kind in KINDS.values()}
    assert len(calls) == len(KINDS)
    assert all(callable(getattr(cb.Board, call)) for call in calls)
    editing = {
        name for name, member in vars(cb.Board).items() if getattr(member, "__module__", "").endswith("board.editing")
    }
    assert editing == calls


def test_every_request_that_steps_has_its_kind_and_its_fields():
    for asked in m.StepRequest.__subclasses__():
        kind = KINDS[asked.__name__]
        wire = set(asked.__struct_fields__) - {"id", "revision", "drag"}
        assert wire == {field.name for field in fields(kind)}, asked


def test_steps_come_back_from_a_file(board, tmp_path):
    for name, step in STEPS.items():
        board.edit(cb.head(0, 0).zero(), cb.head(0, 1).patch(), cb.head(1, 1).scale(0.5))
        step(board)
        board.note(name)
        board.clear()
    board.save(tmp_path / "a.board.json")
    loaded = cb.Board.load(tmp_path / "a.board.json", board.model)
    assert loaded.history == board.history
    assert all(node.step is not None for node in loaded.history.nodes[1:])
    loaded.close()
