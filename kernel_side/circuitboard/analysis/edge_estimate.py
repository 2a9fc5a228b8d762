"""What editing each edge into a receiver would do if the model were linear: one forward and one backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812

from circuitboard.engine.passes import When
from circuitboard.errors import EngineError, there
from circuitboard.interventions import fetch, part_of
from circuitboard.sweeps.attribution.trace import trace

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Site
    from circuitboard.engine import CancelToken
    from circuitboard.interventions import Plan, Write
    from circuitboard.metrics import Metric, Reading
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.models.shape import Place
    from circuitboard.sweeps.attribution.trace import Trace


def estimate_edges(
    adapter: ModelAdapter,
    plan: Plan,
    edges: Sequence[Write],
    receiver: Site,
    *,
    metric: Metric,
    reading: Reading,
    cancel: CancelToken,
) -> Float[Tensor, "edge batch"]:
    """Estimate the effect of each edge alone, on top of a run; on the worker thread only.

    Σ (what the edge changes in what the receiver reads) · ∂metric/∂(what the receiver reads), the gradient taken
    through the receiver alone (edge attribution patching; Syed et al. 2023, "Attribution Patching Outperforms Automated
    Circuit Discovery").

    Parameters
    ----------
    plan
        The run that the edges are on top of.
    edges
        Edits of edges into `receiver`, each from "embed", a head or "mlp_out".
    receiver
        "head.q", "head.k", "head.v" or "mlp_out".

    Raises
    ------
    ModelError, MetricError
        `no_anatomy`; `metric_not_differentiable`.
    """
    anatomy = adapter.anatomy()
    fetch(edges)
    mlp = receiver.kind == "mlp_out"
    place: Place = (receiver.kind, receiver.layer)
    read: Place = ("resid_mid" if mlp and not adapter.shape.parallel else "resid_pre", receiver.layer)
    senders = {edge.place for edge in edges}
    run = trace(
        adapter,
        plan,
        {(place, When.COMPUTED), *((known, When.LEAVING) for known in (read, *senders))},
        metric=metric,
        reading=reading,
        cancel=cancel,
    )
    cancel.check()
    gradient = run.gradients([(place, When.COMPUTED)])[place, When.COMPUTED]
    pulled = _pulled(anatomy, receiver, run.value((read, When.LEAVING)), gradient)
    effects = []
    for edge in edges:
        cancel.check()
        before = part_of(run.value((edge.place, When.LEAVING)), edge.place, edge.index)
        message = _message(anatomy, run, edge, edge.applied(before) - before)
        effects.append((message.double() * pulled).sum((1, 2)))
    return torch.stack(effects).cpu()


def _pulled(
    anatomy: Anatomy, receiver: Site, stream: Float[Tensor, "batch pos d_model"], gradient: Tensor
) -> Float[Tensor, "batch pos d_model"]:
    """The gradient by the stream, as far as it goes through the receiver."""
    block = anatomy.blocks[receiver.layer]
    with torch.enable_grad():
        x = stream.detach().clone().requires_grad_()
        if receiver.kind == "mlp_out":
            mlp = there(block.mlp)
            out = mlp.down(mlp.neurons(there(block.ln2)(x)))
            out = out if mlp.post_norm is None else mlp.post_norm(out)
        else:
            head, attn = there(receiver.index), block.attn
            linear = {"head.q": attn.q, "head.k": attn.k, "head.v": attn.v}[receiver.kind]
            rows = slice(head * attn.d_head, (head + 1) * attn.d_head)
            out = F.linear(block.ln1(x), linear.weight[rows], None if linear.bias is None else linear.bias[rows])
            gradient = gradient[:, :, head]
        (found,) = torch.autograd.grad(out, x, gradient)
    return found.double()


def _message(
    anatomy: Anatomy, run: Trace, edge: Write, change: Float[Tensor, "batch pos d"]
) -> Float[Tensor, "batch pos d_model"]:
    """What a change of a sender adds to the residual stream."""
    kind, layer = edge.place
    if kind == "mlp_out":
        return change
    if kind == "embed":
        if anatomy.embed_scale is None:
            raise EngineError("How the embedding enters the stream is not known here.", code="no_edge_estimate")
        return change * anatomy.embed_scale
    attn = anatomy.blocks[layer].attn
    weight = attn.o.weight.unflatten(-1, (attn.n_heads, attn.d_head))[:, there(edge.index)]
    written: Tensor = change @ weight.T
    if attn.post_norm is None:
        return written
    whole = attn.o(run.value((edge.place, When.LEAVING)).flatten(2))
    return attn.post_norm(whole + written) - attn.post_norm(whole)
