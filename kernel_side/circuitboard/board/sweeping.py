"""The sweeps of a board: what each component does, on top of the edits in force. `Board` has these as its methods."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from circuitboard.desk.comparison import compared
from circuitboard.desk.progress import progress_bar
from circuitboard.desk.state_comparison import ComparedState, StateComparison

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.address import Per, PositionsLike
    from circuitboard.desk.comparison import Comparison
    from circuitboard.desk.desk import Desk, OnDesk
    from circuitboard.engine import CancelToken
    from circuitboard.sweeps import Grid, Sweep, SweepHow, SweepStream
    from circuitboard.sweeps.cells import By, Over


def sweep(
    board: OnDesk,
    over: Over,
    *,
    by: By = "all",
    how: SweepHow = "patch",
    layers: int | Sequence[int] | None = None,
    positions: PositionsLike | None = None,
    approximate: Literal["atp", "atp*"] | None = None,
    on: str | None = None,
    per: Per | None = None,
) -> Sweep:
    """Edit each component in turn, on top of the current edits.

    Parameters
    ----------
    over
        "head", "head.q", "head.k", "head.v", "head.pattern", "head.result", "neuron", "resid_pre", "resid_mid",
        "resid_post", "attn_out" or "mlp_out".
    by
        "all": at all `positions` together; "pos": at each of them alone, for a pattern as the one that attends;
        "label": at each label alone, wherever it lies in each prompt.
        Where prompts are padded, a cell is a column of the padded tokens: their ends align, and a prompt that is
        padded there stays as it is.
    how
        "patch" (from the source run), "zero", "mean" or "resample" (seed 0), as the interventions of these names.
    layers, positions
        Which ones; default all.
    approximate
        None: exact. "atp": attribution patching, one forward and one backward pass for all cells (Nanda 2023).
        "atp*": the same with its two blind spots mended, saturated attention and effects that cancel (Kramár et
        al. 2024), a backward pass a layer. No cell of an approximate sweep is marked exact; `.note` says where it
        costs more than the exact sweep.
    on
        Which of the board's metrics; default the first.
    per
        How patches, means and resamples are matched with other prompts, as for the interventions: "position" or
        "label"; default "label" for a sweep by label, else "position". Matched per label, only labelled positions
        are edited, so clean and corrupted prompts need not be as long.

    Returns
    -------
    Sweep
        Values [layer], [layer, pos], [layer, head] or [layer, pos, head] (label in place of pos for by="label"), with
        neurons in place of heads for "neuron". "head.k" and "head.v" have as many heads as the model has key-value heads.
    """
    desk = board.desk
    grid = desk.maps.grid(over, by=by, how=how, layers=layers, positions=positions, per=per)
    desk.worker.require_elsewhere()
    if approximate is not None:
        return desk.maps.approximate(grid, approximate, on).result()
    return _waited(desk, grid, on)


def _waited(desk: Desk, grid: Grid, on: str | None) -> Sweep:
    """An exact sweep, with a bar while it takes its time."""
    done = 0

    def progress(cells: Sequence[int], _values: Tensor) -> None:
        nonlocal done
        done += len(cells)

    job = desk.maps.start(grid, progress, on)
    with progress_bar(f"{grid.how} {grid.over}", len(grid.cells), lambda: done) as tick:
        return job.result(tick)


def sweep_async(
    board: OnDesk,
    over: Over,
    *,
    by: By = "all",
    how: SweepHow = "patch",
    layers: int | Sequence[int] | None = None,
    positions: PositionsLike | None = None,
    order: Literal["atp", "layer"] = "atp",
    on: str | None = None,
    per: Per | None = None,
) -> SweepStream:
    """Start the same sweep without waiting.

    Parameters
    ----------
    over, by, how, layers, positions, on, per
        As for `sweep`.
    order
        "atp": an estimate of all cells at once (attribution patching), then exact cells, those with the largest
        estimate first. "layer": exact cells in the order that costs least.

    Returns
    -------
    SweepStream
        To iterate over, wait for or cancel; `.partial()` is what is known so far.
    """
    maps = board.desk.maps
    grid = maps.grid(over, by=by, how=how, layers=layers, positions=positions, per=per)
    return maps.stream(grid, order, on)


def compare(
    board: OnDesk,
    corruptions: Sequence[str] | Mapping[str, Any],
    *,
    over: Over = "head",
    by: By = "all",
    how: SweepHow = "patch",
    layers: int | Sequence[int] | None = None,
    positions: PositionsLike | None = None,
    on: str | None = None,
    per: Per | None = None,
) -> Comparison:
    """Sweep under several corruptions of the same clean prompts, and flag what depends on the choice.

    Each sweep starts from the current edits. Zhang & Nanda 2024, "Towards Best Practices of Activation Patching"
    (arXiv:2309.16042).

    Parameters
    ----------
    corruptions
        Names of corruptions of the task that made the prompts; or name → corrupted prompts (as
        `PromptPair(corrupted=…)` takes them) or a whole `PromptPair` with the same clean prompts.
    over, by, how, layers, positions, on, per
        As for `sweep`.

    Returns
    -------
    Comparison
        A table of all components, the maps side by side, and those whose sign or rank depends on the corruption.

    Raises
    ------
    PromptError
        `no_recipe`, `unknown_corruption`, `clean_differs`, `too_few_corruptions`.
    """

    def swept(desk: Desk) -> Sweep:
        grid = desk.maps.grid(over, by=by, how=how, layers=layers, positions=positions, per=per)
        return _waited(desk, grid, on)

    return compared(board.desk, corruptions, swept)


def compare_states(
    board: OnDesk,
    left: int = 0,
    right: int | None = None,
    *,
    over: Over | None = None,
    by: By = "all",
    how: SweepHow = "zero",
    layers: int | Sequence[int] | None = None,
    positions: PositionsLike | None = None,
    per: Per | None = None,
) -> StateComparison:
    """What changed between two states of the history, the unedited run and the current state by default.

    The board stays where it is. Both states are computed on the same prompts, so the change is told with paired
    error bars.

    Parameters
    ----------
    left, right
        Indices in `history.nodes`; `right` None for the current state.
    over, by, how, layers, positions, per
        With `over`, the map of each state too, as `sweep` takes them: what each component does there.

    Raises
    ------
    CircuitboardError
        `no_such_state`; and as `sweep`.
    """
    desk = board.desk
    history, timeline, maps = desk.history, desk.timeline, desk.maps
    nodes = [history.require(left), history.current if right is None else history.require(right)]
    grid = None
    if over is not None:
        grid = maps.grid(over, by=by, how=how, layers=layers, positions=positions, per=per)

    def work(cancel: CancelToken) -> Generator[None, None, list[ComparedState]]:
        sides = []
        for node in nodes:
            if grid is None:
                sides.append(ComparedState.of(timeline.at(node, cancel)))
                yield
            else:
                shown, sweep = yield from maps.of_state(node, grid, None, cancel)
                sides.append(ComparedState.of(shown, sweep))
        return sides

    one, other = desk.worker.run_background(work)
    return StateComparison(one, other, desk.lab.metric.name, desk.lab.metric.unit, desk.lab)
