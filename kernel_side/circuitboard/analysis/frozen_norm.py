"""Norms held at the scale that they have in a run, which makes them linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.models.anatomy import Norm


@dataclass(frozen=True, eq=False)
class FrozenNorm:
    """y = weight ∘ (x − mean(x)) · scale + bias for a layer norm, weight ∘ x · scale for an RMS norm, scale a constant.

    Parameters
    ----------
    norm
        The norm that is held.
    scale
        1/√(var + eps) or 1/√(mean(x²) + eps) of what it read in some run, float64 [batch]; 1 without a norm.
    """

    norm: Norm
    scale: Float[Tensor, " batch"]

    @classmethod
    def at(cls, norm: Norm, x: Float[Tensor, "batch d"]) -> FrozenNorm:
        """A norm held where it is when it reads `x`."""
        x = x.double()
        if norm.kind == "none":
            return cls(norm, x.new_ones(len(x)))
        if norm.kind == "layer":
            x = x - x.mean(-1, keepdim=True)
        return cls(norm, (x.square().mean(-1) + norm.eps).rsqrt())

    def __call__(self, x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """What the held norm makes of `x`, in float64."""
        x = self.carried(x)
        return x if self.norm.bias is None else x + self.norm.bias.double()

    def carried(self, x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """What the held norm makes of a part of what it reads, its bias aside: parts so carried sum to the whole."""
        x = x.double()
        if self.norm.kind == "layer":
            x = x - x.mean(-1, keepdim=True)
        x = x * self.scale[:, None]
        return x if self.norm.weight is None else x * self.norm.weight.double()

    def pulled(self, direction: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """The direction before the norm that has the same inner product with x as `direction` has with y, bias aside."""
        found = self.weighted(direction)
        return found * self.scale[:, None]

    def weighted(self, direction: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """`pulled` with the scale left out: the norm's weight folded in, and for a layer norm the mean taken away."""
        found = direction if self.norm.weight is None else direction * self.norm.weight.double()
        return found - found.mean(-1, keepdim=True) if self.norm.kind == "layer" else found

    def constant(self, direction: Float[Tensor, "batch d"]) -> Float[Tensor, " batch"]:
        """What the bias of the norm adds along `direction`; 0 without one."""
        if self.norm.bias is None:
            return direction.new_zeros(len(direction))
        return direction @ self.norm.bias.double()
