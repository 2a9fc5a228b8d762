"""Promise 4: where nothing that is read changes, the answer is that of the run before, to the last bit, on every tier.

The model has parts that are dead by construction, as compiled programs have: dimensions of the residual stream that
nothing reads, a head and neurons that write only there, a head that writes nothing, neurons that never fire.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch

import circuitboard as cb
from circuitboard.address import Edge
from tests.tiny_models import MORE_FAMILIES, Size, tiny

T, N = 7, 2
SMALL = Size(d_mlp=44)
UNREAD = slice(28, 32)
DEAD_HEADS, DEAD_NEURONS = ((0, 1), (1, 2)), (3, 8, 40)
CLEAN = torch.randint(1, 60, (N, T), generator=torch.Generator().manual_seed(0))
CORRUPTED = torch.randint(1, 60, (N, T), generator=torch.Generator().manual_seed(1))
TIERS = ("wavefront", "replay", "hooked")


def named(model):
    short = (
        (name.replace("._original_component", ""), value) for name, value in model.original_model.named_parameters()
    )
    return {name.removesuffix(".weight"): value for name, value in short if name.endswith("weight")}


@cache
def half_dead(family, dtype):
    """Logits of about 100, so that a rounding shows."""
    torch.manual_seed(0)
    model = MORE_FAMILIES[family](SMALL).to(dtype).eval()
    weights = named(model)
    with torch.no_grad():
        for name, weight in weights.items():
            weight.mul_(40 if "embed" in name or name in ("pos", "head") else 6)
            if name == "head" or name.endswith((".q", ".k", ".v", "fc_in")):
                weight[:, UNREAD] = 0
        for layer, head in DEAD_HEADS:
            columns = weights[f"layers.{layer}.attn.o"][:, 8 * head : 8 * head + 8]
            columns[: UNREAD.start] = 0
            columns[UNREAD] *= layer == 0
        down = weights["layers.1.mlp.fc_out"]
        down[: UNREAD.start, list(DEAD_NEURONS[:2])] = 0
        up = weights["layers.1.mlp.fc_in"]
        up[DEAD_NEURONS[2]] = 0  # a ReLU of its bias, which is 0
    return model


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(params=TIERS)
def board(request, dtype):
    tier = request.param
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[4, 5])
    board = cb.Board(half_dead("native_bare", dtype), pair, engine=tier, autosave=False)
    assert board.engine.tier == tier
    assert board.desk.lab.clean.logits.abs().max() > 20
    yield board
    board.close()


def dead_edits(how):
    return [
        *(
            getattr(site, how)()
            for layer, head in DEAD_HEADS
            for site in (cb.head(layer, head), cb.head(layer, head).at([1, 4]))
        ),
        *(getattr(getattr(cb.head(*DEAD_HEADS[1]), part), how)() for part in ("q", "k", "v", "pattern", "result")),
        *(getattr(cb.neuron(1, index), how)() for index in DEAD_NEURONS),
        getattr(cb.head(2, 0).at(3), how)(),
        getattr(cb.mlp_out(2).at([0, T - 2]), how)(),
        getattr(Edge(cb.head(*DEAD_HEADS[0]), cb.head(2, 1)), how)(),
        getattr(Edge(cb.neuron(1, DEAD_NEURONS[0]), cb.mlp_out(2)), how)(),
    ]


@pytest.mark.parametrize("how", ["zero", "patch"])
def test_an_edit_of_what_nothing_reads_is_the_base_run(board, how):
    base = board.desk.lab.clean.logits
    for edit in dead_edits(how):
        outcome = board.edit(edit)
        assert torch.equal(board.desk.shown.run.logits, base), edit
        assert outcome.change == 0, edit
    assert len(board.edits) == len(dead_edits(how))


@pytest.mark.parametrize("board", TIERS[:2], indirect=True)
@pytest.mark.parametrize("how", ["zero", "patch"])
def test_dead_cells_of_a_map_are_exactly_zero(board, how):
    for edits in ((), (cb.head(0, 3).scale(0.5), cb.neuron(1, 20).at([2, 5]).add(1.0))):
        board.clear()
        if edits:
            board.edit(*edits)
        for over in ("head", "head.result", "head.v", "head.q", "head.k", "head.pattern"):
            effect = board.sweep(over, how=how).per_prompt - board.desk.shown.outcome.values
            dead = DEAD_HEADS if over in ("head", "head.result", "head.v") else DEAD_HEADS[1:]
            for layer, head in dead:
                assert effect[layer, head].abs().max() == 0, (over, layer, head)
            assert (effect.abs().amax(-1) > 0).sum() >= 8, over
        effect = board.sweep("neuron", layers=[1], how=how).per_prompt - board.desk.shown.outcome.values
        assert effect[0, list(DEAD_NEURONS)].abs().max() == 0
        assert (effect.abs().amax(-1) > 0).float().mean() > 0.3
        by_position = board.sweep("mlp_out", by="pos", how=how).per_prompt - board.desk.shown.outcome.values
        assert by_position[-1, :-1].abs().max() == 0, "past the last attention no row hears of another"
        assert by_position[0].abs().max() > 0


def test_a_dead_step_on_top_of_a_live_one_leaves_its_answer(board):
    board.edit(cb.head(0, 0).zero())
    before = board.desk.shown.run.logits
    for edit in dead_edits("patch"):
        board.edit(edit)
        assert torch.equal(board.desk.shown.run.logits, before), edit


def test_several_metrics_and_all_positions_agree(dtype):
    pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[4, 5])
    for tier in TIERS[:2]:
        board = cb.Board(half_dead("native_bare", dtype), pair, metric=["loss", "kl"], engine=tier, autosave=False)
        for edit in dead_edits("zero")[:9]:
            assert torch.equal(board.preview(edit).values, board.values), (tier, edit)
        for name in ("loss", "kl"):
            sweep = board.sweep("head", how="zero", on=name)
            for layer, head in DEAD_HEADS:
                assert sweep.effect[layer, head] == 0, (tier, name)
        board.close()


def test_with_norms_a_write_that_changes_nothing_is_the_base_run():
    """Every dimension is read there, so what is dead is what does not change."""
    for family in ("gpt2", "llama_gqa", "gemma2"):
        pair = cb.PromptPair(CLEAN, CORRUPTED, answer=[1, 2], wrong=[4, 5])
        for tier in TIERS[:2]:
            board = cb.Board(tiny(family), pair, engine=tier, autosave=False)
            last = board.sweep("head", by="pos", layers=[2], how="patch")
            assert last.effect[0, :-1].abs().max() == 0
            assert last.effect[0, -1].abs().min() > 0
            for edit in (cb.head(1, 2).scale(1), cb.head(2, 0).q.at(2).zero(), cb.mlp_out(1).scale(1.0)):
                assert torch.equal(board.preview(edit).values, board.values), (family, tier, edit)
            board.close()
