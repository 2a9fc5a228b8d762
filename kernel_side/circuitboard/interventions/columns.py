"""The columns of the token tensor that an intervention acts on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuitboard.address import Intervention
    from circuitboard.prompts import Prompts


def by_label(intervention: Intervention) -> bool:
    """Whether it acts at labels alone, whatever it names."""
    return intervention.how == "patch" and intervention.per == "label"


def columns_of(intervention: Intervention, prompts: Prompts, prompt: int) -> list[int] | None:
    """The columns of one prompt that an intervention acts on; None for all."""
    positions = intervention.site.positions
    if positions is None and not by_label(intervention):
        return None
    columns = prompts.resolve(positions)[prompt]
    return [column for column in columns if not by_label(intervention) or prompts.labels_at(prompt, column)]
