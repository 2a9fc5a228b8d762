"""The board: a facade over the history, the engine and its worker."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from circuitboard.address import Intervention, Stays, entries, real, truth, whole
from circuitboard.board import display
from circuitboard.board.analyses import Analyses
from circuitboard.board.editing import Editing
from circuitboard.board.sweeping import Sweeping
from circuitboard.boundary import hand_over, public, require_function
from circuitboard.desk.checks.self_test import SelfTest, run_self_test
from circuitboard.desk.checks.verification import Verification, verified
from circuitboard.desk.lab import set_up
from circuitboard.desk.metrics_table import metrics_table
from circuitboard.desk.notes import notes_of
from circuitboard.desk.outcome import Baselines, EngineStatus, Outcome, Shown
from circuitboard.desk.timeline import Steps, held_bytes, mean
from circuitboard.desk.top_tokens import top_tokens
from circuitboard.engine import CancelToken, HookedEngine, Job, Worker
from circuitboard.errors import AddressError, InterventionError, NoSuchName, PromptError
from circuitboard.files import code, exporting, storage
from circuitboard.files.autosave import Autosave, last_saved, wanted
from circuitboard.metrics import metrics_of
from circuitboard.models.bridge import BridgeAdapter
from circuitboard.prompts import PromptPair
from circuitboard.runs import Run
from circuitboard.steps import Base, BoardState, Edit, History, Node
from circuitboard.steps.requested import requested
from circuitboard.sweeps import normalized
from circuitboard.words import Meant, Told, instead

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.desk.lab import Lab
    from circuitboard.engine import Requested
    from circuitboard.files import MetricsGiven
    from circuitboard.metrics import MetricsLike, Spread
    from circuitboard.prompts import Prompts
    from circuitboard.prompts.notes import Note
    from circuitboard.sweeps import Sweep
    from circuitboard.widget import BoardWidget


_MOVE = "A move takes a History and returns the one after the step"


@public
class Board(Editing, Sweeping, Analyses, Told, Stays):
    """A model, a pair of prompts, and edits that act on one of the two runs.

    Parameters
    ----------
    model
        A TransformerLens `TransformerBridge`; it is never changed and never given hooks.
    prompts
        A `PromptPair`: one pair or a data set.
    metric
        "logit_diff", "prob", "log_prob", "rank", "kl", "loss", or a function of logits [batch, pos, d_vocab] that
        returns [batch]. Several at once as a dict (name → one of these) or a list of names; the first is the one
        that steps and maps show, `metrics` tells all.
    base
        Which run is edited. "clean" with patches is noising, "corrupted" with patches is denoising.
    reference
        The prompts that `.mean()` and `.resample()` take activations from: a `PromptPair` (its clean prompts and
        labels) or a `Run` (its prompts). Default: the base run's own prompts.
    engine
        "auto" takes the fastest tier that equals plain hooks on this model; or a tier by name.
    memory
        How many bytes the board may take besides the model; default a quarter of what is free on its device.
    autosave
        Keep the state on disk as it moves (see `last_saved`); default only in a notebook's kernel, never with the
        environment variable CIRCUITBOARD_AUTOSAVE=0.

    Raises
    ------
    CircuitboardError
        With a stable `code` and what to do, whenever something cannot be done exactly.
    """

    _told_as: ClassVar[Meant] = "Board"
    _instead: ClassVar[str] = (
        "It holds the model, a thread and its views. Another board on the same model is cb.Board(board.model, "
        "board.pair); one with these edits is cb.Board.load('mine.board.json', board.model) after "
        "board.save('mine.board.json'). What a board returns (outcomes, sweeps, board.edits, board.pair) travels."
    )

    def __init__(
        self,
        model: TransformerBridge,
        prompts: PromptPair,
        *,
        metric: MetricsLike = "logit_diff",
        base: Base = "clean",
        reference: PromptPair | Run | None = None,
        engine: Requested = "auto",
        memory: int | None = None,
        autosave: bool | None = None,
    ) -> None:
        state = BoardState(base)
        if not isinstance(prompts, PromptPair):
            raise PromptError(
                f"A board needs a PromptPair, not a {type(prompts).__name__}; write cb.PromptPair(clean, corrupted, answer=…, wrong=…)."
            )
        if not (reference is None or isinstance(reference, (PromptPair, Run))):
            raise PromptError(
                f"reference is a PromptPair or a Run, whose prompts means come from, not a {type(reference).__name__}."
            )
        if isinstance(reference, Run) and reference.interventions:
            raise PromptError("The reference prompts are taken as they are; give a Run without interventions.")
        self._model = model
        self._pair = prompts
        self._reference = reference
        self._asked = (metric, engine, memory)
        self._worker = Worker()
        self._close = weakref.finalize(self, self._worker.close)
        self._on_close: list[Callable[[], None]] = []
        try:
            self._lab: Lab = self._worker.submit(lambda _cancel: self._measured(base)).result()
            self._worker.guard = self._lab.watch.guard
            self._steps = Steps(self._lab, self._worker, state)
            self._autosave = Autosave(self) if wanted(asked=autosave) else None
            display.made(self)
        except BaseException:
            # A notebook keeps the error, and with it this half of a board.
            self._close()
            raise

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise NoSuchName(
                f"Nothing is assigned to a board's {name!r:.60}: it would change nothing.{instead('set', name) or ' Keep it in a variable of your own.'}"
            )
        object.__setattr__(self, name, value)

    def _measured(self, base: Base) -> Lab:
        """The bench for the model as it is now; on the worker thread only."""
        model, reference = self._model, self._reference
        metric, engine, memory = self._asked
        adapter = BridgeAdapter(model)
        bound = self._pair.bind(model)
        other = None
        if isinstance(reference, Run):
            other = reference.bind(model, prepend_bos=None if bound.clean_text is None else bound.bos_added)
        elif reference is not None:
            other = reference.bind(model)
        return set_up(model, adapter, bound, metrics_of(metric, bound), base, engine, memory, other)

    # --- what is ------------------------------------------------------------------------------------

    @property
    def model(self) -> TransformerBridge:
        return self._model

    @property
    def pair(self) -> PromptPair:
        """The prompts as they were given."""
        return self._pair

    @property
    def reference(self) -> PromptPair | Run | None:
        """The prompts that means and resamples come from, as they were given; None for the base run's own."""
        return self._reference

    @property
    def reference_prompts(self) -> Prompts | None:
        """The reference prompts as the model reads them."""
        return self._lab.reference_prompts

    @property
    def prompts(self) -> Prompts:
        """The prompts as the model reads them, positions and labels as they lie in the run that is edited."""
        return self._lab.prompts.of(self.base)

    @property
    def lab(self) -> Lab:
        """Both unedited runs, the metric and the engine, for code that builds on the board."""
        return self._lab

    @property
    def shown(self) -> Shown:
        """The last state whose numbers are known, as one value."""
        return self._steps.shown

    @property
    def autosave(self) -> Autosave | None:
        """Where the board is kept on disk, and the `problem` if it cannot be; None if it is not kept."""
        return self._autosave

    @property
    def _current(self) -> Shown:
        """The same, if its numbers are those of the model as it is now; else `model_changed` is raised."""
        self._lab.watch.require_unchanged()
        return self._steps.shown

    @property
    def change(self) -> str | None:
        """What is another in the model than when it was measured, as far as it is known; None if nothing is."""
        return self._lab.watch.compare()

    @property
    def history(self) -> History:
        """All states, as a tree."""
        return self._steps.shown.history

    @property
    def history_values(self) -> MappingProxyType[int, float]:
        """The metric of the states where it is known, mean over prompts, by index in `history.nodes`."""
        return MappingProxyType(self._steps.known)

    @property
    def base(self) -> Base:
        """Which run is edited."""
        return self._steps.shown.history.state.base

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits, in the order in which they act."""
        return self._steps.shown.history.state.edits

    @property
    def value(self) -> float:
        """The metric, mean over prompts."""
        return self._current.outcome.value

    @property
    def values(self) -> Float[Tensor, " batch"]:
        """The metric of each prompt."""
        return self._current.outcome.values.clone()

    @property
    def normalized(self) -> float:
        """(value − corrupted) / (clean − corrupted); NaN without a corrupted run."""
        shown = self._current
        return float(normalized(shown.outcome.values.mean(), *self._lab.unedited(shown.history.state.base)))

    @property
    def baselines(self) -> Baselines:
        """The metric on both unedited runs."""
        clean, corrupted = self._lab.unedited(self._current.history.state.base)
        return Baselines(mean(clean), None if corrupted is None else mean(corrupted))

    @property
    def metrics(self) -> pd.DataFrame:
        """Every metric of the board: value, its error bars over prompts, both baselines, and the change by all edits.

        Columns: unit, value, stderr, ci_low and ci_high (95 % bootstrap), clean, corrupted, change (against the base
        run) and its sign-flip p-value: `p`, the smallest that the test can tell, `p_floor`, and as it is printed, `p_text`.
        Error bars are NaN for a single prompt.
        """
        return metrics_table(self._lab, self._current)

    @property
    def spread(self) -> Spread:
        """`value` with its error bars over prompts."""
        return self._current.outcome.spread

    @property
    def notes(self) -> tuple[Note, ...]:
        """What about the prompts may not be meant: frozen values with `code`, `text` and `where`; empty when all is plain.

        `pair.notes` has those that need no run; here the unedited runs have their say too, on the answers' spelling,
        probability and rank, and on the baselines.
        """
        return notes_of(self._lab, self._pair)

    @property
    def engine(self) -> EngineStatus:
        """The engine tier, why it was chosen, and the memory it keeps."""
        lab = self._lab
        engine = lab.choice.engine
        runs = [*lab.tensors(), *(run.tensors() for run in self._steps.kept_runs())]
        size = held_bytes((*runs, engine.tensors())) + engine.copied_bytes
        dtype = str(lab.adapter.dtype).removeprefix("torch.")
        return EngineStatus(
            tier=lab.choice.tier,
            why=lab.why,
            device=str(lab.adapter.device),
            dtype=dtype,
            memory_bytes=size,
            budget_bytes=lab.budget.total,
            budget_why=lab.budget.why,
        )

    def logits(self, pos: int = -1) -> Float[Tensor, "batch d_vocab"]:
        """The logits of the current run at a position (−1: where the answer is read), on the CPU."""
        position = whole(pos)
        if position is None:
            raise AddressError(f"A position is an integer, not {pos!r:.60}.", code="position_out_of_range")
        columns = [row[0] for row in self.prompts.resolve((position,))]
        run = self._current.run
        if all(column == self.prompts.answer_position for column in columns):
            return _copy(run.logits[:, -1])
        if self._lab.reads != "all":
            every, plan = HookedEngine(self._lab.adapter, "all"), run.plan
            run = self._worker.run(lambda cancel: every.run(plan, cancel=cancel))
        return _copy(run.logits[range(self.prompts.n), columns])

    def top_tokens(self, k: int = 10, *, prompt: int = 0) -> pd.DataFrame:
        """The likeliest next tokens, and the right and the wrong answer wherever they are.

        Columns: token, token_id, logit, prob, base_logit, base_prob, change (of the logit), rank (1 is the likeliest) and
        side: "answer", "wrong" or nothing.
        """
        import pandas as pd

        rows = top_tokens(self._lab, self._current.run, k, prompt)
        columns = ["token", "token_id", "logit", "prob", "base_logit", "base_prob", "change", "rank", "side"]
        return pd.DataFrame([[getattr(row, name) for name in columns] for row in rows], columns=columns)

    def as_run(self) -> Run:
        """The run as it is now, edits in force, to patch from: `cb.head(9, 6).patch(board.as_run())`."""
        return self._lab.run_of(self._steps.shown.history.state)

    # --- steps --------------------------------------------------------------------------------------

    def step(self, move: Callable[[History], History], *, click: bool = False) -> Job[Outcome]:
        """Move through the history and compute the metric there, without waiting.

        Parameters
        ----------
        move
            The history after the step. Called at once; what it raises refuses the step.
        click
            Give way to anything newer: the job then ends as cancelled, but the state goes on.

        Returns
        -------
        Job
            Its result is the `Outcome`. If the computation fails, the board goes back to the last state whose
            numbers are known, and steps that built on the failed one fail with it.
        """
        require_function(move, _MOVE, code="bad_move")
        return self._steps.step(
            lambda history: hand_over("the move of a step", move, history), click=bool(truth(click))
        )

    def take(self, move: Callable[[History], History]) -> Outcome:
        """Take a step and wait for its numbers; see `step`. Refused before it begins where waiting would have no end."""
        self._worker.require_elsewhere()
        require_function(move, _MOVE, code="bad_move")
        return self._steps.step(move, click=False).result()

    def preview(self, *interventions: Intervention) -> Outcome:
        """The outcome of these edits on top of the current ones; nothing is kept."""
        shown = self._steps.shown
        state = shown.history.state.added(requested(interventions))
        plan = self._lab.plan(state.base, state.active)

        def work(cancel: CancelToken) -> Outcome:
            start = time.perf_counter()
            run = self._lab.choice.engine.run(plan, near=shown.run, cancel=cancel)
            return self._steps.outcome(run, shown.outcome.values, start)

        return self._worker.run(work)

    # --- checks -------------------------------------------------------------------------------------

    def run_in_background(self, work: Callable[[CancelToken], Generator[None, None, Any]]) -> Job[Any]:
        """Run a generator on the worker, step by step. A step of the board ends it, superseded, within one layer.

        May be called from a listener. The map of the current state, for one:
        `board.run_in_background(lambda cancel: board.maps.of_state(board.history.current, board.grid("head"), None, cancel))`.
        """
        require_function(work, "Work in the background is a generator function of a cancel token", code="bad_work")
        return self._worker.submit_background(work, yielding=True)

    def state_at(self, node: int, cancel: CancelToken) -> Shown:
        """A state of the history as it would be shown; for generators given to `run_in_background`."""
        if not isinstance(cancel, CancelToken):
            raise InterventionError(
                f"A state is computed for a generator of run_in_background, with the token that it is given, not {cancel!r:.60}.",
                code="bad_work",
            )
        return self._steps.at(self.history.require(node), cancel)

    def verify(self, *interventions: Intervention) -> Verification:
        """Run the user's model itself: unedited, and with plain hooks for the current edits (and these).

        Raises
        ------
        CircuitboardError
            `model_changed`; and as `edit`.
        """
        self._worker.require_elsewhere()
        state = self._steps.shown.history.state.added(requested(interventions, may_be_empty=True))
        return self._verify_job(state).result()

    def verify_job(self) -> Job[Verification]:
        """Start `verify` without waiting."""
        return self._verify_job(self._steps.shown.history.state)

    def self_test(self) -> SelfTest:
        """Run the checks whose answers are known, on this model and these prompts."""
        return self._worker.run(lambda cancel: run_self_test(self._lab, cancel))

    def _verify_job(self, state: BoardState) -> Job[Verification]:
        self._lab.watch.require_idle()
        self._lab.plan(state.base, state.active)
        return self._worker.submit(lambda cancel: verified(self._lab, state, self._steps.shown.run, cancel))

    def refresh(self) -> Outcome:
        """Measure the model as it is now; edits, history, names and selection stay.

        What is refused with `model_changed` works again then.

        Returns
        -------
        Outcome
            Of the current edits. Its `change` is 0: the state before is of a model that is no more.

        Raises
        ------
        CircuitboardError
            If the model cannot be measured, or cannot have these edits any more; the board stays as it was.
        """
        self._worker.require_elsewhere()
        return self.refresh_job().result()

    def refresh_job(self) -> Job[Outcome]:
        """Start `refresh` without waiting."""
        self._lab.watch.require_idle()

        def work(cancel: CancelToken) -> Outcome:
            lab = self._measured(self._steps.shown.history.state.base)
            try:
                return self._steps.renew(lab, cancel, lambda: self._take(lab))
            except InterventionError as error:
                raise InterventionError(
                    f"The model as it is now cannot have an edit of this board: {error.message} Make a new board of it: Board(model, board.pair).",
                    code=error.code,
                ) from error

        return self._worker.submit(work, moves=True, guarded=False)

    def _take(self, lab: Lab) -> None:
        self._lab = lab
        self._worker.guard = lab.watch.guard

    # --- out and in ---------------------------------------------------------------------------------

    def to_python(self, *sweeps: Sweep) -> str:
        """Python that makes this board again, and these sweeps of it, as text that runs as it is pasted."""
        return code.to_python(self, sweeps)

    def save(self, path: str | Path) -> None:
        """Write the board as JSON, whole or not at all: all states of its history and where it stands among them.

        A metric that is a function is written as its name and text, and asked for by `load`.

        Raises
        ------
        SessionFileError
            `cannot_write`, `bad_path`, `file_too_large`, `not_text`.
        """
        storage.save(self, path)

    export_svg = exporting.export_svg
    export_html = exporting.export_html

    @classmethod
    def load(
        cls, path: str | Path, model: TransformerBridge | None = None, *, metric: MetricsGiven | None = None
    ) -> Board:
        """Read a saved board and compute its current state again; other states are computed when they are visited.

        Parameters
        ----------
        path
            A file that `save` wrote.
        model
            The model; if left out, it is loaded by the name that was saved.
        metric
            For a board whose metrics are functions, these: `metric={"mine": mine}`. Files hold their text to be read,
            never to be run; without them the load is refused, and the text shown.

        Raises
        ------
        SessionFileError
            If the file is not one, is damaged, does not fit the model, or needs a function (`metric_needed`).
        """
        return storage.load(cls, path, model, metric)

    @staticmethod
    def last_saved() -> Path:
        """The file that autosave wrote last, of this notebook if it has one: `cb.Board.load(cb.Board.last_saved())`."""
        return last_saved()

    def restore(self, steps: tuple[Node, ...]) -> Outcome:
        """Replay saved steps one after the other, so that each can be undone; the last is computed."""
        if not all(isinstance(step, Node) for step in entries(steps) or (None,)):
            raise InterventionError(
                f"Steps are nodes of a history, such as other.history.nodes[1:], not {steps!r:.60}.", code="bad_move"
            )
        return self.resume(self.history.extended(steps))

    def resume(self, history: History) -> Outcome:
        """Go on in another history, of this board's prompts and model; its current state is computed."""
        if not isinstance(history, History):
            raise InterventionError(
                f"A board goes on in a History, such as other.history, not {history!r:.60}.", code="bad_move"
            )
        found: dict[Base, dict[int, Intervention]] = {}
        for node in history.nodes:
            # By identity first: states share their edits, and a long history has millions of places for few of them.
            found.setdefault(node.state.base, {}).update((id(e), e.intervention) for e in node.state.edits)
        for base, edits in found.items():
            self._lab.plan(base, dict.fromkeys(edits.values()))  # each state must be one that undo can show
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
            self._steps.known.setdefault(index, value)

    def subscribe(self, listener: Callable[[Shown], None]) -> Callable[[], None]:
        """Call `listener` on the worker thread with every new state; the value returned ends that.

        It gets a copy, which it may write into. It may start work (`sweep_async`, `sweep_job`, `run_in_background`,
        `step`), and must not wait for it: that is refused with `called_from_worker`, since the thread that would do
        the work is the one that waits.
        """
        require_function(listener, "A listener is a function of the new state")
        return self._steps.subscribe(listener)

    def on_move(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` on the worker thread when `shown` is another; the value returned ends that.

        For code that builds on the board; `subscribe` hands out what may be written into.
        """
        require_function(callback, "What is called when the board moves is a function without arguments")
        return self._steps.on_move(callback)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the board is closed."""
        require_function(callback, "What is called when the board is closed is a function without arguments")
        self._on_close.append(callback)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback`, which must not refer to the board, on the worker thread when that ends.

        That is when the board is closed, when nobody refers to it any more, and when Python exits.
        """
        require_function(callback, "What is called at the board's end is a function without arguments")
        if self._close.alive:
            self._worker.at_end(callback)
        else:
            # Closed, and that thread is gone; a finalizer runs anywhere, even where locks are held.
            weakref.finalize(self, lambda: threading.Thread(target=callback, daemon=True).start()).atexit = False

    def close(self) -> None:
        """End the worker thread, close the views and free what was cached; nothing in a forked process."""
        if not self._worker.here:
            return
        with ExitStack() as ending:
            # Whatever goes wrong in one of these, the others are done.
            ending.callback(self._steps.forget)
            ending.callback(self._close)
            while self._on_close:
                ending.callback(self._on_close.pop(0))

    def __repr__(self) -> str:
        n = self.prompts.n
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        number = f"{self._lab.metric.name} {self.shown.outcome.value:+.4f}"
        if self.change is not None:
            number = f"{self._lab.metric.name} unknown: the model has changed ({self.change}), see refresh()"
        return (
            f"Board({self._lab.adapter.name}, {n} prompt{'s' if n > 1 else ''}, {self.base} run, "
            f"{len(self.edits)} edits, {number}, {self._lab.choice.tier}){notes}"
        )

    def widget(self) -> BoardWidget:
        """The ipywidget that the panel is, for containers: `VBox([board.widget(), slider])`, `Tab`, `Output`, `interact`.

        One board has one widget, which all its views share; `board` as the last line of a cell shows the same. Keep the
        board in a variable as long as the widget is shown. See HOSTS.md.
        """
        shown: BoardWidget = display.widget(self)
        return shown

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return display.mimebundle(self, **kwargs)

    def _display_(self) -> Any:
        return display.element(self)


def _copy(tensor: Tensor) -> Tensor:
    """What a user may write into: float32 on the CPU, no memory of ours."""
    return tensor.detach().to("cpu", torch.float32, copy=True)
