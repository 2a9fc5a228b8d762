"""Everything that edits take activations from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitboard.errors import InterventionError

if TYPE_CHECKING:
    from circuitboard.address import Intervention
    from circuitboard.interventions.reference import Reference
    from circuitboard.interventions.write import Where
    from circuitboard.prompts import Prompts
    from circuitboard.runs import CachedRun, Origin, Run


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
        The origin of any other run, or refused; None where none is asked for.
    """

    base: CachedRun
    source: CachedRun | None = None
    reference: Reference | None = None
    others: Callable[[Run], Origin] | None = None

    def origin(self, intervention: Intervention, where: Where, prompts: Prompts) -> Origin | None:
        """Where an edit takes its values from; None if it needs no run.

        Raises
        ------
        InterventionError
            `no_source_run` for a patch without a second run; as `Reference.origin`.
        """
        if intervention.how == "freeze":
            return self.base
        if intervention.how in ("mean", "resample"):
            assert self.reference is not None  # noqa: S101  whoever asks for these has one
            return self.reference.origin(intervention, where, self.base, prompts)
        if intervention.how != "patch":
            return None
        if intervention.run is not None:
            assert self.others is not None  # noqa: S101  whoever asks for other runs has them
            return self.others(intervention.run)
        if self.source is None:
            name = intervention.site.name
            raise InterventionError(
                f"{name} cannot be patched: there is no second run to take it from. Pass corrupted=… to PromptPair.",
                code="no_source_run",
                where=name,
            )
        return self.source
