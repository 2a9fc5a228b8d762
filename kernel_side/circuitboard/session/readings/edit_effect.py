"""The effect of an edit as the panel is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitboard.metrics import standard_error
from circuitboard.protocol import messages as m

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.analysis import EditEffect


def told(found: EditEffect, columns: list[int] | None) -> m.EditEffect:
    """Means over prompts, with their errors; `columns` are those where an edit acts."""
    total, total_stderr = _with_error(found.total)
    (direct, direct_stderr), (later, later_stderr) = (
        (None, None) if values is None else _with_error(values) for values in (found.direct, found.later)
    )
    return m.EditEffect(
        how=found.how,
        edited=found.edited,
        at=columns,
        total=total,
        total_stderr=total_stderr,
        direct=direct,
        direct_stderr=direct_stderr,
        later=later,
        later_stderr=later_stderr,
        note=found.note,
    )


def _with_error(values: Float[Tensor, " batch"]) -> tuple[m.Real, m.Real | None]:
    """Mean and standard error."""
    values = values.double()
    return m.Real.of(float(values.mean())), m.Real.of(float(standard_error(values))) if len(values) > 1 else None
