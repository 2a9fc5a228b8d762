"""What interventions do to activations, and how a list of them becomes work per layer."""

from circuitboard.interventions.plan import Plan, check_site, compile_plan
from circuitboard.interventions.write import Write, rewritten

__all__ = ["Plan", "Write", "check_site", "compile_plan", "rewritten"]
