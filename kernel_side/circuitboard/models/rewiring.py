"""Rewrites of activations, carried out by TransformerLens hooks.

Most kinds of site are one hook point. Three are edited in a roundabout way, because writing their hook does not do
what the name says in every model:

- resid_mid: `hook_resid_mid` of a bridge is only what the MLP reads, so the stream is moved by way of what
  attention adds to it: attn_out becomes w(pre + attn_out) − pre.
- head.pattern: in some attention modules the hook is read-only, so its change is carried out on
  z += (w(pattern) − pattern) · v, which is what it would have done.
- head.result: `hook_result` fires in some modules only, so the output of attention gets Σ (w(r) − r), with
  r = z · W_O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import KINDS
from circuitboard.errors import there
from circuitboard.models.hook_points import attach, hook_name
from circuitboard.models.survey import output_weights, spread
from circuitboard.models.trial import raw_attention_point

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from transformer_lens.hook_points import HookPoint

    from circuitboard.models.adapter import Rewrite
    from circuitboard.models.shape import Place
    from circuitboard.models.survey import Survey

    Look = Callable[[Tensor], "Tensor | None"]

_ROUNDABOUT = ("head.pattern", "head.result", "resid_mid")


@contextmanager
def rewired(
    points: Mapping[str, HookPoint],
    blocks: Sequence[torch.nn.Module],
    survey: Survey,
    rewrites: Mapping[Place, Rewrite],
) -> Iterator[Mapping[Place, int]]:
    """Put rewrites in force until the end of the block; the value counts how often each was called.

    `points` are a model's hook points by name, `blocks` its blocks.

    Rewrites of one layer act in the order in which the model computes what they rewrite, and each sees what those
    before it left.
    """
    wiring = _Wiring(points, blocks, survey, rewrites)
    try:
        wiring.connect()
        yield wiring.calls
    finally:
        wiring.cut()


@dataclass
class _Attention:
    """What the hooks of one attention module tell each other during a pass."""

    pre: Tensor | None = None
    v: Tensor | None = None
    pattern_change: Tensor | None = None
    result_change: Tensor | None = None


class _Wiring:
    def __init__(
        self,
        points: Mapping[str, HookPoint],
        blocks: Sequence[torch.nn.Module],
        survey: Survey,
        rewrites: Mapping[Place, Rewrite],
    ) -> None:
        self.calls = dict.fromkeys(rewrites, 0)
        self._points = points
        self._blocks = blocks
        self._survey = survey
        self._rewrites = rewrites
        self._handles: list[Callable[[], None]] = []
        self._rehearsing = False
        self._thread = get_ident()

    def connect(self) -> None:
        for layer in sorted({layer for _, layer in self._rewrites}):
            for kind in KINDS:
                if (kind, layer) in self._rewrites and kind not in _ROUNDABOUT:
                    # z is rewritten after what an edited pattern did to it.
                    if kind == "head":
                        self._connect_pattern(layer)
                    self._rewrite((kind, layer))
                elif kind == "head":
                    self._connect_pattern(layer)
                elif (kind, layer) in self._rewrites and kind == "head.result":
                    self._connect_result(layer)
                elif (kind, layer) in self._rewrites and kind == "resid_mid":
                    self._connect_mid(layer)

    def cut(self) -> None:
        while self._handles:
            self._handles.pop()()

    def _hook(self, point: Any, look: Look, *, in_rehearsal: bool = False, first: bool = False) -> None:
        """Call `look` with what passes a hook point; what it returns stands in its place, None leaves it."""

        def hook(activation: Tensor, *, hook: Any) -> Tensor | None:  # noqa: ARG001
            # A cell that runs the same model at this moment is on another thread, and none of our business.
            mine = get_ident() == self._thread
            return look(activation) if mine and (in_rehearsal or not self._rehearsing) else None

        self._handles.append(attach(point, hook, first=first))

    def _attention(self, layer: int) -> torch.nn.Module:
        return self._blocks[layer].get_submodule("attn")

    def _point(self, place: Place) -> Any:
        return self._points[hook_name(*place)]

    def _call(self, place: Place, activation: Tensor) -> Tensor:
        if not self._rehearsing or place[0] == "head.pattern":
            self.calls[place] += 1
        return self._rewrites[place](activation)

    def _rewrite(self, place: Place) -> None:
        self._hook(
            self._point(place),
            lambda activation: self._call(place, activation),
            in_rehearsal=place[0] in ("head.q", "head.k", "head.v"),
        )

    def _connect_mid(self, layer: int) -> None:
        passed = _Attention()

        def keep(pre: Tensor) -> None:
            passed.pre = pre

        def move(added: Tensor) -> Tensor | None:
            pre = there(passed.pre)  # a block is entered before its attention ends
            mid = pre + added
            after = self._call(("resid_mid", layer), mid)
            return None if after is mid else after - pre

        self._hook(self._point(("resid_pre", layer)), keep)
        self._hook(self._point(("attn_out", layer)), move)

    def _connect_pattern(self, layer: int) -> None:
        place: Place = ("head.pattern", layer)
        if place not in self._rewrites:
            return
        passed, late = _Attention(), layer in self._survey.late_patterns

        def keep(v: Tensor) -> None:
            passed.v = v

        def change(pattern: Tensor) -> None:
            # A late pattern is shown twice: first in a rehearsal, in time for z, and then for good.
            if late == self._rehearsing:
                after = self._call(place, pattern)
                passed.pattern_change = None if after is pattern else after - pattern

        def mix(z: Tensor) -> Tensor | None:
            if passed.pattern_change is None:
                return None
            weights, v = passed.pattern_change.to(z.dtype), there(passed.v)  # values are computed before they are mixed
            return z + torch.einsum("bhds,bshe->bdhe", weights, spread(v, z.shape[2]))

        self._hook(self._point(("head.v", layer)), keep, in_rehearsal=True)
        self._hook(self._point(place), change, in_rehearsal=True)
        # Before hooks of the user's, which rewrite what the heads mixed.
        self._hook(self._point(("head", layer)), mix, first=True)
        if late:
            self._rehearse(self._attention(layer))

    def _rehearse(self, attention: torch.nn.Module) -> None:
        """Have an attention module run twice, first only to see its pattern."""

        def first(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if self._rehearsing or get_ident() != self._thread:
                return
            self._rehearsing = True
            try:
                module(*args, **kwargs)
            finally:
                self._rehearsing = False

        self._handles.append(attention.register_forward_pre_hook(first, with_kwargs=True).remove)

    def _connect_result(self, layer: int) -> None:
        weights = there(output_weights(self._attention(layer)))  # refused otherwise
        passed = _Attention()

        def change(z: Tensor) -> None:
            result = torch.einsum("bphe,hed->bphd", z, weights)
            after = self._call(("head.result", layer), result)
            passed.result_change = None if after is result else (after - result).sum(2)

        def add(raw: Tensor) -> Tensor | None:
            return None if passed.result_change is None else raw + passed.result_change

        self._hook(self._point(("head", layer)), change)
        self._hook(raw_attention_point(self._points, layer), add, first=True)
