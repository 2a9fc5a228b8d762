"""The mutants do not rot: each still finds its place, is still a change, and is still a program; `make mutants` tries them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import circuitboard as cb
from tests.mutants.in_python import PYTHON
from tests.mutants.in_typescript import TYPESCRIPT
from tests.mutants.mutant import ROOT

EVERY = (*PYTHON, *TYPESCRIPT)
PACKAGE = ROOT / "kernel_side/circuitboard"
NOT_ROOMS = {"board", "labextension", "server/config", "widget/static"}
"""`board` is the face of what the other rooms do, and the other two hold no code."""


@pytest.mark.parametrize("mutant", EVERY, ids=[f"{one.room}: {one.breaks}" for one in EVERY])
def test_it_applies(mutant):
    file = mutant.file()
    text = file.read_text("utf-8").replace(mutant.old, mutant.new)
    assert mutant.new != mutant.old
    assert mutant.places()
    if mutant.typescript:
        made = subprocess.run(
            [ROOT / "node_modules/.bin/esbuild", "--loader=tsx"], input=text, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
    else:
        compile(text, file, "exec")


def test_there_are_forty_of_them_half_about_a_second_actor_and_one_in_every_room():
    assert Path(cb.__file__).parent == PACKAGE
    assert len(EVERY) >= 40
    assert len({(one.old, one.new) for one in EVERY}) == len(EVERY)
    assert sum(one.also for one in EVERY) >= len(EVERY) / 2
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - NOT_ROOMS
    assert rooms <= {one.file().relative_to(PACKAGE).parts[0] for one in PYTHON}
    panel = ROOT / "extension"
    assert {"store", "protocol", "panels", "parts", "host", "lab", "vscode"} <= {
        part for one in TYPESCRIPT for part in one.file().relative_to(panel).parts
    }
