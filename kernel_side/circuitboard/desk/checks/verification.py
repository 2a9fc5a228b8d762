"""Compare what the board says with what the user's own model says, unedited and with plain hooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from circuitboard.address import ByContent
from circuitboard.boundary import public
from circuitboard.engine import piece, tolerance
from circuitboard.engine.tolerance import largest_difference

if TYPE_CHECKING:
    from collections.abc import Generator

    from circuitboard.desk.lab import Lab
    from circuitboard.engine import CancelToken, EditedRun, InPieces
    from circuitboard.steps import BoardState


@public
@dataclass(frozen=True, eq=False)
class Verification(ByContent):
    """How far the board is from the user's own model.

    Parameters
    ----------
    unedited_error
        Largest difference between the recorded logits of the unedited run and those of `model(tokens)`.
    unedited_tolerance
        What is allowed there, at this dtype and scale.
    edited_error
        Largest difference of the metric over prompts between the engine and plain TransformerLens hooks on the user's
        model, with the edits in force; in the metric's unit.
    edited_tolerance
        What is allowed there.
    tier
        The tier that was checked.
    """

    unedited_error: float
    unedited_tolerance: float
    edited_error: float
    edited_tolerance: float
    tier: str

    @property
    def max_abs_error(self) -> float:
        """The difference that decides: of the edits, unless the unedited runs differ already."""
        return self.unedited_error if self.disagrees == "unedited" else self.edited_error

    @property
    def tolerance(self) -> float:
        """What is allowed of `max_abs_error`."""
        return self.unedited_tolerance if self.disagrees == "unedited" else self.edited_tolerance

    @property
    def disagrees(self) -> Literal["unedited", "edited"] | None:
        """The first part that disagrees with the user's model; None if both agree."""
        if not self.unedited_error <= self.unedited_tolerance:
            return "unedited"
        return None if self.edited_error <= self.edited_tolerance else "edited"

    @property
    def ok(self) -> bool:
        return self.disagrees is None

    def __repr__(self) -> str:
        if self.disagrees == "unedited":
            return (
                f"Verification(NOT OK: the unedited run differs from your model by {self.unedited_error:.2g} in its logits, "
                f"{self.unedited_tolerance:.2g} allowed)"
            )
        verdict = "ok" if self.ok else "NOT OK"
        return f"Verification({verdict}: {self.tier} differs from plain hooks on your model by at most {self.edited_error:.2g}, {self.edited_tolerance:.2g} allowed)"


def verification(lab: Lab, state: BoardState, near: EditedRun) -> InPieces[Verification]:
    """Run a state on the user's model, first without edits and then with plain hooks; edits that cannot be are refused at once.

    Raises
    ------
    CircuitboardError
        `model_busy`, also later: while this gives way to a step, a cell may begin.
    """
    require_idle = lab.watch.require_idle()
    plan = lab.plan(state.base, state.active)

    def verify(cancel: CancelToken) -> Generator[None, None, Verification]:
        edited = yield from piece(lambda: lab.choice.engine.run(plan, near=near, cancel=cancel), cancel)
        require_idle()
        theirs = yield from lab.of_user(cancel)
        plain = theirs.plan(state.base, state.active)

        def with_hooks() -> EditedRun:
            require_idle()
            return theirs.choice.engine.run(plain, cancel=cancel)

        found, expected = lab.values(edited), theirs.values((yield from piece(with_hooks, cancel)))
        unedited, allowed = 0.0, tolerance(lab.adapter.dtype)
        for own, other in zip(lab.bases, theirs.bases, strict=True):
            pair = (own.logits, other.logits)
            if own.real is not None and lab.reads == "all":
                pair = (own.logits[own.real], other.logits[own.real])
            unedited = max(unedited, largest_difference(*pair))
            allowed = max(allowed, tolerance(lab.adapter.dtype, pair[1]))
        return Verification(
            unedited_error=unedited,
            unedited_tolerance=allowed,
            edited_error=largest_difference(found, expected),
            edited_tolerance=tolerance(lab.adapter.dtype, lab.unedited(state.base).clean, expected),
            tier=lab.choice.tier,
        )

    return verify
