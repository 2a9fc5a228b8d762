"""One pass of a run, and all that the detail of a component takes from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.address import HEAD_KINDS
from circuitboard.analysis.direct_effects import direct_effects
from circuitboard.analysis.writes import needed_for
from circuitboard.engine.recording import recorded
from circuitboard.errors import Cancelled, CircuitboardError

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.address import Edge, Site
    from circuitboard.analysis.direct_effects import DirectEffects
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan
    from circuitboard.models.shape import ModelShape, Place
    from circuitboard.sweeps import Ground


@dataclass(frozen=True, eq=False)
class ComponentRun:
    """What a run shows of a component.

    Parameters
    ----------
    kept
        Activations at all positions, as far as the model has them: those of its layer, and the last stream.
    effects
        The run's direct effects, or the reason why there are none.
    """

    kept: Mapping[Place, Tensor]
    effects: DirectEffects | CircuitboardError

    @property
    def direct(self) -> DirectEffects:
        """The direct effects, or the reason why there are none."""
        if isinstance(self.effects, CircuitboardError):
            raise self.effects
        return self.effects


def component_run(
    ground: Ground, plan: Plan, site: Site, cancel: CancelToken, *, pattern: bool = False
) -> ComponentRun:
    """Run a plan once; on the worker thread only.

    Parameters
    ----------
    pattern
        Whether a head's attention is kept, which takes the square of the tokens.
    """
    adapter = ground.adapter
    places = needed_for(adapter, plan, site)
    if site.kind in HEAD_KINDS:
        places.append(("head.q", site.layer))
        if pattern:
            places.append(("head.pattern", site.layer))
    places = [place for place in places if adapter.refusal(*place) is None]
    layers = (site.layer,) if site.kind == "neuron" else ()
    try:
        effects = direct_effects(adapter, adapter.outlets(), plan, ground.prompts, cancel, neurons=layers, whole=places)
    except Cancelled:
        raise
    except CircuitboardError as refused:
        return ComponentRun(recorded(adapter, plan, (), cancel, whole=places).whole, refused)
    return ComponentRun(effects.whole, effects)


def query_heads(shape: ModelShape, site: Site | Edge) -> tuple[int, ...]:
    """The heads of a site; of a key or value, all that share it."""
    index = site.index or 0
    if site.kind not in ("head.k", "head.v"):
        return (index,)
    share = shape.n_heads // shape.n_kv_heads
    return tuple(range(index * share, (index + 1) * share))
