"""Writes kernel_side/SUPPORT.md: what every family of models can have edited. Run `python -m tests.docs.support`."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from circuitboard.address import HOWS, KINDS, How
from circuitboard.board.support import WORKS, Support, support_of
from circuitboard.errors import ModelError
from circuitboard.metrics import METRICS
from tests.odd_models import IN_WORDS, REFUSED_KINDS, odd
from tests.tiny_models import FAMILIES, MORE_FAMILIES, tiny

TABLE = Path(__file__).parents[2] / "kernel_side" / "SUPPORT.md"
ROWS = (*KINDS, "edge")
ANALYSES = ("AtP", "AtP*", "direct effects", "self-repair", "neurons", "logit lens", "attention")
MODELS = (*FAMILIES, *MORE_FAMILIES, *IN_WORDS)

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

ODD_HEAD = """## Odd models

Models that somebody holds and that no family describes; tiny Llamas unless said otherwise. Sites that are not
refused take every intervention.
"""

ANALYSES_HEAD = """## Analyses, and why a model has its tier

✓: it runs, and the tests hold its numbers against plain tensors. A number: refused, or a tier dropped, with the reason
below.
"""


def row_of(family: str, hows: Sequence[How] = HOWS) -> Support | str:
    """What a family can have, or why it can have no board; by these interventions."""
    try:
        with warnings.catch_warnings():
            # torch.compile has much to say of hooks.
            warnings.simplefilter("ignore" if family in IN_WORDS else "error")
            if family in IN_WORDS:
                return support_of(odd(family), analyses_only=True)
            return support_of(tiny(family), hows=hows)
    except ModelError as error:
        return _general(error.message)


def answers(found: Support) -> dict[str, str]:
    """Kind of site → "works" or the reason, which is one for all interventions."""
    rows = {}
    for name, by_how in found.sites.items():
        (answer,) = set(by_how.values())
        rows[name] = WORKS if answer == WORKS else _general(answer.split(": ", 1)[1])
    assert set(found.metrics.values()) <= {WORKS}
    return rows


def lines(family: str, found: Support | str, numbers: dict[str, int]) -> tuple[str, str]:
    """A row of either table; reasons that are new get the next number."""

    def number(reason: str) -> str:
        return str(numbers.setdefault(reason, len(numbers) + 1))

    if isinstance(found, str):
        refused = number(found)
        sites, analyses = ([refused] * len(columns) for columns in (ROWS, ANALYSES))
        return f"| {family} | none | {' | '.join(sites)} |", f"| {family} | none | | {' | '.join(analyses)} |"
    cells = ["✓" if answer == WORKS else number(answer) for answer in answers(found).values()]
    kinds = ", ".join(sorted(REFUSED_KINDS.get(family, ()))) or ("none" if family in IN_WORDS else "see above")
    assert tuple(found.analyses) == ANALYSES
    # Which layers were asked is no matter of the model's kind.
    reasons = [answer if answer == WORKS else _general(answer) for answer in found.analyses.values()]
    asked = ["✓" if answer == WORKS else number(answer) for answer in reasons]
    dropped = [_general(part) for part in found.why.split("; ") if " was dropped: " in part]
    tier = " ".join([found.tier, *map(number, dropped)])
    return (
        f"| {family} | {found.tier} | {' | '.join(cells)} |",
        f"| {family} | {tier} | {kinds} | {' | '.join(asked)} |",
    )


def _general(reason: str) -> str:
    """A reason without the layer and the name of the model that it was found on, and without measured sizes."""
    reason = re.sub(r"layer \d+ of (external|native)", "the layer", reason)
    reason = re.sub(r"\b(external|native)\b", "the model", reason)
    reason = re.sub(r"\b(neuron )?\d+\.\d+(\.\w+)? cannot be edited", "the site cannot be edited", reason)
    reason = re.sub(r"by [\d.e+-]+, more than [\d.e+-]+", "by more than rounding", reason)
    reason = re.sub(r"off by [\d.e+-]+( from|, [\d.e+-]+ allowed)", r"off by more than rounding\1", reason)
    reason = re.sub(r"rounding, [\d.e+-]+ allowed", "rounding", reason)
    return reason.rstrip(".")


def written(found: dict[str, Support | str]) -> str:
    """The whole file."""
    numbers: dict[str, int] = {}
    rows = {family: lines(family, support, numbers) for family, support in found.items()}
    sites = [site for family, (site, _) in rows.items() if family not in IN_WORDS]
    analyses = [analysis for _, analysis in rows.values()]
    head = f"| family | tier | {' | '.join(ROWS)} |\n|{'---|' * (len(ROWS) + 2)}"
    second = f"| model | tier | refused sites | {' | '.join(ANALYSES)} |\n|{'---|' * (len(ANALYSES) + 3)}"
    words = [textwrap.fill(f"- {name}: {what}.", 119, subsequent_indent="  ") for name, what in IN_WORDS.items()]
    notes = [textwrap.fill(f"{number}. {reason}.", 119, subsequent_indent="   ") for reason, number in numbers.items()]
    parts = [
        HEAD,
        head,
        *sites,
        "",
        ANALYSES_HEAD,
        second,
        *analyses,
        "",
        ODD_HEAD,
        *words,
        "",
        "## Reasons",
        "",
        *notes,
    ]
    return "\n".join([*parts, ""])


if __name__ == "__main__":
    torch.set_num_threads(1)
    TABLE.write_text(written({family: row_of(family) for family in MODELS}), encoding="utf-8")
