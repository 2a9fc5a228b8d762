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
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.interventions.matching import Columns
    from circuitboard.interventions.supply import Supply
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun, Origin


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

    def by_receiver(self) -> Mapping[tuple[Place, int | None], list[Write]]:
        """The edges that end in each receiver."""
        receivers: dict[tuple[Place, int | None], list[Write]] = {}
        for write in self.writes:
            if write.receiver is not None:
                receivers.setdefault(write.receiver, []).append(write)
        return receivers

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
    needed: dict[Origin, set[Place]] = {}
    for write in writes:
        if write.origin is not None:
            needed.setdefault(write.origin, set()).add(write.place)
    for origin, places in needed.items():
        origin.fetch(places)


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
    supply: Supply,
) -> Plan:
    """Make interventions ready to run.

    Parameters
    ----------
    interventions
        In the order in which they act.
    adapter, prompts
        The model and what it reads.
    supply
        The run that is edited, and those that values come from.

    Raises
    ------
    AddressError, InterventionError, PromptError
        As `check_site`, `Supply.origin` and `Supply.taken`; positions that do not exist; `wrong_shape` for values that do not fit.
    """
    checked: set[tuple[str, int, int | None]] = set()
    found: dict[tuple[object, ...], tuple[Where, Origin | None]] = {}
    prompts = prompts.of(supply.base.name)
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
        pattern = ends[0].kind == "head.pattern"
        at: tuple[object, ...] = (site.positions, site.sources, pattern)
        if intervention.how == "patch":
            at += (intervention.run, intervention.per, intervention.from_)
        if at not in found:
            found[at] = _where(intervention, adapter, prompts, supply, pattern=pattern)
        where, origin = found[at]
        written = ends[0]
        _check_gain(intervention, adapter)
        writes.append(
            Write(
                intervention,
                (written.kind, written.layer),
                written.index,
                where,
                origin or supply.origin(intervention, where, prompts),
                ((site.receiver.kind, site.receiver.layer), site.receiver.index) if isinstance(site, Edge) else None,
                _constant(intervention, written, adapter, prompts),
            )
        )
    return Plan(supply.base, tuple(writes))


def _constant(
    intervention: Intervention, site: Site, adapter: ModelAdapter, prompts: Prompts
) -> Float[Tensor, "#batch #pos #d"] | None:
    """The numbers of "add" and "set", as they are added to the part."""
    values = intervention.values
    if values is None:
        return None
    n, width = prompts.n, prompts.n_positions
    full = (n, width, adapter.shape.width_of(site.kind, width))
    shape = (1,) * (len(full) - len(values.shape)) + values.shape
    fits = len(shape) == len(full) and all(have in (1, want) for have, want in zip(shape, full, strict=True))
    # In prompts of different lengths a row of numbers would mean other positions in each of them.
    by_position = len(shape) == len(full) and (shape[1] > 1 or (site.kind == "head.pattern" and shape[2] > 1))
    if not fits or (by_position and prompts.real is not None):
        axes = "batch, dest, src" if site.kind == "head.pattern" else "batch, pos, d"
        mixed = (
            " These prompts differ in length, so numbers by position are refused." if prompts.real is not None else ""
        )
        raise InterventionError(
            f"{intervention.how} {site.name} takes a number or a tensor that broadcasts to [{axes}] = {list(full)}, but got {list(values.shape)}.{mixed}",
            code="wrong_shape",
            where=site.name,
        )
    strength = 1.0 if intervention.strength is None else intervention.strength
    constant = (values.tensor.double().reshape(shape) * strength).to(adapter.dtype)
    if not bool(constant.isfinite().all()):
        raise _too_large(intervention, float(values.tensor.double().abs().max()) * abs(strength), adapter.dtype)
    return constant.to(adapter.device)


def _check_gain(intervention: Intervention, adapter: ModelAdapter) -> None:
    """Refuse a factor that is infinite where the model multiplies: in its dtype, or float32 for half precision."""
    factor = intervention.strength if intervention.how == "scale" else None
    dtype = torch.promote_types(adapter.dtype, torch.float32)
    if factor is not None and abs(factor) > torch.finfo(dtype).max:
        raise _too_large(intervention, abs(factor), dtype)


def _too_large(intervention: Intervention, size: float, dtype: torch.dtype) -> InterventionError:
    name, largest = str(dtype).removeprefix("torch."), torch.finfo(dtype).max
    return InterventionError(
        f"{intervention.how} {intervention.site.name} by numbers of up to {size:.3g}: this model computes in {name}, where all above {largest:.3g} is infinite and would fill the run with NaN. Give smaller numbers, or load the model in a wider dtype.",
        code="non_finite_value",
        where=intervention.site.name,
    )


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


def _where(
    intervention: Intervention, adapter: ModelAdapter, prompts: Prompts, supply: Supply, *, pattern: bool
) -> tuple[Where, Origin | None]:
    """Where an intervention acts; and what a patch takes from, which may not cover all that was named."""
    site, origin = intervention.site, None
    columns: Columns | None = None
    sources: Columns | None = None
    if intervention.how == "patch":
        origin, columns, sources = supply.taken(intervention, prompts)
    rows = prompts.resolve(site.positions) if intervention.per != "label" or columns is None else _written(columns)
    attended = None
    # Nothing attends to padding, whatever is added to a pattern.
    if site.sources is not None or (pattern and prompts.real is not None):
        by_label = intervention.per == "label" and sources is not None
        among = _written(sources) if by_label and sources is not None else prompts.resolve(site.sources)
        attended = _mask(among, prompts).to(adapter.device)
    return Where(rows, _mask(rows, prompts).to(adapter.device), attended), origin


def _written(columns: Columns) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(here for here, _ in row) for row in columns)


def _mask(rows: Sequence[Sequence[int]], prompts: Prompts) -> torch.Tensor:
    mask = torch.zeros(prompts.n, prompts.n_positions, dtype=torch.bool)
    for row, positions in zip(mask, rows, strict=True):
        row[list(positions)] = True
    return mask
