"""The board: what a user holds. Its calls are the functions of the files beside this one; what works is its desk."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from circuitboard.address import Intervention, Stays
from circuitboard.board import display, editing, exporting, reading, sweeping
from circuitboard.boundary import public, require_function
from circuitboard.desk.checks.self_test import SelfTest, self_test
from circuitboard.desk.checks.verification import Verification
from circuitboard.desk.desk import Desk
from circuitboard.desk.metrics_table import metrics_table
from circuitboard.desk.notes import notes_of
from circuitboard.desk.outcome import Baselines, EngineStatus, Outcome, Shown
from circuitboard.desk.timeline import mean
from circuitboard.errors import NoSuchName
from circuitboard.files import code, storage
from circuitboard.files.autosave import Autosave, last_saved, wanted
from circuitboard.runs import Run
from circuitboard.steps import step as steps
from circuitboard.steps.requested import requested
from circuitboard.sweeps import normalized
from circuitboard.words import Meant, Told, instead

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from anywidget import AnyWidget
    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.engine import Requested
    from circuitboard.files import MetricsGiven
    from circuitboard.metrics import MetricsLike, Spread
    from circuitboard.prompts import PromptPair, Prompts
    from circuitboard.prompts.notes import Note
    from circuitboard.steps import Base, Edit, History
    from circuitboard.sweeps import Sweep

_ON_THE_DESK = dict.fromkeys(
    "lab maps shown state_at run_in_background reference_prompts step take restore resume remember on_move on_close on_end".split()
) | {
    "history_values": "values",
    "grid": "maps.grid",
    "sweep_job": "maps.start",
    "refresh_job": "refresh",
    "verify_job": "verify",
}
"""Names that boards had for code that builds on them, and what they are there, None for the same; they warn for one version."""


@public
class Board(Told, Stays):
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
        keep = wanted(asked=autosave)
        self._desk = Desk(model, prompts, metric=metric, base=base, reference=reference, engine=engine, memory=memory)
        try:
            self._autosave = Autosave(self._desk) if keep else None
            display.made(self)
        except BaseException:
            self._desk.close()
            raise

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise NoSuchName(
                f"Nothing is assigned to a board's {name!r:.60}: it would change nothing.{instead('set', name) or ' Keep it in a variable of your own.'}"
            )
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _ON_THE_DESK:
                there = _ON_THE_DESK[name] or name
                warnings.warn(f"board.{name} is board.desk.{there} from now on.", DeprecationWarning, stacklevel=2)
                return attrgetter(there)(self._desk)
            return super().__getattr__(name)

    # --- what is ------------------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """What the board works with, for code that builds on it: the bench, the timeline of steps, maps in parts."""
        return self._desk

    @property
    def model(self) -> TransformerBridge:
        """The model, as it was given."""
        return self._desk.model

    @property
    def pair(self) -> PromptPair:
        """The prompts as they were given."""
        return self._desk.pair

    @property
    def reference(self) -> PromptPair | Run | None:
        """The prompts that means and resamples come from, as they were given; None for the base run's own."""
        return self._desk.reference

    @property
    def prompts(self) -> Prompts:
        """The prompts as the model reads them, positions and labels as they lie in the run that is edited."""
        return self._desk.prompts

    @property
    def history(self) -> History:
        """All states, as a tree."""
        return self._desk.history

    @property
    def base(self) -> Base:
        """Which run is edited."""
        return self._desk.base

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits, in the order in which they act."""
        return self._desk.edits

    @property
    def engine(self) -> EngineStatus:
        """The engine tier, why it was chosen, and the memory it keeps."""
        return self._desk.engine

    @property
    def autosave(self) -> Autosave | None:
        """Where the board is kept on disk, and the `problem` if it cannot be; None if it is not kept."""
        return self._autosave

    @property
    def change(self) -> str | None:
        """What is another in the model than when it was measured, as far as it is known; None if nothing is."""
        return self._desk.lab.watch.compare()

    @property
    def value(self) -> float:
        """The metric, mean over prompts."""
        return self._desk.current.outcome.value

    @property
    def values(self) -> Float[Tensor, " batch"]:
        """The metric of each prompt."""
        return self._desk.current.outcome.values.clone()

    @property
    def normalized(self) -> float:
        """(value − corrupted) / (clean − corrupted); NaN without a corrupted run."""
        shown = self._desk.current
        return float(normalized(shown.outcome.values.mean(), *self._desk.lab.unedited(shown.history.state.base)))

    @property
    def baselines(self) -> Baselines:
        """The metric on both unedited runs."""
        clean, corrupted = self._desk.lab.unedited(self._desk.current.history.state.base)
        return Baselines(mean(clean), None if corrupted is None else mean(corrupted))

    @property
    def metrics(self) -> pd.DataFrame:
        """Every metric of the board: value, its error bars over prompts, both baselines, and the change by all edits.

        Columns: unit, value, stderr, ci_low and ci_high (95 % bootstrap), clean, corrupted, change (against the base
        run) and its sign-flip p-value: `p`, the smallest that the test can tell, `p_floor`, and as it is printed, `p_text`.
        Error bars are NaN for a single prompt.
        """
        return metrics_table(self._desk.lab, self._desk.current)

    @property
    def spread(self) -> Spread:
        """`value` with its error bars over prompts."""
        return self._desk.current.outcome.spread

    @property
    def notes(self) -> tuple[Note, ...]:
        """What about the prompts may not be meant: frozen values with `code`, `text` and `where`; empty when all is plain.

        `pair.notes` has those that need no run; here the unedited runs have their say too, on the answers' spelling,
        probability and rank, and on the baselines.
        """
        return notes_of(self._desk.lab, self._desk.pair)

    def as_run(self) -> Run:
        """The run as it is now, edits in force, to patch from: `cb.head(9, 6).patch(board.as_run())`."""
        return self._desk.lab.run_of(self._desk.history.state)

    # --- steps --------------------------------------------------------------------------------------

    edit = editing.edit
    remove = editing.remove
    toggle = editing.toggle
    replace = editing.replace
    set_strength = editing.taking(steps.SetStrength)
    move = editing.taking(steps.Move)
    group = editing.group
    rename = editing.taking(steps.Rename)
    note = editing.note
    clear = editing.taking(steps.Clear)
    set_base = editing.taking(steps.SetBase)
    undo = editing.taking(steps.Undo)
    redo = editing.taking(steps.Redo)
    go_to = editing.taking(steps.Restore)

    # --- sweeps and readings --------------------------------------------------------------------------

    sweep = sweeping.sweep
    sweep_async = sweeping.sweep_async
    compare = sweeping.compare
    compare_states = sweeping.compare_states
    logits = reading.logits
    top_tokens = reading.top_tokens
    preview = reading.preview
    logit_lens = reading.logit_lens
    direct_logit_attribution = reading.direct_logit_attribution
    self_repair = reading.self_repair
    attention = reading.attention
    show_attention = reading.show_attention
    show_tokens = reading.show_tokens
    neurons = reading.neurons
    max_activating = reading.max_activating
    per_prompt = reading.per_prompt

    # --- checks -------------------------------------------------------------------------------------

    def verify(self, *interventions: Intervention) -> Verification:
        """Run the user's model itself: unedited, and with plain hooks for the current edits (and these).

        Raises
        ------
        CircuitboardError
            `model_changed`; and as `edit`.
        """
        self._desk.worker.require_elsewhere()
        state = self._desk.history.state.added(requested(interventions, may_be_empty=True))
        return self._desk.verify(state).result()

    def self_test(self) -> SelfTest:
        """Run the checks whose answers are known, on this model and these prompts."""
        return self._desk.worker.run_background(self_test(self._desk.lab))

    def refresh(self) -> Outcome:
        """Measure the model as it is now; edits, history, names and selection stay, and what was refused works again.

        Returns
        -------
        Outcome
            Of the current edits. Its `change` is 0: the state before is of a model that is no more.

        Raises
        ------
        CircuitboardError
            If the model cannot be measured, or cannot have these edits any more; the board stays as it was.
        """
        self._desk.worker.require_elsewhere()
        return self._desk.refresh().result()

    # --- out and in ---------------------------------------------------------------------------------

    def to_python(self, *sweeps: Sweep) -> str:
        """Python that makes this board again, and these sweeps of it, as text that runs as it is pasted."""
        return code.to_python(self._desk, sweeps)

    def save(self, path: str | Path) -> None:
        """Write the board as JSON, whole or not at all: all states of its history and where it stands among them.

        A metric that is a function is written as its name and text, and asked for by `load`.

        Raises
        ------
        SessionFileError
            `cannot_write`, `bad_path`, `file_too_large`, `not_text`.
        """
        storage.save(self._desk, path)

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

    def subscribe(self, listener: Callable[[Shown], None]) -> Callable[[], None]:
        """Call `listener` on the worker thread with every new state; the value returned ends that.

        It gets a copy, which it may write into. It may start work (`sweep_async`, `board.desk`), and must not wait for it: that is refused with `called_from_worker`, since the thread that would do
        the work is the one that waits.
        """
        require_function(listener, "A listener is a function of the new state")
        return self._desk.timeline.subscribe(listener)

    def close(self) -> None:
        """End the worker thread, close the views and free what was cached; nothing in a forked process."""
        self._desk.close()

    def __repr__(self) -> str:
        n = self.prompts.n
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        number = f"{self._desk.lab.metric.name} {self._desk.shown.outcome.value:+.4f}"
        if self.change is not None:
            number = f"{self._desk.lab.metric.name} unknown: the model has changed ({self.change}), see refresh()"
        return (
            f"Board({self._desk.lab.adapter.name}, {n} prompt{'s' if n > 1 else ''}, {self.base} run, "
            f"{len(self.edits)} edits, {number}, {self._desk.lab.choice.tier}){notes}"
        )

    def widget(self) -> AnyWidget:
        """The ipywidget that the panel is, for containers: `VBox([board.widget(), slider])`, `Tab`, `Output`, `interact`.

        One board has one widget, which all its views share; `board` as the last line of a cell shows the same. Keep the
        board in a variable as long as the widget is shown. See HOSTS.md.
        """
        view: AnyWidget = display.widget(self)
        return view

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return display.mimebundle(self, **kwargs)

    def _display_(self) -> Any:
        return display.element(self)
