"""The attention pattern of one head in one prompt."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.address import ByContent, Site, prompt_of
from circuitboard.boundary import public
from circuitboard.engine.recording import recorded
from circuitboard.interventions import check_site

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.interventions import Plan
    from circuitboard.models.shape import Place
    from circuitboard.sweeps import Ground


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


def pattern_of(
    site: Site,
    prompt: int,
    tokens: Sequence[str],
    now: Float[Tensor, "batch head dest src"],
    base: Float[Tensor, "batch head dest src"],
) -> AttentionPattern:
    """What one head does in one prompt, of the patterns of its layer in both runs.

    Parameters
    ----------
    site
        "head.pattern" of that head.
    tokens
        The prompt's own, padding left out.
    """
    head, first = site.index or 0, now.shape[-1] - len(tokens)
    return AttentionPattern(
        site.layer,
        head,
        prompt,
        tuple(tokens),
        now[prompt, head, first:, first:].float().cpu(),
        base[prompt, head, first:, first:].float().cpu(),
    )


def attention(ground: Ground, layer: int, head: int, prompt: int) -> InPieces[AttentionPattern]:
    """Where a head looks in one prompt; what cannot be is refused at once."""
    site = Site("head.pattern", layer, head)
    check_site(site, ground.adapter)
    prompt = prompt_of(ground.prompts.n, prompt)
    place: Place = (site.kind, site.layer)

    def read(cancel: CancelToken) -> Generator[None, None, AttentionPattern]:
        def pattern(plan: Plan) -> Tensor:
            return recorded(ground.adapter, plan, [place], cancel).activations[place]

        now, base = yield from ground.both(pattern, cancel)
        return pattern_of(site, prompt, ground.tokens(prompt), now, base)

    return read
