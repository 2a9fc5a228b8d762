"""A session: every request gets exactly one answer, and what views draw is what the board says."""

from __future__ import annotations

import random

import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from circuitboard.session import session
from tests.widget.view import real


def number(board) -> float:
    return pytest.approx(board.value, abs=1e-6)


# --- hello ------------------------------------------------------------------------------------------


def test_hello_is_answered_with_everything_and_a_map_follows(board, make_view):
    view = make_view(board)
    board.edit(cb.head(0, 1).zero())
    assert view.events == []
    welcome = view.hello()
    assert welcome.seq == 0
    setup = welcome.setup
    assert (setup.protocol, setup.n_layers, setup.n_heads, setup.n_positions) == (m.PROTOCOL_VERSION, 3, 4, 5)
    assert [row.columns[2].differs for row in setup.prompts] == [True, True]
    assert [(mode.mode, mode.refused) for mode in setup.modes] == [
        ("zero", None),
        ("mean", None),
        ("resample", None),
        ("patch", None),
    ]
    assert (setup.engine.tier, setup.engine.why) == (board.engine.tier, board.engine.why)
    assert welcome.snapshot.revision == 1
    assert real(welcome.snapshot.metric.value) == number(board)
    event, _, known = view.map(1)
    assert event.shape == [3, 4]
    assert (event.done, event.total, (known == 1).all()) == (12, 12, True)


def test_without_a_second_prompt_patching_is_refused_with_the_reason(make_board, make_view):
    board = make_board(pair=cb.PromptPair(torch.tensor([[5, 6, 7]]), answer=1, wrong=2))
    view = make_view(board)
    modes = {mode.mode: mode.refused for mode in view.hello().setup.modes}
    assert modes["zero"] is None
    assert "no second prompt" in modes["patch"]
    assert view.ask("set_view", mode="patch").error.code == "no_source_run"
    for mode in ("mean", "resample"):
        assert "several different prompts" in modes[mode]
        assert view.ask("set_view", mode=mode).error.code == "no_other_prompts"
    assert view.session.view.mode == "zero"
    assert view.ask("set_base", base="corrupted").error.code == "no_corrupted_run"
    assert isinstance(view.ask("click", site="0.0"), m.Done)


# --- clicks -----------------------------------------------------------------------------------------


def test_a_click_is_an_edit_and_a_second_one_takes_it_back(board, view):
    unedited = board.value
    done = view.ask("click", site="1.2")
    assert isinstance(done, m.Done)
    assert [str(edit) for edit in board.edits] == [str(cb.head(1, 2).zero())]
    snapshot = view.snapshot(done.revision)
    assert real(snapshot.metric.value) == number(board)
    assert real(snapshot.metric.value) != pytest.approx(unedited, abs=1e-3)
    assert real(snapshot.metric.change) == pytest.approx(board.value - unedited)

    again = view.ask("click", site="1.2")
    assert view.snapshot(again.revision).edits == []
    assert board.value == pytest.approx(unedited)
    assert view.snapshots[-1].can_undo


def test_clicks_act_at_the_positions_that_they_name(board, view):
    view.ask("click", site="resid_pre 1", positions=[2])
    view.ask("click", site="resid_pre 1", positions=[3])
    assert [edit.intervention.site.positions for edit in board.edits] == [(2,), (3,)]
    done = view.ask("click", site="resid_pre 1", positions=[2])
    assert [edit.intervention.site.positions for edit in board.edits] == [(3,)]
    (row,) = view.snapshot(done.revision).edits
    assert (row.kind, row.layer, row.index, row.positions) == ("resid_pre", 1, None, [3])
    assert real(row.norm_change) > 0


def test_a_click_on_an_edited_head_takes_it_back_wherever_it_is_edited(board, view):
    view.ask("click", site="0.1", positions=[1, 2])
    view.ask("click", site="0.1")
    assert board.edits == ()


def test_the_mode_says_what_a_click_does(board, view):
    view.ask("set_view", mode="patch")
    view.ask("click", site="2.0")
    assert [edit.intervention.how for edit in board.edits] == ["patch"]
    patched = board.value
    board.clear()
    assert board.edit(cb.head(2, 0).patch()).value == pytest.approx(patched)


@pytest.mark.parametrize("mode", ["mean", "resample"])
def test_a_click_takes_activations_of_other_prompts(board, view, mode):
    view.ask("set_view", mode=mode)
    event, effect, known = view.wait(
        lambda: view.maps[-1] if (view.maps[-1][0].how, view.maps[-1][0].status) == (mode, "done") else None
    )
    assert (known == 1).all()
    torch.testing.assert_close(torch.tensor(effect), board.sweep("head", how=mode).effect, rtol=0, atol=1e-5)
    done = view.ask("click", site="1.2")
    asked = getattr(cb.head(1, 2), mode)()
    assert [edit.intervention for edit in board.edits] == [asked]
    snapshot = view.snapshot(done.revision)
    assert snapshot.edits[0].what == str(asked) == f"{mode} 1.2"
    assert real(snapshot.metric.change) == pytest.approx(effect[1, 2], abs=1e-5)
    assert abs(real(snapshot.metric.change)) > 1e-4
    view.ask("click", site="1.2")
    assert board.edits == ()
    assert event.n_edits == 0


def test_edits_can_be_switched_removed_undone_and_cleared(board, view):
    for site in ("0.0", "1.1"):
        revision = view.ask("click", site=site).revision
    both = board.value
    revision = view.ask("toggle", index=0, revision=revision).revision
    assert [edit.enabled for edit in board.edits] == [False, True]
    row = view.snapshot(revision).edits[0]
    assert (row.enabled, row.effect, row.norm_change) == (False, None, None)
    view.ask("undo")
    assert board.value == pytest.approx(both)
    view.ask("redo")
    revision = view.ask("undo").revision
    view.ask("remove", index=1, revision=revision)
    assert [str(edit.intervention.site) for edit in board.edits] == ["0.0"]
    view.ask("clear")
    assert board.edits == ()
    view.ask("undo")
    assert len(board.edits) == 1


def test_the_base_can_be_switched(board, view):
    done = view.ask("set_base", base="corrupted")
    assert board.value == pytest.approx(board.baselines.corrupted)
    snapshot = view.snapshot(done.revision)
    assert snapshot.base == "corrupted"
    assert real(snapshot.metric.baselines.corrupted) == pytest.approx(board.baselines.corrupted)
    event, _, _ = view.map(done.revision)
    assert event.base == "corrupted"


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"kind": "explode", "id": "x"}, "bad_message"),
        ({"id": "x"}, "bad_message"),
        ({"kind": "click", "id": "x"}, "bad_message"),
        ({"kind": "click", "id": "x", "site": 3}, "bad_message"),
        ({"kind": "click", "id": "x", "site": "0.0", "positions": ["a"]}, "bad_message"),
        ({"kind": "click", "id": "x", "site": "0.0", "extra": 1}, "bad_message"),
        ({"kind": "set_view", "id": "x", "mode": "freeze"}, "bad_message"),
        ({"kind": "remove", "id": "x", "index": 0.5, "revision": 0}, "bad_message"),
        ({"kind": "click", "id": "x", "site": "nonsense"}, None),
        ({"kind": "click", "id": "x", "site": "99.0"}, "layer_out_of_range"),
        ({"kind": "click", "id": "x", "site": "0.99"}, "head_out_of_range"),
        ({"kind": "click", "id": "x", "site": "0.0 @ 1"}, "bad_positions"),
        ({"kind": "click", "id": "x", "site": "0.0", "positions": [5]}, "position_out_of_range"),
        ({"kind": "undo", "id": "x"}, "nothing_to_undo"),
        ({"kind": "redo", "id": "x"}, "nothing_to_redo"),
        ({"kind": "remove", "id": "x", "index": 0, "revision": 0}, "no_such_edit"),
        ({"kind": "toggle", "id": "x", "index": -1, "revision": 0}, "no_such_edit"),
        ({"kind": "remove", "id": "x", "index": 0, "revision": 7}, "stale_index"),
        ({"kind": "set_strength", "id": "x", "index": 0, "revision": 0, "strength": 2.0}, "no_such_edit"),
        ({"kind": "set_strength", "id": "x", "index": 0, "revision": 0, "strength": "2"}, "bad_message"),
        ({"kind": "set_strength", "id": "x", "index": 0, "revision": 0}, "bad_message"),
        ({"kind": "move", "id": "x", "index": 0, "to": 0, "revision": 0}, "no_such_edit"),
        ({"kind": "move", "id": "x", "index": 0, "to": 0, "revision": 9}, "stale_index"),
        ({"kind": "apply", "id": "x", "edits": []}, "no_edits"),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "explode"}]}, "bad_message"),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "zero", "extra": 1}]}, "bad_message"),
        ({"kind": "apply", "id": "x", "edits": [{"site": "nonsense", "how": "zero"}]}, "unknown_site"),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.9", "how": "zero"}]}, "head_out_of_range"),
        (
            {"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "zero"}, {"site": "9.0", "how": "zero"}]},
            "layer_out_of_range",
        ),
        (
            {"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "zero", "strength": 2.0}]},
            "unknown_intervention",
        ),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "scale"}]}, "bad_strength"),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "set"}]}, "bad_values"),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.0", "how": "set", "values": [1.0, 2.0]}]}, None),
        ({"kind": "apply", "id": "x", "edits": [{"site": "0.0 @ S9", "how": "zero"}]}, None),
        ({"kind": "set_view", "id": "x", "positions": []}, "bad_positions"),
        ({"kind": "set_view", "id": "x", "positions": [9]}, "position_out_of_range"),
        ({"kind": "set_view", "id": "x", "map": "head_pos", "map_layer": 3}, "layer_out_of_range"),
        ({"kind": "set_view", "id": "x", "map_layer": -1}, "unknown_site"),
        ({"kind": "set_view", "id": "x", "map": "head.q"}, "bad_message"),
        ({"kind": "set_view", "id": "x", "live": 1}, "bad_message"),
        ({"kind": "set_view", "id": "x", "colours": "red-green"}, "bad_message"),
        ({"kind": "restore", "id": "x", "node": 1}, "no_such_state"),
        ({"kind": "restore", "id": "x", "node": -1}, "no_such_state"),
        ({"kind": "restore", "id": "x"}, "bad_message"),
        ({"kind": "detail", "id": "x", "site": "nonsense"}, "unknown_site"),
        ({"kind": "detail", "id": "x", "site": "9.0"}, "layer_out_of_range"),
        ({"kind": "detail", "id": "x", "site": "0.9"}, "head_out_of_range"),
        ({"kind": "detail", "id": "x", "site": "0.0 @ 1"}, "bad_positions"),
        ({"kind": "detail", "id": "x", "site": "0.0 -> 1.0.q"}, "no_detail"),
        ({"kind": "detail", "id": "x", "site": "0.0", "prompt": 2}, "no_such_prompt"),
        ({"kind": "detail", "id": "x", "site": "mlp_out 0", "position": 5}, "position_out_of_range"),
        ({"kind": "detail", "id": "x", "site": "mlp_out 0", "position": -1}, "position_out_of_range"),
        ({"kind": "export", "id": "x", "what": "python"}, "no_last_step"),
        ({"kind": "export", "id": "x", "what": "pickle"}, "bad_message"),
        ({"kind": "set_view", "id": "x", "prompt": 2}, "no_such_prompt"),
        ({"kind": "set_view", "id": "x", "prompt": -1}, "no_such_prompt"),
    ],
)
def test_what_cannot_be_done_is_refused_once_and_changes_nothing(board, view, content, code):
    before, settings = board.desk.shown, view.session.view
    view.asked.append("x")
    view.session.receive(content)
    (failed,) = view.answers("x")
    assert isinstance(failed, m.Failed)
    assert code is None or failed.error.code == code, failed.error
    assert failed.error.message
    assert board.desk.shown is before
    assert view.session.view == settings
    assert isinstance(view.ask("click", site="0.0"), m.Done)


@pytest.mark.parametrize("content", [None, 3, "hello", [], {}, {"kind": "hello"}, {"kind": "hello", "id": 5}])
def test_a_message_without_an_id_is_answered_all_the_same(board, view, content):
    view.session.receive(content)
    (failed,) = view.answers("")
    assert failed.error.code == "bad_message"


def test_too_long_an_id_is_refused_with_its_beginning(view):
    view.session.receive({"kind": "undo", "id": "y" * 1000})
    (failed,) = view.answers("y" * 128)
    assert failed.error.code == "bad_message"


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("hello", "_snapshot"),
        ("click", "click_step"),
        ("set_view", "_checked"),
        ("undo", "_step"),
        ("verify", "_here"),
        ("copy_code", "_here"),
        ("cancel_map", "_map"),
        ("resume_map", "_map"),
    ],
)
def test_a_handler_that_raises_answers_with_its_words(board, view, monkeypatch, kind, broken):
    class Broken:
        def __call__(self, *args, **kwargs):
            raise ZeroDivisionError("by a test")

        def __getattr__(self, name):
            raise ZeroDivisionError("by a test")

    with monkeypatch.context() as patch:
        patch.setattr(view.session if hasattr(view.session, broken) else session, broken, Broken())
        failed = view.ask(kind, **({"site": "0.0"} if kind == "click" else {}))
    assert failed.error == m.ErrorInfo("internal", "ZeroDivisionError: by a test")
    assert isinstance(view.ask("click", site="0.0"), m.Done)


def test_a_computation_that_fails_is_told_and_the_board_goes_on(board, view, monkeypatch):
    before = board.desk.shown

    def explode(*_args, **_kwargs):
        raise RuntimeError("no such kernel image")

    with monkeypatch.context() as patch:
        patch.setattr(board.desk.lab.choice.engine, "run", explode)
        failed = view.ask("click", site="0.0")
    assert failed.error == m.ErrorInfo("internal", "RuntimeError: no such kernel image")
    assert board.desk.shown is before
    assert isinstance(view.ask("click", site="0.0"), m.Done)
    assert len(board.edits) == 1


def test_an_event_that_cannot_be_made_does_not_stop_the_board(board, view, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(view.session, "_snapshot", lambda: 1 / 0)
        done = view.ask("click", site="0.0")
    assert isinstance(done, m.Done)
    assert "could not be sent" in caplog.text
    view.ask("click", site="0.1")
    assert real(view.snapshot(done.revision + 1).metric.value) == number(board)


# --- steps that views have not seen yet ---------------------------------------------------------------


def test_an_index_means_the_edit_that_the_view_sees(board, view, slow):
    for site in ("0.0", "0.1", "0.2"):
        revision = view.ask("click", site=site).revision
    view.snapshot(revision)
    slow(0.02)
    view.tell("click", site="0.0")
    assert isinstance(view.ask("remove", index=1, revision=revision), m.Done)
    assert [str(edit.intervention.site) for edit in board.edits] == ["0.2"]


def test_an_edit_that_is_going_already_cannot_be_removed_again(board, view, slow):
    for site in ("0.0", "0.1"):
        revision = view.ask("click", site=site).revision
    view.snapshot(revision)
    slow(0.02)
    first = view.tell("click", site="0.0")
    assert view.ask("remove", index=0, revision=revision).error.code == "stale_index"
    view.answer(first)
    assert [str(edit.intervention.site) for edit in board.edits] == ["0.1"]


# --- two ways and two views ---------------------------------------------------------------------------


def test_a_line_of_python_moves_the_panel(board, view):
    board.edit(cb.head(0, 1).zero(), cb.resid_pre(1).at(2).patch())
    snapshot = view.snapshot(1)
    assert [row.site for row in snapshot.edits] == ["0.1", "resid_pre 1"]
    assert real(snapshot.metric.value) == number(board)
    board.undo()
    assert view.snapshot(2).edits == []


def test_two_views_agree(board, make_view):
    left, right = make_view(board), make_view(board)
    left.hello()
    right.hello()
    left.ask("click", site="0.0")
    revision = right.ask("click", site="1.1").revision
    revision = max(revision, left.ask("undo").revision)
    shown = left.snapshot(revision), right.snapshot(revision)
    assert shown[0].edits == shown[1].edits
    assert shown[0].metric == shown[1].metric
    maps = left.map(revision), right.map(revision)
    assert maps[0][1].tolist() == maps[1][1].tolist()


def test_views_of_one_session_share_its_settings(board, view):
    view.ask("set_view", mode="patch", positions=[4, 1, 1], map="resid_pre")
    assert view.hello().snapshot.view == m.View(mode="patch", positions=[1, 4], map="resid_pre", prompt=0)
    assert view.session.view == view.snapshots[-1].view


# --- proofs -----------------------------------------------------------------------------------------


def test_code_rebuilds_the_state(board, view):
    view.ask("click", site="1.3", positions=[2])
    code = view.ask("copy_code")
    assert code.text == board.to_python()
    assert "head(1, 3)" in code.text


def test_verify_runs_plain_hooks(board, view):
    view.ask("click", site="1.3")
    verified = view.ask("verify")
    assert verified.ok
    assert verified.tier == board.engine.tier
    assert real(verified.max_abs_error) <= verified.tolerance
    assert verified.tolerance == board.verify().tolerance


# --- the end ----------------------------------------------------------------------------------------


def test_a_closed_board_says_so(board, view):
    board.close()
    assert view.ask("click", site="0.0").error.code == "board_closed"
    view.session.close()
    for kind in ("hello", "undo", "verify", "resume_map"):
        assert view.ask(kind).error.code == "board_closed"


def test_what_is_still_owed_is_answered_when_the_board_is_closed(board, view, slow):
    slow(0.05)
    clicks = [view.tell("click", site=f"0.{head}") for head in range(4)]
    requests = [*clicks, view.tell("undo"), view.tell("verify")]
    view.session.close()
    board.close()
    answers = [view.answer(request) for request in requests]
    assert all(isinstance(answer, m.Superseded | m.Failed) for answer in answers)
    assert answers[-1].error.code == "board_closed"


def test_a_closed_board_can_be_looked_at_but_not_edited(board, make_view):
    board.edit(cb.head(0, 0).zero())
    board.close()
    view = make_view(board)
    assert real(view.hello().snapshot.metric.value) == number(board)
    assert view.map(1, "failed")[0].error.code == "board_closed"
    assert view.ask("click", site="0.0").error.code == "board_closed"


def test_nothing_is_sent_after_the_end(board, view):
    view.session.close()
    before = len(view.arrived)
    board.edit(cb.head(0, 0).zero())
    assert len(view.arrived) == before


def test_random_requests_all_end(board, view):
    draw = random.Random(0)
    for _ in range(300):
        kind = draw.choice(
            ["click"] * 6
            + ["undo", "redo", "clear", "set_base", "set_view", "set_view", "cancel_map", "resume_map"]
            + ["restore", "detail", "export"]
        )
        fields = {}
        if kind == "click":
            fields = {"site": f"{draw.randrange(4)}.{draw.randrange(4)}"}
        elif kind == "set_base":
            fields = {"base": draw.choice(["clean", "corrupted"])}
        elif kind == "set_view":
            maps = ["head", "resid_pre", "attn_out", "mlp_out", "head_pos", "neuron"]
            fields = {"mode": draw.choice(["zero", "patch"]), "map": draw.choice(maps)}
            fields |= {"map_layer": draw.randrange(4), "live": draw.choice([True, False])}
        elif kind == "restore":
            fields = {"node": draw.randrange(40)}
        elif kind == "detail":
            fields = {"site": draw.choice(["1.2", "mlp_out 1", "9.9"]), "by_position": draw.choice([True, False])}
        elif kind == "export":
            fields = {"what": draw.choice(["csv", "python"])}
        view.tell(kind, **fields)
    for request in view.asked:
        view.answer(request)
    final = view.snapshot(board.desk.shown.revision)
    assert real(final.metric.value) == number(board)
    assert len(final.edits) == len(board.edits)
    assert board.verify().ok
