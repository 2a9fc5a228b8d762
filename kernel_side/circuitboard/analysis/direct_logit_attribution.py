"""Direct logit attribution: what each component adds to the logit difference by itself."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import ByContent, Site, count_of, entries, truth, whole
from circuitboard.analysis.direct_effects import direct_effects
from circuitboard.boundary import public
from circuitboard.engine import piece
from circuitboard.errors import InterventionError
from circuitboard.interventions import check_site
from circuitboard.metrics import standard_error

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.analysis.component import Component
    from circuitboard.analysis.direct_effects import DirectEffects
    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.sweeps import Ground


@public
@dataclass(frozen=True, eq=False)
class DirectLogitAttribution(ByContent):
    """The logit difference of a run as a sum over components (DLA).

    With x = Σ_c x_c the last residual stream at the answer position, and the final norm held at the scale that it has
    in *this* run, logit(answer) − logit(wrong) = Σ_c x_c · d + constants, where d = scale · weight ∘ (W_U[answer] −
    W_U[wrong]), with its mean taken away for a layer norm. A component's direct effect is x_c · d, in logits. The
    scale is 1/√(var(x) + eps) or 1/√(mean(x²) + eps); it is a constant here, though each component has a part in it.

    Where attention or MLP outputs pass a norm of their own before they join the stream (Gemma 2 and 3), that norm is
    held in the same way and split between heads, or neurons. The logits are those before a soft-cap (`softcap`), so
    the sum is then `value`, not `logit_diff`. Without a wrong answer everything is about logit(answer); of several
    answers, the mean of their logits counts.

    nostalgebraist 2020 ("interpreting GPT: the logit lens"); Elhage et al. 2021 ("A mathematical framework for
    transformer circuits"); Wang et al. 2022, arXiv:2211.00593, section 3.

    Parameters
    ----------
    components
        Heads, MLPs (or neurons), embeddings, biases, and what edits in force put on the residual stream.
    per_prompt
        Float32 [component, batch], in logits.
    value
        Float32 [batch]: what the components sum to.
    logit_diff
        Float32 [batch]: the same as the model's logits have it; equal to `value` without a soft-cap.
    norm_scale
        Float32 [batch]: the final norm's scale in this run; 1 without a norm.
    softcap
        The soft-cap of logits, or None.
    n_layers, n_heads
        Sizes of the model.
    """

    components: tuple[Component, ...]
    per_prompt: Float[Tensor, "component batch"]
    value: Float[Tensor, " batch"]
    logit_diff: Float[Tensor, " batch"]
    norm_scale: Float[Tensor, " batch"]
    softcap: float | None
    n_layers: int
    n_heads: int

    @classmethod
    def of(cls, found: DirectEffects, softcap: float | None, n_layers: int, n_heads: int) -> DirectLogitAttribution:
        """From a decomposition."""
        return cls(
            found.components,
            found.effects.float(),
            found.value.float(),
            found.logits.float(),
            found.read.norm.scale.cpu().float(),
            softcap,
            n_layers,
            n_heads,
        )

    @property
    def effect(self) -> Float[Tensor, " component"]:
        """Mean over prompts."""
        return self.per_prompt.mean(-1)

    @property
    def stderr(self) -> Float[Tensor, " component"]:
        """Standard error of the mean over prompts; NaN for one prompt."""
        return standard_error(self.per_prompt)

    @property
    def heads(self) -> Float[Tensor, "layer head"]:
        """The effects of heads, mean over prompts."""
        found = torch.zeros(self.n_layers, self.n_heads)
        for component, effect in zip(self.components, self.effect, strict=True):
            if component.kind == "head":
                found[component.layer, component.index] = effect
        return found

    def to_dataframe(self) -> pd.DataFrame:
        """One row a component: component, kind, layer, head, neuron, effect, stderr, share (of the mean sum)."""
        import pandas as pd

        def index(kind: str) -> pd.Series:
            return _integers(one.index if one.kind == kind else None for one in self.components)

        return pd.DataFrame(
            {
                "component": [component.name for component in self.components],
                "kind": [component.kind for component in self.components],
                "layer": _integers(component.layer for component in self.components),
                "head": index("head"),
                "neuron": index("neuron"),
                "effect": self.effect.numpy(),
                "stderr": self.stderr.numpy(),
                "share": (self.effect / self.value.mean()).numpy(),
            }
        )

    def top(self, k: int = 10) -> pd.DataFrame:
        """The `k` components with the largest |effect|, largest first."""
        frame = self.to_dataframe()
        order = frame["effect"].abs().sort_values(ascending=False, na_position="last", kind="stable").index
        return frame.loc[order[: count_of("k", k, least=0)]].reset_index(drop=True)

    def __repr__(self) -> str:
        n = self.per_prompt.shape[-1]
        return f"DirectLogitAttribution({len(self.components)} components, sum {self.value.mean():+.4f} logits, n={n}; .top(5), .heads, .to_dataframe())"


def _integers(values: Iterable[int | None]) -> pd.Series:
    import pandas as pd

    return pd.Series(list(values), dtype="Int64")


def direct_logit_attribution(ground: Ground, neurons: bool | int | Sequence[int]) -> InPieces[DirectLogitAttribution]:  # noqa: FBT001  as the board is asked
    """What each component of a run adds to the answer; what cannot be is refused at once."""
    adapter, layers = ground.adapter, _layers_of_neurons(neurons, ground.adapter)

    def read(cancel: CancelToken) -> Generator[None, None, DirectLogitAttribution]:
        outlets, shape, plan = adapter.outlets(), adapter.shape, ground.run.plan
        found = yield from piece(
            lambda: direct_effects(adapter, outlets, plan, ground.prompts, cancel, neurons=layers), cancel
        )
        return DirectLogitAttribution.of(found, outlets.logit_softcap, shape.n_layers, shape.n_heads)

    return read


def _layers_of_neurons(neurons: bool | int | Sequence[int], adapter: ModelAdapter) -> tuple[int, ...]:  # noqa: FBT001
    """The layers whose MLP is given neuron by neuron."""
    asked = truth(neurons)
    if neurons is None or asked is False:
        return ()
    one = whole(neurons)
    layers = range(adapter.shape.n_layers) if asked else entries(neurons) if one is None else (one,)
    if layers is None:
        raise InterventionError(
            f"neurons is True (of all layers), False, a layer or a list of layers, not {neurons!r}.",
            code="unknown_site",
        )
    sites = [Site("neuron", layer, 0) for layer in layers]
    for site in sites:
        check_site(site, adapter)
    return tuple(site.layer for site in sites)
