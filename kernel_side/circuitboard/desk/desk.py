"""What a board's face, its files and its panels work with: one model, one set of prompts, and the way through edits."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from circuitboard.address import entries, real, truth
from circuitboard.boundary import hand_over, public, require_function
from circuitboard.desk.checks.verification import Verification, verification
from circuitboard.desk.lab import set_up
from circuitboard.desk.maps import Maps
from circuitboard.desk.outcome import EngineStatus
from circuitboard.desk.timeline import Timeline, held_bytes
from circuitboard.engine import CancelToken, Job, Worker
from circuitboard.errors import InterventionError, PromptError
from circuitboard.metrics import metrics_of
from circuitboard.models.bridge import BridgeAdapter
from circuitboard.prompts import PromptPair
from circuitboard.runs import Run
from circuitboard.steps import Base, BoardState, Edit, History, Node

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Intervention
    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Outcome, Shown
    from circuitboard.engine import Requested
    from circuitboard.metrics import MetricsLike
    from circuitboard.prompts import Prompts


_MOVE = "A move takes a History and returns the one after the step"


class OnDesk(Protocol):
    """What has a desk: a board, or what stands in its place."""

    @property
    def desk(self) -> Desk:
        """The desk."""

    def close(self) -> None:
        """End it."""


@public
class Desk:
    """A model, its prompts, and what works on them, for code that builds on a board: files, pictures, panels.

    Parameters
    ----------
    model, pair, metric, base, reference, engine, memory
        As for `cb.Board`.

    Raises
    ------
    CircuitboardError
        As `cb.Board`.
    """

    def __init__(
        self,
        model: TransformerBridge,
        pair: PromptPair,
        *,
        metric: MetricsLike,
        base: Base,
        reference: PromptPair | Run | None,
        engine: Requested,
        memory: int | None,
    ) -> None:
        state = BoardState(base)
        if not isinstance(pair, PromptPair):
            raise PromptError(
                f"A board needs a PromptPair, not a {type(pair).__name__}; write cb.PromptPair(clean, corrupted, answer=…, wrong=…)."
            )
        if not (reference is None or isinstance(reference, (PromptPair, Run))):
            raise PromptError(
                f"reference is a PromptPair or a Run, whose prompts means come from, not a {type(reference).__name__}."
            )
        if isinstance(reference, Run) and reference.interventions:
            raise PromptError("The reference prompts are taken as they are; give a Run without interventions.")
        self.model, self.pair, self.reference = model, pair, reference
        self._asked = (metric, engine, memory)
        self.worker = Worker()
        self._end = weakref.finalize(self, self.worker.close)
        self._on_close: list[Callable[[], None]] = []
        try:
            self._lab = self.worker.run(lambda _cancel: self._measured(base))
            self.worker.guard = self._lab.watch.guard
            self.timeline = Timeline(self._lab, self.worker, state)
        except BaseException:
            # A notebook keeps the error, and with it this half of a desk.
            self._end()
            raise

    def _measured(self, base: Base) -> Lab:
        """The bench for the model as it is now; on the worker thread only."""
        model, reference = self.model, self.reference
        metric, engine, memory = self._asked
        adapter = BridgeAdapter(model)
        prompts = self.pair.bind(model)
        other = None
        if isinstance(reference, Run):
            other = reference.bind(model, prepend_bos=None if prompts.clean_text is None else prompts.bos_added)
        elif reference is not None:
            other = reference.bind(model)
        return set_up(model, adapter, prompts, metrics_of(metric, prompts), base, engine, memory, other)

    # --- what is ------------------------------------------------------------------------------------

    @property
    def lab(self) -> Lab:
        """Both unedited runs, the metrics and the engine, as they were measured last."""
        return self._lab

    @property
    def maps(self) -> Maps:
        """Sweeps in their parts."""
        return Maps(self._lab, self.worker, self.timeline)

    @property
    def shown(self) -> Shown:
        """The last state whose numbers are known, as one value."""
        return self.timeline.shown

    @property
    def current(self) -> Shown:
        """The same, if its numbers are those of the model as it is now; else `model_changed` is raised."""
        self._lab.watch.require_unchanged()
        return self.timeline.shown

    @property
    def history(self) -> History:
        """All states, as a tree."""
        return self.timeline.shown.history

    @property
    def values(self) -> MappingProxyType[int, float]:
        """The metric of the states where it is known, mean over prompts, by index in `history.nodes`."""
        return MappingProxyType(self.timeline.known)

    @property
    def base(self) -> Base:
        """Which run is edited."""
        return self.history.state.base

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits, in the order in which they act."""
        return self.history.state.edits

    @property
    def prompts(self) -> Prompts:
        """The prompts as the model reads them, positions and labels as they lie in the run that is edited."""
        return self._lab.prompts.of(self.base)

    @property
    def reference_prompts(self) -> Prompts | None:
        """The reference prompts as the model reads them."""
        return self._lab.reference_prompts

    @property
    def engine(self) -> EngineStatus:
        """The engine tier, why it was chosen, and the memory it keeps."""
        lab = self._lab
        engine = lab.choice.engine
        runs = [*lab.tensors(), *(run.tensors() for run in self.timeline.kept_runs())]
        size = held_bytes((*runs, engine.tensors())) + engine.copied_bytes
        return EngineStatus(
            tier=lab.choice.tier,
            why=lab.why,
            device=str(lab.adapter.device),
            dtype=str(lab.adapter.dtype).removeprefix("torch."),
            memory_bytes=size,
            budget_bytes=lab.budget.total,
            budget_why=lab.budget.why,
        )

    # --- steps --------------------------------------------------------------------------------------

    def step(self, move: Callable[[History], History], *, click: bool = False) -> Job[Outcome]:
        """Move through the history and compute the metric there, without waiting.

        Parameters
        ----------
        move
            The history after the step, such as a step's `applied`. Called at once; what it raises refuses the step.
        click
            Give way to anything newer: the job then ends as cancelled, but the state goes on.

        Returns
        -------
        Job
            Its result is the `Outcome`. If the computation fails, the board goes back to the last state whose
            numbers are known, and steps that built on the failed one fail with it.
        """
        require_function(move, _MOVE, code="bad_move")
        return self.timeline.step(
            lambda history: hand_over("the move of a step", move, history), click=bool(truth(click))
        )

    def take(self, move: Callable[[History], History]) -> Outcome:
        """Move as `step` does, and wait for the numbers. Refused before it begins where waiting would have no end."""
        self.worker.require_elsewhere()
        return self.step(move).result()

    def restore(self, nodes: tuple[Node, ...]) -> Outcome:
        """Replay saved steps one after the other, so that each can be undone; the last is computed."""
        if not all(isinstance(node, Node) for node in entries(nodes) or (None,)):
            raise InterventionError(
                f"Steps are nodes of a history, such as other.history.nodes[1:], not {nodes!r:.60}.", code="bad_move"
            )
        return self.resume(self.history.extended(nodes))

    def resume(self, history: History) -> Outcome:
        """Go on in another history, of this board's prompts and model; its current state is computed."""
        if not isinstance(history, History):
            raise InterventionError(
                f"A board goes on in a History, such as other.history, not {history!r:.60}.", code="bad_move"
            )
        edits: dict[Base, dict[int, Intervention]] = {}
        for node in history.nodes:
            # By identity first: states share their edits, and a long history has millions of places for few of them.
            edits.setdefault(node.state.base, {}).update((id(e), e.intervention) for e in node.state.edits)
        for base, interventions in edits.items():
            self._lab.plan(base, dict.fromkeys(interventions.values()))  # each state must be one that undo can show
        return self.take(lambda _history: history)

    def remember(self, values: Mapping[int, float]) -> None:
        """Take the metric of states that are not computed yet as known, by index in `history.nodes`."""
        for node, given in values.items() if isinstance(values, Mapping) else ((0, values),):
            index, value = self.history.require(node), real(given)
            if value is None:
                raise InterventionError(
                    f"What is known is a number for each index of a state, as {{3: 1.5}}, not {values!r:.60}.",
                    code="bad_values",
                )
            self.timeline.known.setdefault(index, value)

    # --- work ---------------------------------------------------------------------------------------

    def run_in_background(self, work: Callable[[CancelToken], Generator[None, None, Any]]) -> Job[Any]:
        """Run a generator on the worker, step by step. A step of the board ends it, superseded, within one layer."""
        require_function(work, "Work in the background is a generator function of a cancel token", code="bad_work")
        return self.worker.submit_background(work, yielding=True)

    def state_at(self, node: int, cancel: CancelToken) -> Shown:
        """A state of the history as it would be shown; for generators given to `run_in_background`."""
        if not isinstance(cancel, CancelToken):
            raise InterventionError(
                f"A state is computed for a generator of run_in_background, with the token that it is given, not {cancel!r:.60}.",
                code="bad_work",
            )
        return self.timeline.at(self.history.require(node), cancel)

    def verify(self, state: BoardState | None = None) -> Job[Verification]:
        """Start running the user's model itself, unedited and with plain hooks for the edits of a state, by default the current one."""
        return self.worker.submit_background(verification(self._lab, state or self.history.state, self.shown.run))

    def refresh(self) -> Job[Outcome]:
        """Start measuring the model as it is now; edits, history and names stay."""
        self._lab.watch.require_idle()

        def work(cancel: CancelToken) -> Outcome:
            lab = self._measured(self.base)
            try:
                return self.timeline.renew(lab, cancel, lambda: self._take(lab))
            except InterventionError as error:
                raise InterventionError(
                    f"The model as it is now cannot have an edit of this board: {error.message} Make a new board of it: Board(model, board.pair).",
                    code=error.code,
                ) from error

        return self.worker.submit(work, moves=True, guarded=False)

    def _take(self, lab: Lab) -> None:
        self._lab = lab
        self.worker.guard = lab.watch.guard

    # --- listeners and the end ----------------------------------------------------------------------

    def on_move(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` on the worker thread when `shown` is another; the value returned ends that."""
        require_function(callback, "What is called when the board moves is a function without arguments")
        return self.timeline.on_move(callback)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the board is closed."""
        require_function(callback, "What is called when the board is closed is a function without arguments")
        self._on_close.append(callback)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback`, which must not refer to the board, on the worker thread when that ends.

        That is when the board is closed, when nobody refers to it any more, and when Python exits.
        """
        require_function(callback, "What is called at the board's end is a function without arguments")
        if self._end.alive:
            self.worker.at_end(callback)
        else:
            # Closed, and that thread is gone; a finalizer runs anywhere, even where locks are held.
            weakref.finalize(self, lambda: threading.Thread(target=callback, daemon=True).start()).atexit = False

    def close(self) -> None:
        """End the worker thread, close the views and free what was cached; nothing in a forked process."""
        if not self.worker.here:
            return
        with ExitStack() as ending:
            # Whatever goes wrong in one of these, the others are done.
            ending.callback(self.timeline.forget)
            ending.callback(self._end)
            while self._on_close:
                ending.callback(self._on_close.pop(0))
