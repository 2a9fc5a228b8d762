"""Two states of a board side by side: what changed between them, prompt by prompt and token by token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from circuitboard.address import Stays
from circuitboard.boundary import public
from circuitboard.desk.top_tokens import TokenChange, token_changes
from circuitboard.metrics import Spread, spread_of

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.desk.lab import Lab
    from circuitboard.desk.outcome import Shown
    from circuitboard.steps import Edit
    from circuitboard.sweeps import Sweep


@public
@dataclass(frozen=True, eq=False)
class ComparedState:
    """One of the two states.

    Parameters
    ----------
    node
        Its index in `board.history.nodes`.
    label
        The step that led to it, or what the user calls it.
    shown
        Its run and its numbers; `shown.outcome.change` is against the unedited run.
    sweep
        The map of the state, if one was asked for.
    """

    node: int
    label: str
    shown: Shown
    sweep: Sweep | None = None

    @classmethod
    def of(cls, shown: Shown, sweep: Sweep | None = None) -> ComparedState:
        """A state that was computed."""
        node = shown.history.nodes[shown.history.current]
        return cls(shown.history.current, node.note or node.label, shown, sweep)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits of the state, in the order in which they act."""
        return self.shown.history.state.edits

    @property
    def value(self) -> float:
        """The metric, mean over prompts."""
        return self.shown.outcome.value

    @property
    def values(self) -> Float[Tensor, " batch"]:
        """The metric of each prompt."""
        return self.shown.outcome.values.clone()


@public
@dataclass(frozen=True, eq=False)
class StateComparison(Stays):
    """Two states of one board, on the same prompts.

    Parameters
    ----------
    left, right
        The states; every change is right minus left.
    metric, unit
        What is compared.
    """

    _instead: ClassVar[str] = "It holds both runs; its tables travel: .table, .tokens(), .effects, .change."

    left: ComparedState
    right: ComparedState
    metric: str
    unit: str
    lab: Lab

    @property
    def values(self) -> Float[Tensor, " batch"]:
        """Right minus left, prompt by prompt."""
        return self.right.values - self.left.values

    @cached_property
    def change(self) -> Spread:
        """Right minus left with its error bars: paired, of the differences within each prompt."""
        return spread_of(self.values)

    @property
    def table(self) -> pd.DataFrame:
        """The metric prompt by prompt: prompt, left, right, change; the largest |change| first."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                "left": self.left.values.double().numpy(),
                "right": self.right.values.double().numpy(),
                "change": self.values.double().numpy(),
            }
        )
        frame.insert(0, "prompt", range(len(frame)))
        return frame.sort_values("change", key=abs, ascending=False, kind="stable", ignore_index=True)

    def tokens(self, k: int = 10, *, prompt: int = 0) -> pd.DataFrame:
        """The likeliest next tokens of either state: token, left_prob, right_prob, change (of the probability), left_logit, right_logit."""
        import pandas as pd

        rows = self.token_changes(k, prompt)
        columns = ["token", "token_id", "left_prob", "right_prob", "change", "left_logit", "right_logit"]
        return pd.DataFrame([[getattr(row, name) for name in columns] for row in rows], columns=columns)

    def token_changes(self, k: int, prompt: int) -> list[TokenChange]:
        """The rows of `tokens`."""
        return token_changes(self.lab, self.left.shown.run, self.right.shown.run, k, prompt)

    @property
    def effects(self) -> pd.DataFrame:
        """Both maps, if they were asked for: left, right and change of each component's effect, largest |change| first."""
        import pandas as pd

        from circuitboard.errors import InterventionError

        one, other = self.left.sweep, self.right.sweep
        if one is None or other is None:
            raise InterventionError(
                "The maps of the two states were not asked for; compare with over='head' or another kind of map.",
                code="no_map",
            )
        sites = [str(cell.site) for cell in one.grid.cells]
        left, right = one.effect.flatten().numpy(), other.effect.flatten().numpy()
        frame = pd.DataFrame({"site": sites, "left": left, "right": right, "change": right - left})
        return frame.sort_values("change", key=abs, ascending=False, kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        return (
            f"StateComparison({self.left.node} {self.left.label} {self.left.value:+.4f} → {self.right.node} {self.right.label} {self.right.value:+.4f}; "
            f"change of {self.metric} {self.change} {self.unit}; .table, .tokens(), .effects)"
        )
