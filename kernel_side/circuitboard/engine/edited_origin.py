"""Activations of a run with edits in force, to patch from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.engine.cancel import CancelToken
from circuitboard.engine.recording import recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.interventions import Plan
    from circuitboard.models.shape import Place
    from circuitboard.runs import CachedRun


class EditedOrigin:
    """What a plan computes, recorded place by place when it is asked for: an `Origin`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._made: dict[Place, Tensor] = {}

    def activation(self, place: Place) -> Float[Tensor, "batch ..."]:
        """An activation as it leaves the edits there; on the worker thread only."""
        self.fetch((place,))
        return self._made[place]

    def fetch(self, places: Iterable[Place]) -> None:
        """Record these in one hooked pass (a few, with edges); on the worker thread only."""
        missing = sorted(set(places) - self._made.keys())
        if missing:
            base = self._plan.base
            self._made.update(recorded(base.adapter, self._plan, missing, CancelToken()).activations)

    def shared_prefix(self, base: CachedRun) -> int:
        """Up to the first other token and the first edit."""
        edited = (write.where.first for write in self._plan.writes)
        return min(self._plan.base.shared_prefix(base), *edited)

    def tensors(self) -> Iterator[Tensor]:
        """What has been recorded."""
        yield from tuple(self._made.values())
