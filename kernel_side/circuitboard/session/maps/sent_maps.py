"""Maps that views were sent: what a view keeps to compare others with is named by its number, and drawn from here.

Only numbers and names are kept, no runs, so that a map takes a few bytes a cell.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from circuitboard.errors import InterventionError
from circuitboard.pictures import UNKNOWN, Other, position_names, state_words
from circuitboard.prompts.columns import token_columns
from circuitboard.session.maps.map_grid import TOGETHER

if TYPE_CHECKING:
    from circuitboard.prompts import Prompts
    from circuitboard.protocol.messages import View
    from circuitboard.session.maps.live_map import MapState
    from circuitboard.steps import BoardState
    from circuitboard.sweeps import Grid

MOST_BYTES = 2**23
"""That are kept; of more, the oldest maps are forgotten, those of unedited runs last."""


@dataclass(frozen=True, eq=False)
class SentMap:
    """A map as it was sent last.

    Parameters
    ----------
    view, state
        The settings and the state of the board that it is of.
    grid
        Its axes; the cells are left out.
    effect, known, index
        As in `MapState`.
    """

    view: View
    state: BoardState
    grid: Grid
    effect: np.ndarray
    known: np.ndarray
    index: np.ndarray | None

    @property
    def n_bytes(self) -> int:
        """Bytes of its numbers."""
        arrays = (self.effect, self.known, *(() if self.index is None else (self.index,)))
        return sum(array.nbytes for array in arrays)

    def beside(self, live: MapState, prompts: Prompts, prompt: int) -> Other:
        """The same map (A) laid over the cells of the live one (B); positions are named as in one of the prompts.

        Raises
        ------
        InterventionError
            `other_map` if they are of other things.
        """
        a, b = self.grid, live.grid
        if self.view.map != live.view.map or a.layers != b.layers or a.shape != b.shape:
            raise InterventionError(
                f"A is a map of {self.view.map}, {a.shape[0]} × {a.shape[1]}, and this is one of {live.view.map}, "
                f"{b.shape[0]} × {b.shape[1]}: only maps of the same things can be compared.",
                code="other_map",
            )
        effect, known = self.effect, self.known
        if self.index is not None and live.index is not None:
            effect, known = _by_neuron(self.index, live.index, effect, known, b.shape[1])
        words = state_words(self.state.base, [str(edit) for edit in self.state.active])
        return Other(effect, known, words, self._settings(live, prompts, prompt))

    def _settings(self, live: MapState, prompts: Prompts, prompt: int) -> str:
        """In what it differs from the live map beside its state, in words; "" for nothing."""
        parts = []
        if self.view.mode != live.view.mode:
            parts.append(f'with "{self.view.mode}"')
        if self.state.base != live.shown.history.state.base:
            parts.append(f"on the {self.state.base} run")
        if self.view.map in TOGETHER and self.view.positions != live.view.positions:
            mine = self.view.positions
            named = "all positions" if mine is None else position_names(mine, token_columns(prompts, [prompt])[0])
            parts.append(f"at {named}")
        return ", ".join(parts)


class SentMaps:
    """The maps of one session by their `map_id`; views and the worker may ask at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._maps: dict[int, SentMap] = {}
        self._bytes = 0

    def note(self, live: MapState) -> None:
        """Remember a map as it is sent."""
        grid = replace(live.grid, cells=())
        sent = SentMap(live.view, live.shown.history.state, grid, live.effect, live.known, live.index)
        with self._lock:
            before = self._maps.get(live.map_id)
            self._bytes += sent.n_bytes - (0 if before is None else before.n_bytes)
            self._maps[live.map_id] = sent
            while self._bytes > MOST_BYTES and len(self._maps) > 1:
                others = (map_id for map_id in self._maps if map_id != live.map_id)
                oldest = min(others, key=lambda map_id: (not self._maps[map_id].state.active, map_id))
                self._bytes -= self._maps.pop(oldest).n_bytes

    def called(self, map_id: int) -> SentMap:
        """The map of this number.

        Raises
        ------
        InterventionError
            `map_forgotten`.
        """
        with self._lock:
            found = self._maps.get(map_id)
        if found is None:
            raise InterventionError(
                "The kernel has forgotten the map (A) that this one is compared with; stop comparing, or keep another.",
                code="map_forgotten",
            )
        return found


def _by_neuron(
    mine: np.ndarray, wanted: np.ndarray, effect: np.ndarray, known: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """What is known of the neurons that are wanted: each state ranks those of a layer anew."""
    found, told = np.full_like(effect, np.nan), np.zeros_like(known)
    for start in range(0, len(wanted), columns):
        places = {int(neuron): start + at for at, neuron in enumerate(mine[start : start + columns]) if neuron >= 0}
        for cell in range(start, min(start + columns, len(wanted))):
            place = places.get(int(wanted[cell]))
            if place is not None:
                found[cell], told[cell] = effect[place], known[place]
    return np.where(told == UNKNOWN, np.nan, found).astype(effect.dtype), told
