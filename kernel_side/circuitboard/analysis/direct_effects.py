"""The logit difference of a run as a sum over the components that write into the residual stream at the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from circuitboard.analysis.component import Component
from circuitboard.analysis.frozen_norm import FrozenNorm
from circuitboard.analysis.read_out import Question, ReadOut, selected, told
from circuitboard.engine import tolerance
from circuitboard.engine.recording import Recorded, recorded, recorded_until
from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Kind, Site
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.outlets import Outlet, Outlets
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts

    Row = tuple[Component, Float[Tensor, " batch"]]


@dataclass(frozen=True, eq=False)
class DirectEffects:
    """What each component adds to the answer of a run, directly: through the final norm and the unembedding alone.

    Parameters
    ----------
    components
        The summands.
    effects
        Float64 [component, batch], in logits; their sum is `value`.
    value
        Float64 [batch]: the logit difference (the answer's logit without a wrong one) before a soft-cap of logits.
    logits
        The same from the run's own logits, after a soft-cap.
    read
        How the run reads its residual stream.
    whole
        Activations that were kept of the same pass, at all positions.
    """

    components: tuple[Component, ...]
    effects: Float[Tensor, "component batch"]
    value: Float[Tensor, " batch"]
    logits: Float[Tensor, " batch"]
    read: ReadOut
    whole: Mapping[Place, Float[Tensor, "batch ..."]] = field(default_factory=dict)


def direct_effects(
    adapter: ModelAdapter,
    outlets: Outlets,
    plan: Plan,
    prompts: Prompts,
    cancel: CancelToken,
    *,
    neurons: Collection[int] = (),
    read: ReadOut | None = None,
    whole: Collection[Place] = (),
) -> DirectEffects:
    """Decompose the answer of a run with edits; on the worker thread only.

    Parameters
    ----------
    neurons
        Layers whose MLP is given neuron by neuron, and the bias of its output apart.
    read
        How the residual stream is read, of another run; default as this run reads its own.
    whole
        Activations to keep of the same pass, at all positions.

    Raises
    ------
    EngineError
        `not_decomposed` if what is found does not add up to the run's logits, or if the model hides a part of it.
    """
    column = [prompts.answer_position] * prompts.n
    sources = _Sources(adapter, outlets, plan, neurons)
    places, computed = sources.needed()
    found = recorded(adapter, plan, places, cancel, computed=computed, columns=column, whole=whole)
    stream = found.activations["resid_post", adapter.shape.n_layers - 1]
    read = read or ReadOut.of(outlets, Question.of(outlets, prompts), stream)
    rows = list(_Sum(sources, found, read).rows(cancel))
    logits = found.logits[range(prompts.n), column]
    direct = DirectEffects(
        tuple(component for component, _ in rows),
        torch.stack([effect for _, effect in rows]).cpu(),
        read.value(stream).cpu(),
        selected(logits, prompts).cpu(),
        read,
        found.whole,
    )
    told_and_own = told(outlets, stream, logits, prompts)
    dtype = adapter.dtype
    if outlets.precision is not None and torch.finfo(outlets.precision).eps > torch.finfo(dtype).eps:
        dtype = outlets.precision  # Llama's norms compute in float32 in a float64 model too
    for expected, summed in ((direct.value, direct.effects.sum(0)), told_and_own):
        _require_same(summed, expected, tolerance(dtype, direct.effects.abs().sum(0), direct.logits), adapter)
    return direct


def effect_in_layer(
    adapter: ModelAdapter,
    outlets: Outlets,
    plan: Plan,
    site: Site,
    heads: Sequence[int],
    read: ReadOut,
    cancel: CancelToken,
    column: int,
) -> Float[Tensor, " batch"]:
    """`summed_effect` of one component of a run, by a pass that ends where it is computed.

    Parameters
    ----------
    read
        How the residual stream is read.
    column
        Of the token tensor, where the answer is read.
    """
    layer = site.layer
    sources = _Sources(adapter, outlets, plan, (layer,) if site.kind == "neuron" else ())
    places: list[Place] = [(site.kind, layer)]
    if site.kind not in ("neuron", "mlp_out", "attn_out"):
        places = [("head", layer)]
        if ("head.result", layer) in sources.touched:
            places.append(("head.result", layer))
    if (reason := next((found for place in places if (found := adapter.refusal(*place))), None)) is not None:
        raise EngineError(f"What {site.name} adds cannot be told: {reason}.", code="not_decomposed")
    kept = recorded_until(adapter, plan, places, cancel, [column] * plan.base.tokens.shape[0])
    parts = _Sum(sources, Recorded(torch.empty(len(plan.base.tokens), 0, 0), kept, {}), read)
    if site.kind in ("mlp_out", "attn_out"):
        return parts.along(kept[site.kind, layer]).cpu()
    rows = parts.neurons(layer) if site.kind == "neuron" else parts.heads(layer)
    wanted = (site.index,) if site.kind == "neuron" else heads
    return (
        torch.stack(
            [effect for component, effect in rows if component.index in wanted and component.kind in ("head", "neuron")]
        )
        .sum(0)
        .cpu()
    )


def summed_effect(found: DirectEffects, site: Site, heads: Sequence[int]) -> Float[Tensor, " batch"]:
    """What a component adds to the logit difference: the sum of its summands.

    Parameters
    ----------
    site
        A site of a head, "neuron", "attn_out" or "mlp_out".
    heads
        For a site of heads: which of the layer.

    Raises
    ------
    EngineError
        `not_decomposed` if the decomposition does not tell it apart.
    """
    whole: dict[str, tuple[str, ...]] = {"mlp_out": ("mlp",), "attn_out": ("head", "attn", "attn_bias")}
    kinds = whole.get(site.kind, ("neuron",) if site.kind == "neuron" else ("head",))
    indices = None if site.kind in whole else (site.index,) if site.kind == "neuron" else heads
    rows = [
        row
        for row, component in enumerate(found.components)
        if component.kind in kinds and component.layer == site.layer and (indices is None or component.index in indices)
    ]
    if not rows:
        raise EngineError(
            f"The direct effect of {site.name} cannot be told apart from that of the rest of its layer.",
            code="not_decomposed",
            where=site.name,
        )
    return found.effects[rows].sum(0)


def outlet_of(outlets: Sequence[Outlet | None], layer: int, what: str, adapter: ModelAdapter) -> Outlet:
    """What a layer's heads or neurons write with.

    Raises
    ------
    EngineError
        `not_decomposed`.
    """
    found = outlets[layer]
    if found is None:
        raise EngineError(
            f"What single {what} of layer {layer} of {adapter.name} add to the residual stream is not known: their output is not one projection of them.",
            code="not_decomposed",
        )
    return found


def _require_same(found: Tensor, expected: Tensor, allowed: float, adapter: ModelAdapter) -> None:
    error = float((found - expected).abs().nan_to_num(nan=0.0).max())
    if error > allowed:
        raise EngineError(
            f"What the components of {adapter.name} add does not sum to its logits (off by {error:.3g}, {allowed:.2g} allowed), so it is not shown: the model does something between them that is not known here.",
            code="not_decomposed",
        )


class _Sources:
    """What has to be recorded of a run for its logits to be split."""

    def __init__(self, adapter: ModelAdapter, outlets: Outlets, plan: Plan, neurons: Collection[int]) -> None:
        self.adapter = adapter
        self.outlets = outlets
        self.neurons = neurons
        self.touched: set[Place] = {
            write.place if write.receiver is None else write.receiver[0] for write in plan.writes
        }
        """Where writes act or edges arrive."""

    @property
    def layers(self) -> range:
        return range(self.adapter.shape.n_layers)

    def has(self, kind: Kind, layer: int) -> bool:
        return self.adapter.refusal(kind, layer) is None

    def splits(self, layer: int) -> bool:
        """Whether the attention of a layer is the sum of what its heads write."""
        return self.outlets.heads[layer] is not None and self.has("head.result", layer)

    def edited(self, layer: int) -> list[Place]:
        """Where edits come on top of what the components of a layer write, in order."""
        kinds: list[Kind] = ["resid_pre", "resid_mid", "resid_post"]
        if self.splits(layer):
            kinds.append("attn_out")
        if layer in self.neurons:
            kinds.append("mlp_out")
        return [(kind, layer) for kind in kinds if (kind, layer) in self.touched]

    def needed(self) -> tuple[list[Place], list[Place]]:
        """The places to record as they leave their edits, and those to record as they are computed."""
        leaving: list[Place] = [("resid_post", self.layers[-1])]
        computed: list[Place] = [("resid_pre", 0)]
        for layer in self.layers:
            if not self.splits(layer):
                leaving.append(("attn_out", layer))
            else:
                leaving.append(("head", layer))
                if ("head.result", layer) in self.touched:
                    leaving.append(("head.result", layer))
            if layer in self.neurons:
                leaving.append(("neuron", layer))
            elif self.has("mlp_out", layer):
                leaving.append(("mlp_out", layer))
            leaving += self.edited(layer)
            computed += self.edited(layer)
        for place in [*leaving, *computed]:
            if (reason := self.adapter.refusal(*place)) is not None:
                raise EngineError(
                    f"The logits of {self.adapter.name} cannot be split into what its components add: {reason}.",
                    code="not_decomposed",
                )
        if self.has("embed", 0):
            leaving.append(("embed", 0))
        return leaving, computed


class _Sum:
    """The summands of one run."""

    def __init__(self, sources: _Sources, found: Recorded, read: ReadOut) -> None:
        self._sources = sources
        self._outlets = sources.outlets
        self._found = found
        self._read = read

    def rows(self, cancel: CancelToken) -> Iterator[Row]:
        """Every component with its effect [batch], in the order of the model."""
        sources = self._sources
        yield from self._embeddings()
        for layer in sources.layers:
            cancel.check()
            yield from self._edit(("resid_pre", layer))
            if sources.splits(layer):
                yield from self.heads(layer)
                yield from self._edit(("attn_out", layer))
            else:
                yield Component("attn", layer), self.along(self._found.activations["attn_out", layer])
            yield from self._edit(("resid_mid", layer))
            if layer in sources.neurons:
                yield from self.neurons(layer)
                yield from self._edit(("mlp_out", layer))
            elif sources.has("mlp_out", layer):
                yield Component("mlp", layer), self.along(self._found.activations["mlp_out", layer])
            yield from self._edit(("resid_post", layer))
        if self._outlets.ln_final.bias is not None:
            yield Component("norm_bias"), self._read.norm_bias
        if self._outlets.unembed.bias is not None:
            yield Component("unembed_bias"), self._read.unembed_bias

    def along(self, vectors: Float[Tensor, "batch d_model"]) -> Float[Tensor, " batch"]:
        return (vectors.double() * self._read.direction).sum(-1)

    def _edit(self, place: Place) -> Iterator[Row]:
        if place in self._sources.touched:
            change = self._found.activations[place].double() - self._found.computed[place].double()
            yield Component("edit", place[1], place=place[0]), self.along(change)

    def _embeddings(self) -> Iterator[Row]:
        entered = self._found.computed["resid_pre", 0].double()
        tokens = self._found.activations.get(("embed", 0))
        scale = self._outlets.embed_scale
        if tokens is None or scale is None:
            yield Component("embed"), self.along(entered)
            return
        rest = entered - scale * tokens.double()
        rounding = 64 * torch.finfo(tokens.dtype).eps * float(entered.abs().max())
        if float(rest.abs().max()) <= rounding:
            yield Component("embed"), self.along(entered)
        else:
            yield Component("embed"), self.along(scale * tokens)
            yield Component("pos_embed"), self.along(rest)

    def heads(self, layer: int) -> Iterator[Row]:
        outlet = outlet_of(self._outlets.heads, layer, "heads", self._sources.adapter)
        z = self._found.activations["head", layer].double()
        weights = outlet.project.weight.double().unflatten(-1, z.shape[1:])
        results = self._found.activations.get(("head.result", layer))
        if results is not None:
            results = results.double()
        elif outlet.post_norm is not None:
            results = torch.einsum("bhe,dhe->bhd", z, weights)
        direction, bias = self._before(outlet, None if results is None else results.sum(1))
        if results is not None:
            heads = torch.einsum("bhd,bd->bh", results, direction)
        else:
            heads = torch.einsum("bhe,bhe->bh", z, torch.einsum("dhe,bd->bhe", weights, direction))
        for head in range(z.shape[1]):
            yield Component("head", layer, head), heads[:, head]
        if bias is not None:
            yield Component("attn_bias", layer), bias

    def neurons(self, layer: int) -> Iterator[Row]:
        outlet = outlet_of(self._outlets.neurons, layer, "neurons", self._sources.adapter)
        units, weights = self._found.activations["neuron", layer].double(), outlet.project.weight.double()
        direction, bias = self._before(outlet, units @ weights.T)
        effects = units * (direction @ weights)
        for index in range(effects.shape[1]):
            yield Component("neuron", layer, index), effects[:, index]
        if bias is not None:
            yield Component("mlp_bias", layer), bias

    def _before(self, outlet: Outlet, summed: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The direction before an outlet's own norm, held where the sum of what it writes has it; and its constants."""
        direction, bias = self._read.direction * outlet.scale, outlet.project.bias
        if outlet.post_norm is None or summed is None:
            return direction, None if bias is None else direction @ bias.double()
        held = FrozenNorm.at(outlet.post_norm, summed if bias is None else summed + bias.double())
        constant, direction = held.constant(direction), held.pulled(direction)
        if bias is not None:
            return direction, constant + direction @ bias.double()
        return direction, None if outlet.post_norm.bias is None else constant
