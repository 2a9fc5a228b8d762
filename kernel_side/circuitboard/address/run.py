"""What a patch knows of the run that it takes from; `circuitboard.runs.Run` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from circuitboard.address.intervention import Intervention


class SourceRun(Protocol):
    """Prompts, and edits in force on them, as a value."""

    @property
    def prompts(self) -> tuple[str, ...] | tuple[tuple[int, ...], ...]:
        """Texts, or token ids."""

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The edits in force, in order."""

    @property
    def prepend_bos(self) -> bool | None:
        """Whether BOS is put first; None for as the board's own texts have it."""

    @property
    def labels(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Names of positions, one position a prompt."""
