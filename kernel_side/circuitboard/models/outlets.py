"""Where a model writes into its residual stream and how it reads its logits from it: the linear ends of its parts.

Less than an anatomy, and so found in more models: with experts, ALiBi, bidirectional attention. A projection may be more
than its weight (an adapter, a packed number format, somebody's hook), so each outlet is held against what the model
computes on a few tokens before anything is read off it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.errors import ModelError
from circuitboard.models.anatomy import Linear, Norm
from circuitboard.models.dissection import dissect, norm_of
from circuitboard.models.foreign import foreign
from circuitboard.models.refusal import readable
from circuitboard.models.trial import close

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Kind
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.models.trial import Trial


@dataclass(frozen=True, eq=False)
class Outlet:
    """What one part of a layer writes with: y = scale · post_norm(x · weightᵀ + bias).

    Parameters
    ----------
    project
        From the heads' z, head by head, or from the neurons.
    post_norm
        Norm of the output before it joins the residual stream, or None.
    scale
        What the output is multiplied by when it joins.
    """

    project: Linear
    post_norm: Norm | None = None
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Outlets:
    """The linear ends of a model.

    Parameters
    ----------
    heads, neurons
        Layer by layer; None where the output is not one projection of them.
    ln_final, unembed
        How logits are read.
    logit_softcap, logit_scale
        Logits become cap · tanh(scale · logits / cap), without a cap scale · logits.
    embed_scale
        The token embedding enters the first residual stream times this; None where that is not known.
    """

    heads: tuple[Outlet | None, ...]
    neurons: tuple[Outlet | None, ...]
    ln_final: Norm
    unembed: Linear
    logit_softcap: float | None = None
    logit_scale: float = 1.0
    embed_scale: float | None = None

    @property
    def precision(self) -> torch.dtype | None:
        """The dtype that norms compute in where it is narrower than their input's may be; None: the input's."""
        return self.ln_final.precision

    def read_out(self, logits: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """What the architecture does to logits after the unembedding."""
        scaled = logits * self.logit_scale
        return scaled if self.logit_softcap is None else self.logit_softcap * torch.tanh(scaled / self.logit_softcap)


def outlets_of(model: TransformerBridge) -> Outlets:
    """Find a model's outlets; on the engine's twin.

    Raises
    ------
    ModelError
        `no_outlets`, with the reason.
    """
    try:
        return _from_anatomy(dissect(model))
    except ModelError as error:
        if error.code != "no_anatomy":
            raise
    with foreign(lambda clause: no_outlets(model, f"its parts cannot be read ({clause})")):
        return _from_modules(model)


def held(found: Outlets, trial: Trial, model: Any) -> Outlets:
    """Keep those outlets that give what the model computed; the others become None.

    Raises
    ------
    ModelError
        `no_outlets` if the logits are read in another way.
    """
    with foreign(lambda clause: no_outlets(model, f"its parts cannot be computed with ({clause})")):
        stream = trial.activations.get(("resid_post", len(found.heads) - 1))
        if stream is None or not _reads(found, stream, trial.logits):
            raise no_outlets(
                model, "its logits are not read from its last residual stream by a norm and an unembedding alone"
            )

        def kept(outlet: Outlet | None, layer: int, reads: Kind, writes: Kind) -> Outlet | None:
            read, written = trial.activations.get((reads, layer)), trial.activations.get((writes, layer))
            true = outlet is not None and read is not None and written is not None and _writes(outlet, read, written)
            return outlet if true else None

        return replace(
            found,
            heads=tuple(kept(outlet, layer, "head", "attn_out") for layer, outlet in enumerate(found.heads)),
            neurons=tuple(kept(outlet, layer, "neuron", "mlp_out") for layer, outlet in enumerate(found.neurons)),
        )


def _reads(found: Outlets, stream: Tensor, logits: Tensor) -> bool:
    rows = found.ln_final(stream).to(found.unembed.weight.dtype)
    return rows.shape[-1] == found.unembed.weight.shape[1] and close(found.read_out(found.unembed(rows)), logits)


def _writes(outlet: Outlet, read: Tensor, written: Tensor) -> bool:
    rows = read.flatten(2).to(outlet.project.weight.dtype)
    if rows.shape[-1] != outlet.project.weight.shape[1]:
        return False
    out = outlet.project(rows)
    return close(outlet.scale * (out if outlet.post_norm is None else outlet.post_norm(out)), written)


def _from_anatomy(found: Anatomy) -> Outlets:
    return Outlets(
        heads=tuple(Outlet(block.attn.o, block.attn.post_norm) for block in found.blocks),
        neurons=tuple(
            None if block.mlp is None else Outlet(block.mlp.down, block.mlp.post_norm) for block in found.blocks
        ),
        ln_final=found.ln_final,
        unembed=found.unembed,
        logit_softcap=found.logit_softcap,
        logit_scale=found.logit_scale,
        embed_scale=found.embed_scale,
    )


def _from_modules(model: Any) -> Outlets:
    if "ln_final" not in model._modules or "unembed" not in model._modules:  # noqa: SLF001  a bridge passes unknown names on
        raise no_outlets(model, "its logits are not read by a norm and an unembedding")
    unembed = _linear(model.unembed)
    if unembed is None:
        raise no_outlets(model, "its unembedding is not one matrix, or packed, or not in memory")
    heads, neurons = [], []
    for block in model.blocks:
        parts, scale = block.submodules, float(getattr(block, "residual_contribution_scale", 1.0))
        attention, mlp = parts.get("attn"), parts.get("mlp")
        heads.append(_outlet(model, getattr(attention, "o", None), parts.get("ln1_post"), scale))
        projection = None if mlp is None else mlp.submodules.get("out")
        neurons.append(_outlet(model, projection, parts.get("ln2_post"), scale))
    return Outlets(tuple(heads), tuple(neurons), _norm(model, model.ln_final), unembed, logit_scale=_logit_scale(model))


def _logit_scale(model: Any) -> float:
    """The factor on logits, for a model that does no more to them."""
    probe = torch.tensor([1.0, 2.0, -40.0], dtype=torch.float64)
    found = model.adapter.apply_output_logits_transform(probe.clone())
    if not torch.allclose(found, probe * found[0], rtol=1e-6, atol=0):
        raise no_outlets(model, "its logits are bent after the unembedding")
    return float(found[0])


def _outlet(model: Any, bridge: Any, post_norm: Any, scale: float) -> Outlet | None:
    project = _linear(bridge)
    return None if project is None else Outlet(project, None if post_norm is None else _norm(model, post_norm), scale)


def _linear(bridge: Any) -> Linear | None:
    from transformers.pytorch_utils import Conv1D

    inner = getattr(bridge, "original_component", None)
    if not isinstance(inner, (torch.nn.Linear, Conv1D)):
        return None
    if not readable(inner.weight):
        return None
    weight = inner.weight.detach()
    bias = None if inner.bias is None else inner.bias.detach()
    return Linear(weight.T if isinstance(inner, Conv1D) else weight, bias)


def _norm(model: Any, bridge: Any) -> Norm:
    """A norm as it is known to compute; else by its usual formula, and which one, its bridge says."""
    with suppress(ModelError):
        return norm_of(model, bridge)
    inner = bridge.original_component
    weight = None if getattr(inner, "weight", None) is None else inner.weight.detach()
    bias = None if getattr(inner, "bias", None) is None else inner.bias.detach()
    if weight is not None and bridge.uses_weight_offset:
        weight = 1.0 + weight
    names = ("eps", "variance_epsilon")
    eps = next((float(getattr(inner, name)) for name in names if hasattr(inner, name)), 1e-5)
    if bridge.uses_rms_norm:
        return Norm("rms", weight, bias, eps, torch.float32 if bridge.use_native_layernorm_autograd else None)
    return Norm("layer", weight, bias, eps)


def no_outlets(model: Any, reason: str) -> ModelError:
    """The error to raise; `reason` is a clause."""
    name = type(getattr(model, "original_model", model)).__name__
    return ModelError(f"A {name} cannot be split into what its parts add to the logits: {reason}.", code="no_outlets")
