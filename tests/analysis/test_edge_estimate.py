"""The estimate of an edge's effect is its exact effect in the limit of small edits."""

from __future__ import annotations

import pytest
import torch

import circuitboard as cb
from circuitboard.analysis import estimate_edges
from circuitboard.errors import MetricError
from circuitboard.interventions import compile_plan
from tests.tiny_models import FAMILIES

STEP = 1e-2
"""Some families compute their norms in float32 whatever the model's dtype: a smaller step would drown in rounding."""
SENDERS = [cb.embed(), cb.head(0, 1), cb.head(1, 3), cb.mlp_out(0)]


def estimated(board, cells, receiver):
    lab, plan = board.desk.lab, board.desk.shown.run.plan

    def work(cancel):
        writes = compile_plan(cells, lab.adapter, lab.prompts, lab.supply_of(plan)).writes
        reading = lab.reading(plan.base)
        yield
        return estimate_edges(lab.adapter, plan, writes, receiver, metric=lab.metric, reading=reading, cancel=cancel)

    return board.desk.run_in_background(work).future.result()


@pytest.mark.parametrize("family", ["gpt2", "llama_gqa", "gemma2", "neox", "native"])
@pytest.mark.parametrize("part", ["q", "k", "v", "in"])
def test_small_edits_have_the_estimated_effect(make_board, family, part):
    board = make_board(FAMILIES[family]().eval().double(), cb.head(1, 0).zero())
    shape = board.desk.lab.adapter.shape
    kv = 3 // (shape.n_heads // shape.n_kv_heads)
    heads = {"q": cb.head(2, 3).q, "k": cb.head(2, kv).k, "v": cb.head(2, kv).v}
    receiver = heads.get(part, cb.mlp_out(2))
    cells = [cb.edge(sender, receiver).scale(1 + STEP) for sender in SENDERS]
    found = estimated(board, cells, receiver).double()
    exact = []
    for cell in cells:
        up, down = (board.preview(cb.site(str(cell.site)).scale(1 + step)).values for step in (STEP, -STEP))
        exact.append((up - down).double() / 2)
    wanted = torch.stack(exact)
    torch.testing.assert_close(found, wanted, rtol=2e-2, atol=2e-2 * float(wanted.abs().max()))


def test_a_metric_without_a_gradient_is_refused(make_board):
    board = make_board(FAMILIES["gpt2"]().eval().double(), metric="rank")
    receiver = cb.head(2, 3).q
    with pytest.raises(MetricError) as refused:
        estimated(board, [cb.edge(cb.head(0, 1), receiver).zero()], receiver)
    assert refused.value.code == "metric_not_differentiable"
