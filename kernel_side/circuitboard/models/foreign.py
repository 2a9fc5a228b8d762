"""Reading what another library made: whatever goes wrong there becomes a refusal of ours, with the reason.

Private attributes are renamed, packed weights refuse to be read, arithmetic fails on shapes nobody thought of. None of
that may end a board that can do without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from circuitboard.boundary import ran_out_of_memory
from circuitboard.errors import CircuitboardError

_MOST_LETTERS = 200


@contextmanager
def foreign(refusal: Callable[[str], CircuitboardError], *, passing: type[Exception] | None = None) -> Iterator[None]:
    """Turn any exception raised inside into `refusal(clause)`, which says what failed; our own errors pass, and `passing`.

    Running out of memory passes too: that says nothing about what is read.
    """
    try:
        yield
    except CircuitboardError:
        raise
    except Exception as error:
        if ran_out_of_memory(error) or (passing is not None and isinstance(error, passing)):
            raise
        raise refusal(clause_of(error)) from error


def clause_of(error: Exception) -> str:
    """An exception in one line, e.g. "AttributeError: 'GPTJAttention' object has no attribute 'scale_attn'"."""
    words = " ".join(str(error).split())
    if len(words) > _MOST_LETTERS:
        words = f"{words[:_MOST_LETTERS]}…"
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
