"""The detail of a component is what the board's own analyses say, and it never holds up a click."""

from __future__ import annotations

import time
from importlib import import_module

import msgspec
import numpy as np
import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from circuitboard.session.readings import detail
from tests.tiny_models import tiny
from tests.widget.view import real

RUN = import_module("circuitboard.analysis.component_run")
"""The module; the package has its function by this name."""


def ask(view, site: str, **fields) -> m.Detailed:
    found = view.ask("detail", site=site, **fields)
    assert isinstance(found, m.Detailed), found
    return found


def patterns(view, found: m.Detailed) -> list[torch.Tensor]:
    buffers = view.buffers(found.id)
    return [torch.tensor(np.frombuffer(buffer, "<f4").reshape(found.attention.shape)) for buffer in buffers]


def close(found, expected) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


# --- heads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["native", "llama_gqa", "attention_only"])
@pytest.mark.parametrize("prompt", [0, 1])
def test_a_head(make_board, make_view, family, prompt):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    base = board.direct_logit_attribution()
    revision = view.ask("click", site="0.1").revision
    found = ask(view, "1.2", prompt=prompt)
    assert (found.revision, found.site, found.prompt, found.refused) == (revision, "1.2", prompt, [])
    expected = board.attention(1, 2, prompt)
    now, before = patterns(view, found)
    close(now, expected.pattern)
    close(before, expected.base)
    assert not torch.allclose(now, before, atol=1e-4)
    assert found.attention.tokens == list(expected.tokens)
    assert found.attention.first_column == 0
    table = board.direct_logit_attribution()
    row = [component.name for component in table.components].index("1.2")
    assert real(found.direct.value) == pytest.approx(float(table.effect[row]), abs=1e-6)
    assert real(found.direct.stderr) == pytest.approx(float(table.stderr[row]), abs=1e-6)
    before = [component.name for component in base.components].index("1.2")
    assert real(found.direct.base_value) == pytest.approx(float(base.effect[before]), abs=1e-6)
    assert (found.neurons, found.lens, found.by_position) == (None, None, None)
    assert found.elapsed_ms > 0


def test_without_edits_both_patterns_are_the_same(view):
    found = ask(view, "2.0")
    now, base = patterns(view, found)
    assert torch.equal(now, base)
    assert found.direct.value == found.direct.base_value


@pytest.mark.parametrize("site", ["1.2.q", "1.2.pattern", "1.2.result"])
def test_a_part_of_a_head_has_the_heads_detail(view, site):
    whole, part = ask(view, "1.2"), ask(view, site)
    assert part.site == site
    assert part.direct == whole.direct
    assert view.buffers(part.id) == view.buffers(whole.id)


def test_a_key_that_heads_share_shows_the_first_of_them(make_board, make_view):
    board = make_board(model=tiny("llama_gqa"))
    shape = board.desk.lab.adapter.shape
    share = shape.n_heads // shape.n_kv_heads
    assert share > 1
    view = make_view(board)
    view.hello()
    assert ask(view, "1.1.k").direct == ask(view, f"1.{share}").direct


def test_the_effect_of_a_head_by_position_when_asked_for_or_known(board, view):
    board.edit(cb.head(1, 2).at(3).zero(), cb.head(0, 0).patch())
    with_both = board.value
    expected = board.sweep("head", by="pos", how="zero", layers=[1]).effect[0, :, 2]
    board.remove(0)
    expected[3] = with_both - board.value
    board.undo()
    asked = ask(view, "1.2", by_position=True).by_position
    assert (asked.how, asked.columns) == ("zero", [0, 1, 2, 3, 4])
    close(torch.tensor([real(x) for x in asked.effects]), expected)
    assert ask(view, "1.2").by_position is None
    view.ask("set_view", map="head_pos", map_layer=1)
    view.map(board.desk.shown.revision, over="head_pos")
    known = ask(view, "1.2").by_position
    close(torch.tensor([real(x) for x in known.effects]), expected)
    assert ask(view, "2.2").by_position is None, "the map is of another layer"


def test_a_padded_prompt_is_shown_without_its_padding(make_board, make_view):
    pair = cb.PromptPair(
        [torch.tensor([5, 6, 7, 8, 9]), torch.tensor([9, 8, 7])],
        [torch.tensor([5, 16, 7, 8, 9]), torch.tensor([9, 18, 7])],
        answer=[1, 2],
        wrong=[3, 4],
    )
    board = make_board(pair=pair)
    view = make_view(board)
    view.hello()
    found = ask(view, "1.2", prompt=1)
    assert (found.attention.shape, found.attention.first_column) == ([3, 3], 2)
    assert found.attention.tokens == ["9", "8", "7"]
    close(patterns(view, found)[0], board.attention(1, 2, 1).pattern)
    refused = ask(view, "mlp_out 1", position=1)
    assert {part.part for part in refused.refused} == {"neurons", "lens"}
    assert {part.error.code for part in refused.refused} == {"position_out_of_range"}
    assert "padding in 1 of 2 prompts" in refused.refused[0].error.message
    assert refused.direct is not None
    assert ask(view, "mlp_out 1", position=3).refused == []


def test_a_pattern_that_is_too_large_is_refused_and_the_rest_is_there(view, monkeypatch):
    monkeypatch.setattr(detail, "MOST_TOKENS", 4)
    found = ask(view, "1.2")
    (refused,) = found.refused
    assert (refused.part, refused.error.code) == ("attention", "pattern_too_large")
    assert "board.attention(1, 2, prompt=0)" in refused.error.message
    assert found.attention is None
    assert found.direct is not None
    assert view.buffers(found.id) == []


# --- MLPs, neurons and the residual stream ------------------------------------------------------------


@pytest.mark.parametrize("family", ["native", "llama_gqa", "gemma2"])
@pytest.mark.parametrize("position", [None, 2])
def test_the_neurons_and_the_lens(make_board, make_view, monkeypatch, family, position):
    monkeypatch.setattr(detail, "NEURONS", 6)
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    view.ask("click", site="0.1")
    found = ask(view, "mlp_out 1", position=position, prompt=1)
    pos = -1 if position is None else position
    assert found.refused == []
    assert found.position == (4 if position is None else 2)
    table = board.neurons(1, pos, 6, how="zero")
    assert (found.neurons.layer, found.neurons.how, found.neurons.ordered_by) == (1, "zero", "estimate")
    rows = found.neurons.rows
    assert [row.index for row in rows] == table["index"].tolist()
    columns = ["activation", "base_activation", "direct", "congruence", "estimate", "effect", "direct_stderr", "effect_stderr"]  # fmt: skip
    for column in columns:
        assert [real(getattr(row, column)) for row in rows] == pytest.approx(table[column].tolist(), abs=1e-5), column
    lens = board.logit_lens(pos, top=5).to_dataframe(prompt=1)
    assert [row.site for row in found.lens] == lens["site"].tolist()
    assert [real(row.logit_diff) for row in found.lens] == pytest.approx(lens["logit_diff"].tolist(), abs=1e-5)
    assert [real(row.base_logit_diff) for row in found.lens] == pytest.approx(lens["base_logit_diff"].tolist(), abs=1e-5)  # fmt: skip
    assert [real(row.prob) for row in found.lens] == pytest.approx(lens["prob"].tolist(), abs=1e-6)
    assert [[token.token for token in row.tokens] for row in found.lens] == lens["top_tokens"].tolist()
    assert [real(row.tokens[0].prob) for row in found.lens] == pytest.approx(lens["top_prob"].tolist(), abs=1e-6)
    effects = board.direct_logit_attribution()
    row = [component.name for component in effects.components].index("mlp_out 1")
    assert real(found.direct.value) == pytest.approx(float(effects.effect[row]), abs=1e-5)
    assert (found.attention, view.buffers(found.id)) == (None, [])


def test_a_neuron_and_what_attention_writes_have_a_direct_effect(board, view):
    by_neuron = board.direct_logit_attribution(neurons=[1])
    row = [component.name for component in by_neuron.components].index("neuron 1.3")
    assert real(ask(view, "neuron 1.3").direct.value) == pytest.approx(float(by_neuron.effect[row]), abs=1e-6)
    written = sum(
        float(effect)
        for component, effect in zip(by_neuron.components, by_neuron.effect, strict=True)
        if component.layer == 1 and component.kind in ("head", "attn_bias")
    )
    assert real(ask(view, "attn_out 1").direct.value) == pytest.approx(written, abs=1e-5)


@pytest.mark.parametrize("site", ["resid_pre 1", "resid_mid 1", "resid_post 2", "embed"])
def test_a_residual_stream_has_the_neurons_and_the_lens(view, site):
    found = ask(view, site, position=1)
    assert found.refused == []
    assert found.direct is None
    assert len(found.lens) == 4
    assert len(found.neurons.rows) == detail.NEURONS


def test_what_a_model_cannot_tell_is_refused_with_its_reason(make_board, make_view):
    board = make_board(model=tiny("attention_only"))
    view = make_view(board)
    view.hello()
    found = ask(view, "resid_pre 1")
    assert [(part.part, part.error.code) for part in found.refused] == [("neurons", "site_not_in_model")]
    assert found.lens is not None


def test_a_metric_without_gradient_orders_neurons_by_their_direct_effect(make_board, make_view):
    board = make_board(metric="rank")
    view = make_view(board)
    view.hello()
    table = ask(view, "mlp_out 1").neurons
    assert table.ordered_by == "direct"
    assert [row.index for row in table.rows] == board.neurons(1, order="direct", how="zero")["index"].tolist()
    assert {row.estimate.special for row in table.rows} == {"nan"}


def test_a_single_prompt_has_no_error_bars(make_board, make_view):
    board = make_board(pair=cb.PromptPair(torch.tensor([[5, 6, 7]]), answer=1, wrong=2))
    view = make_view(board)
    view.hello()
    found = ask(view, "mlp_out 1")
    assert found.direct.stderr is None
    assert {(row.direct_stderr, row.effect_stderr) for row in found.neurons.rows} == {(None, None)}


# --- in the background --------------------------------------------------------------------------------


def test_a_newer_detail_takes_the_place_of_an_older_one(view, slow):
    slow(0.03)
    older = [view.tell("detail", site=f"1.{head}") for head in range(4)]
    newest = view.tell("detail", site="mlp_out 2")
    assert isinstance(view.answer(newest), m.Detailed)
    assert [type(view.answer(request)) for request in older] == [m.Superseded] * 4


def test_a_click_does_not_wait_for_a_detail_which_then_shows_the_new_state(board, view, slow, layers_of_step):
    began = slow(0.1)
    request = view.tell("detail", site="1.2", by_position=True)  # more than 20 layers
    while len(began) < 2:
        time.sleep(0.001)
    assert not view.answers(request)
    click = view.tell("click", site="2.0")
    told = time.monotonic()
    done = view.answer(click)
    # The one layer of the click, in which it asks three times: the detail had begun the one that it was in before.
    assert layers_of_step(began, told) <= 3
    found = view.answer(request)
    assert isinstance(found, m.Detailed)
    assert found.revision == done.revision
    close(patterns(view, found)[0], board.attention(1, 2).pattern)


def test_a_detail_goes_before_the_map(view, slow):
    slow(0.02)
    view.ask("set_view", mode="patch")
    found = ask(view, "1.2")
    assert found.revision == 0
    event, _, _ = next(reversed(view.maps))
    assert event.status == "computing"
    view.wait(lambda: view.maps[-1][0].status == "done")


def test_a_detail_survives_a_refused_step(board, view, slow, monkeypatch):
    slow(0.03)
    request = view.tell("detail", site="1.2")

    def explode(*_args, **_kwargs):
        raise RuntimeError("once")

    with monkeypatch.context() as patch:
        patch.setattr(board.desk.lab.choice.engine, "run", explode)
        assert isinstance(view.ask("click", site="1.1"), m.Failed)
    assert view.answer(request).revision == 0


def test_a_detail_that_fails_is_told_once_and_the_next_one_is_read(view, monkeypatch):
    def explode(*_args, **_kwargs):
        raise RuntimeError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(RUN, "direct_effects", explode)
        failed = view.ask("detail", site="1.2")
    assert failed.error == m.ErrorInfo("internal", "RuntimeError: no room")
    assert ask(view, "1.2").attention is not None


def test_what_is_asked_of_a_closed_board_is_answered(board, view, slow):
    slow(0.05)
    waiting = view.tell("detail", site="1.2", by_position=True)
    view.session.close()
    assert view.answer(waiting).error.code == "board_closed"
    assert view.ask("detail", site="1.2").error.code == "board_closed"
    board.close()


def test_a_board_that_is_closed_under_a_view_answers_too(board, view):
    board.close()
    assert view.ask("detail", site="1.2").error.code == "board_closed"


def test_random_details_among_steps_all_end(board, view):
    requests = []
    for step in range(40):
        requests.append(
            view.tell("detail", site=["1.2", "mlp_out 1", "resid_pre 2"][step % 3], by_position=step % 2 == 0)
        )
        if step % 4 == 0:
            view.tell("click", site=f"0.{step % 3}")
    last = view.answer(requests[-1])
    assert isinstance(last, m.Detailed)
    assert all(isinstance(view.answer(request), m.Detailed | m.Superseded) for request in requests)
    assert board.verify().ok


def test_no_number_travels_bare_that_json_has_no_word_for(make_board, make_view):
    from tests.tiny_models import FAMILIES

    model = FAMILIES["native"]().eval()
    with torch.no_grad():
        model.unembed.weight[0] = torch.nan
    view = make_view(make_board(model=model))
    view.hello()
    for site in ("1.2", "mlp_out 1"):
        found = ask(view, site)
        assert b"NaN" not in msgspec.json.encode(found)
