"""One board's conversation with all its views: requests in, answers and events out. Nothing is computed here.

Requests may arrive on any thread, also while a cell runs; they are turned into jobs of the board's
worker and answered when those end. The panel's settings live here, so that two views agree.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from functools import singledispatchmethod
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from circuitboard.address import Site, site
from circuitboard.boundary import inside
from circuitboard.desk.checks.user_code import came_from_a_panel
from circuitboard.errors import AddressError, EngineError, InterventionError
from circuitboard.files.code import to_python
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import decode_request, request_id
from circuitboard.session.asked_step import asked_step
from circuitboard.session.busy import BusyWatch
from circuitboard.session.desk_ref import DeskRef, gone
from circuitboard.session.edit_in_words import intervention_of
from circuitboard.session.export import Known, give_export, give_saved
from circuitboard.session.maps.live_map import LiveMap, MapState
from circuitboard.session.maps.map_events import MapEvents
from circuitboard.session.maps.map_grid import maps_of, require_map
from circuitboard.session.publisher import Publisher, Send
from circuitboard.session.reader import Reader
from circuitboard.session.readings.asked import Asked
from circuitboard.session.readings.comparing import comparison_reading
from circuitboard.session.readings.detail import detail_reading
from circuitboard.session.readings.trace import readers_reading, trace_reading
from circuitboard.session.reply import Reply, when_done
from circuitboard.session.snapshot import setup_of, snapshot_of
from circuitboard.session.tree import short, tree_of
from circuitboard.steps import Change, History, Step
from circuitboard.steps.clicking import at_columns, click_step, clicked
from circuitboard.steps.step import Add

if TYPE_CHECKING:
    from circuitboard.desk.checks.verification import Verification
    from circuitboard.desk.desk import Desk
    from circuitboard.desk.outcome import Shown
    from circuitboard.engine import Job
    from circuitboard.files.autosave import Autosave

MAP_PATIENCE_S, MAP_LOOK_S = 30.0, 0.05
"""How long a map without a view is waited for, and how often it is looked at."""


class Session:
    """The views' side of a board.

    Parameters
    ----------
    desk
        Of the board that is shown.
    send
        Sends a JSON object and buffers to every view.
    autosave
        What keeps the board on disk, if something does.
    looked_at
        Called when a view opens.
    """

    def __init__(
        self, desk: Desk, send: Send, autosave: Autosave | None = None, looked_at: Callable[[], None] = lambda: None
    ) -> None:
        self._here = DeskRef(desk)
        self._autosave, self._looked_at = autosave, looked_at
        self._view = m.View(map=(maps_of(desk.lab.adapter) or ["head"])[0])
        self._effects: tuple[Shown | None, dict[tuple[int, ...], float]] = (None, {})
        self._drag: tuple[str | None, int] = (None, 0)
        self._lock = threading.RLock()
        self._publisher = Publisher(send)
        self._owed: set[Reply] = set()
        self._busy = BusyWatch(self._announce)
        self._map = LiveMap(desk, self._map_changed, self._effects_known)
        self._map_events = MapEvents()
        self._details, self._traces, self._comparisons = Reader(desk), Reader(desk), Reader(desk)
        self._watched = False
        # Weakly, as the board: its metrics are the user's functions, which may refer to the board.
        self._told = weakref.ref(desk.lab)
        self._closed = False
        self._unsubscribe = desk.on_move(self._moved)
        self._unwatch = None if autosave is None else autosave.subscribe(self._publish_snapshot)

    @property
    def _desk(self) -> Desk:
        """The board's desk; refused once it is gone."""
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
        self._show_map(self._desk.shown)

    def pace(self, per_second: int) -> None:
        """Send this many events a second at most."""
        self._publisher.pace(per_second)

    def compute_map(self) -> None:
        """Start the map where no view is there to ask for it, and wait until it is known, half a minute at most."""
        self._show_map(self._desk.shown)
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
        self._looked_at()
        self._desk.lab.watch.compare()
        setup = self._setup()
        # Made when it is sent: a snapshot from before could be older than the event that `seq` names.
        reply.give(lambda seq: m.Welcome(request.id, seq, setup, self._snapshot()))
        self._show_map(self._desk.shown)
        if self._map.state is not None:
            self._map_changed(self._map.state, whole=True)

    @_handle.register
    def _(self, request: m.Click, reply: Reply) -> None:
        component = site(request.site)
        if component != component.component:
            raise AddressError("A click names its positions apart from its site.", code="bad_positions")
        prompts, mode, by_position = self._desk.prompts, self._view.mode, self._view.map == "head_pos"
        where = at_columns(component, request.positions, prompts)
        self._step(reply, lambda h: click_step(h.state, prompts, where, mode, by_position=by_position), click=True)

    @_handle.register
    def _(self, request: m.Apply, reply: Reply) -> None:
        if not request.edits:
            raise InterventionError("There are no edits to apply; name at least one.", code="no_edits")
        step = Add(tuple(intervention_of(spec) for spec in request.edits))
        self._step(reply, lambda _history: step)

    @_handle.register
    def _(self, request: m.StepRequest, reply: Reply) -> None:
        self._step(reply, asked_step(request, self._desk.shown), drag=getattr(request, "drag", None))

    @_handle.register
    def _(self, request: m.Compare, reply: Reply) -> None:
        reading = comparison_reading(request, self._desk, self._view, lambda: self._map.state)
        self._comparisons.ask(reading, reply)

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
        self._map.resume(self._desk.shown, self._view)
        self._details.again()
        self._traces.again()
        self._done(reply)

    @_handle.register
    def _(self, _request: m.Refresh, reply: Reply) -> None:
        job = self._desk.refresh()
        self._busy.started(job, "measuring the model")
        when_done(job, reply, lambda _outcome: self._done(reply))

    @_handle.register
    def _(self, _request: m.Verify, reply: Reply) -> None:
        def verified(found: Verification) -> None:
            error = m.Real.of(found.max_abs_error)
            answer = m.Verified(reply.request, error, found.tolerance, found.ok, found.tier, found.disagrees)
            reply.give(lambda _seq: answer)

        when_done(self._desk.verify(), reply, verified)

    @_handle.register
    def _(self, _request: m.CopyCode, reply: Reply) -> None:
        text = to_python(self._desk)
        reply.give(lambda _seq: m.Code(reply.request, text))

    @_handle.register
    def _(self, request: m.Detail, reply: Reply) -> None:
        self._details.ask(detail_reading(request, self._desk, self._view, self._known_positions), reply)

    @_handle.register
    def _(self, request: m.Trace, reply: Reply) -> None:
        self._traces.ask(trace_reading(request, self._desk, self._view.mode), reply)

    @_handle.register
    def _(self, request: m.Readers, reply: Reply) -> None:
        self._traces.ask(readers_reading(request, self._desk), reply)

    @_handle.register
    def _(self, request: m.Export, reply: Reply) -> None:
        shown = self._desk.shown
        known_for, effects = self._effects
        of_edits = effects if known_for is shown else {}
        known = Known(
            shown,
            self._map.state,
            of_edits,
            self._desk.values.copy(),
            self._view.prompt,
            self._view.colours,
            sent=self._map_events.sent,
        )
        give_export(reply, request, self._desk, known)

    @_handle.register
    def _(self, request: m.Save, reply: Reply) -> None:
        give_saved(reply, request, self._desk)

    # --- steps --------------------------------------------------------------------------------------

    def _step(
        self, reply: Reply, step_at: Callable[[History], Step], *, click: bool = False, drag: str | None = None
    ) -> None:
        words = ""

        def move(history: History) -> History:
            nonlocal words
            step = step_at(history)
            if isinstance(step, Change) and drag is not None and self._drag == (drag, history.current):
                moved = history.amended(step)
            else:
                moved = step.applied(history)
            self._drag = drag, moved.current
            words = short(moved.nodes[moved.current].label if isinstance(step, Change) else step.label(history.state))
            return moved

        job = self._desk.step(move, click=click or drag is not None)
        self._busy.started(job, words)
        when_done(job, reply, lambda _outcome: self._done(reply))
        job.future.add_done_callback(lambda _done: self._publish_change(job.future.exception()))

    def _checked(self, view: m.View) -> m.View:
        """The settings with positions in order, or the reason why they cannot be."""
        prompts = self._desk.prompts
        if view.positions is not None:
            if not view.positions:
                raise AddressError("Select at least one position, or all of them.", code="bad_positions")
            where = set().union(*prompts.resolve(prompts.at_columns(view.positions)))
            if not where:
                raise AddressError("These columns are padding; select tokens.", code="position_out_of_range")
            view = msgspec.structs.replace(view, positions=sorted(where))
        if not 0 <= view.prompt < prompts.n:
            raise AddressError(f"There is no prompt {view.prompt}: the board has {prompts.n}.", code="no_such_prompt")
        require_map(self._desk.lab.adapter, view)
        # Refused with the engine's own reason, before any click.
        self._desk.lab.plan(self._desk.base, [clicked(Site("resid_pre", 0), view.mode, prompts)])
        return view

    # --- answers and events --------------------------------------------------------------------------

    def _done(self, reply: Reply) -> None:
        reply.give(lambda _seq: m.Done(reply.request, self._desk.shown.revision))

    def _announce(self, job: Job[Any], what: str) -> None:
        self._publisher.publish("busy", lambda seq: (m.BusyEvent(seq, what), []), urgent=True)
        if job.future.done():
            # It ended in this moment; what ends a step for the views must come last.
            self._publish_snapshot()

    def _moved(self) -> None:
        shown = self._desk.shown
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
        setup = None if self._told() is self._desk.lab else self._setup()
        return m.SnapshotEvent(seq, self._snapshot(), setup)

    def _setup(self) -> m.Setup:
        self._told = weakref.ref(self._desk.lab)
        return setup_of(self._desk, version("circuitboard"))

    def _snapshot(self) -> m.Snapshot:
        shown = self._desk.shown
        known_for, effects = self._effects
        tree = tree_of(shown.history, self._desk.values)
        return snapshot_of(
            self._desk,
            shown,
            self._view,
            effects if known_for is shown else {},
            tree,
            None if self._autosave is None else self._autosave.problem,
        )


def _closed() -> EngineError:
    return EngineError(
        "This board was closed, so nothing was changed; make a new one, or show another.", code="board_closed"
    )
