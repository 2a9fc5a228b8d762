"""Each map that the panel offers is the sweep of its name, on models that have it; and maps that are not live."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from circuitboard.session.maps import map_grid
from circuitboard.session.maps.live_map import ESTIMATED, EXACT
from tests.tiny_models import tiny
from tests.widget.view import real


def finished(view, revision: int = 0, over: str = "head", **fields):
    """The newest map once it is done, of this revision and kind."""

    def newest():
        event = view.maps[-1][0]
        asked = (event.revision, event.status, event.over) == (revision, "done", over)
        return view.maps[-1] if asked and all(getattr(event, name) == x for name, x in fields.items()) else None

    return view.wait(newest)


def index_of(view) -> np.ndarray:
    """The neurons of the newest map."""
    return view.map_arrays[-1][1]["index"]


# --- which maps there are ---------------------------------------------------------------------------


def test_a_model_has_the_maps_of_its_parts(view, make_board, make_view):
    assert view.hello().setup.maps == ["head", "resid_pre", "attn_out", "mlp_out", "head_pos", "neuron"]
    bare = make_view(make_board(model=tiny("attention_only")))
    assert bare.hello().setup.maps == ["head", "resid_pre", "attn_out", "head_pos"]
    before = bare.session.view
    for over in ("mlp_out", "neuron"):
        assert bare.ask("set_view", map=over).error.code == "site_not_in_model"
    assert bare.session.view == before


# --- each of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("over", ["attn_out", "mlp_out"])
@pytest.mark.parametrize("mode", ["zero", "patch"])
def test_what_attention_and_mlps_write_by_position(board, view, over, mode):
    board.edit(cb.head(0, 1).zero())
    view.ask("set_view", map=over, mode=mode, positions=[1])
    event, effect, known = finished(view, 1, over)
    assert (event.shape, event.layers, event.positions) == ([3, 5], [0, 1, 2], None)
    assert (known == EXACT).all()
    torch.testing.assert_close(torch.tensor(effect), board.sweep(over, by="pos", how=mode).effect, rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", ["llama_gqa", "gemma2", "bloom"])
@pytest.mark.parametrize("layer", [0, 1])
def test_the_heads_of_one_layer_by_position(make_board, make_view, family, layer):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    view.ask("set_view", map="head_pos", map_layer=layer)
    event, effect, _ = finished(view, over="head_pos", layers=[layer])
    expected = board.sweep("head", by="pos", how="zero", layers=[layer]).effect[0].T
    assert event.shape == list(expected.shape)
    torch.testing.assert_close(torch.tensor(effect), expected, rtol=0, atol=1e-5)


def test_another_layer_is_another_map_and_an_edit_is_taken_back_where_it_is(board, view):
    view.ask("set_view", map="head_pos", map_layer=1)
    first = finished(view, over="head_pos", layers=[1])[0].map_id
    view.ask("set_view", map_layer=2)
    assert finished(view, over="head_pos", layers=[2])[0].map_id != first
    unedited = board.value
    view.ask("click", site="2.1", positions=[3])
    revision = view.ask("click", site="2.1", positions=[4]).revision
    assert [edit.intervention.site.positions for edit in board.edits] == [(3,), (4,)]
    _, effect, _ = finished(view, revision, "head_pos")
    with_both = board.value
    board.remove(1)
    assert effect[1, 4] == pytest.approx(with_both - board.value, abs=1e-5)
    view.ask("click", site="2.1", positions=[3])
    assert board.edits == ()
    assert board.value == pytest.approx(unedited, abs=1e-6)
    # On the map of heads a click takes a head's edits back wherever they are.
    view.ask("click", site="2.1", positions=[3])
    view.ask("set_view", map="head")
    view.ask("click", site="2.1")
    assert board.edits == ()


@pytest.mark.parametrize("family", ["native", "llama_gqa"])
@pytest.mark.parametrize("positions", [None, [1, 3]])
def test_the_neurons_of_each_layer_with_the_largest_estimates(make_board, make_view, monkeypatch, family, positions):
    monkeypatch.setattr(map_grid, "TOP_NEURONS", 5)
    monkeypatch.setattr(map_grid, "_NEURONS_AT_ONCE", 1)  # each layer by itself
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    view.ask("set_view", map="neuron", mode="patch", positions=positions)
    event, effect, known = finished(view, over="neuron")
    estimates = board.sweep("neuron", how="patch", positions=positions, approximate="atp").effect
    exact = board.sweep("neuron", how="patch", positions=positions).effect
    assert event.shape == [len(event.layers), 5]
    assert event.positions == positions
    assert (known == EXACT).all()
    index = torch.tensor(index_of(view)).long()
    expected = estimates.abs().argsort(descending=True, stable=True)[:, :5]
    assert index.tolist() == expected.tolist()
    torch.testing.assert_close(torch.tensor(effect), exact.gather(1, index), rtol=0, atol=1e-5)


def test_an_edited_neuron_has_its_place_in_the_map(board, view, monkeypatch):
    monkeypatch.setattr(map_grid, "TOP_NEURONS", 2)
    view.ask("set_view", map="neuron")
    finished(view, over="neuron")
    shown = set(index_of(view)[1].tolist())
    other = next(neuron for neuron in range(8) if neuron not in shown)
    unedited = board.value
    revision = view.ask("click", site=f"neuron 1.{other}").revision
    _, effect, _ = finished(view, revision, "neuron")
    index = index_of(view)
    assert index[1, 0] == other
    assert effect[1, 0] == pytest.approx(board.value - unedited, abs=1e-5)
    view.ask("click", site=f"neuron 1.{other}")
    assert board.edits == ()


def test_neurons_of_a_metric_without_gradient_cannot_be_ranked_and_that_is_said(make_board, make_view):
    board = make_board(metric="rank")
    view = make_view(board)
    view.hello()
    view.ask("set_view", map="neuron")
    event, _, known = view.map(0, "failed", "neuron")
    assert event.error.code == "no_ranking"
    assert "rank" in event.error.message
    assert not known.any()
    assert (index_of(view) == -1).all()
    assert view.ask("export", what="csv").error.code == "no_map"
    view.ask("set_view", map="head")
    assert (finished(view)[2] == EXACT).all()


def test_a_map_of_neurons_stopped_half_way_goes_on(board, view, slow):
    slow(0.03)
    view.ask("set_view", map="neuron")
    view.wait(lambda: view.maps[-1][0].over == "neuron" and (view.maps[-1][2] == ESTIMATED).any())
    view.ask("cancel_map")
    index = index_of(view)
    view.ask("resume_map")
    _, effect, known = finished(view, over="neuron")
    assert (known == EXACT).all()
    assert (index_of(view) == index).all()
    exact = board.sweep("neuron", how="zero").effect
    torch.testing.assert_close(torch.tensor(effect), exact.gather(1, torch.tensor(index).long()), rtol=0, atol=1e-5)


# --- not live ---------------------------------------------------------------------------------------


def test_a_map_that_is_not_live_stays_until_it_is_asked_for(board, view):
    _, before, _ = finished(view)
    map_id = view.maps[-1][0].map_id
    view.ask("set_view", live=False)
    unedited = board.value
    revision = view.ask("click", site="1.2").revision
    rows = view.wait(lambda: [row for row in view.snapshots[-1].edits if row.effect is not None])
    assert real(rows[0].effect) == pytest.approx(board.value - unedited, abs=1e-5), (
        "the list of edits is live all the same"
    )
    event, effect, _ = view.maps[-1]
    assert (event.map_id, event.revision, event.status) == (map_id, 0, "done")
    assert effect.tolist() == before.tolist()
    assert view.hello().snapshot.view.live is False
    assert view.maps[-1][0].revision == 0

    view.ask("resume_map")
    event, effect, _ = finished(view, revision)
    expected = board.sweep("head", how="zero").effect
    expected[1, 2] = board.value - unedited
    torch.testing.assert_close(torch.tensor(effect), expected, rtol=0, atol=1e-5)
    assert event.elapsed_ms > 0

    revision = view.ask("undo").revision
    view.ask("set_view", prompt=1)
    assert view.maps[-1][0].revision == revision - 1
    view.ask("set_view", live=True)
    assert np.allclose(finished(view, revision)[1], before, atol=1e-5)


def test_another_map_is_computed_though_it_is_not_live(board, view):
    view.ask("set_view", live=False)
    revision = view.ask("click", site="1.2").revision
    view.ask("set_view", mode="patch")
    _, effect, _ = finished(view, revision, how="patch")
    expected = board.sweep("head", how="patch").effect
    keep = torch.ones(3, 4, dtype=torch.bool)
    keep[1, 2] = False
    torch.testing.assert_close(torch.tensor(effect)[keep], expected[keep], rtol=0, atol=1e-5)


def test_a_map_under_way_that_is_no_longer_live_stops_at_a_step(board, view, slow):
    slow(0.03)
    view.ask("set_view", mode="patch", live=False)
    view.wait(lambda: view.maps[-1][0].how == "patch" and view.maps[-1][0].done > 0)
    revision = view.ask("click", site="0.0").revision
    event, _, _ = view.wait(lambda: view.maps[-1] if view.maps[-1][0].status == "cancelled" else None)
    assert event.revision == 0
    view.ask("resume_map")
    finished(view, revision, how="patch")


def test_a_refused_step_leaves_a_map_that_is_not_live_to_go_on(board, view, slow, monkeypatch):
    slow(0.02)
    view.ask("set_view", mode="patch", live=False)
    view.wait(lambda: view.maps[-1][0].how == "patch")

    def explode(*_args, **_kwargs):
        raise RuntimeError("once")

    with monkeypatch.context() as patch:
        patch.setattr(board.desk.lab.choice.engine, "run", explode)
        assert isinstance(view.ask("click", site="1.1"), m.Failed)
    assert (finished(view, 0, how="patch")[2] == EXACT).all()


# --- as a table -------------------------------------------------------------------------------------


def test_a_map_as_a_table(board, view):
    revision = view.ask("click", site="1.2", positions=[1, 2]).revision
    _, effect, _ = finished(view, revision)
    answer = view.ask("export", what="csv")
    assert (answer.filename, answer.media_type) == ("circuitboard-head.csv", "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["site"] for row in rows] == [f"{layer}.{head}" for layer in range(3) for head in range(4)]
    assert {row["exact"] for row in rows} == {"true"}
    assert [float(row["effect"]) for row in rows] == pytest.approx(effect.flatten().tolist())
    values = torch.tensor([float(row["value"]) for row in rows]).reshape(3, 4)
    expected = board.sweep("head", how="zero").values
    expected[1, 2] = board.value
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-5)


def test_a_table_names_positions_and_tells_estimates_and_gaps(board, view, slow):
    view.ask("set_view", map="mlp_out")
    finished(view, over="mlp_out")
    rows = list(csv.DictReader(io.StringIO(view.ask("export", what="csv").text)))
    assert [row["site"] for row in rows[:3]] == ["mlp_out 0 @ 0", "mlp_out 0 @ 1", "mlp_out 0 @ 2"]
    view.ask("set_view", map="head", positions=[1, 3])
    finished(view, positions=[1, 3])
    rows = list(csv.DictReader(io.StringIO(view.ask("export", what="csv").text)))
    assert rows[0]["site"] == "0.0 @ 1, 3"
    slow(0.05)
    view.ask("click", site="0.0")
    view.wait(lambda: view.maps[-1][0].revision == 1 and (view.maps[-1][2] == ESTIMATED).any())
    view.ask("cancel_map")
    event, effect, known = view.map(1, "cancelled")
    rows = list(csv.DictReader(io.StringIO(view.ask("export", what="csv").text)))
    told = {0: "", EXACT: "true", ESTIMATED: "false"}
    assert [row["exact"] for row in rows] == [told[int(cell)] for cell in known.flatten()]
    assert [row["effect"] == "" for row in rows] == (known.flatten() == 0).tolist()
    assert event.done < event.total
    assert effect.shape == (3, 4)
