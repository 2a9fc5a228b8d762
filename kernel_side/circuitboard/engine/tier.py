"""What every engine tier offers, and the values it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from circuitboard.address import ByContent
from circuitboard.boundary import public
from circuitboard.errors import EngineError

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from circuitboard.address import Edge, Intervention, Site
    from circuitboard.engine.cancel import CancelToken
    from circuitboard.interventions import Plan, Write


@public
@dataclass(frozen=True, eq=False)
class Receipt(ByContent):
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

    site: Site | Edge
    intervention: Intervention
    positions: tuple[tuple[int, ...], ...]
    norm_before: float
    norm_change: float
    tier: str

    @property
    def changed(self) -> bool:
        """Whether the edit changed anything at all."""
        return self.norm_change != 0

    @property
    def by_label(self) -> bool:
        """Whether it named positions of which only those with a label were written."""
        at = self.site.positions
        named = at is not None and all(isinstance(entry, str) for entry in at)
        return self.intervention.how == "patch" and self.intervention.per == "label" and not named

    def __str__(self) -> str:
        note = "" if self.changed else "; it changed nothing"
        note += "; labelled positions alone" if self.by_label else ""
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

    A tier that can go on from a run keeps what it needs for that in a subclass.
    """

    plan: Plan
    logits: Float[Tensor, "batch read d_vocab"]
    receipts: tuple[Receipt, ...]

    def tensors(self) -> Iterable[Tensor]:
        """Every tensor that lives as long as this run."""
        return (self.logits,)


@dataclass(frozen=True, eq=False)
class CellLogits:
    """The logits of some cells of a sweep.

    Parameters
    ----------
    cells
        Indices into the sweep's cells.
    logits
        Float [cell, batch, read, column]: the whole vocabulary, or the columns that were asked for.
    """

    cells: Sequence[int]
    logits: Float[Tensor, "cell batch read column"]


class Engine(Protocol):
    """Computes edited runs and sweeps. Called on the worker thread only."""

    tier: str

    @property
    def copied_bytes(self) -> int:
        """What copies of the model's weights take, in bytes."""

    def tensors(self) -> Iterable[Tensor]:
        """Every activation that lives as long as the engine, besides those of the recorded runs."""

    def run(self, plan: Plan, *, near: EditedRun | None = None, cancel: CancelToken) -> EditedRun:
        """Run the base of `plan` with its writes; `near` is a run of the same base that may be reused in part."""

    def sweep(
        self,
        current: EditedRun,
        cells: Sequence[Write],
        *,
        columns: Int[Tensor, "batch k"] | None = None,
        cancel: CancelToken,
    ) -> Iterator[CellLogits]:
        """Run `current` with one more write per cell, which acts last, yielding results as they come.

        `columns` are the only token ids whose logits are wanted, per prompt.
        """


class ReceiptBook:
    """Collects what each write changed while a run goes by."""

    def __init__(self, tier: str) -> None:
        self._tier = tier
        self._receipts: dict[int, Receipt] = {}

    def keep(self, write: Write, receipt: Receipt) -> None:
        """Take over a receipt from a run that did this write already."""
        self._receipts[id(write)] = receipt

    def take_over(self, plan: Plan, known: EditedRun, first: int) -> None:
        """Keep the receipts of a known run for the writes of `plan` in layers below `first`, which act as they did."""
        done: dict[Intervention, list[Receipt]] = {}
        for write, receipt in zip(known.plan.writes, known.receipts, strict=True):
            done.setdefault(write.intervention, []).append(receipt)
        for write in plan.writes:
            if write.layer < first:
                self._receipts[id(write)] = done[write.intervention].pop(0)

    def measure(self, write: Write, before: Tensor, after: Tensor, first: int = 0) -> None:
        """Note the part of an activation before and after a write, [batch, pos, d], from position `first` on."""
        before, after = before.double(), after.double()
        where = write.touched[:, first : first + before.shape[1]]
        self._receipts[id(write)] = Receipt(
            site=write.intervention.site,
            intervention=write.intervention,
            positions=write.where.positions,
            norm_before=float((before * where).flatten(1).norm(dim=1).mean()),
            norm_change=float(((after - before) * where).flatten(1).norm(dim=1).mean()),
            tier=self._tier,
        )

    def changed(self, write: Write) -> bool:
        """Whether a write that was measured changed anything."""
        return self._receipts[id(write)].changed

    def receipts(self, plan: Plan) -> tuple[Receipt, ...]:
        """One receipt per write; an edit that was never carried out is an error, not a silence."""
        missing = [write.intervention for write in plan.writes if id(write) not in self._receipts]
        if missing:
            raise EngineError(
                f"{', '.join(map(str, missing))} was never carried out: the model did not compute that activation in this run. The result would be wrong, so it is refused.",
                code="edit_never_happened",
            )
        return tuple(self._receipts[id(write)] for write in plan.writes)
