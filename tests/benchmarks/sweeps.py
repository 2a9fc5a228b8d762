"""The sweeps that are measured, as Circuitboard and as TransformerLens call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from transformer_lens import patching

import circuitboard as cb
from tests.benchmarks.shapes import Shape, Tokens

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor


@dataclass(frozen=True)
class SweepKind:
    """One sweep.

    Parameters
    ----------
    name
        In words.
    over, by
        As `board.sweep` takes them.
    activation
        TransformerLens's name of what is patched.
    setter
        How TransformerLens writes one cell, from its `patching` module where that has it.
    layers, positions
        Which ones, counted from 0; None for all.
    goal
        Which row of the goals it belongs to.
    """

    name: str
    over: str
    by: str
    activation: str
    setter: Callable[..., Any]
    layers: Callable[[int], Sequence[int]] | None = None
    positions: Callable[[int], Sequence[int]] | None = None
    goal: str | None = None
    needs_mlp: bool = field(default=False)


def _neuron_setter(corrupted: Tensor, index: Sequence[int], clean: Tensor) -> Tensor:
    """TransformerLens has no sweep over single neurons; this is its position setter with one more index."""
    _, pos, neuron = index
    corrupted[:, pos, neuron] = clean[:, pos, neuron]
    return corrupted


KINDS: dict[str, SweepKind] = {
    kind.name: kind
    for kind in (
        SweepKind("head × pos", "head", "pos", "z", patching.layer_pos_head_vector_patch_setter, goal="head × pos"),
        SweepKind("head, all positions", "head", "all", "z", patching.layer_head_vector_patch_setter, goal="head"),
        SweepKind(
            "resid_pre × pos", "resid_pre", "pos", "resid_pre", patching.layer_pos_patch_setter, goal="resid_pre × pos"
        ),
        SweepKind("attn_out × pos", "attn_out", "pos", "attn_out", patching.layer_pos_patch_setter),
        SweepKind("mlp_out × pos", "mlp_out", "pos", "mlp_out", patching.layer_pos_patch_setter, needs_mlp=True),
        SweepKind(
            "neurons of a middle layer at the last position",
            "neuron",
            "pos",
            "post",
            _neuron_setter,
            layers=lambda n: [n // 2],
            positions=lambda n: [n - 1],
            needs_mlp=True,
        ),
        SweepKind(
            "neurons of layer 5 at position 10",
            "neuron",
            "pos",
            "post",
            _neuron_setter,
            layers=lambda n: [min(5, n - 1)],
            positions=lambda n: [min(10, n - 1)],
            needs_mlp=True,
        ),
    )
}


class Peer:
    """TransformerLens on one set of prompts: denoising, corrupted run patched from the clean one."""

    def __init__(self, shape: Shape, tokens: Tokens, kind: SweepKind) -> None:
        self.model = shape.model
        self.tokens = tokens.to(str(shape.model.cfg.device))
        self.kind = kind
        with torch.no_grad():
            _, self._cache = self.model.run_with_cache(
                self.tokens.clean, names_filter=lambda name: name in self._names()
            )
        self.cells = self._cells()

    def _layers(self) -> Sequence[int]:
        n = int(self.model.cfg.n_layers)
        return self.kind.layers(n) if self.kind.layers else range(n)

    def _positions(self) -> Sequence[int]:
        n = self.tokens.clean.shape[1]
        return self.kind.positions(n) if self.kind.positions else range(n)

    def _names(self) -> list[str]:
        from transformer_lens.utilities import get_act_name

        names = [get_act_name(self.kind.activation, layer) for layer in self._layers()]
        aliases = self.model.hook_dict
        return names + [aliases[name].name for name in names if name in aliases]

    def _cells(self) -> pd.DataFrame:
        axes: dict[str, Sequence[int]] = {"layer": self._layers()}
        if self.kind.by == "pos":
            axes["pos"] = self._positions()
        if self.kind.over == "head":
            axes["head"] = range(self.model.cfg.n_heads)
        if self.kind.over == "neuron":
            axes["neuron"] = range(self.model.cfg.d_mlp)
        return pd.MultiIndex.from_product(list(axes.values()), names=list(axes)).to_frame(index=False)

    def metric(self, logits: Float[Tensor, "batch pos d_vocab"]) -> Float[Tensor, ""]:
        """Logit difference at the last position, mean over prompts."""
        last = logits[:, -1]
        answer = last.gather(-1, self.tokens.answer[:, None])
        return (answer - last.gather(-1, self.tokens.wrong[:, None])).mean()

    def sweep(self, which: Int[Tensor, " some"]) -> Float[Tensor, " some"]:
        """The metric of some of the cells, by index, one hooked forward each."""
        with torch.no_grad():
            return patching.generic_activation_patch(
                self.model,
                self.tokens.corrupted,
                self._cache,
                self.metric,
                self.kind.setter,
                self.kind.activation,
                index_df=self.cells.iloc[which.tolist()],
            ).cpu()


class Ours:
    """A new board for every measurement, so that nothing is answered from what an earlier one kept."""

    def __init__(self, shape: Shape, tokens: Tokens, kind: SweepKind, engine: str = "auto") -> None:
        self.kind = kind
        n_positions = tokens.clean.shape[1]
        self.board = cb.Board(shape.model, tokens.pair, base="corrupted", engine=engine)  # type: ignore[arg-type]
        self._where = {
            "layers": list(kind.layers(int(shape.model.cfg.n_layers))) if kind.layers else None,
            "positions": list(kind.positions(n_positions)) if kind.positions else None,
        }
        # Whatever is prepared at first use (weights in another order, buffers) is prepared by a sweep of another kind.
        self.board.sweep("head", by="pos", how="zero", layers=[0], positions=[n_positions - 1])

    def sweep(self) -> cb.Sweep:
        return self.board.sweep(self.kind.over, by=self.kind.by, how="patch", **self._where)
