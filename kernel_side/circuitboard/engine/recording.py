"""Activations of a run with edits in force, by one plain hooked pass: exact whatever tier the board uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from circuitboard.engine.edges import arrivals
from circuitboard.engine.passes import Arrived, Pass, When, run_pass, run_until
from circuitboard.errors import ModelError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Plan, Write
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.shape import Place

_AFTER_HEADS = ("head.pattern",)
"""Activations [batch, head, pos, …]; all others are [batch, pos, …]."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a run with edits computed.

    Parameters
    ----------
    logits
        Float [batch, pos, d_vocab].
    activations
        Place → the activation as it leaves the edits there: what the rest of the model reads.
    computed
        Place → the activation as the model computed it, before edges and edits there; for the places asked for.
    whole
        As `activations`, at all positions whatever columns were asked for.
    """

    logits: Float[Tensor, "batch pos d_vocab"]
    activations: Mapping[Place, Float[Tensor, "batch ..."]]
    computed: Mapping[Place, Float[Tensor, "batch ..."]]
    whole: Mapping[Place, Float[Tensor, "batch ..."]] = field(default_factory=dict)


def recorded(
    adapter: ModelAdapter,
    plan: Plan,
    places: Iterable[Place],
    cancel: CancelToken,
    *,
    computed: Iterable[Place] = (),
    columns: Sequence[int] | None = None,
    whole: Iterable[Place] = (),
) -> Recorded:
    """Run the base of a plan with its edits and keep activations; on the worker thread only.

    A plan without writes gives the activations of the unedited base run.

    Parameters
    ----------
    places
        Which activations to keep as they leave the edits.
    computed
        Which to keep as the model computed them.
    columns
        One column of the token tensor per prompt: only that position is kept, and the axis of positions (of
        destinations, for a pattern) is left out. None keeps all positions.
    whole
        Which to keep at all positions besides, as they leave the edits.

    Raises
    ------
    ModelError
        `hook_never_fired` for a place that this model does not compute.
    Cancelled
        Within one layer.
    """
    plan.fetch()
    kept: dict[tuple[Place, When], Tensor] = {}
    wanted = [*((place, When.LEAVING) for place in places), *((place, When.COMPUTED) for place in computed)]
    arrived = arrivals(plan, adapter, cancel, _unmeasured) if plan.edges else Arrived()
    edits = Pass.of(plan, arrived, cancel)
    for moment in dict.fromkeys(wanted):
        edits.at(*moment, partial(_keep, moment=moment, into=kept, columns=columns))
    entire: dict[tuple[Place, When], Tensor] = {}
    whole = tuple(dict.fromkeys(whole))
    for place in whole:
        moment = (place, When.LEAVING)
        edits.at(*moment, partial(_keep, moment=moment, into=entire, columns=None))
    logits = run_pass(adapter, plan.base, edits)
    missing = {place for place, when in wanted if (place, when) not in kept}
    missing |= {place for place in whole if (place, When.LEAVING) not in entire}
    silent = sorted(f"{place[0]} {place[1]}" for place in missing)
    if silent:
        raise ModelError(
            f"{', '.join(silent)} was never computed in a forward pass of {adapter.name}, so it cannot be shown.",
            code="hook_never_fired",
        )
    return Recorded(
        logits,
        {place: kept[place, when] for place, when in wanted if when is When.LEAVING},
        {place: kept[place, when] for place, when in wanted if when is When.COMPUTED},
        {place: entire[place, When.LEAVING] for place in whole},
    )


def recorded_until(
    adapter: ModelAdapter,
    plan: Plan,
    places: Iterable[Place],
    cancel: CancelToken,
    columns: Sequence[int] | None = None,
) -> Mapping[Place, Float[Tensor, "batch ..."]]:
    """As `recorded`, by a pass that ends as soon as all places are known."""
    plan.fetch()
    kept: dict[tuple[Place, When], Tensor] = {}
    wanted = {(place, When.LEAVING) for place in places}
    arrived = arrivals(plan, adapter, cancel, _unmeasured) if plan.edges else Arrived()
    edits = Pass.of(plan, arrived, cancel)
    for moment in wanted:
        edits.at(*moment, partial(_keep, moment=moment, into=kept, columns=columns))
    run_until(lambda: kept.keys() >= wanted, adapter, plan.base, edits)
    silent = sorted(f"{place[0]} {place[1]}" for place, when in wanted if (place, when) not in kept)
    if silent:
        raise ModelError(
            f"{', '.join(silent)} was never computed in a forward pass of {adapter.name}, so it cannot be shown.",
            code="hook_never_fired",
        )
    return {place: kept[place, when] for place, when in wanted}


def _keep(
    activation: Tensor,
    moment: tuple[Place, When],
    into: dict[tuple[Place, When], Tensor],
    columns: Sequence[int] | None,
) -> Tensor:
    if columns is None:
        into[moment] = activation.clone()
    elif moment[0][0] in _AFTER_HEADS:
        into[moment] = activation[range(len(columns)), :, columns]
    else:
        into[moment] = activation[range(len(columns)), columns]
    return activation


def _unmeasured(_write: Write, _before: Tensor, _after: Tensor) -> None:
    """Receipts are the engine's business."""
