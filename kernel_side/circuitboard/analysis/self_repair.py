"""Self-repair: which components make up for an edit."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from circuitboard.address import ByContent, count_of
from circuitboard.analysis.component import Component
from circuitboard.analysis.direct_effects import direct_effects
from circuitboard.boundary import public
from circuitboard.engine import piece, tolerance
from circuitboard.errors import EngineError
from circuitboard.metrics import standard_error

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Bool, Float
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.analysis.direct_effects import DirectEffects
    from circuitboard.engine import CancelToken, InPieces
    from circuitboard.interventions import Plan, Write
    from circuitboard.sweeps import Ground

Verdict = Literal["repaired", "amplified", "neither"]

_CONSTANT = ("norm_bias", "unembed_bias")
"""Summands that no norm scales."""


@public
@dataclass(frozen=True, eq=False)
class SelfRepair(ByContent):
    """Direct effects on the logit difference before and after edits, per component and prompt.

    An edit has a *direct* effect, the change of what the edited components themselves add to the logit difference, and
    a *total* effect, the change of the logit difference. What is between them is what the rest of the model did about
    it: `compensation` = total − direct. Where it has the other sign than `direct`, the rest has *repaired* (the "Hydra
    effect", McGrath et al. 2023, arXiv:2307.15771; Rushing and Nanda 2024, arXiv:2402.15390); where it has the same,
    the rest has *amplified* the edit. `verdict` is that word.

    Direct effects are those of direct logit attribution. `before` and `after` use the scale that the final norm has in
    their own run; `after_frozen` keeps the scale of `before`, so that total = Σ (after_frozen − before) + `norm_part`:
    what components do is kept apart from what the norm does by rescaling everything, which Rushing and Nanda find to
    be a good part of self-repair. `direct` and `compensation` are with the scale frozen, and `norm_part` belongs to the
    compensation. All is in logits, before a soft-cap.

    Parameters
    ----------
    components
        As in `DirectLogitAttribution`.
    before, after, after_frozen
        Float32 [component, batch].
    edited
        Bool [component]: which components the edits themselves act on.
    edits
        The edits, in words.
    """

    components: tuple[Component, ...]
    before: Float[Tensor, "component batch"]
    after: Float[Tensor, "component batch"]
    after_frozen: Float[Tensor, "component batch"]
    edited: Bool[Tensor, " component"]
    edits: tuple[str, ...]

    @property
    def change(self) -> Float[Tensor, "component batch"]:
        """After − before of each component, with the norm's scale frozen."""
        return self.after_frozen - self.before

    @property
    def total(self) -> Float[Tensor, " batch"]:
        """The change of the logit difference."""
        return (self.after - self.before).sum(0)

    @property
    def direct(self) -> Float[Tensor, " batch"]:
        """What of it the edited components do themselves."""
        return self.change[self.edited].sum(0)

    @property
    def norm_part(self) -> Float[Tensor, " batch"]:
        """What of it the final norm does, whose scale is another after the edits."""
        return (self.after - self.after_frozen).sum(0)

    @property
    def compensation(self) -> Float[Tensor, " batch"]:
        """Total − direct: what the other components and the final norm do about the edits."""
        return self.total - self.direct

    @property
    def verdict(self) -> Verdict:
        """What the rest of the model did, of the means over prompts.

        "repaired": against the direct effect; "amplified": along with it; "neither": less than two standard errors of
        itself, or than rounding for a single prompt, or there is no direct effect.
        """
        direct, rest = float(self.direct.mean()), float(self.compensation.mean())
        error = float(standard_error(self.compensation))
        noise = tolerance(torch.float32, self.before.sum(0), self.after.sum(0))
        if not abs(rest) > max(noise, 0.0 if math.isnan(error) else 2 * error) or not abs(direct) > noise:
            return "neither"
        return "repaired" if (rest > 0) != (direct > 0) else "amplified"

    @property
    def rise(self) -> Float[Tensor, "component batch"]:
        """How far each component moves against the mean direct effect of the edits; the edited ones 0."""
        return -self.direct.mean().sign() * self.change * ~self.edited[:, None]

    def to_dataframe(self) -> pd.DataFrame:
        """One row a component, means over prompts, the one that makes up for most first.

        Columns: component, kind, layer, index, edited, before, after (each with the scale of its own run), change and
        its stderr (scale frozen), change_own and its stderr (each with its own scale), rise.
        """
        import pandas as pd

        own, rise = self.after - self.before, self.rise.mean(-1)
        frame = pd.DataFrame(
            {
                "component": [component.name for component in self.components],
                "kind": [component.kind for component in self.components],
                "layer": pd.Series([component.layer for component in self.components], dtype="Int64"),
                "index": pd.Series([component.index for component in self.components], dtype="Int64"),
                "edited": self.edited.numpy(),
                "before": self.before.mean(-1).numpy(),
                "after": self.after.mean(-1).numpy(),
                "change": self.change.mean(-1).numpy(),
                "stderr": standard_error(self.change).numpy(),
                "change_own": own.mean(-1).numpy(),
                "stderr_own": standard_error(own).numpy(),
                "rise": rise.numpy(),
            }
        )
        order = frame["rise"].sort_values(ascending=False, na_position="last", kind="stable").index
        return frame.loc[order].reset_index(drop=True)

    def risers(self, k: int = 10) -> pd.DataFrame:
        """The `k` components that make up for most of the edits' direct effect; only those that do rise."""
        frame = self.to_dataframe()
        return frame[frame["rise"] > 0].head(count_of("k", k, least=0))

    def summary(self) -> pd.DataFrame:
        """total, direct, compensation, and of the latter what components and what the norm do: mean and stderr."""
        import pandas as pd

        parts = {
            "total": self.total,
            "direct": self.direct,
            "compensation": self.compensation,
            "compensation by components": self.compensation - self.norm_part,
            "compensation by the norm's scale": self.norm_part,
        }
        means = [float(values.mean()) for values in parts.values()]
        errors = [float(standard_error(values)) for values in parts.values()]
        return pd.DataFrame({"mean": means, "stderr": errors}, index=list(parts))

    def _in_words(self) -> str:
        verdict, direct = self.verdict, self.direct.mean()
        if verdict == "neither":
            return "neither repaired nor amplified"
        return f"{verdict}, {float(abs(self.compensation.mean() / direct)):.0%} of the direct effect"

    def __repr__(self) -> str:
        names = ", ".join(self.edits)
        return f"SelfRepair({names}: total {self.total.mean():+.4f}, direct {self.direct.mean():+.4f}, compensation {self.compensation.mean():+.4f} logits ({self._in_words()}), n={self.total.shape[0]}; .risers(5), .summary(), .to_dataframe())"


def self_repair(ground: Ground, edited: Sequence[Intervention]) -> InPieces[SelfRepair]:
    """What a run's components do about further edits; edits that cannot be are refused at once.

    Parameters
    ----------
    edited
        All edits of the run and then the further ones.
    """
    adapter, before, after = ground.adapter, ground.run.plan, ground.plan(edited)
    own, shape = after.writes[len(before.writes) :], adapter.shape

    def read(cancel: CancelToken) -> Generator[None, None, SelfRepair]:
        outlets = adapter.outlets()

        def effects(plan: Plan) -> DirectEffects:
            return direct_effects(adapter, outlets, plan, ground.prompts, cancel)

        first = yield from piece(lambda: effects(before), cancel)
        last = yield from piece(lambda: effects(after), cancel)
        return _compared(first, last, own, shape.n_heads // shape.n_kv_heads)

    return read


def _compared(before: DirectEffects, after: DirectEffects, own: tuple[Write, ...], n_groups: int) -> SelfRepair:
    """Compare two decompositions of the same prompts.

    Parameters
    ----------
    before, after
        Without and with the edits.
    own
        What the edits write, with all edits that `after` has and `before` has not.
    n_groups
        Query heads that read one key-value head.

    Raises
    ------
    EngineError
        `not_decomposed` if an edit acts on something that is none of the components.
    """
    components = tuple(dict.fromkeys((*before.components, *after.components)))
    first, last = _laid_out(components, before), _laid_out(components, after)
    scaled = torch.tensor([component.kind not in _CONSTANT for component in components])[:, None]
    ratio = (before.read.norm.scale / after.read.norm.scale).cpu()
    edited = torch.tensor([any(_acts_on(write, component, n_groups) for write in own) for component in components])
    for write in own:
        if not any(_acts_on(write, component, n_groups) for component in components):
            raise EngineError(
                f"{write.intervention} acts on none of the components that the logits are split into.",
                code="not_decomposed",
            )
    return SelfRepair(
        components=components,
        before=first.float(),
        after=last.float(),
        after_frozen=torch.where(scaled, last * ratio, last).float(),
        edited=edited,
        edits=tuple(str(write.intervention) for write in own),
    )


def _laid_out(components: tuple[Component, ...], found: DirectEffects) -> Float[Tensor, "component batch"]:
    """Effects in the order of `components`; what a run has not adds 0."""
    rows = dict(zip(found.components, found.effects, strict=True))
    nothing = torch.zeros_like(found.value)
    return torch.stack([rows.get(component, nothing) for component in components])


def _acts_on(write: Write, component: Component, n_groups: int) -> bool:
    """Whether a write changes what this component itself adds."""
    (kind, layer), index = (write.place, write.index) if write.receiver is None else write.receiver
    if component == Component("edit", layer, place=kind):
        return True
    if kind == "attn_out":
        return component == Component("attn", layer)
    if kind == "embed":
        return component.kind == "embed"
    if kind in ("mlp_out", "neuron"):
        return component == Component("mlp", layer)
    if index is not None and kind in ("head.k", "head.v"):
        return component.kind == "head" and component.layer == layer and (component.index or 0) // n_groups == index
    return component in (Component("head", layer, index), Component("attn", layer))
