"""A sweep that is still being computed: what it has found so far, and what it finds next."""

from __future__ import annotations

import threading
from _thread import TIMEOUT_MAX
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, ClassVar

from circuitboard.address import ByContent, Stays, real
from circuitboard.boundary import public
from circuitboard.errors import Cancelled, EngineError, StillComputing, there

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Edge, Site
    from circuitboard.engine import Job
    from circuitboard.sweeps.cells import Grid
    from circuitboard.sweeps.result import Sweep


@public
@dataclass(frozen=True, eq=False)
class SweepBatch(ByContent):
    """Some cells that have become known.

    Parameters
    ----------
    cells
        Their indices into `grid.cells`, which are row-major.
    sites
        What is edited in each.
    values
        The metric, float [cell, batch].
    exact
        Whether they were computed; False for an estimate, which exact values follow.
    """

    cells: tuple[int, ...]
    sites: tuple[Site | Edge, ...]
    values: Float[Tensor, "cell batch"]
    exact: bool


@public
class SweepStream(Stays):
    """A sweep under way, made by `Board.sweep_async`.

    Iterating gives each `SweepBatch` as it comes, from the first on, and ends with the sweep; it raises what made
    the sweep fail. Several threads may iterate. An interrupt ends the wait, not the sweep: `cancel` does that.

    Parameters
    ----------
    blank
        The sweep before anything is known.
    """

    _instead: ClassVar[str] = "It is under way on its board's thread; what it has found travels: stream.partial()."

    def __init__(self, blank: Sweep) -> None:
        self._known = blank
        self._lock = threading.Lock()
        self._batches: list[SweepBatch] = []
        self._job: Job[None] | None = None
        # A waiting thread hears of news through a queue of its own, which an interrupt cannot break.
        self._bells: list[SimpleQueue[None]] = []

    @property
    def grid(self) -> Grid:
        """What is swept."""
        return self._known.grid

    @property
    def done(self) -> bool:
        """Whether it has ended: complete, cancelled or failed."""
        return self._job is not None and self._job.done

    def cancel(self) -> None:
        """Stop within one layer; what is known so far stays in `partial()`."""
        if self._job is not None:
            self._job.cancel.cancel("the sweep was cancelled")

    def partial(self) -> Sweep:
        """What is known now: exact where `.exact`, elsewhere the estimate, or NaN."""
        with self._lock:
            return replace(self._known, per_prompt=self._known.per_prompt.clone(), exact=self._known.exact.clone())

    def result(self, timeout: float | None = None) -> Sweep:
        """Wait for the whole sweep.

        Parameters
        ----------
        timeout
            Seconds to wait at most; None for as long as it takes.

        Raises
        ------
        StillComputing
            `still_computing` if it takes longer, which is a TimeoutError too; the sweep goes on all the same.
        Cancelled
            If it was cancelled.
        CircuitboardError
            Whatever made it fail.
        """
        if timeout is not None:
            seconds = real(timeout)
            if seconds is None or not seconds >= 0:
                raise EngineError(
                    f"timeout is a number of seconds from 0 on or None, not {timeout!r:.60}.", code="bad_count"
                )
            timeout = min(seconds, TIMEOUT_MAX)
        future = there(self._job).future
        if not future.wait(timeout):
            exact, total = int(self._known.exact.sum()), self._known.exact.numel()
            raise StillComputing(f"After {timeout:g} s {exact} of {total} cells are exact; the sweep goes on.")
        future.result()
        return self.partial()

    def __iter__(self) -> Iterator[SweepBatch]:
        future = there(self._job).future
        bell = self._bell()
        seen = 0
        try:
            while True:
                ended = self.done  # asked first: a batch that comes after this is seen in the next round
                while seen < len(self._batches):
                    seen += 1
                    yield self._batches[seen - 1]
                if ended:
                    break
                future.hear(bell)
        finally:
            self._bells.remove(bell)
        error = future.exception()
        if error is not None and not isinstance(error, Cancelled):
            raise error

    def __repr__(self) -> str:
        state = "done" if self.done else "under way"
        return f"SweepStream({state}: {self.partial()!r})"

    # --- the worker's side --------------------------------------------------------------------------

    def begin(self, job: Job[None]) -> None:
        """Follow the job that computes it."""
        self._job = job
        job.future.add_done_callback(lambda _future: self._ring())

    def add(self, cells: Sequence[int], values: Float[Tensor, "cell batch"], *, exact: bool) -> None:
        """Take in what has been found."""
        index = list(cells)
        sites = tuple(self.grid.cells[cell].site for cell in index)
        with self._lock:
            self._known.per_prompt.flatten(0, -2)[index] = values.to(self._known.per_prompt.dtype)
            if exact:
                self._known.exact.flatten()[index] = True
            self._batches.append(SweepBatch(tuple(index), sites, values.clone(), exact))
        self._ring()

    def _bell(self) -> SimpleQueue[None]:
        bell: SimpleQueue[None] = SimpleQueue()
        bell.put(None)  # whoever begins to wait looks once
        self._bells.append(bell)
        return bell

    def _ring(self) -> None:
        for bell in tuple(self._bells):
            bell.put(None)
