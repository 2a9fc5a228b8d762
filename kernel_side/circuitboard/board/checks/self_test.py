"""Checks whose answers are known before they are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Site
from circuitboard.boundary import public
from circuitboard.engine import tolerance
from circuitboard.engine.tolerance import largest_difference
from circuitboard.interventions import Supply, compile_plan
from circuitboard.models.adapter import places_of

if TYPE_CHECKING:
    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.board.lab import Lab
    from circuitboard.engine import CancelToken
    from circuitboard.runs import CachedRun


@public
@dataclass(frozen=True)
class Check:
    """One check: what must hold, and by how much the logits missed it."""

    name: str
    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance


@public
@dataclass(frozen=True)
class SelfTest:
    """All checks; prints as a table."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def __repr__(self) -> str:
        width = max(len(check.name) for check in self.checks)
        rows = [f"{'check':<{width}}  largest error  allowed  verdict"]
        rows += [
            f"{check.name:<{width}}  {check.error:>13.2e}  {check.tolerance:>7.0e}  {'ok' if check.ok else 'FAILED'}"
            for check in self.checks
        ]
        return "\n".join(rows)


def run_self_test(lab: Lab, cancel: CancelToken) -> SelfTest:
    """Run the known-answer checks on the model and prompts of a board; on the worker thread."""
    engine = lab.choice.engine
    shape = lab.adapter.shape
    places = list(places_of(lab.adapter))
    everywhere = [Site(kind, layer, None if shape.n_of(kind) is None else 0) for kind, layer in places]
    heads = [Site(kind, layer, head) for kind, layer in places if kind == "head" for head in range(shape.n_heads)]
    patterns = [head.pattern for head in heads if lab.adapter.refusal("head.pattern", head.layer) is None]
    allowed = tolerance(lab.adapter.dtype, lab.clean.logits)
    theirs = lab.of_user()
    checks: list[Check] = []

    def check(
        name: str, edits: list[Intervention], base: CachedRun, source: CachedRun | None, expected: Tensor
    ) -> None:
        plan = compile_plan(edits, lab.adapter, lab.prompts, Supply(base, source))
        note(name, engine.run(plan, cancel=cancel).logits, expected, base)

    def note(name: str, found: Tensor, expected: Tensor, base: CachedRun) -> None:
        if base.real is not None and found.shape[1] > 1:
            found, expected = found[base.real], expected[base.real]
        checks.append(Check(name, largest_difference(found, expected), allowed))

    clean, corrupted = lab.clean, lab.corrupted
    for own, other in zip(lab.bases, theirs.bases, strict=True):
        note(f"the {own.name} run is what your model says", own.logits, other.logits, own)
    check("scaling every site by 1 changes nothing", [site.scale(1) for site in everywhere], clean, None, clean.logits)
    check(
        "patching every site from its own run changes nothing",
        [site.patch() for site in everywhere],
        clean,
        clean,
        clean.logits,
    )
    last = Site("resid_post", shape.n_layers - 1)
    if corrupted is not None and not lab.prompts.aligned:
        # Position by position nothing stands for anything; the last stream at the end gives the answer alone.
        if lab.adapter.refusal(last.kind, last.layer) is None:
            into = [last.at(-1).patch(from_=-1)]
            for base, other in ((clean, corrupted), (corrupted, clean)):
                expected = torch.cat((base.logits[:, :-1], other.logits[:, -1:]), 1)
                check(f"patching the last stream at the end gives the {other.name} answer", into, base, other, expected)
    elif corrupted is not None:
        into = [Site("resid_pre", 0).patch()]
        check("patching resid_pre 0 gives the other run", into, clean, corrupted, corrupted.logits)
        check("patching resid_pre 0 back gives the clean run", into, corrupted, clean, clean.logits)
    zero = compile_plan([site.zero() for site in heads], theirs.adapter, lab.prompts, Supply(theirs.clean))
    hooked = theirs.choice.engine.run(zero, cancel=cancel).logits
    check("zeroing every head equals plain hooks on your model", [site.zero() for site in heads], clean, None, hooked)
    if len(patterns) == len(heads):
        off = [pattern.zero() for pattern in patterns]
        check("heads that attend to nothing are heads that are zero", off, clean, None, hooked)
    return SelfTest(tuple(checks))
