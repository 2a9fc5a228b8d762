"""AtP*'s "GradDrop": effects along different paths that cancel in the gradient.

A cell's direct effect and its effect through a later layer may be large and opposite; the gradient sees their sum,
which a small error of either turns into anything. With one layer's contributions to the residual stream held where
they are, the paths through that layer are gone, and the rest shows: Kramár, Lieberum, Shah and Nanda 2024, "AtP*: an
efficient and scalable method for localizing LLM behaviour to components" (arXiv:2403.00745), on false
negatives from cancellation.

The paper sizes a component by the mean over drops, which suits its deep models: of many drops few cut a given path. Of
two layers one drop is left, and for a head that acts through the other layer alone it cuts the only path there is. So
here the size is the larger of that mean and of the estimate without drops: what is found without drops stays found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from circuitboard.sweeps.attribution.trace import after

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import CancelToken
    from circuitboard.sweeps.attribution.parts import Parts
    from circuitboard.sweeps.attribution.trace import Gradients, Moment, Trace


class Estimator(Protocol):
    """What turns gradients into effects of some cells."""

    parts: Parts
    wants: Moment

    def estimate(self, gradients: Gradients) -> Float[Tensor, "cell batch"]:
        """The cells in the order of `parts.order`."""


def without_cancelling(
    run: Trace, estimators: Sequence[Estimator], n_layers: int, cancel: CancelToken
) -> list[Float[Tensor, "cell batch"]]:
    """The effects: their size the larger of that without drops and the mean over drops, their sign that without drops.

    A cell inside a layer has no effect when that layer is dropped, so its mean is over the n_layers − 1 others; a
    cell on the residual stream has n_layers of them.
    """
    known = run.gradients({*(estimator.wants for estimator in estimators), *map(after, range(n_layers))})
    plain = [estimator.estimate(known) for estimator in estimators]
    sizes = [torch.zeros_like(found) for found in plain]
    totals = [torch.zeros_like(found) for found in plain]
    for layer in range(n_layers):
        cancel.check()
        feels = [_comes_before(estimator.wants, layer) for estimator in estimators]
        wanted = {estimator.wants for estimator, felt in zip(estimators, feels, strict=True) if felt}
        gradients = run.gradients_without(layer, wanted, known)
        for estimator, felt, found, size, total in zip(estimators, feels, plain, sizes, totals, strict=True):
            left = estimator.estimate(gradients) if felt else found
            size.add_(left.abs())
            total.add_(left)
    effects = []
    for estimator, found, size, total in zip(estimators, plain, sizes, totals, strict=True):
        drops = n_layers if estimator.parts.on_the_stream else n_layers - 1
        effects.append(_sized(found, size / drops, total))
    return effects


def _sized(
    plain: Float[Tensor, "cell batch"], drops: Float[Tensor, "cell batch"], left: Float[Tensor, "cell batch"]
) -> Float[Tensor, "cell batch"]:
    """The larger size of two, prompt by prompt, unless the mean over prompts came out smaller than without drops.

    That can be where sizes grow in prompts whose signs differ from the others'; the estimate without drops stays then.
    """
    # Where paths cancel to exactly 0, the sign is that of what is left when one of them is held.
    sized = torch.maximum(plain.abs(), drops).copysign(torch.where(plain == 0, left, plain))
    smaller = sized.mean(-1, keepdim=True).abs() < plain.mean(-1, keepdim=True).abs()
    return torch.where(smaller, plain, sized)


def _comes_before(moment: Moment, layer: int) -> bool:
    """Whether an activation can act through what a layer adds."""
    (kind, own), _ = moment
    return own < layer or (own == layer and kind != "resid_post")
