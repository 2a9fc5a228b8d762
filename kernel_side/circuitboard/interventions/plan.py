"""From interventions to work: which activation of which layer is written, and where the work starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Edge, Site
from circuitboard.errors import AddressError, InterventionError
from circuitboard.interventions.write import Where, Write

if TYPE_CHECKING:
    from circuitboard.address import Intervention, Positions
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
        In the order in which the user gave them; those on the same activation act in that order. Edges act before
        the writes on their receiver.
    """

    base: CachedRun
    writes: tuple[Write, ...]

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        return tuple(write.intervention for write in self.writes)

    @property
    def edges(self) -> tuple[Write, ...]:
        """The writes that only one receiver sees."""
        return tuple(write for write in self.writes if write.receiver is not None)

    def by_place(self) -> Mapping[Place, list[Write]]:
        """The writes on each activation, edges left out."""
        places: dict[Place, list[Write]] = {}
        for write in self.writes:
            if write.receiver is None:
                places.setdefault(write.place, []).append(write)
        return places

    def fetch(self) -> None:
        """Have every activation that patches need recorded, in one forward pass a run; on the worker thread only."""
        fetch(self.writes)

    def first_difference(self, other: Plan, n_layers: int) -> int:
        """The first layer where two plans on the same base differ; `n_layers` if they do not."""
        mine, others = self._by_layer(), other._by_layer()
        return next((layer for layer in range(n_layers) if mine.get(layer) != others.get(layer)), n_layers)

    def _by_layer(self) -> dict[int, list[Intervention]]:
        layers: dict[int, list[Intervention]] = {}
        for write in self.writes:
            layers.setdefault(write.layer, []).append(write.intervention)
        return layers


def fetch(writes: Sequence[Write]) -> None:
    """Have every activation that these patches need recorded; on the worker thread only."""
    needed: dict[CachedRun, set[Place]] = {}
    for write in writes:
        if write.origin is not None:
            needed.setdefault(write.origin, set()).add(write.place)
    for run, places in needed.items():
        run.fetch(places)


def check_site(site: Site, adapter: ModelAdapter) -> None:
    """Refuse a site that this model does not have.

    Raises
    ------
    AddressError
        `layer_out_of_range`, `head_out_of_range`, `neuron_out_of_range`.
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
    if refusal := adapter.refusal(site.kind, site.layer):
        raise InterventionError(f"{site.name} cannot be edited: {refusal}.", code="site_not_in_model", where=site.name)
    size = shape.n_of(site.kind)
    if site.index is not None and size is not None and site.index >= size:
        code, what = ("neuron_out_of_range", "neurons") if site.kind == "neuron" else ("head_out_of_range", "heads")
        what = f"key-value {what}" if site.kind in ("head.k", "head.v") and size != shape.n_heads else what
        raise AddressError(
            f"{site.name} does not exist: {adapter.name} has {size} {what} a layer, 0 … {size - 1}.",
            code=code,
            where=site.name,
        )


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
    checked: set[tuple[str, int, int | None]] = set()
    found: dict[tuple[Positions, Positions], Where] = {}
    writes = []
    for intervention in interventions:
        site = intervention.site
        ends = (site.sender, site.receiver) if isinstance(site, Edge) else (site,)
        for end in ends:
            key = (end.kind, end.layer, end.index)
            if key not in checked:
                check_site(end, adapter)
                checked.add(key)
        if isinstance(site, Edge):
            _check_edge(site, adapter)
        at = (site.positions, site.sources)
        if at not in found:
            found[at] = _where(*at, adapter, prompts)
        if intervention.how == "patch" and source is None:
            raise InterventionError(
                f"{site.name} cannot be patched: there is no second run to take it from. Pass corrupted=… to PromptPair.",
                code="no_source_run",
                where=site.name,
            )
        written = ends[0]
        writes.append(
            Write(
                intervention,
                (written.kind, written.layer),
                written.index,
                found[at],
                source if intervention.how == "patch" else None,
                ((site.receiver.kind, site.receiver.layer), site.receiver.index) if isinstance(site, Edge) else None,
            )
        )
    return Plan(base, tuple(writes))


def _check_edge(edge: Edge, adapter: ModelAdapter) -> None:
    """In a parallel block the MLP reads what enters the block, so its own attention does not reach it."""
    same_layer = edge.sender.layer == edge.receiver.layer and edge.sender.kind in ("head", "attn_out")
    if same_layer and edge.receiver.kind == "mlp_out" and adapter.shape.parallel:
        raise AddressError(
            f"The blocks of {adapter.name} run attention and MLP side by side, so {edge.sender.name} does not reach {edge.receiver.name}.",
            code="no_such_edge",
            where=edge.name,
        )
    if edge.receiver.kind == "mlp_out" and not adapter.shape.parallel:
        # What this MLP reads has to be reached to let it hear anything.
        check_site(Site("resid_mid", edge.receiver.layer), adapter)


def _where(positions: Positions, sources: Positions, adapter: ModelAdapter, prompts: Prompts) -> Where:
    rows = prompts.resolve(positions)
    attended = None
    if sources is not None:
        attended = _mask(prompts.resolve(sources), prompts).to(adapter.device)
    return Where(rows, _mask(rows, prompts).to(adapter.device), attended)


def _mask(rows: Sequence[Sequence[int]], prompts: Prompts) -> torch.Tensor:
    mask = torch.zeros(prompts.n, prompts.n_positions, dtype=torch.bool)
    for row, positions in zip(mask, rows, strict=True):
        row[list(positions)] = True
    return mask
