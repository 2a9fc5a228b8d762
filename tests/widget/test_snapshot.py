"""What a view is told: of edits that were made in Python, of the board's numbers, and of prompts that are padded."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.protocol import messages as m
from tests.widget.view import real

EDITS = {
    cb.embed().at(1).patch(): ("embed", "embed", 0, None, "1"),
    cb.head(1, 2).q.zero(): ("1.2.q", "head.q", 1, 2, "all"),
    cb.head(1, 2).k.zero(): ("1.2.k", "head.k", 1, 2, "all"),
    cb.head(1, 2).v.at("END").zero(): ("1.2.v", "head.v", 1, 2, "END"),
    cb.head(1, 2).pattern.at(-1, [0, 1]).zero(): ("1.2.pattern", "head.pattern", 1, 2, "-1 <- 0, 1"),
    cb.head(1, 2).result.scale(2): ("1.2.result", "head.result", 1, 2, "all"),
    cb.neuron(0, 7).at(slice(2, None)).zero(): ("neuron 0.7", "neuron", 0, 7, "2:"),
    cb.resid_mid(1).at(2).patch(): ("resid_mid 1", "resid_mid", 1, None, "2"),
    cb.resid_post(1).at(2).patch(): ("resid_post 1", "resid_post", 1, None, "2"),
    cb.attn_out(1).zero(): ("attn_out 1", "attn_out", 1, None, "all"),
    cb.mlp_out(1).zero(): ("mlp_out 1", "mlp_out", 1, None, "all"),
    cb.edge(cb.head(0, 1), cb.head(2, 3).q).zero(): ("0.1 -> 2.3.q", "edge", 2, 3, "all"),
}


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_an_edit_of_any_site_is_listed_with_its_name_place_and_effect(make_board, make_view, edit):
    board = make_board(
        pair=cb.PromptPair(
            torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]]),
            torch.tensor([[5, 16, 17, 8, 9], [9, 18, 27, 6, 5]]),
            answer=[1, 2],
            wrong=[3, 4],
            labels={"END": -1},
        )
    )
    view = make_view(board)
    view.hello()
    outcome = board.edit(edit)
    row = view.wait(lambda: _with_effect(view))
    assert (row.site, row.kind, row.layer, row.index, row.at) == EDITS[edit]
    assert real(row.effect) == pytest.approx(outcome.change, abs=1e-5)
    assert real(row.norm_change) == pytest.approx(outcome.receipts[0].norm_change)
    assert (row.positions is None) == (edit.site.positions is None)
    view.map(1)
    done = view.ask("remove", index=0, revision=1)
    assert view.snapshot(done.revision).edits == []


def _with_effect(view):
    rows = view.snapshots[-1].edits
    return rows[0] if rows and rows[0].effect is not None else None


# --- the board's numbers --------------------------------------------------------------------------------


def test_a_snapshot_says_what_the_board_says(board, view):
    view.ask("click", site="0.3")
    done = view.ask("click", site="2.1", positions=[4])
    snapshot = view.snapshot(done.revision)
    assert [real(value) for value in snapshot.metric.values] == pytest.approx(board.values.tolist())
    assert real(snapshot.metric.stderr) == pytest.approx(float(board.values.double().std()) / 2**0.5)
    assert real(snapshot.metric.low) == pytest.approx(board.spread.low)
    assert real(snapshot.metric.high) == pytest.approx(board.spread.high)
    unedited = board.per_prompt().sort_values("prompt")["base_value"]
    assert [real(value) for value in snapshot.metric.base_values] == pytest.approx(unedited.tolist())
    assert snapshot.more_metrics == []
    assert real(snapshot.metric.baselines.clean) == pytest.approx(board.baselines.clean)
    table = board.top_tokens(8)
    rows = snapshot.top_tokens.rows
    assert [row.token_id for row in rows] == table["token_id"].tolist()
    assert [real(row.prob) for row in rows] == pytest.approx(table["prob"].tolist())
    assert [real(row.base_logit) for row in rows] == pytest.approx(table["base_logit"].tolist())
    assert [real(row.norm_change) for row in snapshot.edits] == pytest.approx(
        [receipt.norm_change for receipt in board.desk.shown.outcome.receipts]
    )


def test_every_metric_of_the_board_is_in_a_snapshot(make_board, make_view):
    board = make_board(metric={"logit diff": "logit_diff", "p": "prob", "KL": "kl"})
    view = make_view(board)
    view.hello()
    done = view.ask("click", site="1.2")
    snapshot = view.snapshot(done.revision)
    table = board.metrics
    views = [snapshot.metric, *snapshot.more_metrics]
    assert [metric.name for metric in views] == table.index.tolist() == ["logit diff", "p", "KL"]
    for metric in views:
        row = table.loc[metric.name]
        assert metric.unit == row["unit"]
        assert real(metric.value) == pytest.approx(row["value"])
        assert real(metric.stderr) == pytest.approx(row["stderr"])
        assert (real(metric.low), real(metric.high)) == pytest.approx((row["ci_low"], row["ci_high"]))
        assert real(metric.baselines.corrupted) == pytest.approx(row["corrupted"])
        numbers = board.per_prompt(on=metric.name).sort_values("prompt")
        assert [real(value) for value in metric.values] == pytest.approx(numbers["value"].tolist())
    assert [metric.change is None for metric in views] == [False, True, True]


def test_a_single_prompt_has_no_error_bars(make_board, make_view):
    board = make_board(pair=cb.PromptPair(torch.tensor([[5, 6, 7]]), answer=1, wrong=2))
    metric = make_view(board).hello().snapshot.metric
    assert (metric.stderr, metric.low, metric.high) == (None, None, None)


def test_the_second_prompts_tokens_are_shown_when_asked_for(board, view):
    view.ask("set_view", prompt=1)
    snapshot = view.wait(lambda: view.snapshots[-1] if view.snapshots[-1].view.prompt == 1 else None)
    expected = board.top_tokens(8, prompt=1)["token_id"].tolist()
    assert [row.token_id for row in snapshot.top_tokens.rows] == expected


# --- prompts of different lengths -------------------------------------------------------------------


@pytest.fixture
def padded(make_board):
    pair = cb.PromptPair(
        [torch.tensor([5, 6, 7, 8, 9]), torch.tensor([9, 8, 7])],
        [torch.tensor([5, 16, 7, 8, 9]), torch.tensor([9, 18, 7])],
        answer=[1, 2],
        wrong=[3, 4],
        labels={"S": 1, "END": -1},
    )
    return make_board(pair=pair)


def test_padding_is_no_token(padded, make_view):
    welcome = make_view(padded).hello()
    whole, short = welcome.setup.prompts
    assert welcome.setup.n_positions == len(whole.columns) == len(short.columns) == 5
    nothing = m.TokenColumn("", "", differs=False, labels=[], padding=True)
    assert short.columns[:2] == [nothing, nothing]
    assert [column.clean for column in short.columns[2:]] == ["9", "8", "7"]
    assert [column.labels for column in short.columns[2:]] == [[], ["S"], ["END"]]
    assert [column.differs for column in short.columns[2:]] == [False, True, False]
    assert not any(column.padding for column in whole.columns)


def test_views_speak_of_columns_which_align_the_ends(padded, make_view):
    view = make_view(padded)
    view.hello()
    view.ask("set_view", positions=[1, 4], prompt=1)
    event, effect, _ = view.wait(lambda: view.maps[-1] if view.maps[-1][0].positions == [1, 4] and view.maps[-1][0].status == "done" else None)  # fmt: skip
    torch.testing.assert_close(
        torch.tensor(effect), padded.sweep("head", how="zero", positions=[slice(-4, -3), -1]).effect, rtol=0, atol=1e-5
    )
    done = view.ask("click", site="resid_pre 1", positions=[1])
    (row,) = view.snapshot(done.revision).edits
    assert (row.at, row.positions) == ("-4:-3", []), "the short prompt has no token in column 1"
    (receipt,) = padded.desk.shown.outcome.receipts
    assert receipt.positions == ((1,), ())
    view.ask("click", site="resid_pre 1", positions=[1])
    assert padded.edits == ()
    view.ask("click", site="1.1", positions=[5])
    assert isinstance(view.ask("click", site="1.1", positions=[5]), m.Failed)
    assert padded.edits == ()
    assert event.shape == [3, 4]


def test_the_map_of_columns_is_the_sweep_by_position(padded, make_view):
    view = make_view(padded)
    view.hello()
    view.ask("set_view", map="resid_pre", mode="patch")
    event, effect, known = view.map(0, over="resid_pre")
    assert event.shape == [3, 5]
    assert (known == 1).all()
    expected = padded.sweep("resid_pre", by="pos").effect
    torch.testing.assert_close(torch.tensor(effect), expected, rtol=0, atol=1e-5)
