"""A file keeps the whole history: every branch, its names, where the board stands and where redo leads."""

from __future__ import annotations

import json
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import circuitboard as cb
from circuitboard.desk.manifest import ModelManifest
from circuitboard.files import saved as saved_format
from circuitboard.files import saved_tree, storage, tree_in
from circuitboard.steps import BoardState, Edit, History, Node
from circuitboard.steps.step import Add
from tests.board.prompts import pair, plain_values
from tests.tiny_models import tiny


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.board.json"


def again(board, path, **options):
    """The board as it comes back from its file; nothing may have to be said about it."""
    board.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return cb.Board.load(path, board.model, **options)


def test_undone_steps_branches_and_names_come_back(board, path):
    board.edit(cb.head(1, 1).zero())
    board.note("finding")
    board.undo()
    loaded = again(board, path)
    assert loaded.history == board.history
    assert repr(loaded.history) == "● clean run\n○ zero 1.1  “finding”"
    assert loaded.value == pytest.approx(float(plain_values(board.model).mean()), abs=1e-5)
    loaded.redo()
    board.redo()
    assert [str(edit) for edit in loaded.edits] == ["zero 1.1"]
    assert loaded.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
    loaded.close()


def grown(board):
    """A board with two branches, a drag, names, groups, switched-off edits and the other base."""
    board.edit(cb.head(0, 1).zero(), cb.head(2, 0).scale(0.0))
    board.group("early", 0, 1)
    board.rename(0, "first")
    board.note("one way", 1)
    board.undo()
    board.undo()
    board.edit(cb.attn_out(0).at("S2").patch())
    board.toggle(0)
    board.set_base("corrupted")
    board.note("another way")
    board.undo()
    board.undo()
    board.note("the start", 0)
    return board


def test_all_states_can_be_visited_and_have_their_numbers(board, path):
    grown(board)
    loaded = again(board, path)
    assert loaded.history == board.history
    assert loaded.history.ahead == (6, 5)
    assert dict(loaded.desk.values) == pytest.approx(dict(board.desk.values))
    assert set(loaded.desk.values) == set(range(7))
    for node in range(len(board.history.nodes)):
        for one in (loaded, board):
            one.desk.step(lambda history, node=node: history.restored(node)).result()
        assert loaded.edits == board.edits
        assert loaded.values.tolist() == pytest.approx(board.values.tolist(), abs=1e-5)
        assert loaded.values.mean().item() == pytest.approx(loaded.desk.values[node])
    loaded.close()


def test_only_the_current_state_is_computed(board, path, monkeypatch):
    grown(board)
    board.save(path)
    engine, runs = type(board.desk.lab.choice.engine), []
    run = engine.run
    monkeypatch.setattr(engine, "run", lambda self, plan, **rest: runs.append(plan) or run(self, plan, **rest))
    cb.Board(board.model, pair()).close()
    to_begin_with = len(runs)
    cb.Board.load(path, board.model).close()
    assert len(runs) <= 2 * to_begin_with + 1


def test_numbers_of_other_weights_are_not_shown(path):
    from tests.tiny_models import FAMILIES

    model = FAMILIES["gpt2"]().eval()
    board = grown(cb.Board(model, pair()))
    board.save(path)
    board.close()
    with torch.no_grad():
        for parameter in model.original_model.parameters():
            parameter.mul_(1.1)
    with pytest.warns(UserWarning, match="weights was"):
        loaded = cb.Board.load(path, model)
    assert set(loaded.desk.values) == {0, loaded.history.current}
    assert len(loaded.history.nodes) == 7
    loaded.close()


def test_a_loaded_board_goes_on_and_is_saved_again(board, path):
    loaded = again(grown(board), path)
    loaded.redo()
    loaded.edit(cb.head(1, 0).zero())
    assert loaded.history.can_undo
    assert not loaded.history.can_redo
    third = again(loaded, path)
    assert third.history == loaded.history
    third.close()
    loaded.close()


ZEROS = {
    "a strength": cb.head(0, 1).scale(0),
    "the strength of a vector": cb.resid_pre(1).add(torch.ones(32), scale=0),
    "a number": cb.neuron(0, 0).set(0),
    "a vector": cb.resid_pre(0).set(torch.zeros(32)),
    "a seed": cb.head(0, 0).resample(0),
    "a position": cb.head(0, 0).at(0).zero(),
    "an empty run of edits": cb.head(0, 0).patch(cb.Run(torch.zeros(3, 5, dtype=torch.int64), [], prepend_bos=False)),
    "a negative zero": cb.head(0, 1).scale(-0.0),
}


@pytest.mark.parametrize("intervention", ZEROS.values(), ids=ZEROS)
def test_zero_is_not_none(board, path, intervention):
    board.edit(intervention)
    board.rename(0, "0")
    board.group("0", 0)
    board.note("0")
    board.toggle(0)
    loaded = again(board, path)
    assert loaded.history == board.history
    assert str(loaded.edits[0].intervention.strength) == str(board.edits[0].intervention.strength)
    loaded.close()


def test_prompts_of_zeros_come_back(path):
    zeros = torch.zeros(2, 3, dtype=torch.int64)
    given = cb.PromptPair(zeros, zeros + 1, answer=[0, 0], wrong=[1, {0, 1} - {0}], labels={"A": 0}, prepend_bos=False)
    board = cb.Board(tiny("gpt2"), given, metric={"0": "logit_diff"})
    loaded = again(board, path)
    assert loaded.prompts.answers.sets == board.prompts.answers.sets
    assert loaded.prompts.labels == {"A": [0, 0]}
    assert loaded.desk.lab.metric.name == "0"
    loaded.close()
    board.close()


def test_tensors_and_edits_are_written_once(board, path):
    vector = torch.linspace(-1, 1, 32)
    board.edit(cb.resid_pre(0).add(vector))
    for _ in range(30):
        board.toggle(0)
        board.edit(cb.resid_pre(0).add(vector, scale=0.5))
    loaded = again(board, path)
    assert loaded.history == board.history
    assert path.read_text().count('"data"') == 1
    assert loaded.edits[0].intervention.values is loaded.edits[1].intervention.values
    loaded.close()


def test_numbers_that_differ_only_in_their_type_stay_apart(board, path):
    board.edit(cb.resid_pre(0).set(torch.ones(32)), cb.resid_pre(1).set(torch.ones(32).double()))
    loaded = again(board, path)
    assert [edit.intervention.values.tensor.dtype for edit in loaded.edits] == [torch.float32, torch.float64]
    loaded.close()


class TestAHistoryThatIsTooLarge:
    def test_keeps_the_way_to_the_current_state_names_and_redo(self, board, path, monkeypatch):
        for n in range(40):
            board.edit(cb.head(n % 3, n % 4).zero())
            if n == 5:
                board.note("finding")
            board.undo()
        board.edit(cb.head(0, 0).scale(0.5))
        board.edit(cb.head(0, 1).scale(0.5))
        board.undo()
        whole = len(storage.encoded(board.desk).data)
        monkeypatch.setattr(storage, "MAX_BYTES", whole // 2)
        with pytest.warns(UserWarning, match="has no room for"):
            board.save(path)
        monkeypatch.undo()
        assert path.stat().st_size <= whole // 2
        loaded = cb.Board.load(path, board.model)
        assert [str(edit) for edit in loaded.edits] == ["scale 0.0 ×0.5"]
        assert "finding" in repr(loaded.history)
        assert json.loads(path.read_text())["left_out"] == 43 - len(loaded.history.nodes) > 0
        loaded.redo()
        assert len(loaded.edits) == 2
        loaded.undo()
        loaded.undo()
        assert not loaded.history.can_undo
        loaded.close()

    @pytest.mark.parametrize("most", range(8))
    def test_is_a_tree_again_whatever_is_left_out(self, most):
        nodes = [None, 0, 1, 2, 1, 4, 0]
        states = [BoardState(edits=() if n == 0 else (Edit(cb.head(0, n).zero()),)) for n in range(7)]
        history = History(
            tuple(Node(up, f"{n}", state) for n, (up, state) in enumerate(zip(nodes, states, strict=True))), 4, (5,)
        )
        tree = saved_tree(history, {}, most)
        assert len(tree.states) == min(7, max(2, most))
        found, _ = tree_in(_file(tree))
        assert found.state == history.state
        if most >= 4:
            assert found.redone().state == states[5]
        assert tree.left_out == 7 - len(tree.states)


def _file(tree):
    made = ModelManifest("", None, "float32", 1, 1, 1, 1)
    prompts = saved_format.SavedPrompts(None, None, [], None, [], None, {}, prepend_bos=False)
    return saved_format.SavedBoard(
        "circuitboard.board",
        saved_format.FORMAT_VERSION,
        {},
        made,
        prompts,
        "kl",
        tree.states,
        [],
        current=tree.current,
        ahead=tree.ahead,
        left_out=tree.left_out,
    )


moves = st.lists(st.sampled_from(["edit", "undo", "redo", "restore", "note", "amend"]), max_size=40)


@settings(max_examples=80)
@given(moves=moves, data=st.data())
def test_any_history_comes_back(moves, data):
    history = History.start(BoardState("corrupted"))
    for n, move in enumerate(moves):
        if move == "edit":
            history = Add((cb.head(n, n % 3).scale(n),)).applied(history)
        elif move == "amend":
            history = history.amended(Add((cb.head(n, 0).zero(),)))
        elif move == "undo" and history.can_undo:
            history = history.undone()
        elif move == "redo" and history.can_redo:
            history = history.redone()
        elif move == "restore":
            history = history.restored(data.draw(st.integers(0, len(history.nodes) - 1)))
        elif move == "note":
            history = history.noted(data.draw(st.integers(0, len(history.nodes) - 1)), f"note {n}")
    found, _ = tree_in(_file(saved_tree(history, {})))
    assert found == history
