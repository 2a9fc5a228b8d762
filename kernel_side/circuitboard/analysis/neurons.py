"""The neurons of one layer at one position."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from circuitboard.address import Site, count_of, one_of
from circuitboard.analysis.direct_effects import outlet_of
from circuitboard.analysis.frozen_norm import FrozenNorm
from circuitboard.analysis.read_out import Question, ReadOut
from circuitboard.engine import piece
from circuitboard.engine.recording import recorded
from circuitboard.errors import AddressError, InterventionError
from circuitboard.interventions import check_site
from circuitboard.metrics import standard_error
from circuitboard.sweeps import grid_of

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import PositionsLike
    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.interventions import Plan
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.outlets import Outlets
    from circuitboard.models.shape import Place
    from circuitboard.prompts import Prompts
    from circuitboard.sweeps import Ground, SweepHow

Order = Literal["sweep", "direct", "activation", "change", "congruence"]


@dataclass(frozen=True, eq=False)
class NeuronReading:
    """What the neurons of a layer do at one position of each prompt.

    Parameters
    ----------
    activation
        After the non-linearity (times the gate, where there is one), float32 [neuron, batch].
    direct
        What each neuron adds to logit(answer) − logit(wrong) by itself, as in `DirectLogitAttribution`, in logits,
        float32 [neuron, batch]; 0 at positions other than the answer's, which the answer does not read directly.
    congruence
        W_out · d with d = weight ∘ (W_U[answer] − W_U[wrong]), centred for a layer norm: the final norm's weight is
        folded in (and that of a norm on the MLP's output), its scale is not. Float32 [neuron, batch], in logits per
        unit of activation and of the norm's scale.
    """

    activation: Float[Tensor, "neuron batch"]
    direct: Float[Tensor, "neuron batch"]
    congruence: Float[Tensor, "neuron batch"]


@dataclass(frozen=True, eq=False)
class Neurons:
    """The neurons of a layer that matter most at one position.

    Parameters
    ----------
    how
        What the sweep does to a neuron.
    order
        By the size of what.
    chosen
        Which, the largest first.
    now, base
        All neurons of the layer in the run as it is and in the base run without edits.
    estimate
        The estimated effect of editing each; NaN where it is not known.
    effect
        The exact effect of editing each of the chosen.
    """

    layer: int
    how: SweepHow
    order: Order
    chosen: tuple[int, ...]
    now: NeuronReading
    base: NeuronReading
    estimate: Float[Tensor, "neuron batch"]
    effect: Float[Tensor, "row batch"]

    def to_dataframe(self) -> pd.DataFrame:
        """One row a chosen neuron, in their order, means over prompts; `attrs["how"]` says how."""
        import pandas as pd

        rows, now = list(self.chosen), self.now
        frame = pd.DataFrame(
            {
                "neuron": [f"{self.layer}.{index}" for index in rows],
                "index": rows,
                "activation": now.activation[rows].mean(-1).numpy(),
                "base_activation": self.base.activation[rows].mean(-1).numpy(),
                "direct": now.direct[rows].mean(-1).numpy(),
                "direct_stderr": standard_error(now.direct[rows]).numpy(),
                "congruence": now.congruence[rows].mean(-1).numpy(),
                "estimate": self.estimate[rows].mean(-1).numpy(),
                "effect": self.effect.mean(-1).numpy(),
                "effect_stderr": standard_error(self.effect).numpy(),
            }
        )
        frame.attrs["how"] = self.how
        return frame


def neurons(
    ground: Ground,
    layer: int,
    pos: PositionsLike,
    k: int,
    *,
    order: Order = "sweep",
    or_direct: bool = False,
    how: SweepHow | None,
) -> InPieces[Neurons]:
    """Read a layer's neurons and edit the `k` that come first; what cannot be is refused at once.

    Parameters
    ----------
    order
        By the size of what.
    or_direct
        Where effects cannot be estimated, order by "direct" instead of refusing.
    how
        None for "patch" where there is a run to patch from, position by position, else "zero".
    """
    adapter, prompts = ground.adapter, ground.prompts
    _require_order(order)
    k = count_of("k", k)
    site = Site("neuron", layer, 0)
    check_site(site, adapter)
    layer = site.layer
    rows = ground.columns(pos)
    if any(len(row) != 1 for row in rows):
        raise AddressError(
            f"Neurons are shown at one position of each prompt, and {pos!r} means {max(map(len, rows))}.",
            code="position_out_of_range",
        )
    columns = [row[0] for row in rows]
    if how is None:
        how = "zero" if ground.supply.source is None or not prompts.aligned else "patch"
    per = "label" if one_of(how, ("patch",)) and not prompts.aligned else None
    cells = grid_of(
        "neuron", by="all", how=how, layers=[layer], positions=pos, adapter=adapter, prompts=prompts, per=per
    ).cells
    ground.plan(cells[:1])

    def read(cancel: CancelToken) -> Generator[None, None, Neurons]:
        outlets = adapter.outlets()

        def units(plan: Plan) -> NeuronReading:
            return _read_neurons(adapter, outlets, plan, prompts, layer, columns, cancel)

        now, base = yield from ground.both(units, cancel)
        needed = order == "sweep" and not or_direct
        estimate = yield from piece(lambda: ground.estimate(cells, cancel, needed=needed), cancel)
        if estimate is None and needed:
            raise InterventionError(
                f"Neurons cannot be ordered by their effect on {ground.metric.name}: the metric or the model has no gradient to estimate it from; choose another order, or sweep them all with board.sweep('neuron', layers=[{layer}]).",
                code="unknown_order",
            )
        by: Order = "direct" if estimate is None and or_direct else order
        if estimate is None:
            estimate = torch.full((len(cells), prompts.n), torch.nan)
        chosen = _by_size(by, now, base, estimate)[:k]
        exact = yield from ground.cells([cells[index] for index in chosen], cancel)
        return Neurons(layer, how, by, tuple(chosen), now, base, estimate, exact - ground.values)

    return read


def _read_neurons(
    adapter: ModelAdapter,
    outlets: Outlets,
    plan: Plan,
    prompts: Prompts,
    layer: int,
    columns: Sequence[int],
    cancel: CancelToken,
) -> NeuronReading:
    """Read the neurons of a run with edits, at one column a prompt; on the worker thread only."""
    outlet = outlet_of(outlets.neurons, layer, "neurons", adapter)
    last: Place = ("resid_post", adapter.shape.n_layers - 1)
    found = recorded(adapter, plan, [("neuron", layer), last], cancel, columns=columns)
    units, weights = found.activations["neuron", layer].double(), outlet.project.weight.double()
    question = Question.of(outlets, prompts)
    # Read at the answer position only, so elsewhere this scale is multiplied by 0.
    read = ReadOut.of(outlets, question, found.activations[last])
    direction, folded = read.direction * outlet.scale, read.norm.weighted(question.direction) * outlet.scale
    if outlet.post_norm is not None:
        raw = units @ weights.T
        raw = raw if outlet.project.bias is None else raw + outlet.project.bias.double()
        held = FrozenNorm.at(outlet.post_norm, raw)
        direction, folded = held.pulled(direction), held.weighted(folded)
    at_answer = torch.tensor([column == prompts.answer_position for column in columns], device=units.device)
    direct = units * (direction @ weights) * at_answer[:, None]
    return NeuronReading(*(part.T.float().cpu() for part in (units, direct, folded @ weights)))


def _by_size(
    order: Order, found: NeuronReading, base: NeuronReading, estimate: Float[Tensor, "neuron batch"]
) -> list[int]:
    """The neurons of a layer by the size of a mean over prompts, largest first; NaN last."""
    columns = {
        "sweep": estimate,
        "direct": found.direct,
        "activation": found.activation,
        "change": found.activation - base.activation,
        "congruence": found.congruence,
    }
    size = columns[order].mean(-1).abs().nan_to_num(nan=-1.0)
    ranked: list[int] = size.argsort(descending=True, stable=True).tolist()
    return ranked


def _require_order(order: str) -> None:
    """Refuse an unknown order.

    Raises
    ------
    InterventionError
        `unknown_order`.
    """
    if not one_of(order, get_args(Order)):
        raise InterventionError(
            f"Neurons are ordered by {', '.join(get_args(Order))}, not {order!r}.", code="unknown_order"
        )
