"""The bench that a board works on: model, prompts, unedited runs, metrics and engine. Nothing here changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from circuitboard.address import Stays
from circuitboard.desk.checks.same_model import require_padding_to_work, require_same_model
from circuitboard.desk.checks.watch import Watch
from circuitboard.engine import (
    Budget,
    Choice,
    EditedOrigin,
    EditedRun,
    HookedEngine,
    Requested,
    budget_of,
    choose_engine,
    piece,
    require_room,
)
from circuitboard.errors import EngineError, MetricError, PromptError
from circuitboard.interventions import Aligned, Plan, Reference, Supply, compile_plan
from circuitboard.metrics import Metric, Reading, Reads, evaluate
from circuitboard.models.account.fingerprint import fingerprint
from circuitboard.runs import CachedRun, Run, record_run
from circuitboard.runs.run import bind_run

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from jaxtyping import Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from circuitboard.address import Intervention
    from circuitboard.address.run import SourceRun
    from circuitboard.engine import CancelToken
    from circuitboard.models.account.fingerprint import Fingerprint
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts
    from circuitboard.runs import Origin
    from circuitboard.steps import Base, BoardState


_MOST_RUNS = 16
"""Runs to patch from that are kept; the oldest is recorded again if it is asked for once more."""


class Unedited(NamedTuple):
    """A metric on both unedited runs, per prompt; `corrupted` None without a corrupted run."""

    clean: Float[Tensor, " batch"]
    corrupted: Float[Tensor, " batch"] | None


@dataclass(frozen=True, eq=False)
class Lab(Stays):
    """Everything that a board's numbers depend on besides its state.

    Parameters
    ----------
    metrics
        At least one; the first is the one that maps and steps show.
    reference
        The prompts that means and resamples come from, if the user gave some; else the base run's own.
    """

    _instead: ClassVar[str] = "It belongs to its board, and holds the model."

    model: TransformerBridge
    adapter: ModelAdapter
    prompts: Prompts
    metrics: tuple[Metric, ...]
    clean: CachedRun
    corrupted: CachedRun | None
    choice: Choice
    budget: Budget
    reference: Reference | None
    reference_prompts: Prompts | None
    watch: Watch
    _own: dict[CachedRun, Reference] = field(default_factory=dict, repr=False)
    _others: dict[SourceRun, tuple[Origin, Prompts]] = field(default_factory=dict, repr=False)
    _aligned: dict[object, Aligned] = field(default_factory=dict, repr=False)
    _unedited: dict[tuple[str, str], Unedited] = field(default_factory=dict, repr=False)
    _marks: list[Fingerprint] = field(default_factory=list, repr=False)

    def of_user(self, cancel: CancelToken) -> Generator[None, None, Lab]:
        """The same bench around the user's model itself, with nothing recorded: what plain hooks on it say."""
        adapter = self.adapter.of_user()

        def again(run: CachedRun) -> CachedRun:
            # Not to be stopped in the middle: what would ask whether to go on is a hook, and here the model has none of ours.
            whole = adapter.forward(run.tokens, run.real)
            logits = whole if self.reads == "all" else whole[:, -1:].clone()
            return CachedRun(run.name, run.tokens, logits, {}, (), adapter, run.real)

        clean = yield from piece(lambda: again(self.clean), cancel)
        corrupted = self.corrupted
        if corrupted is not None:
            corrupted = yield from piece(partial(again, corrupted), cancel)
        reference = self.reference
        if reference is not None:
            run = unrecorded("reference", adapter, reference.run.tokens, reference.run.real)
            reference = Reference(run, reference.labels, reference.why)
        return replace(
            self,
            adapter=adapter,
            clean=clean,
            corrupted=corrupted,
            choice=Choice(HookedEngine(adapter, self.reads), "the user's model itself"),
            reference=reference,
            _own={},
            _others={},
            _aligned={},
            _unedited={},
        )

    @property
    def metric(self) -> Metric:
        """The metric that maps and steps show."""
        return self.metrics[0]

    @property
    def why(self) -> str:
        """Why this engine, and what about the model a reader of its numbers should know."""
        return "; ".join([self.choice.why, *self.adapter.account.remarks()])

    @property
    def marks(self) -> Fingerprint | None:
        """The fingerprint of the model that the numbers come from, if it was taken; that takes a second a gigabyte."""
        return self._marks[-1] if self._marks else None

    def fingerprint(self) -> Fingerprint:
        """The same, taken now unless it was before.

        Raises
        ------
        EngineError
            `model_changed` if the weights that the numbers come from are gone.
        """
        if not self._marks:
            self.watch.require_unchanged()
            found = fingerprint(self.model)
            self.watch.require_unchanged()
            self._marks.append(found)
        return self._marks[-1]

    @property
    def reads(self) -> Reads:
        """What the metrics together need of the logits."""
        return reads_of(self.metrics)

    def metric_called(self, name: str | None) -> Metric:
        """One of the board's metrics; None for the first.

        Raises
        ------
        MetricError
            `unknown_metric`.
        """
        if name is None:
            return self.metric
        for metric in self.metrics:
            if isinstance(name, str) and metric.name == name:
                return metric
        raise MetricError(
            f"This board has no metric {name!r:.80}; it has {', '.join(metric.name for metric in self.metrics)}. Make one with metric=[…].",
            code="unknown_metric",
        )

    def base(self, base: Base) -> CachedRun:
        """The run that is edited.

        Raises
        ------
        PromptError
            `no_corrupted_run`.
        """
        if base == "clean":
            return self.clean
        if self.corrupted is None:
            raise PromptError(
                "There is no corrupted run to edit: pass corrupted=… to PromptPair.", code="no_corrupted_run"
            )
        return self.corrupted

    @property
    def bases(self) -> tuple[CachedRun, ...]:
        """The unedited runs."""
        return (self.clean,) if self.corrupted is None else (self.clean, self.corrupted)

    def source(self, base: Base) -> CachedRun | None:
        """The run that patches come from: the other one."""
        return self.corrupted if base == "clean" else self.clean

    def supply(self, base: Base) -> Supply:
        """The run that is edited, and all that values come from."""
        run = self.base(base)
        return Supply(run, self.source(base), self._reference(run, self.prompts.of(base)), self.origin, self._aligned)

    def supply_of(self, plan: Plan) -> Supply:
        """The same, for the base of a plan."""
        if plan.base not in self.bases:
            raise EngineError("The model was measured again meanwhile; ask once more.", code="model_changed")
        return self.supply("clean" if plan.base is self.clean else "corrupted")

    def origin(self, run: SourceRun) -> tuple[Origin, Prompts]:
        """What a patch from any run takes from, and its prompts.

        Raises
        ------
        PromptError
            `run_mismatch` if it has not as many prompts as the board; and as `PromptPair.bind`.
        """
        found = self._others.get(run)
        if found is None:
            base, prompts = self._run(run)
            found = base, prompts
            if run.interventions:
                own = self._labelled(prompts)
                supply = Supply(base, None, self._reference(base, own), self.origin, self._aligned)
                found = EditedOrigin(compile_plan(run.interventions, self.adapter, own, supply)), prompts
            while len(self._others) >= _MOST_RUNS:
                del self._others[next(iter(self._others))]
            self._others[run] = found
        return found

    def run_of(self, state: BoardState) -> Run:
        """A state of the board as a run to patch from; its patches name the run that they come from."""
        base, source = self.base(state.base), self.source(state.base)
        edits = [
            replace(edit, run=self._unedited_run(source))
            if edit.how == "patch" and edit.run is None and source is not None
            else edit
            for edit in state.active
        ]
        return self._unedited_run(base, edits)

    def plan(self, base: Base, interventions: Iterable[Intervention]) -> Plan:
        """Interventions made ready, or refused."""
        return compile_plan(tuple(interventions), self.adapter, self.prompts, self.supply(base))

    def reading(self, base: CachedRun) -> Reading:
        """What metrics of edits of a run may look at besides logits."""
        return Reading(self.prompts.of(base.name), base.tokens, base.logits)

    def values(self, run: EditedRun, metric: Metric | None = None) -> Float[Tensor, " batch"]:
        """A metric of each prompt; the first one if none is given."""
        return evaluate(metric or self.metric, run.logits, self.reading(run.plan.base))

    def unedited(self, base: Base, metric: Metric | None = None) -> Unedited:
        """A metric on both unedited runs, seen from the run that is edited (which some metrics compare with)."""
        metric = metric or self.metric
        key = (base, metric.name)
        if key not in self._unedited:
            # Tokens of a run that is not as long cannot be those that the other one predicts: each is read by its own.
            apart = metric.reads == "all" and not self.prompts.aligned

            def values(run: CachedRun) -> Float[Tensor, " batch"]:
                return evaluate(metric, run.logits, self.reading(run if apart else self.base(base)))

            clean = values(self.clean)
            self._unedited[key] = Unedited(clean, None if self.corrupted is None else values(self.corrupted))
        return self._unedited[key]

    def tensors(self) -> Iterator[Iterable[Tensor]]:
        """Every tensor that lives as long as the board, run by run."""
        yield from (run.tensors() for run in self.bases)
        references = (*tuple(self._own.values()), *((self.reference,) if self.reference else ()))
        yield from (reference.tensors() for reference in references)
        yield from (origin.tensors() for origin, _ in tuple(self._others.values()))
        yield from (origin.tensors() for origin in tuple(self._aligned.values()))

    def _reference(self, base: CachedRun, prompts: Prompts) -> Reference:
        if self.reference is not None:
            return self.reference
        own = self._own.get(base)
        if own is None or own.labels != prompts.labels:
            own = Reference(base, prompts.labels, f"the {base.name} prompts")
            if base in self.bases:
                self._own[base] = own
        return own

    def _unedited_run(self, run: CachedRun, edits: Iterable[Intervention] = ()) -> Run:
        """One of the board's runs, as it is named elsewhere: by its tokens and labels."""
        prompts = self.prompts.of(run.name)
        rows = [row[-length:] for row, length in zip(run.tokens, prompts.lengths, strict=True)]
        return Run(rows, edits, labels=prompts.labels if prompts.other is not None else None)

    def _labelled(self, prompts: Prompts) -> Prompts:
        """A run's prompts for its own edits: with the board's labels, if it has none and is as long."""
        if prompts.labels:
            return prompts
        sides = (self.prompts.of(run.name) for run in self.bases)
        return next((replace(prompts, labels=one.labels) for one in sides if one.lengths == prompts.lengths), prompts)

    def _run(self, run: SourceRun) -> tuple[CachedRun, Prompts]:
        """A run's prompts, unedited: one of the board's own if it is that."""
        own = self.prompts
        bound = bind_run(run, self.model, prepend_bos=None if own.clean_text is None else own.bos_added)
        if bound.n == 1 and own.n > 1:
            bound = replace(
                bound,
                clean_tokens=bound.clean_tokens.expand(own.n, -1),
                labels={label: positions * own.n for label, positions in bound.labels.items()},
            )
        if bound.n != own.n:
            raise PromptError(
                f"{run} has {bound.n} prompts, but the board has {own.n}; give one for each of the board's, or one for all.",
                code="run_mismatch",
            )
        for known in self.bases:
            side = own.of(known.name)
            if side.token_ids("clean" if known is self.clean else "corrupted") == bound.token_ids("clean"):
                # Labels of its own say where the run is read from; else it has those of the board.
                return known, replace(side, labels=bound.labels, other=None) if bound.labels else replace(
                    side, other=None
                )
        return unrecorded(str(run), self.adapter, bound.clean_tokens, bound.real), bound


def unrecorded(name: str, adapter: ModelAdapter, tokens: Tensor, real: Tensor | None) -> CachedRun:
    """A run of which nothing is kept until it is asked for."""
    import torch

    return CachedRun(name, tokens, torch.empty(len(tokens), 0, 0), {}, (), adapter, real)


def reads_of(metrics: Sequence[Metric]) -> Reads:
    """What metrics together need of the logits."""
    return "all" if any(metric.reads == "all" for metric in metrics) else "answer"


def set_up(
    model: TransformerBridge,
    adapter: ModelAdapter,
    prompts: Prompts,
    metrics: tuple[Metric, ...],
    base: Base,
    engine: Requested,
    memory: int | None = None,
    reference: Prompts | None = None,
) -> Lab:
    """Record both runs and choose the engine.

    Raises
    ------
    CircuitboardError
        `model_changed` if the model was changed meanwhile; `not_the_same_model` if a copy of the model does not
        compute what the model does.
    """
    budget = budget_of(adapter.device, memory)
    n_runs = 1 if prompts.corrupted_tokens is None else 2
    require_room(adapter, budget, n_runs, prompts.n, prompts.n_positions)
    reads = reads_of(metrics)
    clean = record_run(adapter, "clean", prompts.clean_tokens, reads, prompts.real)
    require_padding_to_work(adapter, prompts, clean)
    adapter.hold_hooks(clean.tokens, clean.real)
    corrupted = None
    if prompts.corrupted_tokens is not None:
        corrupted = record_run(adapter, "corrupted", prompts.corrupted_tokens, reads, prompts.of("corrupted").real)
        require_padding_to_work(adapter, prompts.of("corrupted"), corrupted)
    require_same_model(adapter, clean, reads)
    edited, source = (clean, corrupted) if base == "clean" or corrupted is None else (corrupted, clean)
    choice = choose_engine(engine, adapter, prompts, edited, source, reads, budget)
    given = None
    if reference is not None:
        run = unrecorded("reference", adapter, reference.clean_tokens, reference.real)
        given = Reference(run, reference.labels, "the reference prompts")
    watch = Watch(adapter.account)
    lab = Lab(model, adapter, prompts, metrics, clean, corrupted, choice, budget, given, reference, watch)
    lab.base(base)
    for metric in metrics:
        lab.unedited(base, metric)
    watch.require_unchanged()
    return lab
