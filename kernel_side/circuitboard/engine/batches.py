"""Work in batches that halve when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from circuitboard.boundary import out_of_memory, ran_out_of_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_batches(
    items: Sequence[Item], limit: int, work: Callable[[Sequence[Item]], Result], what: str
) -> Iterator[tuple[Sequence[Item], Result]]:
    """Do `work` on all items, `limit` at a time, fewer each time that memory runs out.

    Parameters
    ----------
    what
        What one item is, for the error: "a cell of 3 × 15 tokens on cuda:0".

    Raises
    ------
    EngineError
        `out_of_memory` if there is not enough for one item.
    """
    start = 0
    while start < len(items):
        batch = items[start : start + limit]
        try:
            result = work(batch)
        except Exception as error:
            if not ran_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise out_of_memory(f"{what} alone") from error
            limit = len(batch) // 2
            continue
        start += len(batch)
        yield batch, result
