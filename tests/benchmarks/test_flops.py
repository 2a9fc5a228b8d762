"""The counter of operations, against counts by hand."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

import circuitboard as cb
from tests.benchmarks.flops import count, count_on_board

MATRIX, OTHER, VECTOR = torch.ones(3, 5), torch.ones(5, 7), torch.ones(5)
STACK, STACK_T = torch.ones(2, 3, 5), torch.ones(2, 5, 7)
HEADS = torch.ones(2, 4, 6, 8)  # batch, heads, positions, width


@pytest.mark.parametrize(
    ("work", "products"),
    [
        (lambda: MATRIX @ OTHER, 3 * 5 * 7),
        (lambda: F.linear(STACK, MATRIX), 2 * 3 * 5 * 3),
        (lambda: F.linear(STACK, MATRIX, torch.ones(3)), 2 * 3 * 5 * 3),
        (lambda: F.linear(VECTOR, MATRIX, torch.ones(3)), 3 * 5),
        (lambda: MATRIX @ VECTOR, 3 * 5),
        (lambda: VECTOR @ VECTOR, 5),
        (lambda: torch.zeros(3).addmv_(MATRIX, VECTOR), 3 * 5),
        (lambda: torch.zeros(3, 7).addmm_(MATRIX, OTHER), 3 * 5 * 7),
        (lambda: torch.addmm(torch.zeros(3, 7), MATRIX, OTHER), 3 * 5 * 7),
        (lambda: torch.mm(MATRIX, OTHER, out=torch.empty(3, 7)), 3 * 5 * 7),
        (lambda: STACK @ STACK_T, 2 * 3 * 5 * 7),
        (lambda: torch.zeros(2, 3, 7).baddbmm_(STACK, STACK_T), 2 * 3 * 5 * 7),
        (lambda: torch.einsum("bij,bjk->bik", STACK, STACK_T), 2 * 3 * 5 * 7),
        (lambda: F.scaled_dot_product_attention(HEADS, HEADS, HEADS), 2 * (2 * 4) * 6 * 6 * 8),
        (lambda: F.scaled_dot_product_attention(HEADS, HEADS, HEADS, is_causal=True), 2 * (2 * 4) * 6 * 6 * 8),
        (lambda: F.layer_norm(MATRIX, (5,)).softmax(-1), 0),
    ],
)
def test_every_matrix_product_counts_twice_its_multiplications(work, products):
    with torch.no_grad():
        assert count(work) == 2 * products


def test_what_a_board_computes_on_its_own_thread_is_counted(monkeypatch):
    monkeypatch.setenv("CIRCUITBOARD_GEMM", "stock")
    model = cb.load("demo")
    tokens = torch.arange(1, 11)[None]
    board = cb.Board(model, cb.PromptPair(tokens, tokens.flip(1), answer=1, wrong=2), base="corrupted")
    with torch.no_grad():
        one_forward = count(lambda: model(tokens))
    one_sweep = count_on_board(board, lambda: board.sweep("head", layers=[0]))
    assert one_forward > 0
    assert 0 < one_sweep <= board.desk.lab.adapter.shape.n_heads * one_forward
    assert count(lambda: board.sweep("head", layers=[0])) == 0
    board.close()
