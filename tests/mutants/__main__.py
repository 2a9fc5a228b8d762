"""Tries every mutant against its tests: `make mutants`, or `python -m tests.mutants hover 0` for those of these words.

Each is made in a copy of the tree, so that work can go on meanwhile. A table says which test caught it; the exit is 1
if more than two survive.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.in_python import PYTHON
from tests.mutants.in_typescript import TYPESCRIPT
from tests.mutants.mutant import ROOT, Mutant

MAY_SURVIVE = 2
PATIENCE_S = 900
LINKED = (".venv", "node_modules")
NEEDED = ("kernel_side/circuitboard/labextension", "kernel_side/circuitboard/widget/static")
"""Built, and not in the repository."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)|^\s*FAIL\s+(.+)$", re.MULTILINE)


def copied(folder: Path) -> Path:
    """The files of the tree as they are now, those that are not committed too."""
    root = folder / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    for name in LINKED:
        (root / name).symlink_to((ROOT / name).resolve())
    for name in NEEDED:
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, root / name, dirs_exist_ok=True)
    return root


def caught_by(mutant: Mutant, root: Path) -> str | None:
    """The first test that fails with the mutant in `root`; None if it survives."""
    file = mutant.file(root)
    before = file.read_text("utf-8")
    file.write_text(before.replace(mutant.old, mutant.new), "utf-8")
    tests = mutant.places(root)
    command = (
        ["node_modules/.bin/vitest", "run", "--config", "extension/vitest.config.ts", "--bail=1", *tests]
        if mutant.typescript
        else [
            *".venv/bin/python -m pytest -n0 -x -q -p no:cacheprovider".split(),
            *("-m", "not browser", f"--timeout={PATIENCE_S // 3}"),
            *tests,
        ]
    )
    path = f"{root / 'kernel_side'}{os.pathsep}{root}"
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "it never ends"
    finally:
        file.write_text(before, "utf-8")
    if done.returncode == 0:
        return None
    found = _FAILED.search(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr))
    if found is None:
        raise SystemExit(f"the tests of “{mutant.breaks}” did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return (found[1] or found[2]).strip()


def say(text: str) -> None:
    """At once, for the whole takes long."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    chosen = [one for one in (*PYTHON, *TYPESCRIPT) if not words or any(word in one.breaks for word in words)]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="circuitboard-mutants-") as folder:
        root = copied(Path(folder))
        for mutant in chosen:
            began = time.monotonic()
            test = caught_by(mutant, root)
            survived += test is None
            word, seconds = "SURVIVED" if test is None else "caught", time.monotonic() - began
            say(f"{word:9}{seconds:5.0f} s  {mutant.room:17} {mutant.breaks}\n{'':18}{test or '–'}")
    say(f"{len(chosen) - survived} of {len(chosen)} caught")
    return int(survived > MAY_SURVIVE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
