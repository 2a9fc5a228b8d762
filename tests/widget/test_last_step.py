"""The last step as Python: run on the state before, it leads to the state after."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m

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
    "two removed": lambda board: board.step(lambda h: h.pushed("x", h.state.removed(2).removed(0))).result(),
    "all anew": lambda board: board.step(
        lambda h: h.pushed("x", h.state.cleared().added([cb.head(2, 2).zero(), cb.head(2, 1).zero()]).toggled(1))
    ).result(),
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
    "nothing": lambda board: board.step(lambda h: h.pushed("x", h.state)).result(),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_the_code_takes_the_step_again(board, view, step):
    board.edit(cb.head(0, 0).zero(), cb.head(0, 1).patch(), cb.head(1, 1).scale(0.5))
    step(board)
    state, value = board.history.state, board.value
    answer = view.ask("export", what="python")
    assert isinstance(answer, m.Exported)
    assert (answer.filename, answer.media_type) == ("last_step.py", "text/x-python")
    board.undo()
    before = board.history.state
    exec(compile(answer.text, "last_step.py", "exec"), {"board": board})  # noqa: S102  what a user pastes
    if state != before:
        assert board.history.state != before
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
    assert view.ask("export", what="python").text == "board.clear()\n"
