"""One lock a model: hooks of ours are on it, or somebody looks at what is on it."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_locks: weakref.WeakKeyDictionary[torch.nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def lock_of(model: torch.nn.Module) -> threading.RLock:
    """Whoever holds it is alone in putting hooks on this model, and in taking what hooks it has for the user's.

    Boards of one model share it: what one of them checks is no change to the others, and nothing that they copy.
    """
    with _making:
        return _locks.setdefault(model, threading.RLock())
