"""Whether the tier that a numeric test means is the one that ran: `auto` falls back in silence, and the numbers stay right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def none_is_dropped_for_its_numbers() -> Iterator[None]:
    """Fail where a board drops a tier since it computes something else, or breaks.

    What a tier refuses by name (a model that it knows not to take) it may drop: which those are, `tests/engine/test_choose.py`
    says of every family, and `tests/numerics/test_odd_models.py` of odd models.
    """
    from circuitboard.boundary import ran_out_of_memory
    from circuitboard.engine import choose
    from circuitboard.errors import CircuitboardError

    doubt = choose._doubt

    def no_doubt(candidate, *given):
        try:
            found = doubt(candidate, *given)
        except Exception as error:
            if not isinstance(error, CircuitboardError) and not ran_out_of_memory(error):
                pytest.fail(f"the {candidate.tier} tier breaks: {error!r}")
            raise
        if found is not None:
            pytest.fail(f"the {candidate.tier} tier would be dropped: {found}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "_doubt", no_doubt)
        yield
