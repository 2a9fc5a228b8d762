"""Numbers that a user gives to an edit: kept as they are, compared by content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from circuitboard.boundary import public
from circuitboard.errors import InterventionError

if TYPE_CHECKING:
    from torch import Tensor

MOST_NUMBERS = 2**24
"""Numbers that one edit may hold; more than any activation of a data set that fits a notebook."""


def tensor_of(given: Any) -> Tensor:
    """A number, a tensor, an array, a Series, or lists of these, as a tensor of its own precision.

    Raises
    ------
    TypeError, ValueError, RuntimeError, OverflowError
        If they are no numbers, or not as many in each row.
    """
    import numpy as np
    import torch

    if isinstance(given, torch.Tensor):
        return given
    if isinstance(given, (list, tuple)) and given and all(isinstance(row, torch.Tensor) for row in given):
        return torch.stack(list(given))
    rows = isinstance(given, (list, tuple)) and any(hasattr(row, "__array__") for row in given)
    if rows or hasattr(given, "__array__"):
        found = np.array(given)  # a copy: torch takes neither negative strides nor what cannot be written
        return torch.as_tensor(found.tolist() if found.dtype == object else found)
    return torch.as_tensor(given)


@public
@dataclass(frozen=True)
class Values:
    """A tensor that is equal to another of the same shape with the same numbers.

    Parameters
    ----------
    shape
        Its shape; () for a single number.
    digest
        What tells it from others of this shape.
    tensor
        Float32 or float64, on the CPU. Not to be written into.
    """

    shape: tuple[int, ...]
    digest: str
    tensor: Tensor = field(compare=False, repr=False)

    @classmethod
    def of(cls, given: Any, what: str) -> Values:
        """Copy what a user passed: a number, a tensor, an array or nested lists of numbers.

        Parameters
        ----------
        what
            What it is for, for the message.

        Raises
        ------
        InterventionError
            `bad_values` if it is no real numbers or too many; `non_finite_value`.
        """
        import torch

        try:
            tensor = tensor_of(given)
        except (TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise InterventionError(
                f"{what} needs a number, a tensor, an array or lists of numbers, not {given!r:.60}.", code="bad_values"
            ) from error
        if tensor.is_complex() or tensor.dtype is torch.bool:
            raise InterventionError(f"{what} needs real numbers, not {tensor.dtype}.", code="bad_values")
        if tensor.device.type == "meta" or tensor.is_nested or tensor.layout is not torch.strided:
            raise InterventionError(
                f"{what} needs a plain tensor that holds numbers, not one that is sparse, nested or on the device 'meta'; .to_dense() makes one of a sparse tensor.",
                code="bad_values",
            )
        if tensor.numel() == 0 or tensor.numel() > MOST_NUMBERS:
            raise InterventionError(
                f"{what} got {tensor.numel():,} numbers; expected between 1 and {MOST_NUMBERS:,}.", code="bad_values"
            )
        dtype = torch.float64 if tensor.dtype is torch.float64 else torch.float32
        tensor = tensor.detach().to("cpu", dtype, copy=True).contiguous()
        if not bool(tensor.isfinite().all()):
            raise InterventionError(
                f"{what} got numbers that are not finite, which would fill the run with NaN.", code="non_finite_value"
            )
        shape = tuple(tensor.shape)
        content = tensor.double().numpy().tobytes()
        return cls(shape, hashlib.sha256(content).hexdigest()[:16], tensor)

    def __str__(self) -> str:
        return f"{float(self.tensor):g}" if not self.shape else f"a tensor {list(self.shape)}"


def little_endian(numbers: Any) -> bytes:
    """The bytes of an array, little-endian whatever the machine."""
    found: bytes = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
    return found
