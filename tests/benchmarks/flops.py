"""Floating-point operations, counted: twice the multiplications of every matrix product, on both sides alike.

Norms, softmax and other element-wise work are not counted. Counts do not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

import circuitboard as cb

T = TypeVar("T")


def _attention(query: torch.Size, key: torch.Size, value: torch.Size, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _product(left: torch.Size, right: torch.Size, *_: Any, **__: Any) -> int:
    """[..., m, k] · [..., k, n], or vectors in place of either matrix."""
    return 2 * left.numel() * (right[-1] if len(right) > 1 else 1)


def _added_product(_: torch.Size, left: torch.Size, right: torch.Size, *__: Any, **___: Any) -> int:
    return _product(left, right)


_ATEN = torch.ops.aten

_ALSO = {
    _ATEN._scaled_dot_product_flash_attention_for_cpu: _attention,
    _ATEN.mv: _product,
    _ATEN.dot: _product,
    _ATEN.addmv: _added_product,
    _ATEN.addmv_: _added_product,
    _ATEN.addmm_: _added_product,
    _ATEN.baddbmm_: _added_product,
}
"""What torch's own counter leaves out: attention on the CPU, products with vectors, products added in place."""


def counter() -> FlopCounterMode:
    """A counter of all matrix products."""
    return FlopCounterMode(display=False, custom_mapping=_ALSO)


def count(work: Callable[[], object]) -> int:
    """Operations of a piece of work on this thread."""
    with counter() as counted:
        work()
    return int(counted.get_total_flops())


def count_on_board(board: cb.Board, work: Callable[[], object]) -> int:
    """Operations of what a board does on its own thread; its engine must use the stock backend."""
    counted = counter()
    while_on_board(board, counted, work)
    return int(counted.get_total_flops())


def while_on_board(board: cb.Board, context: AbstractContextManager[Any], work: Callable[[], T]) -> T:
    """Do `work` with a context open on the board's own thread: modes of torch belong to one thread."""

    def step(move: Callable[[], object]) -> None:
        def generator(_: object) -> Generator[None, None, None]:
            move()
            yield

        board.desk.run_in_background(generator).result()

    step(context.__enter__)
    try:
        return work()
    finally:
        step(lambda: context.__exit__(None, None, None))
