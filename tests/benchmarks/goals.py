"""The goals, and whether the measurements meet them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.clicks import ALL_POSITIONS, ONE_POSITION, low_or_high, on_top

Found = dict[str, Any]

GPT2 = "GPT-2 small shape"
OTHERS = ("SmolLM2-135M, real", "Pythia-160m shape")

_FLOPS = {"head × pos": (7.0, 50.0), "resid_pre × pos": (6.0, 45.0), "head, all positions": (3.3, 9.5)}
_CPU = {"best": (30.0, 220.0), "stock": (16.0, 115.0)}
_CLICK, _SHARE, _ERROR = 4.0, 0.65, 1e-4
_CLICKS = {
    ALL_POSITIONS: "click with top-10 tokens, a head at all positions, median of the layers",
    ONE_POSITION: "click with top-10 tokens, a head at one position, median of the layers",
    low_or_high(0): "click with top-10 tokens, the slowest: a head of layer 0 at all positions",
}


@dataclass(frozen=True)
class Verdict:
    """One goal: what was asked, what was found, whether that is enough; None where it was not measured.

    `most` is what the machine allows, where that can be said: the ratio of operations, times the speed of its matrix
    products alone, over the speed that TransformerLens reaches.
    """

    goal: str
    asked: str
    found: str
    met: bool | None
    most: float | None = None


def verdicts(found: Found) -> list[Verdict]:
    """All goals, in the order in which they were set."""
    rows = [
        _at_least(f"FLOP ratio, {sweep}, {kind}", goal, _map(found, GPT2, sweep, kind), flop_ratio)
        for sweep, goals in _FLOPS.items()
        for kind, goal in zip(("dense", "prefix"), goals, strict=True)
    ]
    for shape in (GPT2, *OTHERS):
        for backend, goals in _CPU.items():
            for kind, goal in zip(("dense", "prefix"), goals, strict=True):
                row = _map(found, shape, "head × pos", kind)
                what = f"CPU ratio, head × pos, {kind}, {shape}, {backend} GEMM"
                rows.append(_at_least(what, goal, row, _cpu(backend), most=_most(row, backend)))
    rows += [_click(found, click, goal) for click, goal in _CLICKS.items()]
    rows.append(_one_more(found))
    for kind in ("dense", "prefix"):
        row = _map(found, GPT2, "head × pos", kind)
        rows.append(_at_least(f"share of GEMM peak, head × pos, {kind}, {GPT2}", _SHARE, row, _share, digits=2))
    rows += [_errors(found, shape) for shape in (GPT2, *OTHERS)]
    return rows


def flop_ratio(row: Found) -> float:
    """TransformerLens's operations over ours."""
    return float(row["flops"]["theirs"] / row["flops"]["ours"])


def best(row: Found) -> str:
    """The backend to use on the machine that measured."""
    return next(iter(row["backends"]))


def _map(found: Found, shape: str, sweep: str, kind: str) -> Found | None:
    wanted = (shape, sweep, kind, 1)
    keys = ("shape", "sweep", "difference", "n_prompts")
    return next((row for row in found["maps"] if tuple(row[key] for key in keys) == wanted), None)


def _cpu(backend: str) -> Callable[[Found], float]:
    return lambda row: row["backends"][best(row) if backend == "best" else backend]["ratio"]["cpu"]["median"]


def _share(row: Found) -> float:
    return float(row["backends"][best(row)]["share_of_peak"])


def _most(row: Found | None, backend: str) -> float | None:
    """The ratio, if all of our time went into matrix products at the best speed of this machine."""
    if row is None:
        return None
    peak = row["backends"][best(row) if backend == "best" else backend]["peak_gflops"]
    return None if peak is None else flop_ratio(row) * peak / (row["flops"]["theirs"] / 1e9 / row["theirs_s"]["median"])


def most_of_click(row: Found) -> float | None:
    """The same for a click: products of as few rows, and one row of logits of the whole vocabulary."""
    return None if row["least_ms"] is None else float(row["theirs_cpu_ms"]["median"] / row["least_ms"])


def _at_least(
    goal: str,
    asked: float,
    row: Found | None,
    read: Callable[[Found], float],
    *,
    digits: int = 1,
    most: float | None = None,
) -> Verdict:
    if row is None:
        return Verdict(goal, f"≥ {asked:g}", "not measured", None)
    value = read(row)
    # What is shown must not look like the goal when it falls short of it.
    return Verdict(goal, f"≥ {asked:g}", f"{value:.{digits + (value < asked)}f}", value >= asked, most)


def _click(found: Found, click: str, goal: str) -> Verdict:
    """With the backend that is best here; of CPU time, as it hangs less on what else the machine does."""
    rows = [row for row in found["clicks"] if row["shape"] == GPT2 and row["click"] == click]
    row = rows[0] if rows else None
    return _at_least(
        goal,
        _CLICK,
        row,
        lambda row: float(row["ratio"]["cpu"]["median"]),
        most=None if row is None else most_of_click(row),
    )


def _one_more(found: Found) -> Verdict:
    """An edit on top of others: its operations over those of the same edit alone."""
    goal, asked = "operations of one more edit on top of three, over those of the same edit alone", "≤ 1"
    counted = {row["click"]: row["flops"]["ours"] for row in found["clicks"] if row["shape"] == GPT2}
    alone, more = counted.get(low_or_high(11)), counted.get(on_top(11, (0, 5, 10)))
    if not alone or not more:
        return Verdict(goal, asked, "not measured", None)
    return Verdict(goal, asked, f"{more / alone:.3f}", more <= alone)


def _errors(found: Found, shape: str) -> Verdict:
    rows = [row for row in found["maps"] if row["shape"] == shape]
    goal = f"largest error of any cell compared, over the metric's scale, {shape}"
    if not rows:
        return Verdict(goal, f"≤ {_ERROR:g}", "not measured", None)
    worst = max(part["error"] / row["scale"] for row in rows for part in row["backends"].values())
    cells = f"{sum(row['compared'] for row in rows)} of {sum(row['cells'] for row in rows)} cells"
    return Verdict(goal, f"≤ {_ERROR:g}", f"{worst:.1e} ({cells})", worst <= _ERROR)
