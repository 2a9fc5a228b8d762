"""What a board answers with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from circuitboard.address import ByContent
from circuitboard.boundary import public
from circuitboard.engine import EditedRun
from circuitboard.metrics import Spread, spread_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import Receipt
    from circuitboard.steps import History


@public
@dataclass(frozen=True, eq=False)
class Baselines(ByContent):
    """The metric on the unedited runs, mean over prompts; `corrupted` is None without a corrupted run."""

    clean: float
    corrupted: float | None


@public
@dataclass(frozen=True, eq=False)
class Outcome(ByContent):
    """The result of a step or a preview.

    Parameters
    ----------
    value
        The metric, mean over prompts.
    values
        The metric of each prompt, float [batch].
    change
        `value` minus the value of the state before.
    before
        The metric of each prompt in the state before, float [batch].
    receipts
        One per edit in force, in order: what it changed.
    latency_ms
        Time the engine took.
    """

    value: float
    values: Float[Tensor, " batch"]
    change: float
    before: Float[Tensor, " batch"]
    receipts: tuple[Receipt, ...]
    latency_ms: float = field(compare=False)

    def copy(self) -> Outcome:
        """The same numbers in tensors of its own."""
        return replace(self, values=self.values.clone(), before=self.before.clone())

    @property
    def spread(self) -> Spread:
        """`value` with its error bars over prompts."""
        return spread_of(self.values)

    @property
    def change_spread(self) -> Spread:
        """`change` with its error bars over prompts, and the p-value that it is zero."""
        return spread_of(self.values - self.before)

    def __repr__(self) -> str:
        receipts = "".join(f"\n  {receipt}" for receipt in self.receipts)
        return f"Outcome(value={self.value:+.4f}, change={self.change:+.4f}, {self.latency_ms:.1f} ms){receipts}"


@public
@dataclass(frozen=True, eq=False)
class Shown:
    """The last state whose numbers are known; replaced as a whole, so that readers never see half of one."""

    revision: int
    history: History
    run: EditedRun
    outcome: Outcome

    def __repr__(self) -> str:
        return f"Shown({self.history.state}, {self.outcome!r})"

    def copy(self) -> Shown:
        """The same state with logits and values in tensors of its own, to be handed to a user's function."""
        run = EditedRun(self.run.plan, self.run.logits.clone(), self.run.receipts)
        return replace(self, run=run, outcome=self.outcome.copy())


@public
@dataclass(frozen=True)
class EngineStatus:
    """The engine in use: its tier, why it was chosen, where it runs, and what the board keeps.

    `memory_bytes` counts the activations kept of the base runs and of edited ones, and copied weights; `budget_bytes` is what they and the
    batches under way may take together.
    """

    tier: str
    why: str
    device: str
    dtype: str
    memory_bytes: int
    budget_bytes: int
    budget_why: str

    def __repr__(self) -> str:
        return f"{self.tier} on {self.device}, {self.dtype}, {self.memory_bytes / 2**20:.1f} MiB kept of {self.budget_bytes / 2**20:.0f} MiB ({self.budget_why}); {self.why}"
