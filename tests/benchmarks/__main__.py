"""`make bench`: Circuitboard beside TransformerLens in one process, on the same tokens, interleaved.

Prints a table and writes it to RESULTS.md. Times are CPU and wall seconds of one thread; errors are against every
cell that TransformerLens computed.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# TransformerLens draws a bar for every sweep.
os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from transformer_lens import patching

import circuitboard as cb
from tests.benchmarks.browser import Latency, measure_latency
from tests.benchmarks.shapes import SHAPES, Case

RESULTS = Path(__file__).parent / "RESULTS.md"

SWEEPS = {
    "head, all positions": ("head", "all", patching.get_act_patch_attn_head_out_all_pos),
    "resid_pre × pos": ("resid_pre", "pos", patching.get_act_patch_resid_pre),
}


@dataclass(frozen=True)
class Timed:
    """Seconds of CPU and of wall clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of both, run by run."""

    shape: str
    what: str
    ours: list[Timed]
    theirs: list[Timed]
    error: float

    def ratio(self, of: str) -> str:
        """Median (min … max) of theirs / ours, pair by pair."""
        ratios = [getattr(b, of) / getattr(a, of) for a, b in zip(self.ours, self.theirs, strict=True)]
        return f"{statistics.median(ratios):.1f} ({min(ratios):.1f} … {max(ratios):.1f})"

    def milliseconds(self, side: str) -> str:
        return f"{1000 * statistics.median(t.wall for t in getattr(self, side)):.1f}"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--runs", type=int, default=3, help="runs of each pair (default 3)")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--no-browser", action="store_true", help="leave out the latency of a click in JupyterLab")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = []
    for name in given.shapes:
        case = SHAPES[name]()
        rows += [_sweep(name, case, what, given.runs) for what in SWEEPS]
        rows.append(_click(name, case, given.runs))
    latencies = [] if given.no_browser else [measure_latency(nodelay=True), measure_latency(nodelay=False)]
    table = _table(rows, latencies)
    print(table)
    RESULTS.write_text(table)


def _timed(work: Callable[[], object]) -> tuple[Timed, object]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return Timed(time.process_time() - cpu, time.perf_counter() - wall), result


def _sweep(shape: str, case: Case, what: str, runs: int) -> Row:
    over, by, peer = SWEEPS[what]
    board = cb.Board(case.model, case.pair, base="corrupted")
    prompts = board.prompts
    with torch.no_grad():
        _, clean_cache = case.model.run_with_cache(prompts.clean_tokens)

    def metric(logits: torch.Tensor) -> torch.Tensor:
        last = logits[:, -1]
        answer = last.gather(-1, prompts.answer_ids[:, None])
        return (answer - last.gather(-1, prompts.wrong_ids[:, None])).mean()

    def theirs() -> torch.Tensor:
        with torch.no_grad():
            return peer(case.model, prompts.corrupted_tokens, clean_cache, metric)

    ours_all, theirs_all, error = [], [], 0.0
    for _ in range(runs):
        mine, sweep = _timed(lambda: board.sweep(over, by=by, how="patch"))
        other, expected = _timed(theirs)
        ours_all.append(mine)
        theirs_all.append(other)
        error = max(error, float((sweep.values - expected).abs().max()))
    board.close()
    return Row(shape, f"{what} ({sweep.values.numel()} cells)", ours_all, theirs_all, error)


def _click(shape: str, case: Case, runs: int) -> Row:
    """A click in a middle layer with the ten likeliest tokens, against a hooked forward with the same."""
    board = cb.Board(case.model, case.pair)
    layer, tokens = board.lab.adapter.shape.n_layers // 2, board.prompts.clean_tokens

    def zero(z: torch.Tensor, hook: object) -> torch.Tensor:
        z = z.clone()
        z[:, :, 0] = 0
        return z

    def theirs() -> torch.Tensor:
        with torch.no_grad():
            logits = case.model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.attn.hook_z", zero)])
        return logits[:, -1].softmax(-1).topk(10)

    def ours() -> object:
        outcome = board.preview(cb.head(layer, 0).zero())
        board.top_tokens(10)
        return outcome

    pairs = [(_timed(ours)[0], _timed(theirs)[0]) for _ in range(max(20, runs))]
    error = board.verify(cb.head(layer, 0).zero()).max_abs_error
    board.close()
    return Row(shape, f"click on {layer}.0 and top-10 tokens", [a for a, _ in pairs], [b for _, b in pairs], error)


def _table(rows: list[Row], latencies: list[Latency]) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("circuitboard", "torch", "transformer-lens"))
    lines = [
        "# Measured beside TransformerLens",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, one thread, fp32; {versions}. Written by `make bench`.",
        "Ratios are TransformerLens's time over Circuitboard's, pair by pair: median (min … max).",
        "",
        "| model | what | Circuitboard, ms | TransformerLens, ms | wall ratio | CPU ratio | largest difference of the metric |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        times = f"{row.milliseconds('ours')} | {row.milliseconds('theirs')} | {row.ratio('wall')} | {row.ratio('cpu')}"
        lines.append(f"| {row.shape} | {row.what} | {times} | {row.error:.1e} |")
    if latencies:
        lines += ["", "## From the mouse to the number", ""]
        lines += ["Demo model, JupyterLab in headless Chromium, 50 clicks after warm-up.", ""]
        lines += ["| kernel websocket | median, ms | 95th percentile, ms |", "|---|---|---|"]
        lines += [f"| {found.setting} | {found.median_ms:.1f} | {found.p95_ms:.1f} |" for found in latencies]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
