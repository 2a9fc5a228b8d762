"""The neurons of one layer at one position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from circuitboard.address import one_of
from circuitboard.analysis.direct_effects import outlet_of
from circuitboard.analysis.frozen_norm import FrozenNorm
from circuitboard.analysis.read_out import Question, ReadOut
from circuitboard.engine.recording import recorded
from circuitboard.errors import InterventionError
from circuitboard.metrics import standard_error

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan
    from circuitboard.models.adapter import ModelAdapter, Place
    from circuitboard.models.outlets import Outlets
    from circuitboard.prompts import Prompts

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


def read_neurons(
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


def by_size(
    order: str, found: NeuronReading, base: NeuronReading, estimate: Float[Tensor, "neuron batch"]
) -> list[int]:
    """The neurons of a layer by the size of a mean over prompts, largest first; NaN last.

    Raises
    ------
    InterventionError
        `unknown_order`.
    """
    columns = {
        "sweep": estimate,
        "direct": found.direct,
        "activation": found.activation,
        "change": found.activation - base.activation,
        "congruence": found.congruence,
    }
    require_order(order)
    size = columns[order].mean(-1).abs().nan_to_num(nan=-1.0)
    ranked: list[int] = size.argsort(descending=True, stable=True).tolist()
    return ranked


def require_order(order: str) -> None:
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


def neuron_table(
    layer: int,
    chosen: Sequence[int],
    now: NeuronReading,
    base: NeuronReading,
    estimate: Float[Tensor, "neuron batch"],
    effect: Float[Tensor, "row batch"],
) -> pd.DataFrame:
    """One row a chosen neuron, in their order, means over prompts; `effect` is that of the chosen ones."""
    import pandas as pd

    return pd.DataFrame(
        {
            "neuron": [f"{layer}.{index}" for index in chosen],
            "index": chosen,
            "activation": now.activation[chosen].mean(-1).numpy(),
            "base_activation": base.activation[chosen].mean(-1).numpy(),
            "direct": now.direct[chosen].mean(-1).numpy(),
            "direct_stderr": standard_error(now.direct[chosen]).numpy(),
            "congruence": now.congruence[chosen].mean(-1).numpy(),
            "estimate": estimate[chosen].mean(-1).numpy(),
            "effect": effect.mean(-1).numpy(),
            "effect_stderr": standard_error(effect).numpy(),
        }
    )
