"""Writes kernel_side/SUPPORT.md: what every family of models can have edited. Run `python -m tests.docs.support`."""

from __future__ import annotations

import textwrap
from pathlib import Path

import torch

from circuitboard.address import HOWS, KINDS
from circuitboard.board.support import WORKS, Support, support_of
from circuitboard.errors import ModelError
from circuitboard.metrics import METRICS
from tests.tiny_models import FAMILIES, MORE_FAMILIES, tiny

TABLE = Path(__file__).parents[2] / "kernel_side" / "SUPPORT.md"
ROWS = (*KINDS, "edge")

HEAD = f"""# What can be edited, family by family

Written by `python -m tests.docs.support`, which makes a small random model of each family and carries out every
intervention ({", ".join(HOWS)}) at every kind of site, each held against a run with plain TransformerLens hooks.
`circuitboard doctor --model NAME` does the same on a model of yours.

✓: every intervention works. A number: refused, with the reason below. There are no other cases: all interventions work
at a site, or none do. Means and resamples need reference prompts of the same length or a common label; matched per
label, they are refused for attention patterns.

Metrics ({", ".join(METRICS)}, or a function of the logits) work with every family. rank has no gradient, so sweeps of it
cannot be approximated by AtP. Sweeps patch, zero, mean-ablate or resample every kind of site that can be edited, edges and
the embedding apart.
"""


def row_of(family: str) -> Support | str:
    """What a family can have, or why it can have no board."""
    try:
        return support_of(tiny(family))
    except ModelError as error:
        return _general(error.message)


def answers(found: Support) -> dict[str, str]:
    """Kind of site → "works" or the reason, which is one for all interventions."""
    rows = {}
    for name, by_how in found.sites.items():
        (answer,) = set(by_how.values())
        rows[name] = WORKS if answer == WORKS else _general(answer.split(": ", 1)[1])
    assert set(found.metrics.values()) == {WORKS}
    return rows


def line(family: str, found: Support | str, numbers: dict[str, int]) -> str:
    """A row of the table; reasons that are new get the next number."""

    def number(reason: str) -> str:
        return str(numbers.setdefault(reason, len(numbers) + 1))

    if isinstance(found, str):
        return f"| {family} | none | {' | '.join([number(found)] * len(ROWS))} |"
    cells = ["✓" if answer == WORKS else number(answer) for answer in answers(found).values()]
    return f"| {family} | {found.tier} | {' | '.join(cells)} |"


def _general(reason: str) -> str:
    """A reason without the layer and the name of the model that it was found on."""
    return (
        reason.replace("layer 0 of external", "the layer")
        .replace("layer 0 of native", "the layer")
        .replace("external", "the model")
        .replace("native", "the model")
        .rstrip(".")
    )


def written() -> str:
    """The whole file."""
    numbers: dict[str, int] = {}
    lines = [line(family, row_of(family), numbers) for family in (*FAMILIES, *MORE_FAMILIES)]
    head = f"| family | tier | {' | '.join(ROWS)} |\n|{'---|' * (len(ROWS) + 2)}"
    notes = [textwrap.fill(f"{number}. {reason}.", 119, subsequent_indent="   ") for reason, number in numbers.items()]
    return "\n".join([HEAD, head, *lines, "", *notes, ""])


if __name__ == "__main__":
    torch.set_num_threads(1)
    TABLE.write_text(written(), encoding="utf-8")
