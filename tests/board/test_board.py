"""The board's numbers and steps, against plain TransformerLens hooks.

Prompts of unequal length, means and resamples are not covered: the board does not have them yet.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import circuitboard as cb
from tests.board.prompts import ANSWERS, CLEAN, CORRUPTED, pair, plain_logits, plain_values
from tests.tiny_models import D_VOCAB, tiny

HEAD, ATTENTION, MLP, RESID = (
    cb.head(1, 2).zero(),
    cb.attn_out(0).at([1, -1]).patch(),
    cb.mlp_out(2).at(slice(0, 3)).zero(),
    cb.resid_pre(1).at(2).patch(),
)


def same(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * max(1.0, float(expected.abs().max())))


def test_a_new_board_shows_the_clean_run(board, model):
    same(board.values, plain_values(model))
    assert board.value == pytest.approx(float(plain_values(model).mean()), abs=1e-5)
    assert board.baselines.clean == pytest.approx(board.value)
    assert board.baselines.corrupted == pytest.approx(float(plain_values(model, base="corrupted").mean()), abs=1e-5)
    assert board.normalized == pytest.approx(1)
    assert (board.base, board.edits) == ("clean", ())
    assert board.values.dtype is torch.float32
    assert "3 prompts" in repr(board)


def test_edits_add_up_and_say_how_far_they_moved_the_metric(board, model):
    done = []
    before = board.value
    for edit in (HEAD, ATTENTION, MLP, RESID):
        outcome = board.edit(edit)
        done.append(edit)
        same(board.values, plain_values(model, done))
        assert outcome.value == pytest.approx(board.value)
        assert outcome.change == pytest.approx(board.value - before, abs=1e-6)
        assert outcome.values.tolist() == board.values.tolist()
        assert outcome.latency_ms > 0
        before = board.value
    assert [edit.intervention for edit in board.edits] == done


def test_several_edits_at_once_are_one_step(board, model):
    board.edit(HEAD, ATTENTION)
    same(board.values, plain_values(model, [HEAD, ATTENTION]))
    board.undo()
    same(board.values, plain_values(model))


def test_the_order_of_edits_on_one_component_matters(board, model):
    board.edit(cb.head(1, 2).patch(), cb.head(1, 2).scale(-2), cb.head(1, 2).at(0).zero())
    same(board.values, plain_values(model, [edit.intervention for edit in board.edits]))


def test_receipts_say_what_changed_where_and_by_how_much(board, model):
    label = cb.head(1, 2).at("S2").zero()
    receipt = board.edit(label).receipts[0]
    assert receipt.intervention == label
    assert receipt.positions == ((2,), (1,), (3,))
    assert receipt.tier == board.engine.tier == "wavefront"
    with torch.no_grad():
        z = model.run_with_cache(CLEAN)[1]["blocks.1.attn.hook_z"][:, :, 2]
    norms = torch.stack([z[prompt, pos].norm() for prompt, pos in enumerate([2, 1, 3])])
    assert receipt.norm_before == pytest.approx(float(norms.mean()), rel=1e-4)
    assert receipt.norm_change == pytest.approx(float(norms.mean()), rel=1e-4)
    assert receipt.changed


def test_the_second_of_two_equal_edits_says_that_it_changed_nothing(board):
    outcome = board.edit(HEAD, HEAD)
    assert [receipt.changed for receipt in outcome.receipts] == [True, False]
    later = board.edit(cb.mlp_out(2).zero())
    assert [receipt.changed for receipt in later.receipts] == [True, False, True]
    assert later.receipts[:2] == outcome.receipts


@pytest.mark.parametrize("edits", [(), (HEAD,), (HEAD, RESID)])
def test_a_preview_is_what_the_edit_would_give_and_leaves_no_trace(board, model, edits):
    if edits:
        board.edit(*edits)
    before = (board.desk.shown, board.history, board.edits, board.value)
    outcome = board.preview(ATTENTION)
    same(outcome.values, plain_values(model, [*edits, ATTENTION]))
    assert outcome.change == pytest.approx(outcome.value - board.value)
    assert (board.desk.shown, board.history, board.edits, board.value) == before
    assert board.edit(ATTENTION).values.tolist() == pytest.approx(outcome.values.tolist(), abs=1e-6)


def test_undo_and_redo_walk_the_states(board, model):
    board.edit(HEAD)
    board.edit(MLP)
    assert board.undo().change == pytest.approx(
        float(plain_values(model, [HEAD]).mean() - plain_values(model, [HEAD, MLP]).mean()), abs=1e-5
    )
    same(board.values, plain_values(model, [HEAD]))
    board.undo()
    same(board.values, plain_values(model))
    with pytest.raises(cb.InterventionError) as caught:
        board.undo()
    assert caught.value.code == "nothing_to_undo"
    board.redo()
    board.redo()
    same(board.values, plain_values(model, [HEAD, MLP]))
    with pytest.raises(cb.InterventionError) as caught:
        board.redo()
    assert caught.value.code == "nothing_to_redo"


def test_an_edit_after_undo_keeps_the_old_branch(board):
    board.edit(HEAD)
    board.edit(MLP)
    board.undo()
    board.edit(RESID)
    assert not board.history.can_redo
    states = [tuple(edit.intervention for edit in node.state.edits) for node in board.history.nodes]
    assert states == [(), (HEAD,), (HEAD, MLP), (HEAD, RESID)]
    assert [node.parent for node in board.history.nodes] == [None, 0, 1, 1]
    drawn = repr(board.history).splitlines()
    assert len(drawn) == 4
    assert [line for line in drawn if "●" in line] == [f"  ● {RESID}"]


def test_remove_toggle_and_clear(board, model):
    board.edit(HEAD)
    board.edit(ATTENTION)
    board.edit(MLP)
    board.toggle(1)
    assert [edit.enabled for edit in board.edits] == [True, False, True]
    assert "(off)" in str(board.edits[1])
    same(board.values, plain_values(model, [HEAD, MLP]))
    assert len(board.desk.shown.outcome.receipts) == 2
    board.toggle(-2)
    same(board.values, plain_values(model, [HEAD, ATTENTION, MLP]))
    board.remove(0)
    same(board.values, plain_values(model, [ATTENTION, MLP]))
    board.clear()
    assert board.edits == ()
    same(board.values, plain_values(model))
    nodes = len(board.history.nodes)
    board.clear()
    assert len(board.history.nodes) == nodes, "clearing nothing is no step"
    board.undo()
    same(board.values, plain_values(model, [ATTENTION, MLP]))


def test_the_other_base_takes_patches_from_the_clean_run(board, model):
    board.edit(ATTENTION)
    board.set_base("corrupted")
    assert board.base == "corrupted"
    same(board.values, plain_values(model, [ATTENTION], base="corrupted"))
    nodes = len(board.history.nodes)
    board.set_base("corrupted")
    assert len(board.history.nodes) == nodes
    board.undo()
    same(board.values, plain_values(model, [ATTENTION]))
    denoising = cb.Board(model, pair(), base="corrupted")
    assert denoising.normalized == pytest.approx(0, abs=1e-6)
    denoising.edit(cb.resid_pre(0).patch())
    assert denoising.normalized == pytest.approx(1, abs=1e-4)
    denoising.close()


def test_logits_at_every_position_are_those_of_plain_hooks(board, model):
    board.edit(HEAD, RESID)
    expected = plain_logits(model, [HEAD, RESID])
    for pos in (-1, 4, 0, 2, -5):
        same(board.logits(pos), expected[:, pos])
    for pos in (5, -6, 1.0, "END", True):
        with pytest.raises(cb.CircuitboardError) as caught:
            board.logits(pos)
        assert caught.value.code == "position_out_of_range"


def test_top_tokens_are_the_softmax_of_plain_logits(board, model):
    board.edit(HEAD, RESID)
    now, before = plain_logits(model, [HEAD, RESID])[1, -1], plain_logits(model)[1, -1]
    table = board.top_tokens(5, prompt=1)
    assert table.token_id.tolist()[:5] == now.topk(5).indices.tolist()
    ids = torch.tensor(table.token_id.tolist())
    assert table.logit.tolist() == pytest.approx(now[ids].tolist(), abs=1e-4)
    assert table.prob.tolist() == pytest.approx(now.softmax(-1)[ids].tolist(), abs=1e-5)
    assert table.base_logit.tolist() == pytest.approx(before[ids].tolist(), abs=1e-4)
    assert table.base_prob.tolist() == pytest.approx(before.softmax(-1)[ids].tolist(), abs=1e-5)
    assert table.change.tolist() == pytest.approx((now - before)[ids].tolist(), abs=1e-4)
    assert len(board.top_tokens(10_000)) == D_VOCAB
    assert len(board.top_tokens(0)) == 0
    for prompt in (3, -1, True, "0"):
        with pytest.raises(cb.AddressError) as caught:
            board.top_tokens(prompt=prompt)
        assert caught.value.code == "no_such_prompt"


def test_a_single_prompt_is_a_data_set_of_one(model):
    board = cb.Board(model, cb.PromptPair(CLEAN[0], CORRUPTED[0], answer=1, wrong=4))
    board.edit(ATTENTION)
    same(board.values, plain_values(model, [ATTENTION])[:1])
    assert board.values.shape == (1,)
    assert board.sweep("head").stderr.isnan().all()
    board.close()


def test_edits_from_many_threads_all_arrive(board, model):
    """Each thread sees its own edit done; in the end all are there, in some order."""
    edits = [cb.head(layer, head).at(pos).zero() for layer in range(3) for head in range(4) for pos in range(3)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(board.edit, edits))
    assert {edit.intervention for edit in board.edits} == set(edits)
    assert len(board.history.nodes) == len(edits) + 1
    assert sorted(len(outcome.receipts) for outcome in outcomes) == list(range(1, len(edits) + 1))
    same(board.values, plain_values(model, [edit.intervention for edit in board.edits]))


def test_what_the_board_gives_out_is_not_its_own_memory(board):
    values = board.values
    board.values.fill_(99)
    board.logits().fill_(99)
    board.logits(0).fill_(99)
    assert board.values.tolist() == values.tolist()
    assert board.logits().abs().max() != 99
    assert board.edit(HEAD).value != 99


class TestWithoutACorruptedRun:
    @pytest.fixture
    def alone(self, model):
        board = cb.Board(model, cb.PromptPair(CLEAN, answer=ANSWERS), metric="log_prob")
        yield board
        board.close()

    def test_numbers_that_need_one_are_not_defined(self, alone, model):
        assert alone.baselines.corrupted is None
        assert math.isnan(alone.normalized)
        alone.edit(HEAD)
        expected = plain_logits(model, [HEAD])[:, -1].log_softmax(-1)[range(3), ANSWERS]
        same(alone.values, expected)
        assert alone.sweep("head", how="zero").normalized.isnan().all()
        assert alone.verify().ok
        assert alone.self_test().ok

    @pytest.mark.parametrize(
        ("attempt", "code"),
        [
            (lambda board: board.edit(ATTENTION), "no_source_run"),
            (lambda board: board.preview(ATTENTION), "no_source_run"),
            (lambda board: board.sweep("head"), "no_source_run"),
            (lambda board: board.set_base("corrupted"), "no_corrupted_run"),
        ],
    )
    def test_what_needs_one_is_refused(self, alone, attempt, code):
        before = alone.desk.shown
        with pytest.raises(cb.CircuitboardError) as caught:
            attempt(alone)
        assert caught.value.code == code
        assert "corrupted=" in caught.value.message
        assert alone.desk.shown is before
        alone.edit(HEAD)

    def test_a_board_on_it_is_refused(self, model):
        with pytest.raises(cb.PromptError) as caught:
            cb.Board(model, cb.PromptPair(CLEAN, answer=ANSWERS), metric="prob", base="corrupted")
        assert caught.value.code == "no_corrupted_run"

    def test_a_metric_of_two_answers_needs_two(self, model):
        with pytest.raises(cb.MetricError) as caught:
            cb.Board(model, cb.PromptPair(CLEAN, CORRUPTED, answer=ANSWERS))
        assert caught.value.code == "no_wrong_answer"


class TestEngines:
    @pytest.mark.parametrize("tier", ["hooked", "replay"])
    def test_each_tier_gives_the_same_numbers(self, model, tier):
        board = cb.Board(model, pair(), engine=tier)
        assert board.engine.tier == tier
        outcome = board.edit(HEAD, ATTENTION, RESID)
        same(board.values, plain_values(model, [HEAD, ATTENTION, RESID]))
        assert {receipt.tier for receipt in outcome.receipts} == {tier}
        assert board.verify(MLP).ok
        assert board.verify().tier == tier
        board.close()

    def test_receipts_agree_between_the_tiers(self, model):
        edits = (HEAD, cb.head(1, 2).at(0).scale(2), ATTENTION, MLP, RESID)
        boards = [cb.Board(model, pair(), engine=tier) for tier in ("hooked", "replay")]
        for hooked, replay in zip(*(board.edit(*edits).receipts for board in boards), strict=True):
            assert hooked.intervention == replay.intervention
            assert hooked.positions == replay.positions
            assert hooked.norm_before == pytest.approx(replay.norm_before, rel=1e-4, abs=1e-6)
            assert hooked.norm_change == pytest.approx(replay.norm_change, rel=1e-4, abs=1e-6)
        for board in boards:
            board.close()

    def test_an_unknown_tier_is_refused(self, model):
        with pytest.raises(cb.EngineError) as caught:
            cb.Board(model, pair(), engine="warp")
        assert caught.value.code == "unknown_tier"
        assert "hooked" in caught.value.message

    def test_verify_notices_a_wrong_number(self, model, monkeypatch):
        board = cb.Board(model, pair(), engine="replay")
        assert board.verify(HEAD).ok
        unembed = board.desk.lab.adapter.unembed
        monkeypatch.setattr(board.desk.lab.adapter, "unembed", lambda resid: unembed(resid) * 1.01)
        found = board.verify(HEAD)
        assert not found.ok
        assert "NOT OK" in repr(found)
        board.close()

    def test_the_self_test_notices_a_wrong_engine(self, model, monkeypatch):
        board = cb.Board(model, pair(), engine="replay")
        assert board.self_test().ok
        assert "FAILED" not in repr(board.self_test())
        unembed = board.desk.lab.adapter.unembed
        monkeypatch.setattr(board.desk.lab.adapter, "unembed", lambda resid: unembed(resid) * 1.01)
        found = board.self_test()
        assert not found.ok
        assert "FAILED" in repr(found)
        board.close()

    def test_a_tier_that_disagrees_with_plain_hooks_is_dropped(self, model, monkeypatch):
        from circuitboard.models.bridge import BridgeAdapter

        unembed = BridgeAdapter.unembed
        monkeypatch.setattr(BridgeAdapter, "unembed", lambda self, resid: unembed(self, resid) * 1.01)
        board = cb.Board(tiny("bloom"), pair())
        assert board.engine.tier == "hooked"
        assert "differ from plain hooks" in board.engine.why
        same(board.edit(HEAD).values, plain_values(board.model, [HEAD]))
        board.close()
        with pytest.raises(cb.EngineError) as caught:
            cb.Board(model, pair(), engine="replay")
        assert caught.value.code == "tier_refused"


def test_hooks_that_the_user_left_on_the_model_act_in_the_board(model):
    model.add_hook("blocks.1.attn.hook_z", lambda z, hook: z * 0)
    try:
        board = cb.Board(model, pair())
        same(board.values, plain_values(model))
        assert "hooks of yours act in it" in board.engine.why
        assert len(model.hook_dict["blocks.1.attn.hook_z"].fwd_hooks) == 1, "they stay on the user's model"
        board.close()
    finally:
        model.reset_hooks()


def test_a_part_that_the_model_lacks_is_refused():
    board = cb.Board(tiny("attention_only"), pair())
    for attempt in (
        lambda: board.edit(cb.mlp_out(1).zero()),
        lambda: board.preview(cb.mlp_out(1).zero()),
        lambda: board.verify(cb.mlp_out(1).zero()),
        lambda: board.sweep("mlp_out"),
        lambda: board.sweep("mlp_out", layers=[0]),
    ):
        with pytest.raises(cb.InterventionError) as caught:
            attempt()
        assert caught.value.code == "site_not_in_model"
        assert "MLP" in caught.value.message
    assert board.edits == ()
    board.close()
