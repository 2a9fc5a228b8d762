"""Interventions as Python that can be pasted and run."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from circuitboard.address.edge import Edge
from circuitboard.address.positions import Span
from circuitboard.address.site import HEAD_KINDS
from circuitboard.address.values import Values, little_endian

if TYPE_CHECKING:
    from circuitboard.address.intervention import Intervention
    from circuitboard.address.positions import Positions
    from circuitboard.address.run import SourceRun
    from circuitboard.address.site import Site

_FEW_NUMBERS = 16
"""A tensor of up to so many is written out; a longer one as base64, which is short and exact."""


def expression(intervention: Intervention) -> str:
    """An intervention as a Python expression: "cb.head(9, 6).at('END').zero()"."""
    site = intervention.site
    if isinstance(site, Edge):
        where, sources = f"cb.edge({_component(site.sender)}, {_component(site.receiver)})", None
    else:
        where, sources = _component(site), site.sources
    if sources is not None:
        where += f".at({positions_expression(site.positions)}, {positions_expression(sources)})"
    elif site.positions is not None:
        where += f".at({positions_expression(site.positions)})"
    return f"{where}.{intervention.how}({', '.join(_given(intervention))})"


def _given(intervention: Intervention) -> list[str]:
    """What is passed to the method that makes an intervention."""
    given = []
    if intervention.values is not None:
        given.append(_values(intervention.values))
    if intervention.how == "add":
        given += [f"scale={intervention.strength!r}"] if intervention.strength != 1 else []
    elif intervention.strength is not None:
        given.append(repr(intervention.strength))
    if intervention.seed is not None:
        given.append(repr(intervention.seed))
    if intervention.run is not None:
        given.append(run_expression(intervention.run))
    if intervention.per == "label":
        given.append("per='label'")
    if intervention.from_ is not None:
        given.append(f"from_={positions_expression(intervention.from_)}")
    if intervention.renormalize:
        given.append("renormalize=True")
    return given


def run_expression(run: SourceRun) -> str:
    """A run as a Python expression."""
    rows = [repr(row) if isinstance(row, str) else f"torch.tensor({list(row)!r})" for row in run.prompts]
    edits = f", [{', '.join(map(expression, run.interventions))}]" if run.interventions else ""
    bos = "" if run.prepend_bos is None else f", prepend_bos={run.prepend_bos}"
    labels = f", labels={ {label: list(positions) for label, positions in run.labels}!r}" if run.labels else ""
    return f"cb.Run([{', '.join(rows)}]{edits}{bos}{labels})"


def _values(values: Values) -> str:
    tensor = values.tensor
    if not values.shape:
        return repr(float(tensor))
    dtype = "" if str(tensor.dtype) == "torch.float32" else f", dtype={tensor.dtype}"
    if tensor.numel() <= _FEW_NUMBERS:
        return f"torch.tensor({tensor.tolist()!r}{dtype})"
    data = base64.b64encode(little_endian(tensor.numpy())).decode("ascii")
    return (
        f"torch.frombuffer(bytearray(base64.b64decode({data!r})), dtype={tensor.dtype}).reshape({list(values.shape)})"
    )


def _component(site: Site) -> str:
    if site.kind == "embed":
        return "cb.embed()"
    if site.kind in HEAD_KINDS:
        return f"cb.head({site.layer}, {site.index}){site.kind.removeprefix('head')}"
    return f"cb.neuron({site.layer}, {site.index})" if site.kind == "neuron" else f"cb.{site.kind}({site.layer})"


def positions_expression(positions: Positions) -> str:
    """Positions as `.at()` takes them."""
    if positions is None:
        return "None"
    entries = [_position(entry) for entry in positions]
    return entries[0] if len(entries) == 1 else f"[{', '.join(entries)}]"


def _position(entry: int | str | Span) -> str:
    return f"slice({entry.start}, {entry.stop}, {entry.step})" if isinstance(entry, Span) else repr(entry)
