"""The adapter over TransformerLens's `TransformerBridge`.

The engine works on a *twin* of the user's model: a copy of its modules around the very same
parameters. It costs a few milliseconds and no memory, and it means that our hooks never show up in
a cell that uses the model at the same moment, nor the user's hooks in our runs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.errors import ModelError
from circuitboard.models.adapter import BlockCall, ModelShape, PassEnded, Place, Recording, Rewrite
from circuitboard.models.dissection import dissect
from circuitboard.models.foreign import foreign
from circuitboard.models.hook_names import hook_name
from circuitboard.models.loading import reload_name
from circuitboard.models.outlets import held, outlets_of
from circuitboard.models.placement import device_of, dtype_of
from circuitboard.models.rewiring import rewired
from circuitboard.models.survey import survey
from circuitboard.models.trial import trial_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Kind
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.models.outlets import Outlets


def twin(model: TransformerBridge) -> TransformerBridge:
    """Copy the modules of a model around the same parameters, buffers and tokenizer, without the user's hooks."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in [*model.parameters(), *model.buffers()]}
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is not None:
        shared[id(tokenizer)] = tokenizer
    for module in model.modules():
        # Results of the user's last forward pass that modules hold on to: they belong to its graph and cannot be copied.
        results = [value for value in vars(module).values() if isinstance(value, torch.Tensor) and not value.is_leaf]
        shared.update(dict.fromkeys(map(id, results)))
    copied = copy.deepcopy(model, shared)
    copied.reset_hooks(including_permanent=True)
    for block in getattr(copied, "blocks", ()):
        _wire_again(block)
    return copied


def _wire_again(block: Any) -> None:
    """Have a copied block note its inputs itself: the functions copied with it would write them into the original."""
    if getattr(block, "_capture_hooks_wired", False):
        for part in block.submodules.values():
            part._forward_pre_hooks.clear()  # noqa: SLF001  torch offers no other way to drop hooks without their handles
        block._capture_hook_handles.clear()  # noqa: SLF001
        block._capture_hooks_wired = False  # noqa: SLF001


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
        n_kv_heads=int(getattr(cfg, "n_key_value_heads", None) or cfg.n_heads),
        d_mlp=int(cfg.d_mlp) if cfg.d_mlp else None,
        parallel=bool(getattr(cfg, "parallel_attn_mlp", False)),
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
        `not_a_bridge`, `not_a_decoder`, `weights_not_loaded`, `model_does_not_run`, `nothing_to_edit`.
    """

    def __init__(self, model: TransformerBridge) -> None:
        self.shape = shape_of(model)
        self.name = reload_name(model) or str(getattr(model.cfg, "model_name", None) or type(model).__name__)
        self.device = device_of(model, self.name)
        self._model = twin(model)
        self._model.eval()
        self._hook_points = self._model.hook_dict
        trial = trial_of(self._model, self.shape, self.device, self.name)
        self.dtype = dtype_of(trial)
        self._survey = survey(self._model, self.shape, trial, self.name)
        self.shape = replace(self.shape, d_mlp=self._survey.d_mlp)

    def refusal(self, kind: Kind, layer: int) -> str | None:
        return self._survey.refusals.get((kind, layer))

    def same_as(self, place: Place) -> Place:
        kind, layer = place
        return ("resid_pre", layer + 1) if kind == "resid_post" and layer in self._survey.joined else place

    @contextmanager
    def rewriting(self, rewrites: Mapping[Place, Rewrite]) -> Iterator[Mapping[Place, int]]:
        with rewired(self._hook_points, self._model.blocks, self._survey, rewrites) as calls:
            yield calls

    def forward(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        with torch.no_grad():
            return self._logits(tokens, real)

    def traced(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        with foreign(self._no_gradient), torch.enable_grad():
            return self._logits(tokens, real)

    def enter(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_model"]:
        entered: list[Tensor] = []

        def stop(resid: Tensor) -> Tensor:
            entered.append(resid)
            raise PassEnded

        with self.rewriting({("resid_pre", 0): stop}), suppress(PassEnded):
            self.forward(tokens, real)
        return entered[0]

    def record(
        self,
        tokens: Int[Tensor, "batch pos"],
        places: Sequence[Place],
        real: Bool[Tensor, "batch pos"] | None = None,
    ) -> Recording:
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
                logits = self.forward(tokens, real)
        finally:
            for handle in handles:
                handle.remove()
        silent = [place for place in places if place not in kept]
        if silent:
            names = ", ".join(hook_name(*place) for place in silent)
            raise ModelError(
                f"{names} exist in {self.name} but were never computed in a forward pass, so they cannot be edited.",
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

    def anatomy(self) -> Anatomy:
        return dissect(self._model)

    def outlets(self) -> Outlets:
        found = outlets_of(self._model)
        return held(found, trial_of(self._model, self.shape, self.device, self.name), self._model)

    def unembed(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        with foreign(self._not_read_out), torch.no_grad():
            rows = self._model.ln_final(resid) if hasattr(self._model, "ln_final") else resid
            logits: Tensor = self._model.adapter.apply_output_logits_transform(self._model.unembed(rows))
        return logits

    def _no_gradient(self, clause: str) -> ModelError:
        return ModelError(
            f"{self.name} cannot be differentiated, so nothing can be estimated by attribution patching: {clause}. "
            "Sweep without approximate=….",
            code="no_gradient",
        )

    def _not_read_out(self, clause: str) -> ModelError:
        return ModelError(
            f"A residual stream of {self.name} cannot be read by its final norm and unembedding: {clause}.",
            code="no_unembedding",
        )

    def _logits(self, tokens: Tensor, real: Tensor | None) -> Tensor:
        # The bridge derives positions from the mask, unless the model does so itself.
        mask = {} if real is None else {"attention_mask": real.to(self.device).long()}
        logits: Tensor = self._model(tokens.to(self.device), return_type="logits", use_cache=False, **mask)
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
