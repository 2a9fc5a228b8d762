"""AtP: change of an activation times gradient.

Nanda 2023, "Attribution patching: activation patching at industrial scale"; Syed, Rager and Conmy 2023, "Attribution
patching outperforms automated circuit discovery".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from circuitboard.address import HEAD_KINDS
from circuitboard.engine.passes import When

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.sweeps.attribution.parts import Parts
    from circuitboard.sweeps.attribution.trace import Gradients, Moment, Trace


class Linear:
    """Estimates the effects of cells as Σ (after − before) · ∂metric/∂activation over the entries that they write.

    Parameters
    ----------
    parts
        The cells.
    trace
        The run that they are on top of: before and gradient are as its edits leave them.
    """

    def __init__(self, parts: Parts, trace: Trace) -> None:
        self.parts = parts
        self.wants = self.moment(parts)
        before = trace.value(self.wants)
        wide = torch.promote_types(before.dtype, torch.float32)
        self._change = parts.after(before).to(wide) - before.to(wide)

    @staticmethod
    def moment(parts: Parts) -> Moment:
        """What has to be differentiated by."""
        return parts.place, When.LEAVING

    def estimate(self, gradients: Gradients) -> Float[Tensor, "cell batch"]:
        """The cells in the order of `parts.order`."""
        entries = self._change * gradients[self.wants]
        kind = self.parts.place[0]
        if kind in HEAD_KINDS and kind != "head.pattern":
            entries = entries.sum(-1)
        elif kind not in ("neuron", "head.pattern"):
            entries = entries.sum(-1, keepdim=True)
        return self.parts.gather(self.parts.sums(entries))
