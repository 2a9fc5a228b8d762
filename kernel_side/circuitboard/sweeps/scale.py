"""Where the colour scale of a map of effects ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.protocol.vocabulary import FAR_BEYOND, PERCENTILE

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def scale_of(
    effect: Float[np.ndarray, "*cell"], known: Bool[np.ndarray, "*cell"], distance: float | None = None
) -> tuple[float, bool]:
    """The end of the colour scale, and whether it is `distance`, that between the baselines where it is to be taken.

    Else it is the 98th percentile of |effect| over the cells that are known and finite, rounded up.
    """
    sizes = np.sort(np.abs(effect[np.isfinite(effect) & known].astype(float)))
    clip = rounded_up(float(sizes[int(PERCENTILE * (len(sizes) - 1))])) if len(sizes) else 0.0
    if distance is None or not math.isfinite(distance) or distance <= 0 or clip > FAR_BEYOND * distance:
        return clip, False
    return distance, True


def rounded_up(x: float) -> float:
    """Two digits that people read at a glance: 0.037 → 0.037, 1.83 → 1.9, 13.2 → 14."""
    if not 0 < x < math.inf:
        return 0.0
    power = math.floor(math.log10(x)) - 1
    step = 10.0**power
    return round(math.ceil(x / step - 1e-6) * step, max(0, -power))
