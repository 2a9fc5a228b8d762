"""What moves what a component reads is what hooks written by hand say, edge by edge."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from circuitboard.session.readings import trace
from tests.oracle import hooked_logits, logit_diff
from tests.tiny_models import tiny
from tests.widget.view import real

EDGES = import_module("circuitboard.analysis.edges_into")
"""The module; the package has its function by this name."""


def expected(board, edits) -> torch.Tensor:
    bound = board.prompts
    source = bound.corrupted_tokens if board.base == "clean" else bound.clean_tokens
    base = bound.clean_tokens if board.base == "clean" else bound.corrupted_tokens
    return logit_diff(hooked_logits(board.model, base, source, edits, bound.real), [1, 2], [3, 4])


def traced(view, site, part) -> m.Traced:
    found = view.ask("trace", site=site, part=part)
    assert isinstance(found, m.Traced), found
    return found


@pytest.mark.parametrize("family", ["native", "llama_gqa", "gemma2", "neox", "attention_only", "bloom"])
@pytest.mark.parametrize(("part", "mode"), [("q", "zero"), ("k", "patch"), ("v", "mean")])
def test_each_edge_has_the_effect_that_hooks_find(make_board, make_view, family, part, mode):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    view.ask("click", site="0.1")
    view.ask("set_view", mode=mode)
    found = traced(view, "2.3", part)
    shape = board.desk.lab.adapter.shape
    head = 3 // (shape.n_heads // shape.n_kv_heads) if part in ("k", "v") else 3
    assert found.receiver == f"2.{head}.{part}"
    n_mlps = 0 if family == "attention_only" else 2
    n_embeddings = 0 if board.desk.lab.adapter.refusal("embed", 0) else 1
    assert len(found.rows) + found.omitted == 2 * shape.n_heads + n_mlps + n_embeddings
    zero = cb.head(0, 1).zero()
    before = expected(board, [zero])
    sizes = [abs(real(row.effect)) for row in found.rows]
    assert sizes == sorted(sizes, reverse=True)
    for row in (*found.rows[:3], found.rows[-1]):
        edit = getattr(cb.site(row.edge), mode)()
        effect = (expected(board, [zero, edit]) - before).double()
        assert real(row.effect) == pytest.approx(float(effect.mean()), abs=2e-5)
        assert real(row.stderr) == pytest.approx(float(effect.std() / 2**0.5), abs=2e-5)


@pytest.mark.parametrize("family", ["native", "neox"])
def test_what_an_mlp_reads(make_board, make_view, family):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    found = traced(view, "mlp_out 1", "in")
    senders = {row.sender for row in found.rows}
    # In a parallel block attention does not reach the MLP beside it.
    assert ("1.0" in senders) == (not board.desk.lab.adapter.shape.parallel)
    assert "mlp_out 1" not in senders
    row = found.rows[0]
    effect = expected(board, [cb.site(row.edge).zero()]) - expected(board, [])
    assert real(row.effect) == pytest.approx(float(effect.mean()), abs=2e-5)


def test_an_edge_that_is_edited_is_worth_what_it_makes(board, view):
    edit = cb.edge(cb.head(0, 1), cb.head(1, 2).q).zero()
    board.edit(edit)
    with_it = board.value
    found = next(row for row in traced(view, "1.2", "q").rows if row.sender == "0.1")
    assert found.edited
    assert real(found.effect) == pytest.approx(with_it - board.remove(0).value, abs=1e-6)


def test_a_long_list_is_cut(view, monkeypatch):
    monkeypatch.setattr(trace, "MOST_ROWS", 3)
    found = traced(view, "2.0", "v")
    assert (len(found.rows), found.omitted) == (3, 8)


def test_the_first_layer_hears_the_embedding_alone(view):
    assert [row.sender for row in traced(view, "0.1", "k").rows] == ["embed"]


@pytest.mark.parametrize(
    ("site", "part", "code"),
    [
        ("mlp_out 1", "q", "no_trace"),
        ("1.2", "in", "no_trace"),
        ("resid_pre 1", "in", "no_trace"),
        ("0.1 -> 1.2.q", "q", "no_trace"),
        ("1.2 @ 3", "q", "no_trace"),
        ("9.0", "q", "layer_out_of_range"),
        ("nonsense", "q", "unknown_site"),
    ],
)
def test_what_reads_nothing_is_refused(view, site, part, code):
    failed = view.ask("trace", site=site, part=part)
    assert isinstance(failed, m.Failed)
    assert failed.error.code == code


def test_the_newest_trace_is_read(view, slow):
    slow(0.03)
    older = view.tell("trace", site="2.1", part="q")
    newest = view.tell("readers", position=1)
    assert isinstance(view.answer(newest), m.ReadBy)
    assert isinstance(view.answer(older), m.Superseded)


def test_a_click_goes_before_a_trace_which_then_shows_the_new_state(view, slow):
    slow(0.02)
    request = view.tell("trace", site="2.1", part="q")
    done = view.ask("click", site="0.0")
    assert view.answer(request).revision == done.revision


@pytest.mark.parametrize("family", ["native", "llama_gqa", "gptj"])
def test_who_reads_from_a_token(make_board, make_view, family):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    view.ask("click", site="0.1")
    found = view.ask("readers", position=2, prompt=1)
    assert isinstance(found, m.ReadBy)
    assert (found.position, found.row, found.prompt) == (2, 4, 1)
    assert len(found.rows) + found.omitted == 3 * board.desk.lab.adapter.shape.n_heads
    shares = [real(row.attention) for row in found.rows]
    assert shares == sorted(shares, reverse=True)
    zero = cb.head(0, 1).zero()
    before = expected(board, [zero])
    for row in found.rows[:3]:
        layer, head = map(int, row.site.split("."))
        assert real(row.attention) == pytest.approx(float(board.attention(layer, head, 1).pattern[4, 2]), abs=1e-6)
        after = expected(board, [zero, cb.head(layer, head).pattern.at(4, 2).zero()])
        assert real(row.effect) == pytest.approx(float((after - before).mean()), abs=2e-5)


def test_padding_has_no_readers(make_board, make_view):
    pair = cb.PromptPair([torch.tensor([5, 6, 7, 8, 9]), torch.tensor([9, 8, 7])], answer=[1, 2], wrong=[3, 4])
    board = make_board(pair=pair)
    view = make_view(board)
    view.hello()
    assert view.ask("readers", position=1).error.code == "position_out_of_range"
    assert view.ask("readers", position=2, prompt=2).error.code == "no_such_prompt"
    assert isinstance(view.ask("readers", position=2, prompt=1), m.ReadBy)


@pytest.mark.parametrize("family", ["native", "llama_gqa"])
def test_of_many_edges_those_with_the_largest_estimates_are_computed(make_board, make_view, monkeypatch, family):
    board = make_board(model=tiny(family))
    view = make_view(board)
    view.hello()
    board.edit(cb.edge(cb.head(0, 2), cb.head(2, 3).q).zero())
    everyone = traced(view, "2.3", "q")
    assert not everyone.by_estimate
    monkeypatch.setattr(EDGES, "MOST_EXACT", 4)
    found = traced(view, "2.3", "q")
    assert (len(found.rows), found.by_estimate) == (4, True)
    assert found.omitted == len(everyone.rows) - 4
    exact = {row.sender: row for row in everyone.rows}
    assert all(real(row.effect) == pytest.approx(real(exact[row.sender].effect), abs=1e-6) for row in found.rows)
    assert found.rows[0].sender in {row.sender for row in everyone.rows[:3]}
    # What is edited is never left out.
    assert [row.sender for row in found.rows if row.edited] == ["0.2"]


def test_without_an_estimate_all_are_computed(make_board, make_view, monkeypatch):
    monkeypatch.setattr(EDGES, "MOST_EXACT", 4)
    board = make_board(metric="rank")
    view = make_view(board)
    view.hello()
    found = traced(view, "2.3", "q")
    assert (len(found.rows), found.by_estimate) == (11, False)
