"""One board's conversation with all its views: requests in, answers and events out. Nothing is computed here.

Requests may arrive on any thread, also while a cell runs; they are turned into jobs of the board's
worker and answered when those end. The panel's settings live here, so that two views agree.
"""

from __future__ import annotations

import dataclasses
import threading
import time
import weakref
from collections.abc import Callable
from functools import singledispatchmethod
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from circuitboard.address import Site, site
from circuitboard.board.display import made
from circuitboard.boundary import inside
from circuitboard.desk.checks.user_code import came_from_a_panel
from circuitboard.errors import AddressError, EngineError, InterventionError
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import decode_request, request_id
from circuitboard.session.board_ref import BoardRef, gone
from circuitboard.session.busy import BusyWatch
from circuitboard.session.edit_in_words import intervention_of
from circuitboard.session.export import Known, give_export, give_saved
from circuitboard.session.maps.live_map import LiveMap, MapState
from circuitboard.session.maps.map_events import MapEvents
from circuitboard.session.maps.map_grid import maps_of, require_map
from circuitboard.session.meant_edits import meant_edits, places_of, stale
from circuitboard.session.publisher import Publisher, Send
from circuitboard.session.reader import Reader
from circuitboard.session.readings.asked import Asked
from circuitboard.session.readings.comparing import comparison_reading
from circuitboard.session.readings.detail import detail_reading
from circuitboard.session.readings.trace import readers_reading, trace_reading
from circuitboard.session.reply import Reply, when_done
from circuitboard.session.snapshot import setup_of, snapshot_of
from circuitboard.session.tree import tree_of
from circuitboard.steps import History
from circuitboard.steps.clicking import after_click, clicked

if TYPE_CHECKING:
    from circuitboard.address import Edge
    from circuitboard.board import Board
    from circuitboard.desk.checks.verification import Verification
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import Job
    from circuitboard.steps import Edit

Move = Callable[[History], History]

MAP_PATIENCE_S, MAP_LOOK_S = 30.0, 0.05
"""How long a map without a view is waited for, and how often it is looked at."""


class Session:
    """The views' side of a board.

    Parameters
    ----------
    board
        The one shown.
    send
        Sends a JSON object and buffers to every view.
    """

    def __init__(self, board: Board, send: Send) -> None:
        self._here = BoardRef(board)
        self._view = m.View(map=(maps_of(board.lab.adapter) or ["head"])[0])
        self._effects: tuple[Shown | None, dict[tuple[int, ...], float]] = (None, {})
        self._drag: tuple[str | None, int] = (None, 0)
        self._lock = threading.RLock()
        self._publisher = Publisher(send)
        self._owed: set[Reply] = set()
        self._busy = BusyWatch(self._announce)
        self._map = LiveMap(board, self._map_changed, self._effects_known)
        self._map_events = MapEvents()
        self._details, self._traces, self._comparisons = Reader(board), Reader(board), Reader(board)
        self._watched = False
        # Weakly, as the board: its metrics are the user's functions, which may refer to the board.
        self._told = weakref.ref(board.lab)
        self._closed = False
        self._unsubscribe = board.on_move(self._moved)
        self._unwatch = None if board.autosave is None else board.autosave.subscribe(self._publish_snapshot)

    @property
    def _board(self) -> Board:
        """The board; refused once it is gone."""
        return self._here()

    @property
    def view(self) -> m.View:
        """What the panel is set to."""
        return self._view

    @property
    def closed(self) -> bool:
        """Whether the board is closed, so that every request is refused."""
        return self._closed

    def drawn(self) -> tuple[m.Snapshot, MapState | None]:
        """What the views draw now: the board, and the map as far as it is known."""
        return self._snapshot(), self._map.state

    def set_view(self, **given: Any) -> None:
        """Change what the panel is set to; all of it is refused if some of it cannot be."""
        with self._lock:
            self._view = self._checked(msgspec.structs.replace(self._view, **given))
        self._publish_snapshot()
        self._show_map(self._board.shown)

    def pace(self, per_second: int) -> None:
        """Send this many events a second at most."""
        self._publisher.pace(per_second)

    def compute_map(self) -> None:
        """Start the map where no view is there to ask for it, and wait until it is known, half a minute at most."""
        self._show_map(self._board.shown)
        deadline = time.monotonic() + MAP_PATIENCE_S
        while (state := self._map.state) is not None and state.status == "computing" and time.monotonic() < deadline:
            time.sleep(MAP_LOOK_S)

    @inside
    def receive(self, content: object) -> None:
        """Take a message from a view; it gets exactly one answer."""
        came_from_a_panel()
        reply = Reply(request_id(content), self._publisher, self._owed.discard)
        self._owed.add(reply)
        try:
            if self._closed:
                reply.fail(self._closed_why())
            else:
                self._handle(decode_request(content), reply)
        except Exception as error:  # noqa: BLE001  whatever goes wrong is told to the view that asked
            reply.fail(error)
            self._publish_change(error)
        except BaseException as error:
            reply.fail(error)
            raise

    def close(self) -> None:
        """Send no events any more; what is asked from now on is answered with `board_closed`."""
        self._closed = True
        self._unsubscribe()
        if self._unwatch is not None:
            self._unwatch()
        self._busy.close()
        self._map.cancel()
        for reader in (self._details, self._traces, self._comparisons):
            reader.close()
        self._publisher.close()
        for reply in tuple(self._owed):
            reply.fail(self._closed_why())

    def _closed_why(self) -> EngineError:
        return _closed() if self._here.alive else gone()

    # --- requests -----------------------------------------------------------------------------------

    @singledispatchmethod
    def _handle(self, request: Any, reply: Reply) -> None:  # noqa: ARG002
        raise TypeError(f"no handler for {type(request).__name__}")

    @_handle.register
    def _(self, request: m.Hello, reply: Reply) -> None:
        self._watched = True
        made(self._board)
        self._board.lab.watch.compare()
        setup = self._setup()
        # Made when it is sent: a snapshot from before could be older than the event that `seq` names.
        reply.give(lambda seq: m.Welcome(request.id, seq, setup, self._snapshot()))
        self._show_map(self._board.shown)
        if self._map.state is not None:
            self._map_changed(self._map.state, whole=True)

    @_handle.register
    def _(self, request: m.Click, reply: Reply) -> None:
        component = site(request.site)
        if component != component.component:
            raise AddressError("A click names its positions apart from its site.", code="bad_positions")
        prompts, mode, by_position = self._board.prompts, self._view.mode, self._view.map == "head_pos"
        where = self._at(component, request.positions)
        self._step(
            reply,
            f"{mode} {component}",
            lambda h: after_click(h, prompts, where, mode, by_position=by_position),
            click=True,
        )

    @_handle.register
    def _(self, request: m.Remove, reply: Reply) -> None:
        edits = self._meant(request.index, request.revision)
        label = f"remove {', '.join(map(str, edits))}"
        self._step(reply, "remove", lambda h: h.pushed(label, h.state.removed(*places_of(h, edits))))

    @_handle.register
    def _(self, request: m.Toggle, reply: Reply) -> None:
        edits = self._meant(request.index, request.revision)
        label = f"toggle {', '.join(str(edit.intervention) for edit in edits)}"
        self._step(reply, "toggle", lambda h: h.pushed(label, h.state.toggled(*places_of(h, edits))))

    @_handle.register
    def _(self, request: m.SetStrength, reply: Reply) -> None:
        (edit,) = self._meant(request.index, request.revision)
        stronger = dataclasses.replace(edit.intervention, strength=request.strength)
        drag = request.drag

        def move(history: History) -> History:
            state = history.state.replaced(places_of(history, [edit])[0], stronger)
            goes_on = drag is not None and self._drag == (drag, history.current)
            moved = history.amended(f"{stronger}", state) if goes_on else history.pushed(f"{stronger}", state)
            self._drag = drag, moved.current
            return moved

        self._step(reply, "strength", move, click=drag is not None)

    @_handle.register
    def _(self, request: m.Group, reply: Reply) -> None:
        edits = self._meant(request.indices, request.revision)
        words = ", ".join(str(edit.intervention) for edit in edits)
        label = f"ungroup {words}" if request.name is None else f"group {request.name}: {words}"
        name = request.name
        self._step(reply, "group", lambda h: h.pushed(label, h.state.grouped(name, *places_of(h, edits))))

    @_handle.register
    def _(self, request: m.Rename, reply: Reply) -> None:
        which, name = request.which, request.name
        if isinstance(which, str):
            if request.revision != self._board.shown.revision:
                raise stale()
            group = which
            self._step(reply, "name", lambda h: h.pushed(f"name {group}: {name}", h.state.renamed(group, name)))
            return
        (edit,) = self._meant(which, request.revision)
        label = f"name {edit.intervention}: {name or 'none'}"
        self._step(reply, "name", lambda h: h.pushed(label, h.state.renamed(places_of(h, [edit])[0], name)))

    @_handle.register
    def _(self, request: m.Note, reply: Reply) -> None:
        self._step(reply, "note", lambda h: h.noted(request.node, request.text))

    @_handle.register
    def _(self, request: m.Compare, reply: Reply) -> None:
        reading = comparison_reading(request, self._board, self._view, lambda: self._map.state)
        self._comparisons.ask(reading, reply)

    @_handle.register
    def _(self, request: m.Move, reply: Reply) -> None:
        (edit,) = self._meant(request.index, request.revision)
        self._meant(request.to, request.revision)
        self._step(
            reply, "move", lambda h: h.pushed(f"move {edit}", h.state.moved(places_of(h, [edit])[0], request.to))
        )

    @_handle.register
    def _(self, request: m.Apply, reply: Reply) -> None:
        if not request.edits:
            raise InterventionError("There are no edits to apply; name at least one.", code="no_edits")
        edits = [intervention_of(spec) for spec in request.edits]
        label = ", ".join(map(str, edits))
        self._step(reply, label, lambda h: h.pushed(label, h.state.added(edits)))

    @_handle.register
    def _(self, _request: m.Undo, reply: Reply) -> None:
        self._step(reply, "undo", History.undone)

    @_handle.register
    def _(self, _request: m.Redo, reply: Reply) -> None:
        self._step(reply, "redo", History.redone)

    @_handle.register
    def _(self, request: m.Restore, reply: Reply) -> None:
        self._step(reply, "restore", lambda h: h.restored(request.node))

    @_handle.register
    def _(self, _request: m.Clear, reply: Reply) -> None:
        self._step(reply, "clear", lambda h: h.pushed("clear", h.state.cleared()) if h.state.edits else h)

    @_handle.register
    def _(self, request: m.SetBase, reply: Reply) -> None:
        base = request.base
        move: Move = lambda h: h.pushed(f"base {base}", h.state.based_on(base)) if h.state.base != base else h  # noqa: E731
        self._step(reply, f"base {base}", move)

    @_handle.register
    def _(self, request: m.SetView, reply: Reply) -> None:
        given = {
            name: value
            for name in ("mode", "positions", "map", "prompt", "map_layer", "live", "colours")
            if (value := getattr(request, name)) is not msgspec.UNSET
        }
        self.set_view(**given)
        self._done(reply)

    @_handle.register
    def _(self, _request: m.CancelMap, reply: Reply) -> None:
        self._map.cancel()
        self._done(reply)

    @_handle.register
    def _(self, _request: m.ResumeMap, reply: Reply) -> None:
        self._map.resume(self._board.shown, self._view)
        self._details.again()
        self._traces.again()
        self._done(reply)

    @_handle.register
    def _(self, _request: m.Refresh, reply: Reply) -> None:
        job = self._board.refresh_job()
        self._busy.started(job, "measuring the model")
        when_done(job, reply, lambda _outcome: self._done(reply))

    @_handle.register
    def _(self, _request: m.Verify, reply: Reply) -> None:
        def verified(found: Verification) -> None:
            error = m.Real.of(found.max_abs_error)
            answer = m.Verified(reply.request, error, found.tolerance, found.ok, found.tier, found.disagrees)
            reply.give(lambda _seq: answer)

        when_done(self._board.verify_job(), reply, verified)

    @_handle.register
    def _(self, _request: m.CopyCode, reply: Reply) -> None:
        text = self._board.to_python()
        reply.give(lambda _seq: m.Code(reply.request, text))

    @_handle.register
    def _(self, request: m.Detail, reply: Reply) -> None:
        self._details.ask(detail_reading(request, self._board, self._view, self._known_positions), reply)

    @_handle.register
    def _(self, request: m.Trace, reply: Reply) -> None:
        self._traces.ask(trace_reading(request, self._board, self._view.mode), reply)

    @_handle.register
    def _(self, request: m.Readers, reply: Reply) -> None:
        self._traces.ask(readers_reading(request, self._board), reply)

    @_handle.register
    def _(self, request: m.Export, reply: Reply) -> None:
        shown = self._board.shown
        known_for, effects = self._effects
        of_edits = effects if known_for is shown else {}
        known = Known(
            shown,
            self._map.state,
            of_edits,
            self._board.history_values.copy(),
            self._view.prompt,
            self._view.colours,
            sent=self._map_events.sent,
        )
        give_export(reply, request, self._board, known)

    @_handle.register
    def _(self, request: m.Save, reply: Reply) -> None:
        give_saved(reply, request, self._board)

    # --- steps --------------------------------------------------------------------------------------

    def _step(self, reply: Reply, what: str, move: Move, *, click: bool = False) -> None:
        job = self._board.step(move, click=click)
        self._busy.started(job, what)
        when_done(job, reply, lambda _outcome: self._done(reply))
        job.future.add_done_callback(lambda _done: self._publish_change(job.future.exception()))

    def _at(self, component: Site | Edge, columns: list[int] | None) -> Site | Edge:
        """The component at these columns of the prompts; None means all."""
        prompts = self._board.prompts
        if columns is None:
            return component
        at = prompts.at_columns(columns)
        if not any(prompts.resolve(at)):
            raise AddressError(
                f"The {self._board.base} prompts have no token there: other prompts begin earlier. Choose another column, or edit the other run.",
                code="position_out_of_range",
            )
        return component.at(list(at or ()))

    def _meant(self, indices: int | list[int], revision: int) -> list[Edit]:
        return meant_edits(self._board.shown, indices, revision)

    def _checked(self, view: m.View) -> m.View:
        """The settings with positions in order, or the reason why they cannot be."""
        prompts = self._board.prompts
        if view.positions is not None:
            if not view.positions:
                raise AddressError("Select at least one position, or all of them.", code="bad_positions")
            where = set().union(*prompts.resolve(prompts.at_columns(view.positions)))
            if not where:
                raise AddressError("These columns are padding; select tokens.", code="position_out_of_range")
            view = msgspec.structs.replace(view, positions=sorted(where))
        if not 0 <= view.prompt < prompts.n:
            raise AddressError(f"There is no prompt {view.prompt}: the board has {prompts.n}.", code="no_such_prompt")
        require_map(self._board.lab.adapter, view)
        # Refused with the engine's own reason, before any click.
        self._board.lab.plan(self._board.base, [clicked(Site("resid_pre", 0), view.mode, prompts)])
        return view

    # --- answers and events --------------------------------------------------------------------------

    def _done(self, reply: Reply) -> None:
        reply.give(lambda _seq: m.Done(reply.request, self._board.shown.revision))

    def _announce(self, job: Job[Any], what: str) -> None:
        self._publisher.publish("busy", lambda seq: (m.BusyEvent(seq, what), []), urgent=True)
        if job.future.done():
            # It ended in this moment; what ends a step for the views must come last.
            self._publish_snapshot()

    def _moved(self) -> None:
        shown = self._board.shown
        if self._watched:
            self._publish_snapshot()
            self._show_map(shown)

    def _show_map(self, shown: Shown) -> None:
        self._map.show(shown, self._view)
        # Asked for by hand, and soon read: it goes before the map that was started in this moment.
        self._details.again()
        self._traces.again()

    def _known_positions(self, shown: Shown, asked: Asked) -> m.PositionEffects | None:
        state = self._map.state
        return None if state is None else state.effects_of_head(shown, asked.site)

    def _effects_known(self, shown: Shown, effects: dict[tuple[int, ...], float]) -> None:
        self._effects = (shown, effects)
        self._publish_snapshot(urgent=False)

    def _map_changed(self, state: MapState, *, whole: bool = False) -> None:
        if whole:
            self._map_events.begin_anew()
        self._publisher.publish("map", lambda seq: self._map_events.event(seq, state), urgent=False)

    def _publish_snapshot(self, *, urgent: bool = True) -> None:
        self._publisher.publish("snapshot", lambda seq: (self._snapshot_event(seq), []), urgent=urgent)

    def _publish_change(self, error: BaseException | None) -> None:
        """Tell the views at once if something failed because the model is another."""
        if isinstance(error, EngineError) and error.code == "model_changed" and self._watched:
            self._publish_snapshot()

    def _snapshot_event(self, seq: int) -> m.SnapshotEvent:
        """The board, and the model if it was measured again; made as it is sent, so that no view misses that."""
        setup = None if self._told() is self._board.lab else self._setup()
        return m.SnapshotEvent(seq, self._snapshot(), setup)

    def _setup(self) -> m.Setup:
        self._told = weakref.ref(self._board.lab)
        return setup_of(self._board, version("circuitboard"))

    def _snapshot(self) -> m.Snapshot:
        shown = self._board.shown
        known_for, effects = self._effects
        tree = tree_of(shown.history, self._board.history_values)
        return snapshot_of(self._board, shown, self._view, effects if known_for is shown else {}, tree)


def _closed() -> EngineError:
    return EngineError(
        "This board was closed, so nothing was changed; make a new one, or show another.", code="board_closed"
    )
