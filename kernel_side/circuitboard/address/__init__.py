"""Names for places in a transformer, and what is asked to happen there. Values only: no torch here."""

from circuitboard.address.intervention import How, Intervention
from circuitboard.address.positions import Positions, Span, Spec, describe, parse_positions, positions_of, resolve
from circuitboard.address.site import KINDS, Kind, Site, attn_out, head, mlp_out, resid_pre, site

__all__ = [
    "KINDS",
    "How",
    "Intervention",
    "Kind",
    "Positions",
    "Site",
    "Span",
    "Spec",
    "attn_out",
    "describe",
    "head",
    "mlp_out",
    "parse_positions",
    "positions_of",
    "resid_pre",
    "resolve",
    "site",
]
