"""The board's maps: sweeps on top of the edits in force, whole, streamed or cell by cell."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Literal

import torch

from circuitboard.errors import EngineError, InterventionError, MetricError, ModelError
from circuitboard.interventions import compile_plan
from circuitboard.sweeps import Grid, Progress, Sweep, SweepStream, grid_of, sweep_steps
from circuitboard.sweeps.attribution import attribute

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.board.lab import Lab
    from circuitboard.board.outcome import Shown
    from circuitboard.board.steps import Steps
    from circuitboard.engine import CancelToken, EditedRun, Job, Worker
    from circuitboard.runs import CachedRun


class Maps:
    """Sweeps of one board."""

    def __init__(self, lab: Lab, worker: Worker, steps: Steps) -> None:
        self._lab = lab
        self._worker = worker
        self._steps = steps

    def grid(
        self, over: str, *, by: str = "all", how: str = "patch", layers: object = None, positions: object = None
    ) -> Grid:
        """The cells of a sweep, in order."""
        lab = self._lab
        return grid_of(
            over, by=by, how=how, layers=layers, positions=positions, adapter=lab.adapter, prompts=lab.prompts
        )

    def start(self, grid: Grid, progress: Progress | None = None) -> Job[Sweep]:
        """Start a sweep without waiting; it gives way to steps between batches."""
        shown = self._shown(grid)

        def work(cancel: CancelToken) -> Generator[None, None, Sweep]:
            values = yield from self.cells(shown.run, grid.cells, cancel, progress)
            return self._sweep(grid, shown, values, exact=True)

        return self._worker.submit_background(work)

    def approximate(self, grid: Grid, method: Literal["atp", "atp*"]) -> Job[Sweep]:
        """Start an estimate of all cells without waiting.

        Raises
        ------
        InterventionError
            `unknown_sweep` for an unknown method.
        """
        if method not in ("atp", "atp*"):
            raise InterventionError(
                f"A sweep can be approximated by 'atp' or 'atp*', not {method!r}; leave it out for exact cells.",
                code="unknown_sweep",
            )
        shown = self._shown(grid)

        def work(cancel: CancelToken) -> Sweep:
            effects = self._attributed(shown.run, grid.cells, cancel, method)
            return self._sweep(grid, shown, shown.outcome.values + effects, exact=False)

        return self._worker.submit(work)

    def stream(self, grid: Grid, order: str) -> SweepStream:
        """Start a sweep that tells what it finds as it goes: the estimate at once, then exact cells.

        Raises
        ------
        InterventionError
            `unknown_sweep` for an unknown `order`.
        """
        if order not in ("atp", "layer"):
            raise InterventionError(
                f"The order of a sweep is 'atp' (the largest estimated effects first) or 'layer', not {order!r}.",
                code="unknown_sweep",
            )
        shown = self._shown(grid)
        values = torch.full((len(grid.cells), self._lab.prompts.n), torch.nan, dtype=shown.outcome.values.dtype)
        stream = SweepStream(self._sweep(grid, shown, values, exact=False))

        def work(cancel: CancelToken) -> Generator[None, None, None]:
            importance = None
            effects = self.estimate(shown.run, grid.cells, cancel) if order == "atp" else None
            if effects is not None:
                stream.add(range(len(grid.cells)), shown.outcome.values + effects, exact=False)
                importance = effects.mean(-1).abs()
                yield
            yield from self.cells(
                shown.run, grid.cells, cancel, lambda cells, found: stream.add(cells, found, exact=True), importance
            )

        stream.begin(self._worker.submit_background(work))
        return stream

    def cells(
        self,
        run: EditedRun,
        cells: Sequence[Intervention],
        cancel: CancelToken,
        progress: Progress | None = None,
        importance: Float[Tensor, " cell"] | None = None,
    ) -> Generator[None, None, Float[Tensor, "cell batch"]]:
        """The metric of each cell on top of a run, batch by batch; for generators given to `run_in_background`."""
        lab = self._lab
        return (
            yield from sweep_steps(
                lab.choice.engine,
                run,
                cells,
                adapter=lab.adapter,
                prompts=lab.prompts,
                metric=lab.metric,
                source=self._source(run),
                cancel=cancel,
                progress=progress,
                importance=importance,
            )
        )

    def estimate(
        self, run: EditedRun, cells: Sequence[Intervention], cancel: CancelToken
    ) -> Float[Tensor, "cell batch"] | None:
        """What each cell's effect would be if the model were linear (attribution patching); on the worker thread only.

        NaN where that is not known; None if the metric has no gradient, or if there is no memory for the backward
        pass: exact cells need less.
        """
        try:
            return self._attributed(run, cells, cancel, "atp")
        except MetricError as error:
            if error.code != "metric_not_differentiable":
                raise
            return None
        except torch.OutOfMemoryError:
            return None

    def _attributed(
        self, run: EditedRun, cells: Sequence[Intervention], cancel: CancelToken, method: Literal["atp", "atp*"]
    ) -> Float[Tensor, "cell batch"]:
        lab = self._lab
        own = compile_plan(cells, lab.adapter, lab.prompts, run.plan.base, self._source(run)).writes
        anatomy = None
        if method == "atp*":
            try:
                anatomy = lab.adapter.anatomy()
            except ModelError as error:
                raise EngineError(
                    f"AtP* needs the parts of the model's attention: {error.message} Use approximate='atp'.",
                    code="no_atp_star",
                ) from error
        return attribute(
            lab.adapter,
            run,
            own,
            metric=lab.metric,
            prompts=lab.prompts,
            cancel=cancel,
            method=method,
            anatomy=anatomy,
        )

    def without(self, indices: Sequence[int], shown: Shown, cancel: CancelToken) -> Float[Tensor, " batch"]:
        """The metric of a shown state without these of its edits; on the worker thread only."""
        state = shown.history.state
        for index in sorted(indices, reverse=True):
            state = state.removed(index)
        plan = self._lab.plan(state.base, state.active)
        return self._lab.values(self._lab.choice.engine.run(plan, near=shown.run, cancel=cancel))

    def _shown(self, grid: Grid) -> Shown:
        """The state to sweep from, if a sweep like this is possible there."""
        shown = self._steps.shown
        # The cells differ in nothing that could be refused, save for their places, which the grid has checked.
        self._lab.plan(shown.history.state.base, grid.cells[:1])
        return shown

    def _source(self, run: EditedRun) -> CachedRun | None:
        return self._lab.source("clean" if run.plan.base is self._lab.clean else "corrupted")

    def _sweep(self, grid: Grid, shown: Shown, values: Float[Tensor, "cell batch"], *, exact: bool) -> Sweep:
        lab = self._lab
        return Sweep(
            grid=grid,
            per_prompt=values.unflatten(0, grid.shape),
            baseline=shown.outcome.values.clone(),
            clean=lab.clean_values.clone(),
            corrupted=None if lab.corrupted_values is None else lab.corrupted_values.clone(),
            metric=lab.metric.name,
            unit=lab.metric.unit,
            exact=torch.full(grid.shape, exact),
        )
