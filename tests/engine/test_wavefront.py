"""The wavefront tier: what it must not touch, and what it must not compute again.

That its numbers equal plain hooks is held by tests/numerics.
"""

from __future__ import annotations

import threading

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import circuitboard as cb
from circuitboard.desk.checks.watch import Watch
from circuitboard.engine import CancelToken
from circuitboard.engine.wavefront.wave import Wave
from circuitboard.errors import Cancelled, EngineError
from circuitboard.interventions import compile_plan
from tests.benchmarks.flops import count_on_board
from tests.tiny_models import D_VOCAB, N_HEADS, N_LAYERS, tiny

CLEAN = torch.tensor([[5, 6, 7, 8, 9, 10, 11, 12], [12, 11, 10, 9, 8, 7, 6, 5]])
CORRUPTED = torch.tensor([[5, 6, 7, 8, 19, 20, 21, 22], [12, 11, 10, 9, 28, 27, 26, 25]])
SHARED = 4
N, T = CLEAN.shape


@pytest.fixture
def board():
    board = cb.Board(tiny("gpt2"), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    assert board.engine.tier == "wavefront", board.engine.why
    yield board
    board.close()


def flops(work) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


@pytest.fixture
def on_this_thread(board, monkeypatch):
    """FLOPs are counted per thread, so the engine is called from here and not through the worker."""
    engine, lab = board.desk.lab.choice.engine, board.desk.lab
    monkeypatch.setenv("CIRCUITBOARD_GEMM", "stock")

    class Direct:
        base = engine.run(lab.plan("clean", ()), cancel=CancelToken())

        def run(self, *edits, near=None):
            return engine.run(lab.plan("clean", edits), near=near or self.base, cancel=CancelToken())

        def sweep(self, *cells, near=None):
            near = near or self.base
            writes = compile_plan(cells, lab.adapter, lab.prompts, lab.supply("clean")).writes
            return list(engine.sweep(near, writes, cancel=CancelToken()))

    return Direct()


def test_the_model_is_neither_called_nor_hooked(board, monkeypatch):
    def called(*_args, **_kwargs):
        raise AssertionError("the model was called")

    for cell in ("head", "neuron"):
        board.sweep(cell, by="pos")  # patches have their sources recorded
    board.edit(cb.head(0, 1).zero())
    # Another `__call__` makes another model, which the board would refuse.
    monkeypatch.setattr(Watch, "require_unchanged", lambda *_args, **_options: None)
    monkeypatch.setattr(torch.nn.Module, "__call__", called)
    monkeypatch.setattr(torch.nn.Module, "register_forward_hook", called)
    monkeypatch.setattr(torch.nn.Module, "register_forward_pre_hook", called)
    board.edit(cb.head(1, 2).patch(), cb.neuron(2, 3).at(4).scale(2.0), cb.head(0, 0).pattern.at(3, 1).zero())
    board.edit(cb.edge(cb.head(0, 2), cb.head(2, 1).q).zero())
    assert board.sweep("head", by="pos").values.isfinite().all()
    assert board.sweep("neuron").values.isfinite().all()


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "native", "gptj"])
def test_no_hook_is_ever_registered_on_the_users_model(monkeypatch, family):
    """From the first look at the model to the end of the board; recording happens on a copy of the modules."""
    model = tiny(family)
    own = {id(module) for module in model.modules()}
    hooked, verifying = [], []
    for name in ("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"):
        register = getattr(torch.nn.Module, name)

        def watched(self, hook, *args, register=register, **options):
            # `verify` runs the user's model, with plain hooks; TransformerLens itself has some in a model that has run.
            hooked.append(
                id(self) in own and not verifying and not hook.__module__.startswith("transformer_lens.model_")
            )
            return register(self, hook, *args, **options)

        monkeypatch.setattr(torch.nn.Module, name, watched)
    board = cb.Board(model, cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    assert board.engine.tier == "wavefront", board.engine.why
    board.edit(
        cb.head(1, 2).patch(), cb.head(0, 0).pattern.at(3, 1).zero(), cb.edge(cb.head(0, 2), cb.head(2, 1).q).zero()
    )
    board.sweep("head", by="pos")
    board.sweep("neuron", how="zero")
    board.top_tokens(3)
    assert hooked
    assert not any(hooked)
    verifying.append(True)
    assert board.verify().ok
    assert not any(point.fwd_hooks for point in model.hook_dict.values())
    board.close()


def test_a_cell_that_uses_the_model_during_a_sweep_gets_its_own_result(board):
    model = board.model
    expected = model(CLEAN)
    wrong = []
    stop = threading.Event()

    def cell() -> None:
        while not stop.is_set():
            if not torch.equal(model(CLEAN), expected):
                wrong.append(1)

    thread = threading.Thread(target=cell)
    thread.start()
    try:
        for _ in range(3):
            board.edit(cb.head(1, 1).zero())
            board.sweep("head", by="pos", how="zero")
            board.clear()
    finally:
        stop.set()
        thread.join()
    assert not wrong


def test_patching_where_the_prompts_agree_is_exactly_nothing_and_costs_nothing(board, on_this_thread):
    sweep = board.sweep("head", by="pos")
    assert (sweep.effect[:, :SHARED] == 0).all()
    # Below the last layer each later position has a head that counts; in the last, the one that is read.
    assert (sweep.effect[:-1, SHARED:] != 0).any(-1).all()
    assert (sweep.effect[-1, -1] != 0).any()
    cells = [cb.head(layer, head).at(SHARED - 1).patch() for layer in range(N_LAYERS) for head in range(N_HEADS)]
    assert flops(lambda: on_this_thread.sweep(*cells)) == 0


def test_an_edit_in_the_shared_prefix_makes_patches_there_count(board):
    board.edit(cb.resid_pre(0).at(1).zero())
    sweep = board.sweep("head", by="pos")
    assert (sweep.effect[:, 0] == 0).all()
    assert (sweep.effect[1:, 1] != 0).any()


def test_ablations_are_never_skipped(board):
    sweep = board.sweep("head", by="pos", how="zero")
    assert (sweep.effect[: N_LAYERS - 1] != 0).all()


def test_a_click_on_a_swept_cell_costs_one_row_of_logits(on_this_thread):
    cells = [cb.head(layer, head).patch() for layer in range(N_LAYERS) for head in range(N_HEADS)]
    swept = {}
    for result in on_this_thread.sweep(*cells):
        swept |= {cells[index]: logits for index, logits in zip(result.cells, result.logits, strict=True)}
    d_model = 32
    found = []
    assert flops(lambda: found.append(on_this_thread.run(cells[5]))) == 2 * N * d_model * D_VOCAB
    torch.testing.assert_close(found[0].logits, swept[cells[5]])
    assert found[0].receipts[0].changed
    # What comes after it has a whole run to start from again.
    later = on_this_thread.run(cells[5], cb.mlp_out(2).zero(), near=found[0])
    fresh = on_this_thread.run(cells[5], cb.mlp_out(2).zero())
    torch.testing.assert_close(later.logits, fresh.logits)


def test_clicks_on_cells_of_the_map_cost_one_row_of_logits_each_whatever_came_between(monkeypatch):
    monkeypatch.setenv("CIRCUITBOARD_GEMM", "stock")
    board = cb.Board(tiny("gpt2"), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    one_row = 2 * N * 32 * D_VOCAB
    sweep = board.sweep("head", by="pos", how="zero")
    for index in (9, 40, 77):
        cell = sweep.grid.cells[index]
        assert count_on_board(board, lambda cell=cell: board.edit(cell)) == one_row
        torch.testing.assert_close(board.values, sweep.per_prompt.flatten(0, -2)[index])
        board.undo()
        board.edit(cb.mlp_out(1).zero())
        board.clear()
    # On top of an edit, too.
    board.edit(cb.head(0, 3).zero())
    sweep = board.sweep("head", layers=[1, 2], how="zero")
    assert count_on_board(board, lambda: board.edit(sweep.grid.cells[5])) == one_row
    board.close()


def test_answers_of_old_cells_go_when_they_take_too_much():
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4])
    board = cb.Board(tiny("gpt2"), pair, memory=16 * 2**20)
    engine = board.desk.lab.choice.engine.inner
    room = engine._budget.swept
    for how in ("zero", "patch"):
        for kind in ("neuron", "head"):
            board.sweep(kind, by="pos", how=how)
    kept = engine._unedited(board.desk.lab.clean).held.swept
    assert sum(row.nbytes for row in kept.values()) <= room
    assert cb.head(2, 1).at(T - 1).patch() in kept
    board.close()


def test_an_edit_costs_no_more_than_recomputing_from_its_layer(on_this_thread):
    def cost(layer):
        return flops(lambda: on_this_thread.run(cb.attn_out(layer).zero()))

    assert cost(0) > cost(1) > cost(2) > 0
    first = on_this_thread.run(cb.attn_out(0).zero())
    on_top = flops(lambda: on_this_thread.run(cb.attn_out(0).zero(), cb.attn_out(2).zero(), near=first))
    assert on_top == cost(2)


def test_cost_of_a_map_grows_with_what_changes_and_not_with_the_model(on_this_thread):
    last = [cb.head(2, head).at(T - 1).patch() for head in range(N_HEADS)]
    first = [cb.head(0, head).at(SHARED).patch() for head in range(N_HEADS)]
    full = flops(lambda: tiny("gpt2")(CLEAN))
    assert flops(lambda: on_this_thread.sweep(*last)) < 0.1 * N_HEADS * full
    assert flops(lambda: on_this_thread.sweep(*first)) < 0.5 * N_HEADS * full


def test_edits_that_change_nothing_leave_the_run_as_it_was_to_the_last_bit(board):
    before = board.value
    outcome = board.edit(cb.head(1, 2).at([0, 1]).patch(), cb.mlp_out(2).at(2).patch())
    assert [receipt.changed for receipt in outcome.receipts] == [False, False]
    assert outcome.value == before


def test_a_wave_without_memory_is_halved_with_the_same_result(board, monkeypatch):
    expected = board.sweep("head", by="pos", how="zero").per_prompt
    run, sizes = Wave.run, []

    def scarce(self, joins, cancel):
        cells = sum(len(cells) for cells, _ in joins)
        sizes.append(cells)
        if cells > 2:
            raise torch.OutOfMemoryError("no room")
        return run(self, joins, cancel)

    monkeypatch.setattr(Wave, "run", scarce)
    found = board.sweep("head", by="pos", how="zero").per_prompt
    assert max(sizes) > 2
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_one_cell_without_memory_is_a_clear_error_and_others_pass_through(board, monkeypatch):
    def fail(error):
        def run(*_args):
            raise error

        monkeypatch.setattr(Wave, "run", run)

    fail(torch.OutOfMemoryError("no room"))
    with pytest.raises(EngineError, match="use fewer or shorter prompts") as caught:
        board.sweep("head", how="zero")
    assert caught.value.code == "out_of_memory"
    fail(ZeroDivisionError("something else"))
    with pytest.raises(EngineError) as caught:
        board.sweep("head", how="zero")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("work", ["run", "sweep"])
def test_a_cancelled_computation_ends_within_one_layer(board, monkeypatch, work):
    engine, lab = board.desk.lab.choice.engine, board.desk.lab
    cancel, asked = CancelToken(), []
    check = cancel.check

    def once():
        asked.append(1)
        if len(asked) == 2:
            cancel.cancel("enough")
        check()

    monkeypatch.setattr(cancel, "check", once)
    plan = lab.plan("clean", [cb.head(0, 0).zero()])
    works = {
        "run": lambda: engine.run(plan, cancel=cancel),
        "sweep": lambda: list(engine.sweep(board.desk.shown.run, plan.writes, cancel=cancel)),
    }
    with pytest.raises(Cancelled):
        works[work]()
    assert len(asked) == 2


def test_caches_are_reported_and_released_with_the_board():
    board = cb.Board(tiny("gpt2"), cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[3, 4]))
    before = board.engine.memory_bytes
    assert before > 0
    board.edit(cb.head(0, 0).zero())
    assert board.engine.memory_bytes > before
    board.close()
