"""What a map costs on the wire: every cell a few bytes, however long it takes, and never more than what is new."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch
from transformer_lens import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge

import circuitboard as cb
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import encode
from circuitboard.session.maps.live_map import ESTIMATED, EXACT
from circuitboard.session.maps.map_events import MapEvents
from circuitboard.sweeps import sweep as sweeping
from tests.tiny_models import tiny

HEADER = 700
"""Bytes of a map event beside its numbers, generously."""


def size_of(message: Any, buffers: list[bytes]) -> int:
    return len(json.dumps(encode(message)).encode()) + sum(map(len, buffers))


def sent_by(view) -> list[int]:
    """What each message took, maps without their headers: a slow machine tells of a map in more parts."""
    sizes = []
    for arrived in view.arrived:
        header = size_of(arrived.message, []) if isinstance(arrived.message, m.MapEvent) else 0
        assert header < HEADER
        sizes.append(size_of(arrived.message, arrived.buffers) - header)
    return sizes


# --- standard errors --------------------------------------------------------------------------------


@pytest.mark.parametrize("over", ["head", "resid_pre", "neuron"])
def test_the_standard_errors_are_those_of_the_sweep(board, view, over):
    view.ask("set_view", map=over)
    view.map(0, over=over)
    arrays = view.map_arrays[-1][1]
    if over == "neuron":
        sweep = board.sweep("neuron", how="zero")
        expected = sweep.stderr.gather(1, torch.from_numpy(arrays["index"].astype(np.int64)))
    else:
        expected = board.sweep(over, by="all" if over == "head" else "pos", how="zero").stderr
    assert expected.abs().max() > 1e-4
    np.testing.assert_allclose(arrays["stderr"], expected.numpy(), rtol=1e-4, atol=1e-6)


def test_an_edited_cell_has_the_standard_error_of_what_its_edit_does(board, view):
    revision = view.ask("click", site="1.2").revision
    view.map(revision)
    with_it = board.values
    board.undo()
    effects = with_it - board.values
    expected = float(effects.std() / len(effects) ** 0.5)
    stderr = next(arrays for event, arrays in reversed(view.map_arrays) if event.revision == revision)["stderr"]
    assert stderr[1, 2] == pytest.approx(expected, rel=1e-4)


def test_one_prompt_has_no_standard_errors(make_board, make_view):
    pair = cb.PromptPair(torch.tensor([[5, 6, 7]]), torch.tensor([[5, 8, 7]]), answer=[1], wrong=[3])
    view = make_view(make_board(pair=pair))
    view.hello()
    event, *_ = view.map(0)
    assert "stderr" not in event.buffers


# --- changes ----------------------------------------------------------------------------------------


@pytest.fixture
def state(view):
    state = view.session.drawn()[1]
    assert state is not None
    return state


def test_what_has_not_changed_is_not_sent(state):
    events = MapEvents()
    first, buffers = events.event(1, state)
    assert (first.since, first.buffers) == (None, ["effect", "known", "stderr"])
    assert len(buffers[0]) == 4 * first.total
    again, buffers = events.event(2, state)
    assert (again.since, again.buffers) == (1, ["cells", "effect", "known", "stderr"])
    assert [len(buffer) for buffer in buffers] == [0, 0, 0, 0]

    effect, known = state.effect.copy(), state.known.copy()
    effect[[2, 7]], known[7] = [1.5, -2.5], ESTIMATED
    change, buffers = events.event(5, dataclasses.replace(state, effect=effect, known=known))
    assert change.since == 2
    assert np.frombuffer(buffers[0], "<u4").tolist() == [2, 7]
    assert np.frombuffer(buffers[1], "<f4").tolist() == [1.5, -2.5]
    assert np.frombuffer(buffers[2], "u1").tolist() == [EXACT, ESTIMATED]


def test_a_number_that_is_none_does_not_change(state):
    nothing = dataclasses.replace(state, effect=np.full_like(state.effect, np.nan))
    events = MapEvents()
    events.event(1, nothing)
    event, buffers = events.event(2, dataclasses.replace(nothing, effect=nothing.effect.copy()))
    assert event.since == 1
    assert buffers[0] == b""


def test_a_map_that_nothing_is_known_of_is_a_few_bytes(state):
    blank = dataclasses.replace(
        state,
        effect=np.zeros(96_000, np.float32),
        known=np.zeros(96_000, np.uint8),
        stderr=np.full(96_000, np.nan, np.float32),
    )
    event, buffers = MapEvents().event(1, blank)
    assert event.since is None
    assert size_of(event, buffers) < HEADER


def test_another_map_and_a_new_view_begin_anew(state):
    events = MapEvents()
    events.event(1, state)
    assert events.event(2, dataclasses.replace(state, map_id=state.map_id + 1))[0].since is None
    events.begin_anew()
    assert events.event(3, dataclasses.replace(state, map_id=state.map_id + 1))[0].since is None
    assert events.event(4, dataclasses.replace(state, map_id=state.map_id + 1))[0].since == 3


def test_a_view_that_comes_later_gets_the_whole_map(view):
    view.hello()
    event, effect, known = view.wait(lambda: view.maps[-1] if view.maps[-1][0].since is None else None)
    assert known.all()
    assert effect.any()
    assert event.status == "done"


# --- how much in all --------------------------------------------------------------------------------


def test_a_slow_map_costs_its_cells_once_or_twice(make_board, make_view, monkeypatch, slow):
    monkeypatch.setattr(sweeping, "FIRST_SLICE", 1)
    slow(0.002)
    view = make_view(make_board(model=tiny("gpt2")))
    view.hello()
    view.map(0)
    events = [a for a in view.arrived if isinstance(a.message, m.MapEvent)]
    assert len(events) > 3
    total = events[0].message.total
    # A cell is told of as an estimate and as exact, and at most once more whole.
    assert sum(len(b) for a in events for b in a.buffers) <= 3 * 13 * total
    assert max(size_of(a.message, []) for a in events) < HEADER


def test_a_board_of_twelve_layers_and_heads_sends_less_than_a_megabyte(make_board, make_view):
    """64 tokens, a data set of four prompts, every map once, and a click in the middle of it."""
    generator = torch.Generator().manual_seed(0)
    clean = torch.randint(1, 60, (4, 64), generator=generator)
    corrupted = clean.clone()
    corrupted[:, 30] = (corrupted[:, 30] + 7) % 60 + 1
    config = TransformerBridgeConfig(
        n_layers=12,
        d_model=48,
        n_ctx=64,
        d_head=4,
        n_heads=12,
        d_mlp=64,
        d_vocab=70,
        act_fn="gelu",
        normalization_type="LN",
        init_weights=True,
    )
    torch.manual_seed(0)
    model = TransformerBridge.boot_native(config)
    pair = cb.PromptPair(clean, corrupted, answer=[1, 2, 3, 4], wrong=[5, 6, 7, 8])
    view = make_view(make_board(model=model, pair=pair))
    maps = view.hello().setup.maps
    view.map(0)
    assert len(maps) == 6
    for over in maps[1:]:
        view.ask("set_view", map=over)
        view.map(0, over=over)
    before = len(sent_by(view))
    assert sum(sent_by(view)) < 1_000_000
    view.ask("set_view", map="head")
    revision = view.ask("click", site="9.6").revision
    view.map(revision)
    assert sum(sent_by(view)[before:]) < 100_000
