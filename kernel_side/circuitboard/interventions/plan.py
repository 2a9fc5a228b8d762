"""From interventions to work: which activation of which layer is written, and where the work starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import resolve
from circuitboard.errors import AddressError, InterventionError
from circuitboard.interventions.write import Write

if TYPE_CHECKING:
    from circuitboard.address import Intervention, Site
    from circuitboard.models.adapter import ModelAdapter, Place
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun


@dataclass(frozen=True, eq=False)
class Plan:
    """A list of interventions made ready for one base run.

    Parameters
    ----------
    base
        The run that is edited.
    writes
        In the order in which the user gave them; those on the same activation act in that order.
    """

    base: CachedRun
    writes: tuple[Write, ...]

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        return tuple(write.intervention for write in self.writes)

    def by_place(self) -> Mapping[Place, list[Write]]:
        """The writes on each activation."""
        places: dict[Place, list[Write]] = {}
        for write in self.writes:
            places.setdefault(write.place, []).append(write)
        return places

    def first_difference(self, other: Plan, n_layers: int) -> int:
        """The first layer where two plans on the same base differ; `n_layers` if they do not."""
        mine, others = self._by_layer(), other._by_layer()
        return next((layer for layer in range(n_layers) if mine.get(layer) != others.get(layer)), n_layers)

    def _by_layer(self) -> dict[int, list[Intervention]]:
        layers: dict[int, list[Intervention]] = {}
        for write in self.writes:
            layers.setdefault(write.place[1], []).append(write.intervention)
        return layers


def check_site(site: Site, adapter: ModelAdapter) -> None:
    """Refuse a site that this model does not have.

    Raises
    ------
    AddressError
        `layer_out_of_range`, `head_out_of_range`.
    InterventionError
        `site_not_in_model`.
    """
    shape = adapter.shape
    if site.layer >= shape.n_layers:
        raise AddressError(
            f"{site.name} does not exist: {adapter.name} has {shape.n_layers} layers, 0 … {shape.n_layers - 1}.",
            code="layer_out_of_range",
            where=site.name,
        )
    if site.head is not None and site.head >= shape.n_heads:
        raise AddressError(
            f"{site.name} does not exist: {adapter.name} has {shape.n_heads} heads a layer, 0 … {shape.n_heads - 1}.",
            code="head_out_of_range",
            where=site.name,
        )
    if refusal := adapter.refusal(site.kind, site.layer):
        raise InterventionError(f"{site.name} cannot be edited: {refusal}.", code="site_not_in_model", where=site.name)


def compile_plan(
    interventions: Sequence[Intervention],
    adapter: ModelAdapter,
    prompts: Prompts,
    base: CachedRun,
    source: CachedRun | None,
) -> Plan:
    """Make interventions ready to run.

    Parameters
    ----------
    interventions
        In the order in which they act.
    adapter, prompts
        The model and what it reads.
    base, source
        The run that is edited and the one that patches come from.

    Raises
    ------
    AddressError, InterventionError
        As `check_site`; positions that do not exist; `no_source_run` for a patch without a second run.
    """
    writes = []
    for intervention in interventions:
        site = intervention.site
        check_site(site, adapter)
        place: Place = (site.kind, site.layer)
        mask = torch.zeros(prompts.n, prompts.n_positions, dtype=torch.bool)
        for row, positions in zip(
            mask, resolve(site.positions, prompts.n_positions, prompts.labels, prompts.n), strict=True
        ):
            row[list(positions)] = True
        values = None
        if intervention.how == "patch":
            if source is None:
                raise InterventionError(
                    f"{site.name} cannot be patched: there is no second run to take it from. Pass corrupted=… to PromptPair.",
                    code="no_source_run",
                    where=site.name,
                )
            values = source.activations[place]
            values = values if site.head is None else values[..., site.head, :]
        writes.append(Write(intervention, place, site.head, mask.to(adapter.device), values))
    return Plan(base, tuple(writes))
