"""Time, memory, and the speed that the machine itself can reach."""

from __future__ import annotations

import ctypes
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch

from circuitboard.engine.gemm import Backend, pack
from circuitboard.models.anatomy import Linear

T = TypeVar("T")

_PEAK_ROWS, _PEAK_IN, _PEAK_OUT = 512, 768, 3072
_COLD_WEIGHTS = 16
"""Of nine megabytes each: together more than caches hold."""


@dataclass(frozen=True)
class Timed:
    """Seconds of CPU and of wall clock; on a GPU, wall clock is what CUDA events say."""

    cpu: float
    wall: float

    def times(self, factor: float) -> Timed:
        return Timed(self.cpu * factor, self.wall * factor)


@dataclass(frozen=True)
class Spread:
    """Median and extremes of a few measurements."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 1) -> str:
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} … {self.high:.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Of any number of values, at least one."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(theirs: Sequence[Timed], ours: Sequence[Timed]) -> dict[str, dict[str, float]]:
    """Spreads of theirs / ours, pair by pair, of CPU and of wall time."""
    pairs = list(zip(theirs, ours, strict=True))
    return {
        "cpu": asdict(spread([a.cpu / b.cpu for a, b in pairs])),
        "wall": asdict(spread([a.wall / b.wall for a, b in pairs])),
    }


def timed(work: Callable[[], T], device: torch.device | str = "cpu") -> tuple[Timed, T]:
    """Run once and say how long it took, all threads of the process together."""
    if torch.device(device).type != "cuda":
        cpu, wall = time.process_time(), time.perf_counter()
        result = work()
        return Timed(time.process_time() - cpu, time.perf_counter() - wall), result
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    cpu = time.process_time()
    begin.record()
    result = work()
    end.record()
    torch.cuda.synchronize()
    return Timed(time.process_time() - cpu, begin.elapsed_time(end) / 1000), result


def load() -> float | None:
    """How many processes wanted a core in the last minute, this one included; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def peak_mib(work: Callable[[], object], device: torch.device | str = "cpu") -> float | None:
    """How much more memory than before a piece of work held at its highest, in MiB; None where nobody counts it."""
    if torch.device(device).type == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    _give_back()
    reset.write_text("5")  # sets the high-water mark back to what is resident now
    before = resident_mib("VmHWM")
    work()
    return resident_mib("VmHWM") - before


def _give_back() -> None:
    """Let the C library return freed memory, or a later need would be met from it unseen."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_mib(field: str = "VmRSS") -> float:
    """Resident memory of this process, in MiB; NaN where there is no /proc."""
    if not Path("/proc/self/status").exists():
        return float("nan")
    _give_back()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return float("nan")


def gemm_peak(backend: Backend | str, *, seconds: float = 0.3) -> float:
    """The best speed of one large float32 product here with this backend, in GFLOP per CPU-second."""
    return _speed(backend, _PEAK_ROWS, 1, seconds)


def gemm_speed(backend: Backend | str, rows: int, *, seconds: float = 0.3) -> float:
    """The same for few rows and many weights, as in a click: each weight comes from memory, not from a cache."""
    return _speed(backend, rows, _COLD_WEIGHTS, seconds)


def _speed(backend: Backend | str, rows: int, n_weights: int, seconds: float) -> float:
    draw = torch.Generator().manual_seed(0)
    weights = [Linear(torch.randn(_PEAK_OUT, _PEAK_IN, generator=draw)) for _ in range(n_weights)]
    products = [pack(weight, backend, rows_hint=rows) for weight in weights]
    x = torch.randn(rows, _PEAK_IN, generator=draw)

    def work() -> None:
        for multiply in products:
            multiply(x)

    work()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        best = min(best, timed(work)[0].cpu)
    return 2 * rows * _PEAK_IN * _PEAK_OUT * n_weights / best / 1e9
