"""Maps as they travel: whole once, then only the cells that have changed since.

A map that fills in for a minute is told of hundreds of times. Sending what is new keeps its size on the wire that of
its cells, however long it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuitboard.protocol.messages import MapEvent
from circuitboard.session.maps.live_map import EXACT
from circuitboard.session.maps.sent_maps import SentMaps

if TYPE_CHECKING:
    from circuitboard.protocol.messages import MapBuffer
    from circuitboard.session.maps.live_map import MapState

_ON_THE_WIRE = {"effect": "<f4", "known": "u1", "stderr": "<f4", "index": "<i4"}
_CELL = 4
"""Bytes that it takes to name a cell."""


class MapEvents:
    """Makes the map events of one sequence; each is sent, in the order of their numbers."""

    def __init__(self) -> None:
        self._last: tuple[int, MapState] | None = None
        self._anew = False
        self.sent = SentMaps()

    def begin_anew(self) -> None:
        """Have the next event take nothing for known: there is a view that has not seen the last one."""
        self._anew = True

    def event(self, seq: int, state: MapState) -> tuple[MapEvent, list[bytes]]:
        """The event that brings every view up to this state of the map."""
        # Taken back first: a view that comes while this event is made gets the next one whole.
        last, self._anew = None if self._anew else self._last, False
        since, before = last if last is not None and last[1].map_id == state.map_id else (None, None)
        arrays = _arrays(state)
        changed = _changed(arrays, _arrays(before) if before is not None else _blank(arrays))
        row = sum(array.itemsize for array in arrays.values())
        names: list[MapBuffer] = list(arrays)
        if changed.size * (row + _CELL) >= state.known.size * row:
            since = None
            buffers = [array.astype(_ON_THE_WIRE[name]).tobytes() for name, array in arrays.items()]
        else:
            names.insert(0, "cells")
            buffers = [changed.astype("<u4").tobytes()]
            buffers += [array[changed].astype(_ON_THE_WIRE[name]).tobytes() for name, array in arrays.items()]
        event = _described(seq, state, names, since)
        self._last = seq, state
        self.sent.note(state)
        return event, buffers


def _described(seq: int, state: MapState, buffers: list[MapBuffer], since: int | None) -> MapEvent:
    history = state.shown.history.state
    return MapEvent(
        seq=seq,
        map_id=state.map_id,
        revision=state.shown.revision,
        over=state.view.map,
        how=state.view.mode,
        base=history.base,
        positions=state.view.positions if state.grid.by == "all" else None,
        n_edits=len(history.active),
        layers=list(state.grid.layers),
        shape=list(state.grid.shape),
        done=int((state.known == EXACT).sum()),
        total=int(state.known.size),
        status=state.status,
        error=state.error,
        elapsed_ms=state.elapsed_ms,
        buffers=buffers,
        since=since,
    )


def _arrays(state: MapState) -> dict[MapBuffer, np.ndarray]:
    found: dict[MapBuffer, np.ndarray] = {"effect": state.effect, "known": state.known}
    if state.stderr is not None:
        found["stderr"] = state.stderr
    if state.index is not None:
        found["index"] = state.index
    return found


def _blank(arrays: dict[MapBuffer, np.ndarray]) -> dict[MapBuffer, np.ndarray]:
    nothing = {"stderr": np.nan, "index": -1}
    return {name: np.full_like(array, nothing.get(name, 0)) for name, array in arrays.items()}


def _changed(now: dict[MapBuffer, np.ndarray], before: dict[MapBuffer, np.ndarray]) -> np.ndarray:
    """The cells in which anything is another; not-a-number is itself."""
    other = np.zeros(now["known"].shape, bool)
    for name, array in now.items():
        same = array == before[name]
        if array.dtype.kind == "f":
            same |= np.isnan(array) & np.isnan(before[name])
        other |= ~same
    return np.flatnonzero(other)
