"""Edits as views ask for them: in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuitboard.address import Intervention, Values, site

if TYPE_CHECKING:
    from circuitboard.protocol import messages as m


def intervention_of(spec: m.EditSpec) -> Intervention:
    """The intervention that a view asks for in words."""
    where = site(spec.site)
    values: Any = None
    if spec.values is not None:
        values = Values.of(spec.values[0] if len(spec.values) == 1 else spec.values, f"{spec.how} {where}")
    per = spec.per or ("position" if spec.how in ("mean", "resample") else None)
    seed = 0 if spec.how == "resample" and spec.seed is None else spec.seed
    strength = 1.0 if spec.how == "add" and spec.strength is None else spec.strength
    return Intervention(where, spec.how, strength, values, seed, per, renormalize=spec.renormalize)
