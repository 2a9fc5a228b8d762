"""What interventions do to activations, and how a list of them becomes work per layer."""

from circuitboard.interventions.matching import Aligned
from circuitboard.interventions.plan import Plan, check_site, compile_plan, fetch
from circuitboard.interventions.reference import Reference
from circuitboard.interventions.supply import Supply
from circuitboard.interventions.write import Where, Write, part_of, rewritten

__all__ = [
    "Aligned",
    "Plan",
    "Reference",
    "Supply",
    "Where",
    "Write",
    "check_site",
    "compile_plan",
    "fetch",
    "part_of",
    "rewritten",
]
