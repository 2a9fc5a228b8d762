"""The goals, and whether the measurements meet them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Found = dict[str, Any]

GPT2 = "GPT-2 small shape"
OTHERS = ("SmolLM2-135M, real", "Pythia-160m shape")

_FLOPS = {"head × pos": (7.0, 50.0), "resid_pre × pos": (6.0, 45.0), "head, all positions": (3.3, 9.5)}
_CPU = {"best": (30.0, 220.0), "stock": (16.0, 115.0)}
_CLICK, _SHARE, _ERROR = 4.0, 0.65, 1e-4


@dataclass(frozen=True)
class Verdict:
    """One goal: what was asked, what was found, whether that is enough; None where it was not measured."""

    goal: str
    asked: str
    found: str
    met: bool | None


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
                rows.append(
                    _at_least(f"CPU ratio, head × pos, {kind}, {shape}, {backend} GEMM", goal, row, _cpu(backend))
                )
    rows.append(_clicks(found))
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


def _at_least(
    goal: str, asked: float, row: Found | None, read: Callable[[Found], float], *, digits: int = 1
) -> Verdict:
    if row is None:
        return Verdict(goal, f"≥ {asked:g}", "not measured", None)
    value = read(row)
    # What is shown must not look like the goal when it falls short of it.
    return Verdict(goal, f"≥ {asked:g}", f"{value:.{digits + (value < asked)}f}", value >= asked)


def _clicks(found: Found) -> Verdict:
    rows = [row for row in found["clicks"] if row["shape"] == GPT2]
    goal = "click with top-10 tokens, the slowest of them, against a hooked forward"
    if not rows:
        return Verdict(goal, f"≥ {_CLICK:g}", "not measured", None)
    ratios = {
        backend: min(row["ratio"]["wall"]["median"] for row in rows if row["backend"] == backend)
        for backend in dict.fromkeys(row["backend"] for row in rows)
    }
    told = ", ".join(f"{backend} {ratio:.1f}" for backend, ratio in ratios.items())
    return Verdict(goal, f"≥ {_CLICK:g}", told, max(ratios.values()) >= _CLICK)


def _errors(found: Found, shape: str) -> Verdict:
    rows = [row for row in found["maps"] if row["shape"] == shape]
    goal = f"largest error of any cell compared, over the metric's scale, {shape}"
    if not rows:
        return Verdict(goal, f"≤ {_ERROR:g}", "not measured", None)
    worst = max(part["error"] / row["scale"] for row in rows for part in row["backends"].values())
    cells = f"{sum(row['compared'] for row in rows)} of {sum(row['cells'] for row in rows)} cells"
    return Verdict(goal, f"≤ {_ERROR:g}", f"{worst:.1e} ({cells})", worst <= _ERROR)
