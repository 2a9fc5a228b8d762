"""The attention pattern of one head in one prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.address import ByContent
from circuitboard.boundary import public

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor


@public
@dataclass(frozen=True, eq=False)
class AttentionPattern(ByContent):
    """Where a head looks, with the edits in force and in the base run without.

    Parameters
    ----------
    layer, head, prompt
        Whose.
    tokens
        The prompt's own tokens, padding left out.
    pattern, base
        Attention probabilities, float32 [dest, src]; each row sums to 1, save where an edit made it another.
    """

    layer: int
    head: int
    prompt: int
    tokens: tuple[str, ...]
    pattern: Float[Tensor, "dest src"]
    base: Float[Tensor, "dest src"]

    @property
    def name(self) -> str:
        """The head, "9.6"."""
        return f"{self.layer}.{self.head}"

    @property
    def change(self) -> Float[Tensor, "dest src"]:
        """The pattern minus `base`."""
        return self.pattern - self.base

    def to_dataframe(self) -> pd.DataFrame:
        """One row a pair of positions: dest, dest_token, src, src_token, attention, base, change; src ≤ dest or attended."""
        import pandas as pd

        length = len(self.tokens)
        rows = [
            (
                dest,
                self.tokens[dest],
                src,
                self.tokens[src],
                float(self.pattern[dest, src]),
                float(self.base[dest, src]),
            )
            for dest in range(length)
            for src in range(length)
            if src <= dest or self.pattern[dest, src] or self.base[dest, src]
        ]
        frame = pd.DataFrame(rows, columns=["dest", "dest_token", "src", "src_token", "attention", "base"])
        return frame.assign(change=frame["attention"] - frame["base"])

    def __repr__(self) -> str:
        return f"AttentionPattern({self.name}, prompt {self.prompt}, {len(self.tokens)} tokens; .pattern, .base, .change [dest, src], .tokens)"
