"""The map behind the panel equals a sweep, belongs to one state, and gives way to newer ones."""

from __future__ import annotations

import copy
import threading
import time

import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.engine import CancelToken
from circuitboard.protocol import messages as m
from circuitboard.session.maps.live_map import ESTIMATED, EXACT
from circuitboard.sweeps import Ground
from circuitboard.sweeps import sweep as sweeping
from tests.tiny_models import FAMILIES, tiny
from tests.widget.view import real


def equal(found: np.ndarray, expected: torch.Tensor) -> bool:
    return np.allclose(found, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("mode", ["zero", "patch"])
def test_the_map_of_heads_is_the_sweep_over_heads(board, view, mode):
    view.ask("set_view", mode=mode)
    _, effect, known = view.wait(lambda: view.maps[-1] if _is(view.maps[-1][0], "done", how=mode) else None)
    assert (known == EXACT).all()
    assert equal(effect, board.sweep("head", how=mode).effect)


def test_the_map_of_heads_at_positions(board, view):
    view.ask("set_view", positions=[1, 3])
    event, effect, _ = view.wait(lambda: view.maps[-1] if _is(view.maps[-1][0], "done", positions=[1, 3]) else None)
    assert equal(effect, board.sweep("head", how="zero", positions=[1, 3]).effect)
    assert event.n_edits == 0


def test_the_map_of_the_residual_stream(board, view):
    view.ask("set_view", map="resid_pre", mode="patch")
    event, effect, _ = view.map(0, over="resid_pre")
    assert event.shape == [3, 5]
    assert event.positions is None
    assert equal(effect, board.sweep("resid_pre", by="pos", how="patch").effect)


def test_the_map_stands_on_the_edits_in_force(board, view):
    view.ask("click", site="0.0")
    revision = view.ask("click", site="2.3", positions=[4]).revision
    event, effect, known = view.map(revision)
    assert (event.revision, event.n_edits) == (revision, 2)
    assert (known == EXACT).all()
    expected = board.sweep("head", how="zero").effect
    for (layer, head), index in {(0, 0): 0, (2, 3): 1}.items():
        others = [edit.intervention for i, edit in enumerate(board.edits) if i != index]
        with_it = board.value
        board.clear()
        without_it = board.edit(*others).value
        board.undo()
        board.undo()
        # An edited cell shows what its edit does, not what a second edit of the same place would.
        expected[layer, head] = with_it - without_it
    assert equal(effect, expected)


def test_the_effect_of_each_edit_is_with_minus_without_it(board, view):
    view.ask("click", site="0.0")
    view.ask("click", site="1.2")
    revision = view.ask("click", site="resid_pre 2", positions=[1]).revision
    revision = view.ask("toggle", index=1, revision=revision).revision

    def known():
        snapshot = view.snapshots[-1]
        rows = snapshot.edits
        return snapshot if snapshot.revision == revision and rows[0].effect is not None else None

    rows = view.wait(known).edits
    assert rows[1].effect is None
    for index in (0, 2):
        value = board.value
        board.remove(index)
        assert real(rows[index].effect) == pytest.approx(value - board.value, abs=1e-5)
        board.undo()


def test_two_edits_of_one_head_are_taken_together(board, view):
    unedited = board.value
    board.edit(cb.head(1, 1).at(2).zero(), cb.head(1, 1).at(3).zero())
    _, effect, _ = view.map(1)
    assert effect[1, 1] == pytest.approx(board.value - unedited, abs=1e-5)


@pytest.mark.parametrize("family", ["llama_gqa", "gemma2", "bloom", "attention_only"])
def test_other_families(make_board, make_view, family):
    assert family in FAMILIES
    from tests.tiny_models import tiny

    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    revision = view.ask("click", site="1.1").revision
    _, effect, _ = view.map(revision)
    expected = board.sweep("head", how="zero").effect
    expected[1, 1] = board.value - board.baselines.clean
    assert equal(effect, expected)


# --- estimates --------------------------------------------------------------------------------------


def test_estimates_come_first_and_exact_numbers_take_their_place_by_size(board, make_view, monkeypatch):
    exact = board.sweep("head", how="zero")
    guess = (exact.per_prompt - exact.baseline).flatten(0, -2) + 0.125
    guess[5] = torch.nan
    monkeypatch.setattr(Ground, "estimate", lambda _ground, cells, cancel: guess)
    monkeypatch.setattr(sweeping, "FIRST_SLICE", 1)
    asked = []
    engine = board.desk.lab.choice.engine
    sweep = engine.sweep

    def slowly(current, cells, **options):
        asked.append([write.intervention.site.name for write in cells])
        view.wait(lambda: any(known.any() for _, _, known in view.maps))  # so that the estimates are sent first
        yield from sweep(current, cells, **options)

    monkeypatch.setattr(engine, "sweep", slowly)
    view = make_view(board)
    view.hello()
    event, effect, known = view.map(0)
    assert (event.done, event.total) == (12, 12)
    assert (known == EXACT).all()
    assert equal(effect, exact.effect)
    _, first, estimated = next(found for found in view.maps if found[2].any())
    cells = (estimated == ESTIMATED).flatten()
    assert cells.sum() == 11
    assert not estimated.flatten()[5]
    means = guess.mean(-1).numpy()
    assert np.allclose(first.flatten()[cells], means[cells], atol=1e-5)
    assert all(sent.done == (told == EXACT).sum() for sent, _, told in view.maps)
    order = [name for names in asked for name in names]
    sizes = {f"{i // 4}.{i % 4}": -abs(means[i]) for i in range(12) if i != 5}
    assert order == [*sorted(sizes, key=sizes.__getitem__), "1.1"], "what has no estimate comes last"
    assert [len(names) for names in asked] == [1, 2, 4, 5]


# --- giving way -------------------------------------------------------------------------------------


def test_a_stopped_map_stays_stopped_and_goes_on_when_asked(board, view, slow):
    slow(0.05)
    view.ask("click", site="0.0")
    view.wait(lambda: view.maps[-1][0].revision == 1 and (view.maps[-1][2] == ESTIMATED).any())
    assert isinstance(view.ask("cancel_map"), m.Done)
    event, _, known = view.map(1, "cancelled")
    assert event.done < event.total
    # A second view and a change of what is shown elsewhere leave it stopped.
    view.hello()
    view.ask("set_view", prompt=1)
    assert view.map(1, "cancelled")[0].map_id == event.map_id
    view.ask("resume_map")
    event_after, effect, known_after = view.map(1)
    assert event_after.map_id == event.map_id
    assert (known_after == EXACT).all()
    assert (known != 0).sum() > event.done, "what is not exact is estimated"
    expected = board.sweep("head", how="zero").effect
    expected[0, 0] = board.value - board.baselines.clean
    assert equal(effect, expected)


def test_a_stopped_map_computes_at_most_the_layer_that_it_is_in(view, monkeypatch):
    check, calls = CancelToken.check, []

    def counted(token):
        calls.append(1)
        time.sleep(0.05)
        check(token)

    monkeypatch.setattr(CancelToken, "check", counted)
    view.tell("set_view", mode="patch")
    view.wait(lambda: calls)
    view.ask("cancel_map")
    layers = len(calls)
    view.map(0, "cancelled")
    while view.board.desk.worker._background:
        time.sleep(0.001)
    assert len(calls) <= layers + 1
    view.ask("resume_map")
    assert view.map(0)[2].all()


def test_what_a_batch_found_after_the_map_was_stopped_is_not_drawn(board, view, monkeypatch):
    evaluate, reached, stopped = sweeping.evaluate_cells, threading.Event(), threading.Event()

    def held(*given):
        found = evaluate(*given)
        reached.set()
        assert stopped.wait(60)
        return found

    monkeypatch.setattr(sweeping, "evaluate_cells", held)
    view.tell("set_view", mode="patch")
    assert reached.wait(60)
    view.ask("cancel_map")
    stopped.set()
    board.desk.worker.submit(lambda _cancel: None).result()  # the batch has come to its end
    view.hello()
    event, _, _ = view.map(0, "cancelled")
    assert (event.how, event.done) == ("patch", 0)
    view.ask("resume_map")
    effect, known = view.map(0)[1:]
    assert (known == EXACT).all()
    assert equal(effect, board.sweep("head", how="patch").effect)


def test_stop_and_go_in_one_breath(board, view, slow):
    slow(0.01)
    view.ask("click", site="0.0")
    for _ in range(10):
        view.tell("cancel_map")
        view.tell("resume_map")
    event, _, known = view.map(1)
    assert (known == EXACT).all()
    assert event.done == event.total


def test_a_click_ends_the_map_of_the_state_before(board, view, slow):
    slow(0.02)
    view.ask("click", site="0.0")
    view.wait(lambda: view.maps[-1][0].revision == 1 and view.maps[-1][0].done > 0)
    view.ask("click", site="2.1")
    view.map(2)
    states = [(event.revision, event.status) for event, _, _ in view.maps]
    assert (1, "done") not in states
    assert [revision for revision, _ in states] == sorted(revision for revision, _ in states)


def test_a_click_does_not_wait_for_the_map_longer_than_a_layer(view, slow, layers_of_step):
    began = slow(0.1)
    view.ask("set_view", mode="patch")  # a map of 12 cells in 3 batches: 6 layers
    view.wait(lambda: view.maps[-1][0].how == "patch")
    request = view.tell("click", site="2.0")
    told = time.monotonic()
    view.answer(request)
    # The one layer of the click, in which it asks three times: the map had begun the one that it was in before.
    assert layers_of_step(began, told) <= 3


def test_a_refused_step_leaves_the_map_to_go_on(board, view, slow, monkeypatch):
    slow(0.02)
    view.ask("click", site="0.0")
    view.wait(lambda: view.maps[-1][0].revision == 1)
    run = board.desk.lab.choice.engine.run

    def fails_once(*args, **kwargs):
        monkeypatch.setattr(board.desk.lab.choice.engine, "run", run)
        raise RuntimeError("once")

    monkeypatch.setattr(board.desk.lab.choice.engine, "run", fails_once)
    assert isinstance(view.ask("click", site="1.1"), m.Failed)
    _, _, known = view.map(1)
    assert (known == EXACT).all()


def test_a_map_that_fails_says_why_and_can_be_resumed(board, view, monkeypatch):
    def explode(*_args, **_kwargs):
        raise RuntimeError("no room")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(board.desk.lab.choice.engine, "sweep", explode)
        view.ask("set_view", mode="patch")
        event, _, known = view.map(0, "failed")
    assert event.error == m.ErrorInfo("internal", "RuntimeError: no room")
    assert not (known == EXACT).any()
    view.ask("resume_map")
    assert (view.map(0, "done")[2] == EXACT).all()


def test_a_sweep_in_a_cell_and_the_map_do_not_disturb_each_other(board, view):
    expected = board.sweep("head", how="zero").values
    found = []
    cell = threading.Thread(target=lambda: found.extend(board.sweep("head", how="zero").values for _ in range(5)))
    cell.start()
    for _ in range(5):
        view.ask("click", site="0.0")
        view.ask("undo")
    cell.join(20)
    # Each sweep stands on the state that it was asked for in: edited or not.
    edited = board.preview(cb.head(0, 0).zero()).value
    assert all(torch.allclose(values, expected, atol=1e-5) or edited != board.value for values in found)
    assert len(found) == 5
    assert board.verify().ok


# --- numbers that are none ----------------------------------------------------------------------------


def test_nan_travels_as_nan(make_board, make_view):
    # NaN in the weights: a metric that makes some itself is refused.
    model = copy.deepcopy(tiny("native"))
    only_in_the_second_prompt = 40
    with torch.no_grad():
        dict(model.named_parameters())["tok_embed._original_component.weight"][only_in_the_second_prompt] = torch.nan
    clean = torch.tensor([[5, 6, 7, 8, 9], [9, 8, only_in_the_second_prompt, 6, 5]])
    board = make_board(model=model, pair=cb.PromptPair(clean, answer=[1, 2], wrong=[3, 4]))
    view = make_view(board)
    metric = view.hello().snapshot.metric
    assert metric.value == m.Real(special="nan")
    assert {value.special for value in metric.values} == {None, "nan"}
    assert metric.stderr == m.Real(special="nan")
    event, effect, known = view.map(0)
    assert (known == EXACT).all()
    assert np.isnan(effect).all()
    assert event.done == event.total
    done = view.ask("click", site="0.0")
    assert isinstance(done, m.Done)
    assert view.snapshot(1).metric.change == m.Real(special="nan")
    assert view.ask("verify").ok


def test_infinities_travel_as_such(make_board, make_view):
    board = make_board(metric=lambda logits: torch.tensor([torch.inf, -1.0])[: logits.shape[0]])
    view = make_view(board)
    snapshot = view.hello().snapshot
    assert snapshot.metric.value == m.Real(special="inf")
    assert [value.special for value in snapshot.metric.values] == ["inf", None]
    view.map(0)


def test_a_model_full_of_nan_shows_nan_everywhere(make_board, make_view):
    model = FAMILIES["native"]().eval()
    with torch.no_grad():
        model.unembed.weight[0] = torch.nan
    board = make_board(model=model)
    view = make_view(board)
    snapshot = view.hello().snapshot
    row = snapshot.top_tokens.rows[0]
    assert row.prob == row.base_prob == m.Real(special="nan")
    assert len(snapshot.top_tokens.rows) == 8 + 2, "the likeliest, and the right and the wrong answer"
    assert isinstance(view.ask("click", site="0.0"), m.Done)
    view.ask("verify")
    # JSON cannot carry a NaN: they travel as words.
    import msgspec

    for arrived in view.arrived:
        assert _finite(msgspec.to_builtins(arrived.message))


def _finite(x: object) -> bool:
    if isinstance(x, dict):
        return all(map(_finite, x.values()))
    if isinstance(x, list):
        return all(map(_finite, x))
    return not isinstance(x, float) or np.isfinite(x)


def _is(event: m.MapEvent, status: str, **fields: object) -> bool:
    return event.status == status and all(getattr(event, name) == value for name, value in fields.items())
