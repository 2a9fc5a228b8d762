"""Everything that edits take activations from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circuitboard.errors import InterventionError, there
from circuitboard.interventions.matching import Aligned, Columns, aligned, every_label, matched

if TYPE_CHECKING:
    from circuitboard.address import Intervention
    from circuitboard.address.run import SourceRun
    from circuitboard.interventions.reference import Reference
    from circuitboard.interventions.write import Where
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun, Origin


@dataclass(frozen=True, eq=False)
class Supply:
    """The runs at hand.

    Parameters
    ----------
    base
        The run that is edited.
    source
        The run that "patch" takes from; None without a second one.
    reference
        The prompts that means and resamples come from; None where these are not asked for.
    others
        The origin of any other run and its prompts, or refused; None where none is asked for.
    made
        Runs laid out by labels or positions, kept for the next edit.
    """

    base: CachedRun
    source: CachedRun | None = None
    reference: Reference | None = None
    others: Callable[[SourceRun], tuple[Origin, Prompts]] | None = None
    made: dict[object, Aligned] = field(default_factory=dict)

    def taken(self, intervention: Intervention, prompts: Prompts) -> tuple[Origin, Columns | None, Columns | None]:
        """What a patch takes from, laid out like the prompts that are edited, and which columns of them it can write.

        Returns
        -------
        tuple
            The origin; the columns that it covers, and for a pattern those attended to, each with the one that it
            stands for; None for all.

        Raises
        ------
        InterventionError, PromptError, AddressError
            `no_source_run` for a patch without a second run; as `matched`.
        """
        found, theirs, whose = self._run(intervention, prompts)
        columns, sources = matched(intervention, prompts, theirs, whose)
        if columns is None:
            return found, None, None
        if intervention.per == "label":
            whole = every_label(columns, prompts, theirs)
            attended = None if sources is None else every_label(sources, prompts, theirs)
        else:
            whole, attended = columns, sources
        return aligned(found, whole, attended, prompts, self.made), columns, sources

    def origin(self, intervention: Intervention, where: Where, prompts: Prompts) -> Origin | None:
        """Where an edit that is no patch takes its values from; None if it needs no run.

        Raises
        ------
        InterventionError
            As `Reference.origin`.
        """
        if intervention.how == "freeze":
            return self.base
        if intervention.how in ("mean", "resample"):
            # Whoever asks for these has one.
            return there(self.reference).origin(intervention, where, self.base, prompts)
        return None

    def _run(self, intervention: Intervention, prompts: Prompts) -> tuple[Origin, Prompts, str]:
        """The run that a patch takes from, its prompts, and what to call it."""
        if intervention.run is not None:
            # Whoever asks for other runs has them.
            return *there(self.others)(intervention.run), str(intervention.run)
        if self.source is None:
            name = intervention.site.name
            raise InterventionError(
                f"{name} cannot be patched: there is no second run to take it from. Pass corrupted=… to PromptPair.",
                code="no_source_run",
                where=name,
            )
        return self.source, prompts.of(self.source.name), f"the {self.source.name} run"
