"""The adapter over TransformerLens's `TransformerBridge`.

The engine works on a *twin* of the user's model: a copy of its modules around the very same
parameters. It costs a few milliseconds and no memory, and it means that our hooks never show up in
a cell that uses the model at the same moment, nor the user's hooks in our runs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.errors import ModelError
from circuitboard.models.adapter import BlockCall, ModelShape, Place, Recording, Rewrite
from circuitboard.models.loading import reload_name

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Kind

_HOOK_NAMES: dict[str, str] = {
    "head": "blocks.{layer}.attn.hook_z",
    "resid_pre": "blocks.{layer}.hook_resid_pre",
    "attn_out": "blocks.{layer}.hook_attn_out",
    "mlp_out": "blocks.{layer}.hook_mlp_out",
}
_NAMES_FOR_PEOPLE = {
    "head": "attention heads",
    "resid_pre": "residual stream",
    "attn_out": "attention output",
    "mlp_out": "MLP",
}


def hook_name(kind: Kind, layer: int) -> str:
    """TransformerLens's name for an activation, e.g. "blocks.9.attn.hook_z"."""
    return _HOOK_NAMES[kind].format(layer=layer)


def twin(model: TransformerBridge) -> TransformerBridge:
    """Copy the modules of a model around the same parameters, buffers and tokenizer, without the user's hooks."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in [*model.parameters(), *model.buffers()]}
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is not None:
        shared[id(tokenizer)] = tokenizer
    copied = copy.deepcopy(model, shared)
    copied.reset_hooks(including_permanent=True)
    return copied


def shape_of(model: TransformerBridge) -> ModelShape:
    """The sizes of a model.

    Raises
    ------
    ModelError
        `not_a_bridge`, `not_a_decoder`.
    """
    _require_bridge(model)
    cfg = model.cfg
    return ModelShape(
        n_layers=int(cfg.n_layers),
        n_heads=int(cfg.n_heads),
        d_model=int(cfg.d_model),
        d_head=int(cfg.d_head),
        d_vocab=int(cfg.d_vocab),
        n_ctx=int(cfg.n_ctx),
    )


class BridgeAdapter:
    """A `TransformerBridge` as the engine sees it.

    Parameters
    ----------
    model
        Decoder-only, in any mode; it is neither changed nor given hooks.

    Raises
    ------
    ModelError
        `not_a_bridge`, `not_a_decoder`.
    """

    def __init__(self, model: TransformerBridge) -> None:
        self.shape = shape_of(model)
        self.name = reload_name(model) or str(getattr(model.cfg, "model_name", None) or type(model).__name__)
        weights = next(model.parameters())
        self.device, self.dtype = weights.device, weights.dtype
        self._model = twin(model)
        self._model.eval()
        self._hook_points = self._model.hook_dict

    def refusal(self, kind: Kind, layer: int) -> str | None:
        if hook_name(kind, layer) in self._hook_points:
            return None
        return f"layer {layer} of {self.name} has no {_NAMES_FOR_PEOPLE[kind]}"

    @contextmanager
    def rewriting(self, rewrites: Mapping[Place, Rewrite]) -> Iterator[Mapping[Place, int]]:
        calls = dict.fromkeys(rewrites, 0)

        def hook_for(place: Place, rewrite: Rewrite) -> Any:
            def hook(activation: Tensor, *, hook: Any) -> Tensor:  # noqa: ARG001
                calls[place] += 1
                return rewrite(activation)

            return hook

        handles = []
        try:
            for place, rewrite in rewrites.items():
                point = self._hook_points[hook_name(*place)]
                handles.append((point, point.add_hook(hook_for(place, rewrite))))
            yield calls
        finally:
            for point, handle in handles:
                handle.hook.remove()
                point.fwd_hooks.remove(handle)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
        with torch.no_grad():
            logits: Tensor = self._model(tokens.to(self.device), return_type="logits", use_cache=False)
        return logits

    def record(self, tokens: Int[Tensor, "batch pos"], places: Sequence[Place]) -> Recording:
        kept: dict[Place, Tensor] = {}
        calls: dict[int, BlockCall] = {}

        def keep(place: Place) -> Rewrite:
            def rewrite(activation: Tensor) -> Tensor:
                kept[place] = activation.detach().clone()
                return activation

            return rewrite

        def note_call(layer: int) -> Any:
            def before(_module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                calls[layer] = BlockCall(args, dict(kwargs))

            return before

        handles = []
        try:
            for layer, block in enumerate(self._model.blocks):
                handles.append(block.register_forward_pre_hook(note_call(layer), with_kwargs=True))
            with self.rewriting({place: keep(place) for place in places}):
                logits = self.forward(tokens)
        finally:
            for handle in handles:
                handle.remove()
        silent = [hook_name(*place) for place in places if place not in kept]
        if silent:
            raise ModelError(
                f"{', '.join(silent)} exist in {self.name} but were never computed in a forward pass, so they cannot be edited.",
                code="hook_never_fired",
            )
        return Recording(logits, kept, tuple(calls[layer] for layer in sorted(calls)))

    def block(
        self, layer: int, resid: Float[Tensor, "batch pos d_model"], call: BlockCall
    ) -> Float[Tensor, "batch pos d_model"]:
        args, kwargs = call.args, dict(call.kwargs)
        if args and isinstance(args[0], torch.Tensor):
            args = (resid, *args[1:])
        else:
            kwargs["hidden_states"] = resid
        with torch.no_grad():
            out = self._model.blocks[layer](*args, **kwargs)
        after: Tensor = out[0] if isinstance(out, tuple) else out
        return after

    def unembed(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        with torch.no_grad():
            rows = self._model.ln_final(resid) if hasattr(self._model, "ln_final") else resid
            logits: Tensor = self._model.adapter.apply_output_logits_transform(self._model.unembed(rows))
        return logits


def _require_bridge(model: object) -> None:
    from transformer_lens.model_bridge import TransformerBridge

    if not isinstance(model, TransformerBridge):
        raise ModelError(
            f"A board needs a TransformerLens TransformerBridge, not a {type(model).__name__}; load one with cb.load(name).",
            code="not_a_bridge",
        )
    if not hasattr(model, "blocks"):
        raise ModelError(
            f"{getattr(model.cfg, 'model_name', 'This model')} is no decoder-only stack of blocks, which a board needs.",
            code="not_a_decoder",
        )
