"""The parts of an edit's effect, and what a component writes, as the panel is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import circuitboard as cb
from circuitboard.address import site as site_called
from circuitboard.protocol import messages as m
from tests.tiny_models import tiny
from tests.widget.view import real

if TYPE_CHECKING:
    import torch


def ask(view, site: str, **fields) -> m.Detailed:
    found = view.ask("detail", site=site, **fields)
    assert isinstance(found, m.Detailed), found
    return found


def held_direct(board, layer: int, head: int) -> torch.Tensor:
    """What zeroing a head takes from the logit difference directly: minus its attribution, per prompt."""
    found = board.direct_logit_attribution()
    row = [component.name for component in found.components].index(f"{layer}.{head}")
    return -found.per_prompt[row]


@pytest.mark.parametrize("family", ["native", "llama_gqa", "gpt2", "neox"])
def test_a_head_that_is_not_edited(make_board, make_view, family):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    board.edit(cb.head(0, 1).patch())
    effect = ask(view, "1.2").effect
    values = board.preview(cb.head(1, 2).zero()).values - board.values
    assert (effect.how, effect.edited, effect.at, effect.note) == ("zero", False, None, None)
    assert real(effect.total) == pytest.approx(float(values.mean()), abs=1e-5)
    assert real(effect.total_stderr) == pytest.approx(float(values.std() / 2**0.5), abs=1e-5)
    direct = held_direct(board, 1, 2)
    assert real(effect.direct) == pytest.approx(float(direct.mean()), abs=1e-5)
    assert real(effect.later) == pytest.approx(float((values - direct).mean()), abs=1e-5)
    assert real(effect.later_stderr) == pytest.approx(float((values - direct).std() / 2**0.5), abs=1e-5)


def test_a_head_that_is_edited_is_compared_with_the_board_without(board, view):
    board.edit(cb.head(1, 2).zero(), cb.head(1, 2).pattern.at(-1, 0).zero(), cb.head(0, 0).zero())
    with_it = board.values.clone()
    effect = ask(view, "1.2").effect
    assert effect.edited
    assert effect.how == "zero 1.2, zero 1.2.pattern @ -1 <- 0"
    board.remove(1)
    board.remove(0)
    values = with_it - board.values
    assert real(effect.total) == pytest.approx(float(values.mean()), abs=1e-5)
    assert real(effect.direct) == pytest.approx(float(held_direct(board, 1, 2).mean()), abs=1e-5)


def test_with_the_last_layer_the_direct_effect_is_all_but_the_norm(make_board, make_view):
    """Without a final norm that depends on the stream nothing is left for later parts."""
    board = make_board(model=tiny("native_bare"))
    view = make_view(board)
    view.hello()
    effect = ask(view, "mlp_out 2").effect
    assert real(effect.later) == pytest.approx(0, abs=1e-5)
    assert real(effect.total) == pytest.approx(real(effect.direct), abs=1e-5)


@pytest.mark.parametrize("site", ["mlp_out 1", "attn_out 1", "neuron 1.3"])
def test_other_components_at_a_position(board, view, site):
    view.ask("set_view", mode="patch")
    effect = ask(view, site, position=4).effect
    values = board.preview(site_called(site).at(4).patch()).values - board.values
    assert (effect.at, effect.how) == ([4], "patch")
    assert real(effect.total) == pytest.approx(float(values.mean()), abs=1e-5)
    assert effect.direct is not None
    # What is written before the answer is read goes through later parts alone.
    assert real(ask(view, site, position=2).effect.direct) == pytest.approx(0, abs=1e-6)


def test_a_head_acts_at_the_selected_positions(board, view):
    view.ask("set_view", positions=[1, 3])
    effect = ask(view, "1.2").effect
    values = board.preview(cb.head(1, 2).at([1, 3]).zero()).values - board.values
    assert effect.at == [1, 3]
    assert real(effect.total) == pytest.approx(float(values.mean()), abs=1e-5)
    at_one = ask(view, "1.2", position=2).effect
    assert at_one.at == [2]


def test_a_key_that_heads_share_counts_for_all_of_them(make_board, make_view):
    board = make_board(model=tiny("llama_gqa"))
    view = make_view(board)
    view.hello()
    effect = ask(view, "1.1.v").effect
    both = sum(held_direct(board, 1, head) for head in (2, 3))
    assert real(effect.direct) == pytest.approx(float(both.mean()), abs=1e-5)


@pytest.mark.parametrize("site", ["resid_pre 1", "embed"])
def test_a_stream_has_a_total_alone(view, site):
    effect = ask(view, site, position=1).effect
    assert effect.direct is None
    assert effect.later is None


def test_where_the_rest_cannot_be_told_it_says_why(make_board, make_view):
    board = make_board(metric="prob")
    view = make_view(board)
    view.hello()
    effect = ask(view, "1.2").effect
    assert effect.later is None
    assert "logit difference" in effect.note
    assert effect.direct is not None
    board = make_board(model=tiny("native_softcap"))
    view = make_view(board)
    view.hello()
    assert "soft-cap" in ask(view, "1.2").effect.note


def test_what_a_head_writes_ranks_the_answers_as_its_attribution_does(board, view):
    board.edit(cb.head(0, 1).zero())
    found = ask(view, "1.2", prompt=1)
    writes = found.writes
    assert writes.position == 4
    for moves in (writes.current, writes.base, writes.change):
        ups, downs = ([real(token.logit) for token in side] for side in (moves.up, moves.down))
        assert ups == sorted(ups, reverse=True)
        assert downs == sorted(downs)
        assert min(ups) > 0 > max(downs)
    assert len(writes.current.up) == 6


def test_the_circuits_are_read_where_asked(board, view):
    pattern = board.attention(1, 2, 1).pattern
    found = ask(view, "1.2", prompt=1, circuit=True)
    assert (found.row, found.source) == (4, int(pattern[4].argmax()))
    assert found.circuit.copying.up
    assert found.circuit.keys.up
    other = ask(view, "1.2", prompt=1, circuit=True, row=3, source=1)
    assert (other.circuit.row, other.circuit.source, other.writes.position) == (3, 1, 3)
    refused = ask(view, "1.2", circuit=True, row=1, source=3)
    assert [(part.part, part.error.code) for part in refused.refused] == [("circuit", "position_out_of_range")]
    assert view.ask("detail", site="1.2", row=9).error.code == "position_out_of_range"


def test_keys_that_cannot_be_read_are_refused_and_the_rest_is_there(make_board, make_view):
    board = make_board(model=tiny("bloom"))
    view = make_view(board)
    view.hello()
    circuit = ask(view, "1.2", circuit=True).circuit
    assert (circuit.keys, circuit.keys_refused.code) == (None, "no_qk_circuit")
    assert circuit.copying.up


def test_drawing_on_a_pattern_is_one_step(board, view):
    cells = [
        {"site": "1.2.pattern @ 4 <- 0, 2", "how": "zero", "renormalize": True},
        {"site": "1.2.pattern @ 3 <- 1", "how": "set", "values": [0.5], "renormalize": False},
    ]
    done = view.ask("apply", edits=cells)
    assert done.revision == 1
    edits = [edit.intervention for edit in board.edits]
    assert edits == [
        cb.head(1, 2).pattern.at(4, [0, 2]).zero(renormalize=True),
        cb.head(1, 2).pattern.at(3, 1).set(0.5),
    ]
    view.wait(lambda: view.snapshots[-1].revision == 1)
    rows = view.snapshots[-1].edits
    assert [(row.positions, row.sources, row.renormalize) for row in rows] == [([4], [0, 2], True), ([3], [1], False)]
    assert board.verify().ok
    board.undo()
    assert board.edits == ()
    refused = view.ask("apply", edits=[{"site": "1.2 @ 4", "how": "zero", "renormalize": True}])
    assert refused.error.code == "cannot_renormalize"
