"""One block's weights, ready to multiply rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.engine.gemm import Backend, pack
from circuitboard.errors import there
from circuitboard.models.anatomy import Linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.models.anatomy import Anatomy, Block

    Project = Callable[[Tensor], Tensor]

_ROWS_TOGETHER = 512
"""Rows that go through an MLP at once on a CPU, so that its hidden layer stays in the cache."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A block and its matrix products.

    Parameters
    ----------
    index
        Which layer.
    block
        What it computes; only where it has an MLP are `neurons`, `down`, `mlp` and `norm2` asked for.
    w_o
        W_O head by head, [head, d_head, d_model].
    """

    index: int
    block: Block
    w_o: Float[Tensor, "head d_head d_model"]
    _project: tuple[Project, ...]
    _o: Project
    _up: Project | None
    _gate: Project | None
    _down: Project | None

    def qkv(
        self, normed: Float[Tensor, "rows d_model"], asking: Float[Tensor, "asking d_model"]
    ) -> tuple[Float[Tensor, "asking head d_head"], Float[Tensor, "rows kv d_head"], Float[Tensor, "rows kv d_head"]]:
        """Queries of some rows, keys and values of all, before q/k norms and rotary positions."""
        attn = self.block.attn
        if len(self._project) == 1 and len(asking) == len(normed):
            joint = self._project[0](normed).unflatten(-1, (-1, attn.d_head))
            q, k, v = joint.split((attn.n_heads, attn.n_kv_heads, attn.n_kv_heads), 1)
            return q, k, v
        project = self._project if len(self._project) > 1 else (attn.q, attn.k, attn.v)
        q, k, v = (
            part(rows).unflatten(-1, (-1, attn.d_head))
            for part, rows in zip(project, (asking, normed, normed), strict=True)
        )
        return q, k, v

    def query(self, asking: Float[Tensor, "asking d_model"]) -> Float[Tensor, "asking head d_head"]:
        """Queries alone."""
        attn = self.block.attn
        project = self._project[0] if len(self._project) > 1 else attn.q
        found: Tensor = project(asking).unflatten(-1, (-1, attn.d_head))
        return found

    def out(self, z: Float[Tensor, "rows heads_d"]) -> Float[Tensor, "rows d_model"]:
        """W_O and its bias."""
        return self._o(z)

    def neurons(self, rows: Float[Tensor, "rows d_model"]) -> Float[Tensor, "rows d_mlp"]:
        """Hidden units of the MLP, from the residual stream that it reads."""
        mlp, up, normed = there(self.block.mlp), there(self._up), self.norm2(rows)
        return mlp.act(up(normed)) if self._gate is None else mlp.act(self._gate(normed)) * up(normed)

    def down(self, neurons: Float[Tensor, "rows d_mlp"]) -> Float[Tensor, "rows d_model"]:
        """What the MLP adds, before a post-norm."""
        return there(self._down)(neurons)

    def mlp(self, rows: Float[Tensor, "rows d_model"]) -> Float[Tensor, "rows d_model"]:
        """What the MLP adds, from the residual stream that it reads."""
        together = _ROWS_TOGETHER if rows.device.type == "cpu" else len(rows)
        parts = [self._post(self.down(self.neurons(part))) for part in rows.split(max(1, together))]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def norm2(self, rows: Float[Tensor, "*rows d_model"]) -> Float[Tensor, "*rows d_model"]:
        """What the MLP's projections read."""
        return there(self.block.ln2)(rows)

    def _post(self, out: Tensor) -> Tensor:
        mlp = self.block.mlp
        return out if mlp is None or mlp.post_norm is None else mlp.post_norm(out)

    @property
    def has_mid(self) -> bool:
        """Whether there is a residual stream between attention and MLP."""
        return self.block.mlp is not None and not self.block.parallel

    @property
    def group(self) -> int:
        """Query heads per key-value head."""
        return self.block.attn.n_heads // self.block.attn.n_kv_heads


def layers_of(anatomy: Anatomy, backend: Backend) -> tuple[Layer, ...]:
    """Every block, its weights packed for a backend."""
    last = len(anatomy.blocks) - 1
    return tuple(_layer(index, block, backend, joint=index < last) for index, block in enumerate(anatomy.blocks))


def weight_bytes(anatomy: Anatomy) -> int:
    """What the matrices of all blocks take."""
    linears = []
    for block in anatomy.blocks:
        linears += [block.attn.q, block.attn.k, block.attn.v, block.attn.o]
        if block.mlp is not None:
            linears += [block.mlp.up, block.mlp.down, *([] if block.mlp.gate is None else [block.mlp.gate])]
    return sum(linear.weight.nbytes for linear in linears)


def _layer(index: int, block: Block, backend: Backend, *, joint: bool) -> Layer:
    attn, mlp = block.attn, block.mlp

    def packed(linear: Linear) -> Project:
        return pack(linear, backend, rows_hint=_ROWS_TOGETHER)

    qkv = (attn.q, attn.k, attn.v)
    # A packed copy is made anyway, so one of all three costs no more; the model's own weights are not copied. In the
    # last layer only the rows that are read have queries, so there they stay apart.
    together = joint and backend is Backend.PACKED
    projections = (packed(_joint(qkv)),) if together else tuple(packed(linear) for linear in qkv)
    return Layer(
        index,
        block,
        attn.o.weight.unflatten(1, (attn.n_heads, attn.d_head)).permute(1, 2, 0),
        projections,
        packed(attn.o),
        None if mlp is None else packed(mlp.up),
        None if mlp is None or mlp.gate is None else packed(mlp.gate),
        None if mlp is None else packed(mlp.down),
    )


def _joint(linears: tuple[Linear, ...]) -> Linear:
    weight = torch.cat([linear.weight for linear in linears])
    if all(linear.bias is None for linear in linears):
        return Linear(weight)
    biases = [weight.new_zeros(linear.weight.shape[0]) if linear.bias is None else linear.bias for linear in linears]
    return Linear(weight, torch.cat(biases))
