"""The sizes of a model, and where in it an activation is."""

from __future__ import annotations

from dataclasses import dataclass

from circuitboard.address import Kind

Place = tuple[Kind, int]
"""A kind of activation and its layer, e.g. ("head", 3): the z of all heads of block 3."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a decoder-only transformer.

    Parameters
    ----------
    n_kv_heads
        Key-value heads of a layer: `n_heads`, or fewer where queries are grouped.
    d_mlp
        Neurons of a layer; None without an MLP, or where no one activation holds them (experts). A model's
        configuration alone may say otherwise.
    parallel
        Whether attention and MLP of a block both read what enters it.
    """

    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_vocab: int
    n_ctx: int
    n_kv_heads: int
    d_mlp: int | None
    parallel: bool

    def n_of(self, kind: Kind) -> int | None:
        """How many sites of this kind a layer has; None for kinds without an index, and for unknown numbers."""
        if kind in ("head.k", "head.v"):
            return self.n_kv_heads
        if kind == "neuron":
            return self.d_mlp
        return self.n_heads if kind.startswith("head") else None

    def width_of(self, kind: Kind, n_positions: int) -> int:
        """How many numbers one site of this kind has at one position."""
        if kind == "head.pattern":
            return n_positions
        if kind == "neuron":
            return 1
        return self.d_head if kind in ("head", "head.q", "head.k", "head.v") else self.d_model
