"""Memory that ran out, in all the words in which libraries say so."""

from __future__ import annotations

import errno
import re

from circuitboard.errors import CircuitboardError, EngineError

_WORDS = re.compile(
    r"out of memory"  # CUDA, HIP, XPU, MPS, and torch's AcceleratorError
    r"|DefaultCPUAllocator: (can't allocate|not enough) memory"
    r"|STATUS_ALLOC_FAILED"  # cuBLAS, cuDNN, cuSOLVER, cuSPARSE
    r"|cudaErrorMemoryAllocation"
    r"|Cannot allocate memory"  # mmap of a weights file
    r"|Invalid buffer size"  # MPS, for one tensor larger than all memory
    r"|(std::)?bad_alloc|bad allocation",
    re.IGNORECASE,
)


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error says that there was not enough memory, itself or by what it was raised from."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "code", None) == "out_of_memory":
            return True
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return True
        # torch is not imported for this: if it was not, none of its errors is there.
        if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
            return True
        if isinstance(error, RuntimeError) and _WORDS.search(str(error)):
            return True
        error = error.__cause__
    return False


def own_words(error: BaseException | None) -> CircuitboardError | None:
    """The refusal of ours for want of memory that an error is, or comes from."""
    while error is not None:
        if isinstance(error, CircuitboardError) and error.code == "out_of_memory":
            return error
        error = error.__cause__
    return None


def another_name_for_memory(error: CircuitboardError) -> bool:
    """Whether an error of ours says something else than that memory ran out, and that is what it comes from."""
    return error.code != "out_of_memory" and ran_out_of_memory(error)


def out_of_memory(what: str, *, less: str = "use fewer or shorter prompts") -> EngineError:
    """The one refusal for want of memory.

    Parameters
    ----------
    what
        What there was no room for: "a cell of 3 × 15 tokens on cuda:0".
    less
        What would need less.
    """
    return EngineError(
        f"Out of memory with {what}: {less}, free memory on the device (other models, other boards: board.close()), or let the board keep less with Board(memory=bytes). Nothing was changed, and the board works on.",
        code="out_of_memory",
    )
