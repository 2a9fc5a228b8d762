"""Names for places in a transformer, and what is asked to happen there. Values only: no torch here."""

from circuitboard.address.content import ByContent, Stays
from circuitboard.address.edge import Edge, edge
from circuitboard.address.intervention import HOWS, How, Intervention, Per
from circuitboard.address.numbers import count_of, entries, one_of, plain, prompt_of, real, single, truth, whole
from circuitboard.address.positions import (
    Positions,
    PositionsLike,
    Span,
    Spec,
    describe,
    in_order,
    parse_positions,
    positions_of,
    resolve,
)
from circuitboard.address.site import (
    HEAD_KINDS,
    INDEXED,
    KINDS,
    Kind,
    Site,
    attn_out,
    embed,
    head,
    mlp_out,
    neuron,
    resid_mid,
    resid_post,
    resid_pre,
)
from circuitboard.address.text import site
from circuitboard.address.values import Values, tensor_of

__all__ = [
    "HEAD_KINDS",
    "HOWS",
    "INDEXED",
    "KINDS",
    "ByContent",
    "Edge",
    "How",
    "Intervention",
    "Kind",
    "Per",
    "Positions",
    "PositionsLike",
    "Site",
    "Span",
    "Spec",
    "Stays",
    "Values",
    "attn_out",
    "count_of",
    "describe",
    "edge",
    "embed",
    "entries",
    "head",
    "in_order",
    "mlp_out",
    "neuron",
    "one_of",
    "parse_positions",
    "plain",
    "positions_of",
    "prompt_of",
    "real",
    "resid_mid",
    "resid_post",
    "resid_pre",
    "resolve",
    "single",
    "site",
    "tensor_of",
    "truth",
    "whole",
]
