"""Falsy is not None: the zero of every optional field comes back from the file, from the code and over the wire.

Which fields are optional is read off the values themselves, so a new one fails here until its zero is tried.
"""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
import torch

import circuitboard as cb
from circuitboard.address import Intervention, Site
from circuitboard.board import Edit, Node
from circuitboard.protocol import messages as m
from circuitboard.runs import Run
from tests.tiny_models import tiny
from tests.widget.view import View

TOKENS = torch.tensor([[0, 15, 36, 17, 39], [0, 15, 33, 17, 31]])
RUN = cb.Run(TOKENS.flip(1), labels={"first": [0, 0]})

ZEROS = {
    (Intervention, "strength"): cb.head(0, 0).scale(0.0),
    (Intervention, "values"): cb.head(0, 0).set(0.0),
    (Intervention, "seed"): cb.head(0, 0).resample(seed=0),
    (Intervention, "run"): cb.head(0, 0).patch(RUN),
    (Intervention, "from_"): cb.resid_pre(0).at(0).patch(from_=0),
    (Intervention, "per"): cb.head(0, 0).mean(per="position"),
    (Site, "index"): cb.neuron(0, 0).zero(),
    (Site, "positions"): cb.resid_pre(0).at(0).zero(),
    (Site, "sources"): cb.head(0, 0).pattern.at(0, 0).scale(0.0),
    (Run, "prepend_bos"): cb.attn_out(0).patch(cb.Run(["a b", "a b"], prepend_bos=False)),
}
"""An edit with the zero of each; a text that a user gives is refused when it is empty."""
TEXTS = {(Edit, "name"), (Edit, "group"), (Node, "note")}
STATES = {(Node, "parent")}
ADDED = cb.head(0, 0).add(torch.zeros(8), 0.0)


def optional(kind):
    return {
        (kind, field.name) for field in dataclasses.fields(kind) if field.default is None or "None" in str(field.type)
    }


def test_every_optional_field_is_tried():
    found = set().union(*(optional(kind) for kind in (Intervention, Site, Run, Edit, Node)))
    assert found - {(Node, "step")} == {*ZEROS, *TEXTS, *STATES}, "a step has no zero; it comes back with its state"


def nothing(logits):
    return logits[:, -1, 0] * 0


@pytest.fixture(scope="module")
def board():
    """All the zeros on one board, whose metric is 0 in every state; the state before is undone, so redo leads to 0."""
    board = cb.Board(tiny("gpt2"), cb.PromptPair(TOKENS, TOKENS.flip(1), answer=0, wrong=31), metric=nothing)
    board.edit(ADDED, *(edit for (kind, _), edit in ZEROS.items() if kind is not Run))
    board.rename(0, "0")
    board.group("0", 1, 2)
    board.toggle(3)
    board.note("0", 0)
    yield board
    board.close()


def same(made, board):
    assert made.edits == board.edits
    assert made.values.tolist() == [0.0, 0.0]
    assert made.prompts.answers.to_list() == board.prompts.answers.to_list() == [0, 0]


def test_through_the_file(board, tmp_path):
    path = tmp_path / "zero.board.json"
    board.save(path)
    loaded = cb.Board.load(path, board.model, metric=nothing)
    same(loaded, board)
    assert loaded.history == board.history
    assert dict(loaded.desk.values) == dict.fromkeys(range(len(board.history.nodes)), 0.0)
    loaded.close()


def test_through_the_code(board):
    scope = {"model": board.model, "nothing": nothing}
    exec(board.to_python(), scope)  # noqa: S102  that is the point
    same(scope["board"], board)
    scope["board"].close()


def optional_numbers(kind):
    """Fields of a struct of the wire that hold a number or null, or a list of them or null."""
    for field in msgspec.structs.fields(kind):
        text = str(field.type)
        if "None" in text and any(word in text for word in ("int", "float", "Real")) and "str" not in text:
            yield field.name


def structs_in(value):
    if isinstance(value, msgspec.Struct) and not isinstance(value, m.Real):
        yield value
        for name in value.__struct_fields__:
            yield from structs_in(getattr(value, name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from structs_in(one)


NEVER_ZERO = {
    ("TopToken", "rank"): "counts from 1",
    ("Tree", "redo"): "leads to a state with one before it",
    ("Snapshot", "latency_ms"): "no step takes no time",
}


def test_over_the_wire(board):
    view = View(board)
    view.hello()
    view.ask("set_view", positions=[0])
    view.wait(
        lambda: all(row.effect is not None for row in (*view.snapshots[-1].edits[-2:], *view.snapshots[-1].groups))
    )
    seen, fields = set(), set()
    for one in structs_in(view.snapshots[-1]):
        kind = type(one)
        for name in optional_numbers(kind):
            fields.add((kind.__name__, name))
            value = getattr(one, name)
            number = value.value if isinstance(value, m.Real) else value
            if number is not None and (number == 0 or number in ([], [0], [0, 0])):
                seen.add((kind.__name__, name))
    view.session.close()
    assert fields - seen == set(NEVER_ZERO)


def test_what_a_panel_asks_for(board):
    view = View(board)
    view.hello()
    detailed = view.ask("detail", site="0.0", position=0, row=0, source=0, circuit=True)
    assert (detailed.position, detailed.source) == (0, 0)
    view.ask("apply", edits=[{"site": "0.0 @ 0", "how": "scale", "strength": 0.0}])
    added = board.edits[-1].intervention
    assert (added.strength, added.site.positions) == (0.0, (0,))
    view.session.close()
