"""What every engine tier offers, and the values it returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from circuitboard.address import Intervention, Site
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Plan, Write


@dataclass(frozen=True)
class Receipt:
    """Proof of one edit.

    Parameters
    ----------
    site
        What was edited.
    intervention
        What was done there.
    positions
        Where, prompt by prompt.
    norm_before, norm_change
        Euclidean norm, over positions and dimensions, of the activation before and of what the edit changed in
        it; mean over prompts, in the activation's own unit.
    tier
        The engine tier that did it.
    """

    site: Site
    intervention: Intervention
    positions: tuple[tuple[int, ...], ...]
    norm_before: float
    norm_change: float
    tier: str

    @property
    def changed(self) -> bool:
        """Whether the edit changed anything at all."""
        return self.norm_change != 0

    def __str__(self) -> str:
        note = "" if self.changed else "; it changed nothing"
        return (
            f"{self.intervention}: ‖before‖ {self.norm_before:.4g}, ‖change‖ {self.norm_change:.4g}{note} ({self.tier})"
        )


@dataclass(frozen=True, eq=False)
class EditedRun:
    """A run with edits in force.

    Parameters
    ----------
    plan
        What was done.
    logits
        Float [batch, read, d_vocab].
    receipts
        One per write, in order.
    resid_pre
        Layer → the residual stream that entered it, before edits of it; empty for tiers that start from the tokens.
    """

    plan: Plan
    logits: Float[Tensor, "batch read d_vocab"]
    receipts: tuple[Receipt, ...]
    resid_pre: Mapping[int, Float[Tensor, "batch pos d_model"]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CellLogits:
    """The logits of some cells of a sweep.

    Parameters
    ----------
    cells
        Indices into the sweep's cells.
    logits
        Float [cell, batch, read, d_vocab].
    """

    cells: Sequence[int]
    logits: Float[Tensor, "cell batch read d_vocab"]


class Engine(Protocol):
    """Computes edited runs and sweeps. Called on the worker thread only."""

    tier: str

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:
        """Run the base of `plan` with its writes; `near` is a run of the same base that may be reused in part."""

    def sweep(self, current: EditedRun, cells: Sequence[Plan], *, cancel: CancelToken) -> Iterator[CellLogits]:
        """Run each cell's whole plan (pinned edits and its own), yielding results as they come."""


class ReceiptBook:
    """Collects what each write changed while a run goes by."""

    def __init__(self, tier: str) -> None:
        self._tier = tier
        self._receipts: dict[int, Receipt] = {}

    def keep(self, write: Write, receipt: Receipt) -> None:
        """Take over a receipt from a run that did this write already."""
        self._receipts[id(write)] = receipt

    def measure(self, write: Write, before: Tensor, after: Tensor) -> None:
        """Note the part of an activation before and after a write, [batch, pos, d]."""
        before, after = before.double(), after.double()
        where = write.mask[..., None]
        self._receipts[id(write)] = Receipt(
            site=write.intervention.site,
            intervention=write.intervention,
            positions=tuple(tuple(row.nonzero()[:, 0].tolist()) for row in write.mask.cpu()),
            norm_before=float((before * where).flatten(1).norm(dim=1).mean()),
            norm_change=float(((after - before) * where).flatten(1).norm(dim=1).mean()),
            tier=self._tier,
        )

    def receipts(self, plan: Plan) -> tuple[Receipt, ...]:
        """One receipt per write; an edit that was never carried out is an error, not a silence."""
        missing = [write.intervention for write in plan.writes if id(write) not in self._receipts]
        if missing:
            raise EngineError(
                f"{', '.join(map(str, missing))} was never carried out: the model did not compute that activation in this run. The result would be wrong, so it is refused.",
                code="edit_never_happened",
            )
        return tuple(self._receipts[id(write)] for write in plan.writes)
