"""What leaves the panel: the map as a table or a drawing, the last step as code, the board as a page or a file."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from circuitboard.errors import InterventionError, SessionFileError
from circuitboard.files import plain, require_place, write
from circuitboard.files.code import last_step, sweep_expression, to_python
from circuitboard.files.storage import encoded
from circuitboard.pictures import (
    Look,
    MapDrawing,
    Other,
    Shows,
    difference_of,
    distance_of,
    drawing_of,
    looked_at,
    page_of,
    require_distance,
    svg_of,
)
from circuitboard.protocol.messages import Exported, Saved
from circuitboard.session.maps.live_map import EXACT
from circuitboard.session.maps.sent_maps import SentMaps
from circuitboard.sweeps import edited_cells

if TYPE_CHECKING:
    import numpy as np

    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.protocol.drawing import ColourMap
    from circuitboard.protocol.messages import AnyAnswer, Export, MapLook, Save
    from circuitboard.session.maps.live_map import MapState
    from circuitboard.session.reply import Reply

What = Literal["csv", "python", "svg", "html", "board"]

SLOW: frozenset[What] = frozenset({"svg", "html", "board"})
"""What may take a while to make: fonts are read, weights are hashed."""


@dataclass(frozen=True, eq=False)
class Known:
    """What the panel knows besides the board.

    Parameters
    ----------
    shown
        The state that is shown.
    map
        Its map, if there is one yet.
    effects
        What edits do: indices of the edits → the metric with minus without all of them.
    values
        The metric of states of the history.
    prompt
        The one that is looked at.
    colours
        The map from effects to colours.
    sent
        The maps that views were sent, of which one may be compared with.
    """

    shown: Shown
    map: MapState | None
    effects: Mapping[tuple[int, ...], float]
    values: Mapping[int, float]
    prompt: int
    colours: ColourMap = "orange-blue"
    sent: SentMaps = field(default_factory=SentMaps)


def give_export(reply: Reply, request: Export, desk: Desk, known: Known) -> None:
    """Answer an `Export`, at once where that takes no time."""
    if request.what in SLOW:
        _aside(reply, lambda: exported(request.id, request.what, desk, known, request.look))
    else:
        answer = exported(request.id, request.what, desk, known, request.look)
        reply.give(lambda _seq: answer)


def give_saved(reply: Reply, request: Save, desk: Desk) -> None:
    """Answer a `Save`."""
    _aside(reply, lambda: saved(request.id, request.path, desk, overwrite=request.overwrite))


def _aside(reply: Reply, make: Callable[[], AnyAnswer]) -> None:
    """Give an answer that may take a while to make, or say why there is none; clicks do not wait for it."""

    def work() -> None:
        try:
            answer = make()
        except Exception as error:  # noqa: BLE001  it is told to the view that asked
            reply.fail(error)
        else:
            reply.give(lambda _seq: answer)

    threading.Thread(target=work, name="circuitboard-export", daemon=True).start()


def exported(request: str, what: What, desk: Desk, known: Known, look: MapLook | None = None) -> Exported:
    """Answer an `Export`.

    Raises
    ------
    CircuitboardError
        `model_changed`; `no_map` if there is no map yet, `no_last_step`, `file_too_large`; `bad_look`, `no_share`, `other_map`,
        `map_forgotten` if a map cannot be looked at like this.
    """
    if what == "python":
        return Exported(request, last_step(desk.history), "last_step.py", "text/x-python")
    desk.lab.watch.require_unchanged()
    if what == "html":
        return Exported(request, html_of(desk, known), f"{file_stem(desk)}.html", "text/html")
    if what == "board":
        text = encoded(desk).data.decode()
        return Exported(request, text, f"{file_stem(desk)}.board.json", "application/json")
    state = _map(known)
    name = f"circuitboard-{state.view.map}"
    if what == "svg":
        return Exported(request, svg_of(looked_map(desk, state, known, look)), f"{name}.svg", "image/svg+xml")
    return Exported(request, csv_of(state, desk, _columns(desk, state, known, look)), f"{name}.csv", "text/csv")


def saved(request: str, path: str, desk: Desk, *, overwrite: bool) -> Saved:
    """Answer a `Save`.

    Raises
    ------
    SessionFileError
        `cannot_write`, `file_exists`, `file_too_large`.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise SessionFileError(
            f"'{plain(path)[:200]}' is no name of a file: it has half of a character.", code="cannot_write"
        ) from error
    try:
        place = Path(path).expanduser().absolute() if path.strip() else None
    except (RuntimeError, OSError) as error:  # no home folder, no working directory
        raise SessionFileError(f"{path!r:.200} cannot be written: {error}.", code="cannot_write") from error
    if place is None:
        raise SessionFileError("Name a file to save the board in.", code="cannot_write")
    require_place(place, overwrite=overwrite)
    data = encoded(desk).data
    write(place, data, overwrite=overwrite)
    return Saved(request, str(place), len(data))


def drawn_map(desk: Desk, state: MapState, colours: ColourMap = "orange-blue", prompt: int = 0) -> MapDrawing:
    """The panel's map as it is drawn outside of it, positions named by the tokens of the prompt that is looked at."""
    drawing = drawing_of(
        desk,
        state.shown,
        state.grid,
        state.effect,
        state.known,
        stderr=state.stderr,
        live=True,
        colours=colours,
        prompt=prompt,
        filling=state.status == "computing",
    )
    if desk.prompts.n == 1 or not drawing.tokens:
        return drawing
    return replace(drawing, details=[*drawing.details, f"Columns are named by the tokens of prompt {prompt + 1}."])


def looked_map(desk: Desk, state: MapState, known: Known, look: MapLook | None) -> MapDrawing:
    """The panel's map as a view looks at it.

    Raises
    ------
    CircuitboardError
        `bad_look`, `no_share`, `other_map`, `map_forgotten`.
    """
    drawing = drawn_map(desk, state, known.colours, known.prompt)
    if look is None:
        return drawing
    other = _other(desk, state, known, look)
    seen = Look(
        share=look.unit == "share",
        rows=look.rows,
        columns=look.columns,
        show=look.show,
        hide_below=look.hide_below,
        numbers_from=look.numbers_from,
        side=look.side,
        order=look.order,
        layers=look.layers,
    )
    return looked_at(drawing, seen, other, distance_of(desk, state.shown))


def _other(desk: Desk, state: MapState, known: Known, look: MapLook) -> Other | None:
    if look.against is None:
        return None
    return known.sent.called(look.against).beside(state, desk.prompts, known.prompt)


def _columns(
    desk: Desk, state: MapState, known: Known, look: MapLook | None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What a look makes of the effects: name of the column → its numbers, and what is known of them."""
    if look is None:
        return {}
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    a = _other(desk, state, known, look)
    if a is not None:
        found["effect_a"] = a.effect, a.known
        found["difference"] = difference_of(a, state.effect, state.known)
    if look.unit == "share":
        distance = require_distance(distance_of(desk, state.shown))
        shares = {"effect": (state.effect, state.known), **found}
        found |= {f"{name}_normalized": (effect / distance, told) for name, (effect, told) in shares.items()}
    return found


def html_of(desk: Desk, known: Known) -> str:
    """The board as one page, with the panel's map if it is of the state that is shown."""
    shown, state = known.shown, known.map
    maps = []
    if state is not None and state.shown is shown and state.grid.cells:
        maps.append((drawn_map(desk, state, known.colours, known.prompt), sweep_expression(desk, state.grid)))
    effects = {indices[0]: effect for indices, effect in known.effects.items() if len(indices) == 1}
    return page_of(desk, shown, Shows(maps, effects, known.values, known.prompt, known.colours, to_python(desk)))


def file_stem(desk: Desk) -> str:
    """Model and metric as the beginning of a file's name."""
    words = f"{desk.lab.adapter.name}-{desk.lab.metric.name}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:80].strip("-.") or "board"


def _map(known: Known) -> MapState:
    if known.map is None or not known.map.grid.cells:
        raise InterventionError(
            "There is no map to write down yet; wait until its first cells are known.", code="no_map"
        )
    return known.map


def csv_of(state: MapState, desk: Desk, more: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """A map as comma-separated values (RFC 4180): site, value, effect, exact; empty where nothing is known.

    `more` are columns to the right of these: name → numbers, and what is known of them.
    """
    value = state.shown.outcome.value
    edits = state.shown.history.state.edits
    edited = edited_cells(state.grid.cells, edits, desk.prompts, by_position=state.grid.by == "pos")
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("site", "value", "effect", "exact", *more))
    for cell, intervention in enumerate(state.grid.cells):
        rest = [float(numbers[cell]) if known[cell] else "" for numbers, known in more.values()]
        if state.known[cell]:
            effect = float(state.effect[cell])
            of_cell = value if cell in edited else value + effect
            exact = "true" if state.known[cell] == EXACT else "false"
            table.writerow((str(intervention.site), of_cell, effect, exact, *rest))
        else:
            table.writerow((str(intervention.site), "", "", "", *rest))
    return out.getvalue()
