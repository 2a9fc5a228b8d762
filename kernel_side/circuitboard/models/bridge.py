"""The adapter over TransformerLens's `TransformerBridge`.

The engine works on a *twin* of the user's model: a copy of its modules around the very same
parameters, with the user's own hooks, which are part of what the model computes. It costs a few
milliseconds and no memory, and it means that our hooks never show up in a cell that uses the model
at the same moment. The user's model itself is run to check the twin (`of_user`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.errors import ModelError
from circuitboard.models.account.account import Account
from circuitboard.models.account.lock import lock_of
from circuitboard.models.account.user_hooks import (
    BACKWARD_TABLES,
    TABLES,
    global_backward_hooks,
    global_hooks,
    hooks_of,
    hooks_off,
)
from circuitboard.models.adapter import BlockCall, PassEnded, Recording, Rewrite
from circuitboard.models.dissection import dissect
from circuitboard.models.foreign import foreign
from circuitboard.models.hook_points import hook_name
from circuitboard.models.loading import reload_name
from circuitboard.models.offered import no_model
from circuitboard.models.outlets import held, no_outlets, outlets_of
from circuitboard.models.placement import device_of, dtype_of
from circuitboard.models.refusal import no_anatomy
from circuitboard.models.rewiring import rewired
from circuitboard.models.shape import ModelShape, Place
from circuitboard.models.survey import survey
from circuitboard.models.trial import seen_in, trial_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Kind
    from circuitboard.models.anatomy import Anatomy
    from circuitboard.models.outlets import Outlets


def twin(model: TransformerBridge) -> TransformerBridge:
    """Copy the modules of a model around the same parameters, buffers, tokenizer and hook functions."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in [*model.parameters(), *model.buffers()]}
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is not None:
        shared[id(tokenizer)] = tokenizer
    for module in model.modules():
        # Results of the user's last forward pass that modules hold on to: they belong to its graph and cannot be copied.
        results = [value for value in vars(module).values() if isinstance(value, torch.Tensor) and not value.is_leaf]
        shared.update(dict.fromkeys(map(id, results)))
        # A hook may be a method of something large, and may note things in its context; both stay the user's own.
        tables = (held for name, held in vars(module).items() if name.endswith("_hooks") and isinstance(held, dict))
        hooks = [hook for table in tables for hook in table.values()]
        handles = (*getattr(module, "fwd_hooks", ()), *getattr(module, "bwd_hooks", ()))
        hooks += [held for handle in handles for held in vars(handle).values() if callable(held)]
        shared.update((id(found), found) for found in (*hooks, getattr(module, "ctx", None)) if found is not None)
    copied = copy.deepcopy(model, shared)
    # Gradients are ours alone to look at: nothing of the user's rewrites them.
    copied.reset_hooks(clear_contexts=False, direction="bwd", including_permanent=True)
    for module in copied.modules():
        for table in BACKWARD_TABLES:
            getattr(module, table).clear()
    for block in getattr(copied, "blocks", ()):
        _wire_again(block)
    return copied


def _wire_again(block: Any) -> None:
    """Have a copied block note its inputs itself: the functions copied with it would write them into the original."""
    if getattr(block, "_capture_hooks_wired", False):
        for part in block.submodules.values():
            for table in TABLES:
                theirs = set(map(id, hooks_of(part, table)))
                found = getattr(part, table)
                for key in [key for key, hook in found.items() if id(hook) not in theirs]:
                    del found[key]
        block._capture_hook_handles.clear()  # noqa: SLF001  a bridge has no public way to wire its blocks again
        block._capture_hooks_wired = False  # noqa: SLF001


@contextmanager
def _evaluating(modules: Iterable[torch.nn.Module]) -> Iterator[None]:
    """Modules of the user's in eval mode, one by one as they were afterwards."""
    training = [module for module in modules if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


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
        # A model that was cut keeps the number that it was made with.
        n_layers=len(model.blocks),
        n_heads=int(cfg.n_heads),
        d_model=int(cfg.d_model),
        d_head=int(cfg.d_head),
        d_vocab=int(cfg.d_vocab),
        n_ctx=int(cfg.n_ctx),
        n_kv_heads=int(getattr(cfg, "n_key_value_heads", None) or cfg.n_heads),
        d_mlp=int(cfg.d_mlp) if cfg.d_mlp else None,
        parallel=bool(getattr(cfg, "parallel_attn_mlp", False)),
    )


def _modules_of(model: Any, part: str) -> Iterable[torch.nn.Module]:
    found = model._modules.get(part)  # noqa: SLF001  a bridge passes unknown names on
    return () if found is None else found.modules()


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
        self._given = model
        with lock_of(model):
            self.account = Account(model)
            self._model = twin(model)
        self._model.eval()
        self._hook_points = self._model.hook_dict
        # What hooks of the user's do is no question of what the model is made of, and they may want their own prompts.
        with hooks_off(self._model) if self.account.hooks else nullcontext():
            trial = trial_of(self._model, self.shape, self.device, self.name)
        self.dtype = dtype_of(trial)
        self._survey = survey(self._model, self.shape, trial, self.name)
        self.shape = replace(self.shape, d_mlp=self._survey.d_mlp)

    def hold_hooks(self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None) -> None:
        if not self.account.hooks:
            return
        seen = seen_in(self._model, self.shape, tokens.to(self.device), real)
        found = survey(self._model, self.shape, seen, self.name).refusals
        hooked = {place: f"{reason} with hooks of yours in force" for place, reason in found.items()}
        self._survey = replace(self._survey, refusals={**hooked, **self._survey.refusals})

    def of_user(self) -> BridgeAdapter:
        """The same adapter around the user's model itself, to check what the twin says; it costs nothing.

        The model is in eval mode while it runs and as it was afterwards, and hooks put on it act on this thread alone.
        """
        theirs = copy.copy(self)
        vars(theirs).update(_model=self._given, _hook_points=self._given.hook_dict)
        return theirs

    def require_replay(self) -> None:
        blocks = [(block, block.original_component) for block in self._given.blocks]
        inside: set[int] = {id(module) for pair in blocks for block in pair for module in block.modules()}
        ends = {id(module) for part in ("embed", "ln_final", "unembed") for module in _modules_of(self._given, part)}
        entered = {id(self._given.hook_dict[hook_name("resid_pre", layer)]) for layer in range(len(blocks))}
        entered |= {id(block) for pair in blocks for block in pair if block._forward_pre_hooks}  # noqa: SLF001
        if global_hooks() or any(
            id(module) in entered or id(module) not in inside | ends for module in self.account.hooked
        ):
            raise ModelError(
                f"{self.name} cannot be replayed block by block: hooks of yours act outside its blocks, or on what enters them.",
                code="no_replay",
            )

    def refusal(self, kind: Kind, layer: int) -> str | None:
        return self._survey.refusals.get((kind, layer))

    def same_as(self, place: Place) -> Place:
        kind, layer = place
        # Between the two a hook of the user's may stand.
        joined = kind == "resid_post" and layer in self._survey.joined and not self.account.hooks
        return ("resid_pre", layer + 1) if joined else place

    @contextmanager
    def rewriting(self, rewrites: Mapping[Place, Rewrite]) -> Iterator[Mapping[Place, int]]:
        with self._alone(), rewired(self._hook_points, self._model.blocks, self._survey, rewrites) as calls:
            yield calls

    def _alone(self) -> AbstractContextManager[object]:
        """Held while hooks of ours are on the user's model, so that nobody takes them for the user's."""
        return self.account.lock if self._model is self._given else nullcontext()

    def forward(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        with torch.no_grad():
            return self._logits(tokens, real)

    def traced(
        self, tokens: Int[Tensor, "batch pos"], real: Bool[Tensor, "batch pos"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        if global_backward_hooks():
            raise self._no_gradient("torch calls backward hooks of yours in every module")
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

        with self._alone(), ExitStack() as hooks:
            for layer, block in enumerate(self._model.blocks):
                hooks.callback(block.register_forward_pre_hook(note_call(layer), with_kwargs=True).remove)
            hooks.enter_context(self.rewriting({place: keep(place) for place in places}))
            logits = self.forward(tokens, real)
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
        if self.account.hooks:
            raise no_anatomy(self._model, "hooks of yours act in it")
        return dissect(self._model)

    def outlets(self) -> Outlets:
        if self.account.hooks:
            raise no_outlets(self._model, "hooks of yours act in it")
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
        with _evaluating(self.account.modules if self._model is self._given else ()):
            logits: Tensor = self._model(tokens.to(self.device), return_type="logits", use_cache=False, **mask)
        return logits


def _require_bridge(model: object) -> None:
    from transformer_lens.model_bridge import TransformerBridge

    if not isinstance(model, TransformerBridge):
        raise no_model(model)
    if not hasattr(model, "blocks"):
        raise ModelError(
            f"{getattr(model.cfg, 'model_name', 'This model')} is no decoder-only stack of blocks, which a board needs.",
            code="not_a_decoder",
        )
