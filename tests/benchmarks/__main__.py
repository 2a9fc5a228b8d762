"""`make bench`: Circuitboard beside its peers in one process, on the same tokens, interleaved.

Prints the page as it grows; numbers go to results.json, the page to RESULTS.md. What a run does not measure keeps
the numbers of an earlier one, with their date.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# TransformerLens draws a bar for every sweep.
os.environ.setdefault("TQDM_DISABLE", "1")

import torch

from tests.benchmarks import record, report
from tests.benchmarks.shapes import SHAPES, Shape
from tests.benchmarks.sweeps import KINDS

SECTIONS = ("sweeps", "clicks", "scaling", "peers", "profile", "browser")
_QUICK_KINDS = ("head × pos", "head, all positions", "resid_pre × pos")
_MAIN = "gpt2"


def main() -> None:
    """Measure, print, write."""
    given = _arguments()
    torch.set_num_threads(given.threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    found = record.load(given.out)
    if given.page:
        record.save(found, report.page, given.out)
        return
    found["machine"] = report.machine()

    def keep(section: str, rows: list[object]) -> None:
        record.merge(found, section, rows)
        record.save(found, report.page, given.out)

    for name in given.shape:
        if not {"sweeps", "clicks", "profile", "peers"} & set(given.only):
            break
        _say(f"building {name}")
        shape = SHAPES[name]()
        if given.device != "cpu":
            shape.model.to(given.device)
        _measure_shape(name, shape, given, keep)
    if "scaling" in given.only:
        from tests.benchmarks import scaling

        _say("scaling")
        found["scaling"] = scaling.measure(quick=given.quick, engine=given.engine)
        record.save(found, report.page, given.out)
    if "browser" in given.only:
        from tests.benchmarks.browser import measure_latency

        _say("clicks in JupyterLab")
        keep("latencies", [vars(measure_latency(nodelay=True)), vars(measure_latency(nodelay=False))])
    record.save(found, report.page, given.out)
    print(report.page(found))


def _measure_shape(
    name: str, shape: Shape, given: argparse.Namespace, keep: Callable[[str, list[object]], None]
) -> None:
    from tests.benchmarks import clicks, maps, profiles

    if "sweeps" in given.only:
        for n_prompts in given.prompts:
            for kind in KINDS.values():
                wanted = kind.name in given.sweep if given.sweep else not given.quick or kind.name in _QUICK_KINDS
                if not wanted or (kind.needs_mlp and not shape.has_mlp):
                    continue
                for difference in given.difference:
                    _say(f"{shape.name}: {kind.name}, {n_prompts} prompts, {difference}")
                    row = maps.measure(
                        shape,
                        kind,
                        n_prompts=n_prompts,
                        difference=difference,
                        runs=given.runs,
                        limit_s=60 * given.limit,
                        fresh=given.fresh,
                        engine=given.engine,
                    )
                    keep("maps", [row])
    if "clicks" in given.only:
        _say(f"{shape.name}: clicks")
        keep("clicks", list(clicks.measure(shape, runs=4 if given.quick else 11, engine=given.engine)))
    if "profile" in given.only and name == _MAIN:
        _say(f"{shape.name}: profile")
        keep("profiles", list(profiles.measure(shape, engine=given.engine)))
    if "peers" in given.only and name == _MAIN:
        if find_spec("nnsight") is None:
            _say("nnsight is not installed (extra [bench]): the second peer is left out")
            return
        from tests.benchmarks import peers

        _say(f"{shape.name}: nnsight")
        keep("peers", list(peers.measure(shape, runs=1 if given.quick else given.runs, engine=given.engine)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    shapes = [name for name in SHAPES if name != "demo"]
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=shapes)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--sweep", nargs="+", choices=list(KINDS), help="only these sweeps")
    parser.add_argument("--prompts", nargs="+", type=int, default=[1, 8], help="how many prompts (default 1 and 8)")
    parser.add_argument("--difference", nargs="+", choices=["dense", "prefix"], default=["dense", "prefix"])
    parser.add_argument("--engine", default="auto", help="the tier to measure (default auto)")
    parser.add_argument("--runs", type=int, default=3, help="repetitions (default 3)")
    parser.add_argument("--device", default="cpu", help="where the models are; on cuda, times are those of CUDA events")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=float, default=10, help="minutes that one of TransformerLens's maps may take")
    parser.add_argument("--fresh", action="store_true", help="forget TransformerLens's maps of earlier runs")
    parser.add_argument(
        "--quick", action="store_true", help="one prompt, three sweeps, parts of TransformerLens's maps"
    )
    parser.add_argument("--page", action="store_true", help="measure nothing; write the page anew from results.json")
    parser.add_argument("--out", type=Path, default=record.FOLDER, help="where the results go")
    given = parser.parse_args()
    if given.quick:
        given.prompts, given.limit = [1], 0.2
    return given


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


if __name__ == "__main__":
    main()
