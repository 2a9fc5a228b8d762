"""The board's maps: sweeps on top of the edits in force, whole, streamed or cell by cell."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from circuitboard.address import one_of
from circuitboard.boundary import public, require_function
from circuitboard.desk.ground import ground_of
from circuitboard.engine import piece
from circuitboard.errors import InterventionError
from circuitboard.sweeps import Grid, Progress, Sweep, SweepStream, grid_of
from circuitboard.sweeps.passes import dearer
from circuitboard.words import instead

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Edge, Positions, Site
    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Shown
    from circuitboard.desk.timeline import Timeline
    from circuitboard.engine import CancelToken, Job, Worker
    from circuitboard.metrics import Metric


@public
class Maps:
    """Sweeps of one board."""

    def __init__(self, lab: Lab, worker: Worker, timeline: Timeline) -> None:
        self._lab = lab
        self._worker = worker
        self._timeline = timeline

    def grid(
        self,
        over: str,
        *,
        by: str = "all",
        how: str = "patch",
        layers: object = None,
        positions: object = None,
        per: str | None = None,
    ) -> Grid:
        """The cells of a sweep, in order."""
        prompts = self._lab.prompts.of(self._timeline.shown.history.state.base)
        return grid_of(
            over,
            by=by,
            how=how,
            layers=layers,
            positions=positions,
            adapter=self._lab.adapter,
            prompts=prompts,
            per=per,
        )

    def start(self, grid: Grid, progress: Progress | None = None, on: str | None = None) -> Job[Sweep]:
        """Start a sweep without waiting; it gives way to steps between batches."""
        shown, metric = self._shown(grid), self._lab.metric_called(on)
        if progress is not None:
            require_function(progress, "Progress is a function of the cells and their values")

        ground = ground_of(self._lab, shown.run, metric)

        def work(cancel: CancelToken) -> Generator[None, None, Sweep]:
            values = yield from ground.cells(grid.cells, cancel, progress)
            return self._sweep(grid, shown, values, metric)

        return self._worker.submit_background(work)

    def of_state(
        self, node: int, grid: Grid, on: str | None, cancel: CancelToken
    ) -> Generator[None, None, tuple[Shown, Sweep]]:
        """A state of the history and its sweep, without going there; for generators given to the worker."""
        metric = self._lab.metric_called(on)
        shown = self._timeline.at(node, cancel)
        yield
        self._lab.plan(shown.history.state.base, grid.cells[:1])
        values = yield from ground_of(self._lab, shown.run, metric).cells(grid.cells, cancel)
        return shown, self._sweep(grid, shown, values, metric)

    def approximate(self, grid: Grid, method: Literal["atp", "atp*"], on: str | None = None) -> Job[Sweep]:
        """Start an estimate of all cells without waiting.

        Raises
        ------
        InterventionError
            `unknown_sweep` for an unknown method.
        """
        if not one_of(method, ("atp", "atp*")):
            raise InterventionError(
                f"A sweep can be approximated by 'atp' or 'atp*', not {method!r:.60}; leave it out for exact cells.{instead('approximate', method, ('atp', 'atp*'))}",
                code="unknown_sweep",
            )
        shown, metric = self._shown(grid), self._lab.metric_called(on)

        ground = ground_of(self._lab, shown.run, metric)

        def work(cancel: CancelToken) -> Generator[None, None, Sweep]:
            effects = yield from piece(lambda: ground.attributed(grid.cells, cancel, method), cancel)
            return self._sweep(grid, shown, ground.values + effects, metric, method)

        return self._worker.submit_background(work)

    def stream(self, grid: Grid, order: str, on: str | None = None) -> SweepStream:
        """Start a sweep that tells what it finds as it goes: the estimate at once, then exact cells.

        Raises
        ------
        InterventionError
            `unknown_sweep` for an unknown `order`.
        """
        if not one_of(order, ("atp", "layer")):
            raise InterventionError(
                f"The order of a sweep is 'atp' (the largest estimated effects first) or 'layer', not {order!r}.",
                code="unknown_sweep",
            )
        shown, metric = self._shown(grid), self._lab.metric_called(on)
        baseline, ground = self._lab.values(shown.run, metric), ground_of(self._lab, shown.run, metric)
        values = torch.full((len(grid.cells), self._lab.prompts.n), torch.nan, dtype=baseline.dtype)
        nothing = replace(self._sweep(grid, shown, values, metric), exact=torch.zeros(grid.shape, dtype=torch.bool))
        stream = SweepStream(nothing)

        def work(cancel: CancelToken) -> Generator[None, None, None]:
            importance = None
            effects = None
            if order == "atp":
                effects = yield from piece(lambda: ground.estimate(grid.cells, cancel), cancel)
            if effects is not None:
                stream.add(range(len(grid.cells)), baseline + effects, exact=False)
                importance = effects.mean(-1).abs()
                yield

            def progress(cells: Sequence[int], found: Tensor) -> None:
                stream.add(cells, found, exact=True)

            yield from ground.cells(grid.cells, cancel, progress, importance)

        stream.begin(self._worker.submit_background(work))
        return stream

    def without(self, indices: Sequence[int], shown: Shown, cancel: CancelToken) -> Float[Tensor, " batch"]:
        """The metric of a shown state without these of its edits; on the worker thread only."""
        ground = ground_of(self._lab, shown.run)
        return ground.measured(ground.plan(shown.history.state.removed(*indices).active), cancel)

    def effects_of_edits(self, shown: Shown) -> dict[int, float]:
        """What each edit in force does: the metric with minus without it; a run an edit."""
        enabled = [index for index, edit in enumerate(shown.history.state.edits) if edit.enabled]
        value = float(shown.outcome.values.double().mean())

        def work(cancel: CancelToken) -> Generator[None, None, dict[int, float]]:
            found = {}
            for index in enabled:
                values = yield from piece(partial(self.without, [index], shown, cancel), cancel)
                found[index] = value - float(values.double().mean())
            return found

        return self._worker.run_background(work) if enabled else {}

    def _shown(self, grid: Grid) -> Shown:
        """The state to sweep from, if a sweep like this is possible there."""
        if not isinstance(grid, Grid):
            raise InterventionError(
                f"What is swept is a Grid, such as board.grid('head'), not {grid!r:.60}.", code="unknown_sweep"
            )
        shown = self._timeline.shown
        # The cells differ in nothing that could be refused, save for their places, which the grid has checked.
        self._lab.plan(shown.history.state.base, grid.cells[:1])
        return shown

    def _dearer(self, grid: Grid, method: Literal["atp", "atp*"]) -> str | None:
        lab, tier = self._lab, self._lab.choice.tier
        same = 0
        if grid.how == "patch" and lab.corrupted is not None:
            same = lab.corrupted.shared_prefix(lab.clean)
        n = lab.prompts.n_positions
        found: dict[Positions, float] = {}

        def share(site: Site | Edge) -> float:
            # The replay tier computes all rows; the wavefront those from the first changed one on.
            if tier == "replay":
                return 1.0
            if site.positions not in found:
                columns = {column for row in lab.prompts.resolve(site.positions) for column in row if column >= same}
                found[site.positions] = 1 - min(columns, default=n) / n
            return found[site.positions]

        return dearer(method, grid, lab.adapter.shape.n_layers, None if tier == "hooked" else share)

    def _sweep(
        self,
        grid: Grid,
        shown: Shown,
        values: Float[Tensor, "cell batch"],
        metric: Metric,
        method: Literal["atp", "atp*"] | None = None,
    ) -> Sweep:
        unedited = self._lab.unedited(shown.history.state.base, metric)
        return Sweep(
            grid=grid,
            per_prompt=values.unflatten(0, grid.shape),
            baseline=self._lab.values(shown.run, metric),
            clean=unedited.clean.clone(),
            corrupted=None if unedited.corrupted is None else unedited.corrupted.clone(),
            metric=metric.name,
            unit=metric.unit,
            exact=torch.full(grid.shape, method is None),
            method=method,
            note=None if method is None else self._dearer(grid, method),
        )
