"""Two states of a board for the panel, and the map of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.desk.ground import ground_of
from circuitboard.desk.state_comparison import ComparedState, StateComparison
from circuitboard.desk.top_tokens import require_prompt
from circuitboard.errors import Cancelled, CircuitboardError, EngineError
from circuitboard.metrics import interval_of, standard_error
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import error_info
from circuitboard.session.maps.live_map import EXACT
from circuitboard.session.maps.map_grid import grid_for, same_map
from circuitboard.session.snapshot import MOST_RESAMPLED, TOP_TOKENS
from circuitboard.session.tree import short
from circuitboard.sweeps import cell_effects

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import CancelToken
    from circuitboard.session.maps.live_map import MapState
    from circuitboard.session.reader import Reading
    from circuitboard.sweeps import Grid

    Known = Callable[[Shown, m.View], list[float] | None]


@dataclass(frozen=True)
class Sides:
    """What is asked for: two states, the prompt whose tokens are told, and the map that is looked at.

    Parameters
    ----------
    maps
        Whether both maps are to be computed.
    """

    left: int
    right: int
    prompt: int
    view: m.View
    maps: bool

    @classmethod
    def of(cls, request: m.Compare, desk: Desk, view: m.View) -> Sides:
        """What a request asks for, or the reason why that cannot be.

        Raises
        ------
        CircuitboardError
            `no_such_state`, `no_such_prompt`.
        """
        history = desk.shown.history
        for node in (request.left, request.right):
            history.require(node)
        require_prompt(desk.lab, request.prompt)
        return cls(request.left, request.right, request.prompt, view, request.map)


def comparison_reading(
    request: m.Compare, desk: Desk, view: m.View, live_map: Callable[[], MapState | None]
) -> Reading:
    """What a request asks for, to be read later, or the reason why that does not exist.

    Parameters
    ----------
    live_map
        The map that is drawn then: what it has of either state is not computed again.
    """
    asked = Sides.of(request, desk, view)
    return lambda answered, cancel: read_comparison(
        answered, desk, asked, lambda shown, view: _drawn(live_map(), shown, view), cancel
    )


def read_comparison(
    request: str, desk: Desk, asked: Sides, known: Known, cancel: CancelToken
) -> Generator[None, None, tuple[m.Compared, list[bytes]]]:
    """Compute both states and, if asked for, their maps; for `Desk.run_in_background`.

    Returns
    -------
    tuple
        The answer, and the buffers that go with it.
    """
    started = time.perf_counter()
    revision = desk.shown.revision
    sides = []
    for node in (asked.left, asked.right):
        sides.append(desk.state_at(node, cancel))
        yield
    left, right = map(ComparedState.of, sides)
    comparison = StateComparison(left, right, desk.lab.metric.name, desk.lab.metric.unit, desk.lab)
    grid = grid_for(desk, asked.view)
    effects = [known(shown, asked.view) for shown in sides]
    runs = effects.count(None) * grid.shape[0] * grid.shape[1]
    maps, buffers, refused = None, [], None
    if asked.maps:
        begun = time.perf_counter()
        try:
            for index, shown in enumerate(sides):
                found = effects[index]
                if found is None:
                    found = (yield from _effects(desk, grid, shown, cancel)).tolist()
                buffers.append(np.asarray(found, "<f4").tobytes())
        except Cancelled:
            raise
        except CircuitboardError as error:
            buffers, refused = [], error_info(error)
        else:
            positions = asked.view.positions if grid.by == "all" else None
            elapsed = (time.perf_counter() - begun) * 1000
            maps = m.ComparedMaps(
                asked.view.map, asked.view.mode, positions, list(grid.layers), list(grid.shape), elapsed
            )
    answer = _answer(request, revision, comparison, asked, maps, refused, runs, started)
    return answer, buffers


def _drawn(state: MapState | None, shown: Shown, view: m.View) -> list[float] | None:
    """The effects of a state's map, if it is the one that is drawn, whole and exact."""
    if state is None or not same_map(state.view, view) or not (state.known == EXACT).all():
        return None
    same = state.shown.run is shown.run and state.shown.history.state.acting == shown.history.state.acting
    return state.effect.tolist() if same and state.index is None else None


def _effects(desk: Desk, grid: Grid, shown: Shown, cancel: CancelToken) -> Generator[None, None, Tensor]:
    """The effect of every cell in a state, mean over prompts, as the map of that state has them."""
    if not grid.cells:
        raise EngineError(
            "Each state has neurons of its own in this map, so the two cannot be laid side by side; choose another map.",
            code="no_comparison",
        )
    desk.lab.plan(shown.history.state.base, grid.cells[:1])
    ground = ground_of(desk.lab, shown.run)
    effects = yield from cell_effects(ground, shown.history.state, grid.cells, cancel, by_position=grid.by == "pos")
    return effects.mean(-1)


def _answer(
    request: str,
    revision: int,
    comparison: StateComparison,
    asked: Sides,
    maps: m.ComparedMaps | None,
    refused: m.ErrorInfo | None,
    runs: int,
    started: float,
) -> m.Compared:
    change = comparison.values.double()
    n = len(change)
    low, high = interval_of(change) if 1 < n <= MOST_RESAMPLED else (None, None)
    rows = comparison.token_changes(TOP_TOKENS, asked.prompt)
    return m.Compared(
        request,
        revision=revision,
        left=_side(comparison.left),
        right=_side(comparison.right),
        change=m.Real.of(float(change.mean())),
        stderr=m.Real.of(float(standard_error(change))) if n > 1 else None,
        low=None if low is None else m.Real.of(low),
        high=None if high is None else m.Real.of(high),
        prompt=asked.prompt,
        tokens=[
            m.ComparedToken(
                row.token,
                row.token_id,
                m.Real.of(row.left_prob),
                m.Real.of(row.right_prob),
                m.Real.of(row.left_logit),
                m.Real.of(row.right_logit),
                row.side,
            )
            for row in rows
        ],
        runs=runs,
        maps=maps,
        refused=refused,
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )


def _side(side: ComparedState) -> m.ComparedState:
    node = side.shown.history.nodes[side.node]
    values = side.values.double()
    return m.ComparedState(
        node=side.node,
        label=short(node.label),
        note=node.note,
        base=node.state.base,
        edits=[
            m.ComparedEdit(short(str(edit.intervention)), edit.enabled, edit.name, edit.group) for edit in side.edits
        ],
        value=m.Real.of(float(values.mean())),
        stderr=m.Real.of(float(standard_error(values))) if len(values) > 1 else None,
        values=[m.Real.of(value) for value in values.tolist()],
    )
