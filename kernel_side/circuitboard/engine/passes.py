"""One forward pass with edits: what is done to each activation, in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING

from circuitboard.interventions import part_of, rewritten
from circuitboard.models.adapter import PassEnded

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Plan, Write
    from circuitboard.models.adapter import ModelAdapter, Rewrite
    from circuitboard.models.shape import Place
    from circuitboard.runs import CachedRun

    Measure = Callable[[Write, Tensor, Tensor], None]


@dataclass(frozen=True)
class Arrived:
    """What edges did so far.

    Parameters
    ----------
    parts
        Receiver → the activation that it has because of its edges, before writes on it.
    added
        Place on the residual stream → what edges add to it, before writes on it, [batch, pos, d_model].
    """

    parts: Mapping[tuple[Place, int | None], Tensor] = field(default_factory=dict)
    added: Mapping[Place, Float[Tensor, "batch pos d_model"]] = field(default_factory=dict)


class When(IntEnum):
    """The order in which steps at one place act."""

    COMPUTED = 0
    """On what the model computed."""
    ARRIVING = 1
    """Where edges bring something."""
    WRITING = 2
    """Where writes act."""
    LEAVING = 3
    """On what goes on from there."""


class Pass:
    """What is done to each activation in one forward pass."""

    def __init__(self) -> None:
        self._steps: dict[Place, list[tuple[When, Rewrite]]] = {}

    @classmethod
    def of(cls, plan: Plan, arrived: Arrived, cancel: CancelToken, measure: Measure | None = None) -> Pass:
        """The pass that carries out a plan, given what its edges did."""
        made = cls()
        for layer in range(plan.base.adapter.shape.n_layers):
            made.at(("resid_pre", layer), When.COMPUTED, partial(_checked, cancel=cancel))
        for place, change in arrived.added.items():
            made.at(place, When.ARRIVING, partial(moved, by=change))
        for (place, index), part in arrived.parts.items():
            made.at(place, When.ARRIVING, partial(replaced, place=place, index=index, part=part))
        for place, writes in plan.by_place().items():
            made.at(place, When.WRITING, partial(rewritten, everywhere=writes, measure=measure))
        return made

    def at(self, place: Place, when: When, step: Rewrite) -> None:
        """Have something happen at a place, after what was asked for at the same moment before."""
        self._steps.setdefault(place, []).append((when, step))

    def skip(self, place: Place, when: When) -> None:
        """Leave out what was asked for at a place at one moment."""
        self._steps[place] = [entry for entry in self._steps.get(place, ()) if entry[0] != when]

    def rewrites(self, enough: Callable[[], bool]) -> dict[Place, Rewrite]:
        """All steps of each place as one, which ends the pass as soon as that is enough."""

        def rewrite(activation: Tensor, steps: Sequence[Rewrite]) -> Tensor:
            for step in steps:
                activation = step(activation)
                if enough():
                    raise PassEnded
            return activation

        return {
            place: partial(rewrite, steps=[step for _, step in sorted(steps, key=lambda entry: entry[0])])
            for place, steps in self._steps.items()
        }


def run_pass(adapter: ModelAdapter, base: CachedRun, edits: Pass) -> Float[Tensor, "batch pos d_vocab"]:
    """Logits of the base's tokens with edits."""
    with adapter.rewriting(edits.rewrites(lambda: False)):
        return adapter.forward(base.tokens, base.real)


def run_until(enough: Callable[[], bool], adapter: ModelAdapter, base: CachedRun, edits: Pass) -> None:
    """Run the base's tokens with edits, until that has shown enough."""
    with adapter.rewriting(edits.rewrites(enough)), suppress(PassEnded):
        adapter.forward(base.tokens, base.real)


def replaced(found: Tensor, place: Place, index: int | None, part: Tensor) -> Tensor:
    """An activation with one part of it put in the place of what was there."""
    result = found.clone()
    part_of(result, place, index).copy_(part)
    return result


def moved(activation: Tensor, by: Tensor) -> Tensor:
    """An activation with something added to it."""
    return activation + by


def _checked(activation: Tensor, cancel: CancelToken) -> Tensor:
    cancel.check()
    return activation
