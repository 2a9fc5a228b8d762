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
    from circuitboard.desk.lab import Lab
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


class _Checks:
    """The checks of one board, as they are made."""

    def __init__(self, lab: Lab, cancel: CancelToken) -> None:
        self.made: list[Check] = []
        self.theirs = lab.of_user()
        self._lab = lab
        self._cancel = cancel
        self._allowed = tolerance(lab.adapter.dtype, lab.clean.logits)

    def check(
        self, name: str, edits: list[Intervention], base: CachedRun, source: CachedRun | None, expected: Tensor
    ) -> None:
        self.note(name, self._run(self._lab, edits, base, source), expected, base)

    def known(self, name: str, edits: list[Intervention], base: CachedRun, expected: Tensor) -> None:
        """What is known of a transformer need not hold of one with hooks of the user's in it."""
        if self._lab.adapter.account.hooks:
            name, expected = f"{name}, but for hooks of yours", self.by_hooks(edits, base)
        self.check(name, edits, base, self._other(self._lab, base), expected)

    def by_hooks(self, edits: list[Intervention], base: CachedRun) -> Tensor:
        """What plain hooks on the user's model make of edits of a run of the board."""
        own = self.theirs.base("clean" if base is self._lab.clean else "corrupted")
        return self._run(self.theirs, edits, own, self._other(self.theirs, own))

    def note(self, name: str, found: Tensor, expected: Tensor, base: CachedRun) -> None:
        if base.real is not None and found.shape[1] > 1:
            found, expected = found[base.real], expected[base.real]
        self.made.append(Check(name, largest_difference(found, expected), self._allowed))

    def _run(self, lab: Lab, edits: list[Intervention], base: CachedRun, source: CachedRun | None) -> Tensor:
        plan = compile_plan(edits, lab.adapter, lab.prompts, Supply(base, source))
        return lab.choice.engine.run(plan, cancel=self._cancel).logits

    @staticmethod
    def _other(lab: Lab, base: CachedRun) -> CachedRun | None:
        return lab.corrupted if base is lab.clean else lab.clean


def run_self_test(lab: Lab, cancel: CancelToken) -> SelfTest:
    """Run the known-answer checks on the model and prompts of a board; on the worker thread."""
    shape = lab.adapter.shape
    places = list(places_of(lab.adapter))
    everywhere = [Site(kind, layer, None if shape.n_of(kind) is None else 0) for kind, layer in places]
    checks = _Checks(lab, cancel)
    clean = lab.clean
    for own, other in zip(lab.bases, checks.theirs.bases, strict=True):
        checks.note(f"the {own.name} run is what your model says", own.logits, other.logits, own)
    same, patched = [site.scale(1) for site in everywhere], [site.patch() for site in everywhere]
    checks.check("scaling every site by 1 changes nothing", same, clean, None, clean.logits)
    checks.check("patching every site from its own run changes nothing", patched, clean, clean, clean.logits)
    _of_the_other_run(lab, checks)
    heads = [Site(kind, layer, head) for kind, layer in places if kind == "head" for head in range(shape.n_heads)]
    zero = [site.zero() for site in heads]
    hooked = checks.by_hooks(zero, clean)
    checks.check("zeroing every head equals plain hooks on your model", zero, clean, None, hooked)
    if all(lab.adapter.refusal("head.pattern", head.layer) is None for head in heads):
        off = [head.pattern.zero() for head in heads]
        checks.known("heads that attend to nothing are heads that are zero", off, clean, hooked)
    return SelfTest(tuple(checks.made))


def _of_the_other_run(lab: Lab, checks: _Checks) -> None:
    clean, corrupted = lab.clean, lab.corrupted
    if corrupted is None:
        return
    last = Site("resid_post", lab.adapter.shape.n_layers - 1)
    if lab.prompts.aligned:
        into = [Site("resid_pre", 0).patch()]
        checks.known("patching resid_pre 0 gives the other run", into, clean, corrupted.logits)
        checks.known("patching resid_pre 0 back gives the clean run", into, corrupted, clean.logits)
    elif lab.adapter.refusal(last.kind, last.layer) is None:
        # Position by position nothing stands for anything; the last stream at the end gives the answer alone.
        into = [last.at(-1).patch(from_=-1)]
        for base, other in ((clean, corrupted), (corrupted, clean)):
            expected = torch.cat((base.logits[:, :-1], other.logits[:, -1:]), 1)
            checks.known(f"patching the last stream at the end gives the {other.name} answer", into, base, expected)
