"""Measurements as a page to read."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from circuitboard.engine.gemm import best_backend
from tests.benchmarks import goals

Found = dict[str, Any]
_MET = {True: "met", False: "**not met**", None: "–"}


def machine() -> Found:
    """What the numbers were measured on."""
    backend, why = best_backend(torch.float32, torch.device("cpu"))
    found = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": {name: _version(name) for name in ("circuitboard", "torch", "transformer-lens", "nnsight")},
        "gemm": f"{backend}: {why}",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def page(found: Found) -> str:
    """All sections that hold something."""
    return (
        "\n".join(
            [
                *_head(found["machine"]),
                *_goals(found),
                *_maps(found["maps"]),
                *_work(found["maps"]),
                *_clicks(found["clicks"]),
                *(_scaling(found["scaling"]) if "scaling" in found else []),
                *_peers(found["peers"]),
                *_profiles(found["profiles"]),
                *_latencies(found["latencies"]),
            ]
        ).rstrip()
        + "\n"
    )


def _table(title: str, words: str, columns: str, rows: Iterable[Iterable[object]]) -> list[str]:
    """Columns are separated by | ."""
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    if not lines:
        return []
    return [f"## {title}", "", words, "", f"| {columns} |", "|" + "---|" * (columns.count("|") + 1), *lines, ""]


def _head(found: Found) -> list[str]:
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items() if number)
    threads = "one thread" if found["threads"] == 1 else f"{found['threads']} threads"
    gpu = f" {found['gpu']} with CUDA events and without TF32." if "gpu" in found else ""
    return [
        "# Measured beside TransformerLens",
        "",
        f"{found['date']}, {found['processor']}, {found['cores']} cores, {threads}, float32.{gpu} {versions}. Written by `make bench`.",
        f"GEMM backend that the probe chose here: {found['gemm']}.",
        "",
    ]


def _goals(found: Found) -> list[str]:
    words = (
        "Ratios are TransformerLens's CPU time over Circuitboard's, on one thread; for the better of both backends where none is named. The last column is what "
        "this machine allows: the ratio of operations × the best speed of its matrix products ÷ the speed that TransformerLens reaches in its "
        "own forwards. It would take norms, softmax and copies that cost nothing, so a goal above it cannot be met here by any exact way of "
        "computing these products. For clicks: products of as few rows as a click has, each weight read from memory."
    )
    rows = [
        (one.goal, one.asked, one.found, _MET[one.met], _optional(one.most, 1.0, 1)) for one in goals.verdicts(found)
    ]
    return _table("Goals", words, "goal | asked | found |  | at most", rows)


def _spread(part: Found, factor: float = 1.0, digits: int = 1) -> str:
    return (
        f"{factor * part['median']:.{digits}f} ({factor * part['low']:.{digits}f} … {factor * part['high']:.{digits}f})"
    )


def _prompts(row: Found) -> str:
    return f"{row['n_prompts']} × {row['n_positions']}, {row['difference']}"


def _maps(maps: list[Found]) -> list[str]:
    words = (
        "Both in one process on the same tokens: each repetition times a whole sweep of ours on a new board, once a "
        "backend, then a slice of TransformerLens's cells, spread evenly over its map, and takes that for all of its cells, as each "
        "is one forward of the same size. Ratios are of these pairs: median (min … max). Errors are against every cell that "
        "TransformerLens computed on these weights and tokens; where those are fewer than all, the number is given. "
        "dense: the prompts differ from the first token on; prefix: they share the first ten. Load: processes that wanted a core in the minute before, "
        "this one among them; above the number of cores, wall times say little, and CPU times suffer from caches and memory shared with others."
    )
    rows = [
        (
            row["shape"],
            row["sweep"],
            _prompts(row),
            backend,
            row["tier"],
            _spread(part["cpu_s"], 1000, 0),
            f"{row['theirs_s']['median']:.1f}",
            _spread(part["ratio"]["cpu"]),
            _spread(part["ratio"]["wall"]),
            f"{part['error']:.1e} ({part['error'] / row['scale']:.0e})",
            f"{row['compared']} of {row['cells']}",
            f"{row['runs']} ({row['cells_timed']})",
            f"{row['date'][5:]}, {_optional(row.get('load'), 1.0, 1)}",
        )
        for row in maps
        for backend, part in row["backends"].items()
    ]
    columns = "model | sweep | prompts | GEMM | tier | ours, CPU ms | TransformerLens, CPU s | CPU ratio | wall ratio | largest error (over scale) | cells compared | repetitions (cells timed) | when, load"
    return _table("Sweeps", words, columns, rows)


def _work(maps: list[Found]) -> list[str]:
    words = (
        "Floating-point operations of matrix products, counted on both sides; speed and share of peak relate the counted "
        "operations to CPU time and to the best speed of one 512 × 768 × 3072 product with the same backend just after. Memory: what "
        "a new board adds to the process (cached runs, weights in another order), and the sweep's highest point above that."
    )
    rows = [
        (
            row["shape"],
            row["sweep"],
            _prompts(row),
            f"{row['flops']['ours'] / 1e9:.2f}",
            f"{row['flops']['theirs'] / 1e9:.0f}",
            f"{goals.flop_ratio(row):.1f}",
            *(
                " / ".join(_optional(part[name], factor, digits) for part in row["backends"].values())
                for name, factor, digits in (("peak_gflops", 1.0, 0), ("share_of_peak", 100.0, 0))
            ),
            _optional(row["memory"]["board_mib"], 1.0, 0),
            _optional(row["memory"]["sweep_mib"], 1.0, 0),
        )
        for row in maps
    ]
    backends = " / ".join(maps[0]["backends"]) if maps else ""
    columns = f"model | sweep | prompts | ours, GFLOP | TransformerLens, GFLOP | ratio | peak, GFLOP/s ({backends}) | share of peak, % ({backends}) | board, MiB | sweep, MiB"
    return _table("Work and memory", words, columns, rows)


def _optional(value: float | None, factor: float, digits: int) -> str:
    return "–" if value is None else f"{factor * value:.{digits}f}"


def _clicks(clicks: list[Found]) -> list[str]:
    words = (
        "`board.edit(…)` and `board.top_tokens(10)`, against one forward of TransformerLens with hooks for the same edits and "
        'softmax and top-10 of the same logits; wall milliseconds, each run another head. "In each layer once": median, least and most over the '
        "layers. At most: what the ratio would be if the products of as few rows, each weight read from memory, took all the time. One row of "
        "logits alone reads the whole unembedding. Errors are of all logits of the last position."
    )
    rows = [
        (
            row["shape"],
            row["click"],
            row["backend"],
            row["tier"],
            _spread(row["ours_ms"]),
            _spread(row["theirs_ms"]),
            _spread(row["ratio"]["wall"]),
            _spread(row["ratio"]["cpu"]),
            f"{goals.flop_ratio(row):.1f}",
            _optional(goals.most_of_click(row), 1.0, 1),
            f"{row['error']:.1e} ({row['error'] / row['scale']:.0e})",
            f"{row['date'][5:]}, {_optional(row.get('load'), 1.0, 1)}",
        )
        for row in clicks
    ]
    columns = "model | click | GEMM | tier | ours, ms | TransformerLens, ms | wall ratio | CPU ratio | FLOP ratio | at most | largest error (over largest logit) | when, load"
    return _table("Clicks", words, columns, rows)


def _scaling(found: Found) -> list[str]:
    words = (
        "The head × pos sweep, dense, of a small GPT-2 shape (width 128, 4 heads, 1000 tokens; 4 layers, 1 prompt of 16 tokens where not "
        "varied). TransformerLens's cost is measured on five cells and multiplied by their number. Exponents: slope of log cost over "
        "log size by least squares, over all sizes and over the upper half. Cells grow as positions × layers, and so does a forward: both costs go "
        "to the second power of either and to the first of prompts. A deep model on long prompts leaves a ratio of operations of 4 (half of the "
        "layers × half of the positions); in smaller ones, the first and the last layer and the logits that nobody reads add to it."
    )
    lines = [
        "## Growth",
        "",
        words,
        "",
    ]
    for name, series in found["series"].items():
        rows = [
            (
                size,
                int(point["cells"]),
                f"{point['ours_cpu_s']:.3f}",
                f"{point['theirs_cpu_s']:.2f}",
                f"{point['theirs_cpu_s'] / point['ours_cpu_s']:.1f}",
                f"{point['ours_flops'] / 1e9:.3f}",
                f"{point['theirs_flops'] / 1e9:.2f}",
                f"{point['theirs_flops'] / point['ours_flops']:.1f}",
            )
            for size, point in zip(series["sizes"], series["points"], strict=True)
        ]
        both = {column: " / ".join(f"{one:.2f}" for one in pair) for column, pair in series["exponents"].items()}
        rows.append(
            (
                "**exponent, all / upper half**",
                "",
                both["ours_cpu_s"],
                both["theirs_cpu_s"],
                "",
                both["ours_flops"],
                both["theirs_flops"],
                "",
            )
        )
        columns = f"{name} | cells | ours, CPU s | TransformerLens, CPU s | ratio | ours, GFLOP | TransformerLens, GFLOP | ratio"
        lines += [
            "#" + line if line.startswith("## ") else line
            for line in _table(f"Over {name}", f"Measured {found['date']}.", columns, rows)
        ]
    return lines


def _peers(peers: list[Found]) -> list[str]:
    words = "nnsight runs many cells in one forward as batched invokes of one trace. CPU seconds of one thread, the same tokens and weights."
    rows = [
        (
            row["shape"],
            f"{row['sweep']} ({row['cells']} cells, {row['difference']})",
            row["backend"],
            _spread(row["ours_s"], 1, 2),
            f"{_spread(row['nnsight_s'])}, {row['per_trace']} cells a trace, {row['versions']}",
            _spread(row["lens_s"]),
            _spread(row["ratio"]["cpu"]),
            f"{row['error_of_nnsight']:.1e}",
        )
        for row in peers
    ]
    columns = "model | sweep | GEMM | ours, s | nnsight, s | TransformerLens, s | nnsight / ours | nnsight's difference from TransformerLens"
    return _table("A second peer", words, columns, rows)


def _profiles(profiles: list[Found]) -> list[str]:
    lines: list[str] = []
    for row in profiles:
        words = f"{row['shape']}, {row['work']}, {row['backend']} GEMM, tier {row['tier']}: {row['total_s']:.2f} s under the profiler."
        rows = [(f"`{one['name']}`", f"{100 * one['share']:.1f}", one["calls"]) for one in row["operators"]]
        titled = _table("Where the time goes", words, "operator | share of CPU time, % | calls", rows)
        lines += titled if not lines else titled[2:]
    return lines


def _latencies(latencies: list[Found]) -> list[str]:
    words = "Demo model, JupyterLab in headless Chromium, 50 clicks after warm-up."
    rows = [(row["setting"], f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}") for row in latencies]
    return _table("From the mouse to the number", words, "kernel websocket | median, ms | 95th percentile, ms", rows)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    fields = dict(
        (part.strip() for part in line.split(":", 1))
        for line in reversed(cpuinfo.read_text().splitlines())
        if ":" in line
    )
    return f"{fields.get('model name', platform.machine())} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"
