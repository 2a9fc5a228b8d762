"""Interventions: a site and what happens there. A value; `circuitboard.interventions` gives it its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from circuitboard.errors import InterventionError

if TYPE_CHECKING:
    from circuitboard.address.edge import Edge
    from circuitboard.address.site import Site

How = Literal["zero", "patch", "scale"]


@dataclass(frozen=True)
class Intervention:
    """One edit of a forward pass.

    Parameters
    ----------
    site
        The component, or the edge between two, and the positions.
    how
        "zero", "patch" (from the source run) or "scale".
    strength
        The factor of "scale"; None otherwise.
    """

    site: Site | Edge
    how: How
    strength: float | None = None

    def __post_init__(self) -> None:
        if self.how not in ("zero", "patch", "scale"):
            raise InterventionError(
                f"There is no intervention {self.how!r}; expected zero, patch or scale.", code="unknown_intervention"
            )
        if self.how != "scale":
            if self.strength is not None:
                raise InterventionError(
                    f"{self.how} takes no strength, but {self.strength!r} was given.", code="unknown_intervention"
                )
            return
        if isinstance(self.strength, bool) or not isinstance(self.strength, (int, float)):
            raise InterventionError(
                f"Scale {self.site} by what? Expected a number, found {self.strength!r}.", code="bad_strength"
            )
        if not math.isfinite(self.strength):
            raise InterventionError(
                f"Scaling {self.site} by {self.strength} would fill the run with non-finite numbers; give a finite factor.",
                code="non_finite_value",
                where=str(self.site),
            )
        object.__setattr__(self, "strength", float(self.strength))

    def __str__(self) -> str:
        factor = "" if self.strength is None else f" ×{self.strength:g}"
        return f"{self.how} {self.site}{factor}"


class Editable:
    """What can be done to a site or an edge."""

    def zero(self) -> Intervention:
        """Set the activation to 0 (zero ablation)."""
        return Intervention(self, "zero")  # type: ignore[arg-type]

    def patch(self) -> Intervention:
        """Take the activation from the source run: the corrupted run if the base is clean, and the other way round."""
        return Intervention(self, "patch")  # type: ignore[arg-type]

    def scale(self, factor: float) -> Intervention:
        """Multiply the activation by `factor` (1 changes nothing, 0 is zero ablation)."""
        return Intervention(self, "scale", factor)  # type: ignore[arg-type]
