"""One board's conversation with all its views: requests in, answers and events out. Nothing is computed here.

Requests may arrive on any thread, also while a cell runs; they are turned into jobs of the board's
worker and answered when those end. The panel's settings live here, so that two views agree.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import singledispatchmethod
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from circuitboard.address import resolve, site
from circuitboard.board import History
from circuitboard.board.display import made
from circuitboard.errors import AddressError, Cancelled, CircuitboardError, InterventionError
from circuitboard.protocol import messages as m
from circuitboard.protocol.codec import decode_request, error_info, request_id
from circuitboard.widget.live_map import LiveMap, MapState
from circuitboard.widget.publisher import Publisher, Send
from circuitboard.widget.snapshot import setup_of, snapshot_of

if TYPE_CHECKING:
    from circuitboard.address import Site
    from circuitboard.board import Board, Shown
    from circuitboard.engine import Job

BLINK_S = 0.15
"""A step that takes longer is announced."""


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
        self._board = board
        self._view = m.View()
        self._effects: tuple[Shown | None, dict[int, float]] = (None, {})
        self._lock = threading.RLock()
        self._publisher = Publisher(send)
        self._map = LiveMap(board, self._map_changed, self._effects_known)
        self._watched = False
        self._unsubscribe = board.subscribe(self._moved)

    @property
    def view(self) -> m.View:
        """What the panel is set to."""
        return self._view

    def receive(self, content: object) -> None:
        """Take a message from a view; it gets exactly one answer."""
        try:
            request = decode_request(content)
        except CircuitboardError as error:
            self._fail(request_id(content), error)
            return
        try:
            self._handle(request)
        except Exception as error:  # noqa: BLE001  whatever goes wrong is told to the view that asked
            self._fail(request.id, error)

    def close(self) -> None:
        """Stop listening and sending."""
        self._unsubscribe()
        self._map.cancel()
        self._publisher.close()

    # --- requests -----------------------------------------------------------------------------------

    @singledispatchmethod
    def _handle(self, request: Any) -> None:
        raise TypeError(f"no handler for {type(request).__name__}")

    @_handle.register
    def _(self, request: m.Hello) -> None:
        self._watched = True
        made(self._board)
        setup = setup_of(self._board, version("circuitboard"))
        snapshot = self._snapshot()
        self._publisher.answer(lambda seq: m.Welcome(request.id, seq, setup, snapshot))
        self._map.show(self._board.shown, self._view)
        if self._map.state is not None:
            self._map_changed(self._map.state)

    @_handle.register
    def _(self, request: m.Click) -> None:
        component = site(request.site)
        if component.positions is not None:
            raise AddressError("A click names its positions apart from its site.", code="bad_positions")
        mode = self._view.mode
        self._step(
            request, f"{mode} {component}", lambda h: self._clicked(h, component, request.positions, mode), click=True
        )

    @_handle.register
    def _(self, request: m.Remove) -> None:
        self._check_revision(request.revision)
        self._step(
            request, "remove", lambda h: h.pushed(f"remove {_edit(h, request.index)}", h.state.removed(request.index))
        )

    @_handle.register
    def _(self, request: m.Toggle) -> None:
        self._check_revision(request.revision)
        self._step(
            request, "toggle", lambda h: h.pushed(f"toggle {_edit(h, request.index)}", h.state.toggled(request.index))
        )

    @_handle.register
    def _(self, request: m.Undo) -> None:
        self._step(request, "undo", History.undone)

    @_handle.register
    def _(self, request: m.Redo) -> None:
        self._step(request, "redo", History.redone)

    @_handle.register
    def _(self, request: m.Clear) -> None:
        self._step(request, "clear", lambda h: h.pushed("clear", h.state.cleared()) if h.state.edits else h)

    @_handle.register
    def _(self, request: m.SetBase) -> None:
        base = request.base
        self._step(
            request,
            f"base {base}",
            lambda h: h.pushed(f"base {base}", h.state.based_on(base)) if h.state.base != base else h,
        )

    @_handle.register
    def _(self, request: m.SetView) -> None:
        given = {
            name: value
            for name in ("mode", "positions", "map", "prompt")
            if (value := getattr(request, name)) is not msgspec.UNSET
        }
        with self._lock:
            view = msgspec.structs.replace(self._view, **given)
            self._check_view(view)
            self._view = view
        self._publish_snapshot()
        self._map.show(self._board.shown, view)
        self._done(request.id)

    @_handle.register
    def _(self, request: m.CancelMap) -> None:
        self._map.cancel()
        self._done(request.id)

    @_handle.register
    def _(self, request: m.ResumeMap) -> None:
        self._map.resume()
        self._done(request.id)

    @_handle.register
    def _(self, request: m.Verify) -> None:
        def answer(job: Job[Any]) -> None:
            found = job.future.result()
            verified = m.Verified(request.id, m.Real.of(found.max_abs_error), found.tolerance, found.ok, found.tier)
            self._publisher.answer(lambda _seq: verified)

        self._when_done(request.id, self._board.verify_job(), answer)

    @_handle.register
    def _(self, request: m.CopyCode) -> None:
        text = self._board.to_python()
        self._publisher.answer(lambda _seq: m.Code(request.id, text))

    # --- steps --------------------------------------------------------------------------------------

    def _step(self, request: m.Request, what: str, move: Callable[[History], History], *, click: bool = False) -> None:
        job = self._board.step(move, click=click)
        busy = threading.Timer(BLINK_S, lambda: self._busy(job, what))
        busy.daemon = True
        busy.start()

        def answer(_job: Job[Any]) -> None:
            busy.cancel()
            self._done(request.id)

        self._when_done(request.id, job, answer, superseded=busy.cancel)

    def _clicked(self, history: History, component: Site, positions: list[int] | None, mode: m.Mode) -> History:
        """Take back the edits of a component that has some, else edit it."""
        state = history.state
        mine = [
            i for i, edit in enumerate(state.edits) if self._is_edit_of(edit.intervention.site, component, positions)
        ]
        if not mine:
            at = component.at(positions)
            intervention = at.zero() if mode == "zero" else at.patch()
            return history.pushed(str(intervention), state.added([intervention]))
        for index in reversed(mine):
            state = state.removed(index)
        return history.pushed(f"take back {component.at(positions)}", state)

    def _is_edit_of(self, edited: Site, component: Site, positions: list[int] | None) -> bool:
        if edited.component != component:
            return False
        if component.kind == "head":
            return True
        prompts = self._board.prompts
        where, clicked = (
            resolve(site.positions, prompts.n_positions, prompts.labels, prompts.n)
            for site in (edited, component.at(positions))
        )
        return where == clicked

    def _check_revision(self, revision: int) -> None:
        if revision != self._board.shown.revision:
            raise InterventionError(
                "The list of edits has changed since; look again and repeat the click.", code="stale_index"
            )

    def _check_view(self, view: m.View) -> None:
        prompts = self._board.prompts
        if view.positions is not None:
            resolve(tuple(view.positions), prompts.n_positions, prompts.labels, prompts.n)
            if not view.positions:
                raise AddressError("Select at least one position, or all of them.", code="bad_positions")
        if not 0 <= view.prompt < prompts.n:
            raise AddressError(f"There is no prompt {view.prompt}: the board has {prompts.n}.", code="no_such_prompt")
        if view.mode == "patch" and prompts.corrupted_tokens is None:
            raise InterventionError(
                "There is no second prompt to patch from: pass corrupted=… to PromptPair.", code="no_source_run"
            )

    # --- answers and events --------------------------------------------------------------------------

    def _when_done(
        self,
        request: str,
        job: Job[Any],
        answer: Callable[[Job[Any]], None],
        superseded: Callable[[], None] = lambda: None,
    ) -> None:
        def done(_future: object) -> None:
            error = job.future.exception()
            if error is None:
                answer(job)
            elif isinstance(error, Cancelled) and job.cancel.superseded:
                superseded()
                self._publisher.answer(lambda _seq: m.Superseded(request))
            else:
                superseded()
                self._fail(request, error)

        job.future.add_done_callback(done)

    def _done(self, request: str) -> None:
        revision = self._board.shown.revision
        self._publisher.answer(lambda _seq: m.Done(request, revision))

    def _fail(self, request: str, error: BaseException) -> None:
        info = error_info(error)
        self._publisher.answer(lambda _seq: m.Failed(request, info))

    def _busy(self, job: Job[Any], what: str) -> None:
        if not job.future.done():
            self._publisher.publish("busy", lambda seq: (m.BusyEvent(seq, what), []))

    def _moved(self, shown: Shown) -> None:
        if self._watched:
            self._publish_snapshot()
            self._map.show(shown, self._view)

    def _effects_known(self, shown: Shown, effects: dict[int, float]) -> None:
        self._effects = (shown, effects)
        self._publish_snapshot()

    def _map_changed(self, state: MapState) -> None:
        self._publisher.publish("map", state.event)

    def _publish_snapshot(self) -> None:
        self._publisher.publish("snapshot", lambda seq: (m.SnapshotEvent(seq, self._snapshot()), []))

    def _snapshot(self) -> m.Snapshot:
        shown = self._board.shown
        known_for, effects = self._effects
        return snapshot_of(self._board, shown, self._view, effects if known_for is shown else {})


def _edit(history: History, index: int) -> str:
    edits = history.state.edits
    return str(edits[index].intervention) if 0 <= index < len(edits) else str(index)
