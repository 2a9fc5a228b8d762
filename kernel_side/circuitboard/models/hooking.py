"""Adding one hook of ours to one of TransformerLens's hook points, and taking exactly that one away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def attach(point: Any, hook: Callable[..., Any], *, first: bool = False) -> Callable[[], None]:
    """Add a hook to a hook point, after those that are there or before them; what is returned removes it."""
    # Older releases return nothing, but keep the handle where the newer ones do.
    handle = point.add_hook(hook, prepend=first) or point.fwd_hooks[0 if first else -1]

    def remove() -> None:
        handle.hook.remove()
        point.fwd_hooks.remove(handle)

    return remove
