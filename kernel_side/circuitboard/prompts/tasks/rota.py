"""Drawing in turns: every item once, in a random order, before any comes again."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class Rota(Generic[T]):
    """Items that take turns, so that a data set uses all of them about equally often.

    A mean over prompts then says little about which words happened to be drawn. Each random generator has turns of its
    own: what one drew does not change what another draws.

    Parameters
    ----------
    items
        What is drawn from; at least one.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = tuple(items)
        self._waiting: WeakKeyDictionary[random.Random, list[T]] = WeakKeyDictionary()

    def draw(self, rng: random.Random, *, but: Collection[T] = ()) -> T:
        """The next item that is none of `but`; there must be one."""
        waiting = self._waiting.setdefault(rng, [])
        if not any(item not in but for item in waiting):
            waiting[:0] = rng.sample(self._items, len(self._items))
        index = max(i for i, item in enumerate(waiting) if item not in but)
        return waiting.pop(index)
