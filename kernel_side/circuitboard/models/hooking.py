"""Adding one hook of ours to one of TransformerLens's hook points, and taking exactly that one away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def attach(point: Any, hook: Callable[..., Any]) -> Callable[[], None]:
    """Add a hook to a hook point; what is returned removes it."""
    # Older releases return nothing, but keep the handle where the newer ones do.
    handle = point.add_hook(hook) or point.fwd_hooks[-1]

    def remove() -> None:
        handle.hook.remove()
        point.fwd_hooks.remove(handle)

    return remove
