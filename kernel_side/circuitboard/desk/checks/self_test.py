"""Checks whose answers are known before they are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitboard.address import Site
from circuitboard.boundary import public
from circuitboard.engine import piece, tolerance
from circuitboard.engine.tolerance import largest_difference
from circuitboard.interventions import Supply, compile_plan
from circuitboard.models.adapter import places_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from circuitboard.address import Intervention
    from circuitboard.desk.lab import Lab
    from circuitboard.engine import CancelToken, InPieces
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
    """The checks of one board, as they are made, a pass at a time."""

    def __init__(self, lab: Lab, theirs: Lab, cancel: CancelToken) -> None:
        self.made: list[Check] = []
        self.theirs = theirs
        self._lab = lab
        self._cancel = cancel
        self._allowed = tolerance(lab.adapter.dtype, lab.clean.logits)

    def check(
        self, name: str, edits: list[Intervention], base: CachedRun, source: CachedRun | None, expected: Tensor
    ) -> Generator[None, None, None]:
        self.note(name, (yield from self._run(self._lab, edits, base, source)), expected, base)

    def known(
        self, name: str, edits: list[Intervention], base: CachedRun, expected: Tensor
    ) -> Generator[None, None, None]:
        """What is known of a transformer need not hold of one with hooks of the user's in it."""
        if self._lab.adapter.account.hooks:
            name, expected = f"{name}, but for hooks of yours", (yield from self.by_hooks(edits, base))
        yield from self.check(name, edits, base, self._other(self._lab, base), expected)

    def by_hooks(self, edits: list[Intervention], base: CachedRun) -> Generator[None, None, Tensor]:
        """What plain hooks on the user's model make of edits of a run of the board."""
        own = self.theirs.base("clean" if base is self._lab.clean else "corrupted")
        return (yield from self._run(self.theirs, edits, own, self._other(self.theirs, own)))

    def note(self, name: str, found: Tensor, expected: Tensor, base: CachedRun) -> None:
        if base.real is not None and found.shape[1] > 1:
            found, expected = found[base.real], expected[base.real]
        self.made.append(Check(name, largest_difference(found, expected), self._allowed))

    def _run(
        self, lab: Lab, edits: list[Intervention], base: CachedRun, source: CachedRun | None
    ) -> Generator[None, None, Tensor]:
        plan = compile_plan(edits, lab.adapter, lab.prompts, Supply(base, source))
        run = yield from piece(lambda: lab.choice.engine.run(plan, cancel=self._cancel), self._cancel)
        return run.logits

    @staticmethod
    def _other(lab: Lab, base: CachedRun) -> CachedRun | None:
        return lab.corrupted if base is lab.clean else lab.clean


def self_test(lab: Lab) -> InPieces[SelfTest]:
    """Run the known-answer checks on the model and prompts of a board."""

    def test(cancel: CancelToken) -> Generator[None, None, SelfTest]:
        shape = lab.adapter.shape
        places = list(places_of(lab.adapter))
        everywhere = [Site(kind, layer, None if shape.n_of(kind) is None else 0) for kind, layer in places]
        checks = _Checks(lab, (yield from lab.of_user(cancel)), cancel)
        clean = lab.clean
        for own, other in zip(lab.bases, checks.theirs.bases, strict=True):
            checks.note(f"the {own.name} run is what your model says", own.logits, other.logits, own)
        same, patched = [site.scale(1) for site in everywhere], [site.patch() for site in everywhere]
        yield from checks.check("scaling every site by 1 changes nothing", same, clean, None, clean.logits)
        own_run = "patching every site from its own run changes nothing"
        yield from checks.check(own_run, patched, clean, clean, clean.logits)
        yield from _of_the_other_run(lab, checks)
        heads = [Site(kind, layer, head) for kind, layer in places if kind == "head" for head in range(shape.n_heads)]
        zero = [site.zero() for site in heads]
        hooked = yield from checks.by_hooks(zero, clean)
        yield from checks.check("zeroing every head equals plain hooks on your model", zero, clean, None, hooked)
        if all(lab.adapter.refusal("head.pattern", head.layer) is None for head in heads):
            off = [head.pattern.zero() for head in heads]
            yield from checks.known("heads that attend to nothing are heads that are zero", off, clean, hooked)
        return SelfTest(tuple(checks.made))

    return test


def _of_the_other_run(lab: Lab, checks: _Checks) -> Generator[None, None, None]:
    clean, corrupted = lab.clean, lab.corrupted
    if corrupted is None:
        return
    last = Site("resid_post", lab.adapter.shape.n_layers - 1)
    if lab.prompts.aligned:
        into = [Site("resid_pre", 0).patch()]
        yield from checks.known("patching resid_pre 0 gives the other run", into, clean, corrupted.logits)
        yield from checks.known("patching resid_pre 0 back gives the clean run", into, corrupted, clean.logits)
    elif lab.adapter.refusal(last.kind, last.layer) is None:
        # Position by position nothing stands for anything; the last stream at the end gives the answer alone.
        into = [last.at(-1).patch(from_=-1)]
        for base, other in ((clean, corrupted), (corrupted, clean)):
            expected = torch.cat((base.logits[:, :-1], other.logits[:, -1:]), 1)
            name = f"patching the last stream at the end gives the {other.name} answer"
            yield from checks.known(name, into, base, expected)
