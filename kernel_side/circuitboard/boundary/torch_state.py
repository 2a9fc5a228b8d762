"""What a user may have left switched on in torch for this thread, and doing without it in our own calls.

A default device, inference mode, autocasting and function modes belong to the user's code. Ours makes small tensors on
the CPU and must not have them end up elsewhere, or unable to carry gradients. The worker's thread has none of these; on
the user's thread they are put aside for the time of a call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


def unusual_torch() -> bool:
    """Whether something is switched on that changes what our own calls make; a fraction of a microsecond."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return False
    try:
        return bool(
            torch._C._len_torch_function_stack()  # noqa: SLF001  there is no public name for it
            or torch.is_inference_mode_enabled()
            or torch.is_autocast_enabled("cpu")
        )
    except AttributeError:  # torch is being imported, or names this otherwise
        return False


@contextmanager
def plain_torch() -> Iterator[None]:
    """Torch as it is when it was just imported, for this thread, until the end of the block."""
    import torch

    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.autocast("cpu", enabled=False))
        stack.enter_context(torch.device("cpu"))
        yield
