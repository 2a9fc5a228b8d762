"""The one door through which rows are multiplied by weights, and the faster of two ways through it.

"stock" is `torch.nn.functional.linear`. "packed" keeps a second copy of each weight in the order in which oneDNN's
kernels read it, so no call has to rearrange it (boards of one model share that copy): measured on one core of an AMD EPYC (Zen 4, float32), 1.1 times the
stock speed for 512 rows or more, 1.2 to 1.4 times for 64, 1.7 to 2.4 times for 15; on processors where torch's
default library does not use AVX-512, twice for any number. Both add up in float32 at full precision.

The packed kernels are behind operators of torch that are not public. The public ways were measured too and fall
short for few rows, as they rearrange the weight in every call: `torch.utils.mkldnn.to_mkldnn` gives 0.65 of the
packed speed for 15 rows, 0.85 for 64 and 0.92 for 512; a convolution with a 1 × 1 kernel and a frozen
`torch.jit` graph give the stock speed; a frozen `torch.compile` uses the same operators but needs a C++ compiler where
it runs. So a probe decides once per process: the operators must exist, agree with exact products within rounding,
and be faster; otherwise everything stays stock.

Whether a row's result depends on how many other rows are in the batch, bit for bit: packed, it does not (a single
row is computed as two to make that so). Stock, it does: in float32 for fewer than 12 rows and in float64 wherever the number
is no multiple of 4, in the last digits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import torch
import torch.nn.functional as F  # noqa: N812

from circuitboard.boundary import ran_out_of_memory
from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.models.anatomy import Linear

ENVIRONMENT = "CIRCUITBOARD_GEMM"
"""Environment variable that names a backend instead of leaving it to the probe."""

_PROBE_SIZE = 768
_PROBE_ROWS = (16, 512)
_PROBE_ROUNDS = 5
_WORTH_IT = 1.05
"""How many times faster the packed kernels must be to be worth a copy of the weights."""

_ROUNDINGS = 8
"""How many float32 roundings of Σ |x|·|w| a result may be off; products in bfloat16 or TF32 would be off by hundreds."""


_TOLD_BY = 16
"""About how many numbers of a weight say which copy may be of the same one; all of them are compared then."""

_in_use: WeakValueDictionary[tuple[float, ...], Tensor] = WeakValueDictionary()
"""Copies that boards hold, so that those of one model hold one between them."""


class Backend(StrEnum):
    """How rows are multiplied by weights."""

    STOCK = "stock"
    PACKED = "packed"


@dataclass(frozen=True, eq=False)
class Gemm:
    """y = x · weightᵀ + bias for batches of rows.

    Parameters
    ----------
    linear
        The model's own weights.
    packed
        The weight in oneDNN's order, or None for the stock backend.
    """

    linear: Linear
    packed: Tensor | None = None

    @property
    def backend(self) -> Backend:
        return Backend.STOCK if self.packed is None else Backend.PACKED

    @property
    def packed_bytes(self) -> int:
        """What the copy of the weight takes, in bytes; 0 for the stock backend."""
        return 0 if self.packed is None else self.packed.nbytes

    def __call__(self, x: Float[Tensor, "rows in"]) -> Float[Tensor, "rows out"]:
        # The packed operator has no gradient.
        if self.packed is None or not len(x) or (x.requires_grad and torch.is_grad_enabled()):
            return F.linear(x, self.linear.weight, self.linear.bias)
        if len(x) == 1:
            # A lone row takes another kernel, which adds up in another order.
            return _multiply(x.expand(2, -1), self.packed, self.linear.bias)[:1]
        return _multiply(x, self.packed, self.linear.bias)


def pack(linear: Linear, backend: Backend | str, *, rows_hint: int) -> Gemm:
    """Prepare a linear map for many calls.

    Parameters
    ----------
    linear
        Weight and bias.
    backend
        "packed" takes effect for float32 weights on the CPU; all others stay stock.
    rows_hint
        How many rows a typical call brings. It may make that number faster; any number is right.

    Returns
    -------
    Gemm
        A function of x [rows, in] → [rows, out], bias included.
    """
    weight = linear.weight.detach()
    if Backend(backend) is Backend.STOCK or _no_kernels(weight.dtype, weight.device) is not None or not weight.numel():
        return Gemm(linear)
    return Gemm(linear, _shared(weight.contiguous(), max(2, rows_hint)))


def best_backend(dtype: torch.dtype, device: torch.device) -> tuple[Backend, str]:
    """The faster backend that is exact here, and why, in words.

    The probe runs once per process and takes a tenth of a second. The environment variable CIRCUITBOARD_GEMM (stock
    or packed) overrules it.

    Raises
    ------
    EngineError
        `unknown_gemm` if the variable names no backend; `gemm_refused` if it asks for packed kernels that this
        machine does not have or that are not exact.
    """
    asked = os.environ.get(ENVIRONMENT)
    if asked is not None and asked not in tuple(Backend):
        raise EngineError(
            f"{ENVIRONMENT} is {asked!r}; expected {' or '.join(Backend)}, or unset for the faster one.",
            code="unknown_gemm",
        )
    if asked == Backend.STOCK:
        return Backend.STOCK, f"{ENVIRONMENT} asks for it"
    none = _no_kernels(dtype, device)
    if none is not None:
        return Backend.STOCK, none
    doubt, speed = _probe()
    if asked == Backend.PACKED:
        if doubt is not None:
            raise EngineError(f"{ENVIRONMENT} asks for packed kernels, but {doubt}. Unset it.", code="gemm_refused")
        return Backend.PACKED, f"{ENVIRONMENT} asks for it"
    if doubt is not None:
        return Backend.STOCK, doubt
    if speed < _WORTH_IT:
        return Backend.STOCK, f"oneDNN's packed kernels are only {speed:.2f} × as fast as torch's default here"
    return Backend.PACKED, f"oneDNN's packed kernels are {speed:.1f} × as fast as torch's default here"


def _no_kernels(dtype: torch.dtype, device: torch.device) -> str | None:
    """Why there are no packed kernels for such weights, or None if there are."""
    if device.type != "cpu" or dtype != torch.float32:
        return f"packed kernels are for float32 on the CPU, not {str(dtype).removeprefix('torch.')} on {device.type}"
    if not torch.backends.mkldnn.is_available():
        return "this build of torch has no oneDNN"
    if not (hasattr(torch.ops.mkldnn, "_reorder_linear_weight") and hasattr(torch.ops.mkldnn, "_linear_pointwise")):
        return "this version of torch does not offer oneDNN's packed kernels"
    return None


@cache
def _probe() -> tuple[str | None, float]:
    """Why the packed kernels cannot be trusted (or None), and how many times faster they are."""
    draw = torch.Generator().manual_seed(0)
    n = _PROBE_SIZE
    weight = torch.rand(n, n, generator=draw) - 0.5
    bias = torch.rand(n, generator=draw)
    x = torch.randn(_PROBE_ROWS[-1], n, generator=draw)
    with torch.no_grad():
        try:
            packed = _reorder(weight, len(x))
            found = [_multiply(x[:rows], packed, bias) for rows in (*_PROBE_ROWS, 2)]
        except RuntimeError as error:
            if ran_out_of_memory(error):
                raise  # which says nothing about the kernels, and what is found here holds for good
            return f"oneDNN's packed kernels fail ({str(error)[:200]})", 0.0
        exact = F.linear(x.double(), weight.double(), bias.double())
        allowed = _ROUNDINGS * torch.finfo(torch.float32).eps * F.linear(x.abs(), weight.abs(), bias.abs())
        if not all(bool(((part - exact[: len(part)]).abs() <= allowed[: len(part)]).all()) for part in found):
            return "oneDNN's packed kernels differ from exact products by more than rounding", 0.0
        speed = 1.0
        for rows in _PROBE_ROWS:
            some = x[:rows]
            stock, fast = _seconds(partial(F.linear, some, weight, bias), partial(_multiply, some, packed, bias))
            speed *= (stock / fast) ** (1 / len(_PROBE_ROWS))
    return None, speed


def _seconds(*works: Callable[[], object]) -> list[float]:
    """The best time of each, taken in turns so that a busy moment of the machine hits all alike."""
    # With one thread, what others do on the machine does not count at all.
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    best = [float("inf")] * len(works)
    for _ in range(_PROBE_ROUNDS):
        for index, work in enumerate(works):
            start = clock()
            work()
            best[index] = min(best[index], clock() - start)
    return best


def _shared(weight: Float[Tensor, "out in"], rows: int) -> Tensor:
    """A weight in oneDNN's order: a copy that is in use for the same numbers already, or a new one."""
    key = (*weight.shape, rows, *weight.flatten()[:: max(1, weight.numel() // _TOLD_BY)].tolist())
    known = _in_use.get(key)
    if known is None or not torch.equal(known.to_dense(), weight):
        known = _in_use[key] = _reorder(weight, rows)
    return known


def _reorder(weight: Float[Tensor, "out in"], rows: int) -> Tensor:
    packed: Any = torch.ops.mkldnn._reorder_linear_weight(weight, rows)  # noqa: SLF001  see the module's docstring
    return packed  # type: ignore[no-any-return]


def _multiply(
    x: Float[Tensor, "rows in"], packed: Tensor, bias: Float[Tensor, " out"] | None
) -> Float[Tensor, "rows out"]:
    found: Any = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")  # noqa: SLF001
    return found  # type: ignore[no-any-return]
