"""What cells are laid on, and readings are taken of: a run with the edits in force, and what its numbers depend on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from circuitboard.address import positions_of
from circuitboard.boundary import ran_out_of_memory
from circuitboard.engine import piece
from circuitboard.errors import AddressError, EngineError, MetricError, ModelError
from circuitboard.interventions import compile_plan
from circuitboard.metrics import evaluate
from circuitboard.sweeps.attribution import attribute
from circuitboard.sweeps.sweep import sweep_steps

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention, PositionsLike
    from circuitboard.engine import CancelToken, EditedRun, Engine
    from circuitboard.interventions import Plan, Supply
    from circuitboard.metrics import Metric, Reading
    from circuitboard.models.adapter import ModelAdapter
    from circuitboard.prompts import Prompts
    from circuitboard.sweeps.sweep import Progress

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Ground:
    """A run with the edits in force.

    Parameters
    ----------
    run
        The run itself.
    metric, reading
        What is measured of it, and what the metric may look at besides its logits.
    supply
        The run that is edited, and all that the values of further edits come from.
    """

    adapter: ModelAdapter
    engine: Engine
    run: EditedRun
    metric: Metric
    reading: Reading
    supply: Supply

    @property
    def prompts(self) -> Prompts:
        """The prompts, positions counted in the run that is edited."""
        return self.reading.prompts

    @cached_property
    def values(self) -> Float[Tensor, " batch"]:
        """The metric of each prompt."""
        return evaluate(self.metric, self.run.logits, self.reading)

    def tokens(self, prompt: int) -> list[str]:
        """Those of one prompt of the run that is edited, padding left out."""
        return self.prompts.str_tokens("clean" if self.supply.base.name == "clean" else "corrupted")[prompt]

    def plan(self, interventions: Sequence[Intervention]) -> Plan:
        """Other edits of the same base run, made ready or refused."""
        return compile_plan(interventions, self.adapter, self.prompts, self.supply)

    def measured(self, plan: Plan, cancel: CancelToken) -> Float[Tensor, " batch"]:
        """The metric of other edits of the same base run; on the worker thread only."""
        return evaluate(self.metric, self.engine.run(plan, near=self.run, cancel=cancel).logits, self.reading)

    def columns(self, pos: PositionsLike) -> tuple[tuple[int, ...], ...]:
        """Columns of the token tensors, as many for each prompt.

        Raises
        ------
        AddressError
            `position_out_of_range` if there are more in one prompt than in another; and as `resolve`.
        """
        rows = self.prompts.resolve(positions_of(pos))
        if len({len(row) for row in rows}) > 1:
            raise AddressError(
                f"{pos!r} means {min(map(len, rows))} positions in one prompt and {max(map(len, rows))} in another; choose as many in each, such as -1, a label or slice(-3, None).",
                code="position_out_of_range",
            )
        return rows

    def both(self, read: Callable[[Plan], T], cancel: CancelToken) -> Generator[None, None, tuple[T, T]]:
        """What is read of the run and of its base run without edits: twice the same where it has none."""
        now = yield from piece(lambda: read(self.run.plan), cancel)
        if not self.run.plan.writes:
            return now, now
        base = self.plan(())
        return now, (yield from piece(lambda: read(base), cancel))

    def cells(
        self,
        cells: Sequence[Intervention],
        cancel: CancelToken,
        progress: Progress | None = None,
        importance: Float[Tensor, " cell"] | None = None,
    ) -> Generator[None, None, Float[Tensor, "cell batch"]]:
        """The metric with each cell on top, batch by batch."""
        return (
            yield from sweep_steps(
                self.engine,
                self.run,
                cells,
                adapter=self.adapter,
                metric=self.metric,
                reading=self.reading,
                supply=self.supply,
                cancel=cancel,
                progress=progress,
                importance=importance,
            )
        )

    def estimate(
        self, cells: Sequence[Intervention], cancel: CancelToken, *, needed: bool = False
    ) -> Float[Tensor, "cell batch"] | None:
        """What each cell's effect would be if the model were linear (attribution patching); on the worker thread only.

        NaN where that is not known; None if the metric or the model has no gradient, or, unless it is `needed`, if there
        is no memory for the backward pass: exact cells need less.
        """
        try:
            return self.attributed(cells, cancel, "atp")
        except (MetricError, ModelError) as error:
            if error.code not in ("metric_not_differentiable", "no_gradient"):
                raise
            return None
        except Exception as error:
            if needed or not ran_out_of_memory(error):
                raise
            return None

    def attributed(
        self, cells: Sequence[Intervention], cancel: CancelToken, method: Literal["atp", "atp*"]
    ) -> Float[Tensor, "cell batch"]:
        """The same by either method, or the reason why there is none.

        Raises
        ------
        CircuitboardError
            `metric_not_differentiable`, `no_gradient`; `no_atp_star` where attention is not taken apart.
        """
        own = self.plan(cells).writes
        anatomy = None
        if method == "atp*":
            try:
                anatomy = self.adapter.anatomy()
            except ModelError as error:
                raise EngineError(
                    f"AtP* needs the parts of the model's attention: {error.message} Use approximate='atp'.",
                    code="no_atp_star",
                ) from error
        return attribute(
            self.adapter,
            self.run,
            own,
            metric=self.metric,
            reading=self.reading,
            cancel=cancel,
            method=method,
            anatomy=anatomy,
        )
