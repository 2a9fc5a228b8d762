"""Promise 26: the README's lines run as they are written, and what it points to exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_python_block_runs_as_pasted():
    (block,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict = {}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102  what the README tells people to paste
    board = names["board"]
    assert len(board.edits) == 1
    assert board.verify().ok
    board.close()


def test_the_make_targets_exist():
    (block,) = re.findall(r"```\n(make.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines():
        target = line.split()[1]
        done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_names_in_backticks_exist():
    import circuitboard as cb
    from circuitboard.board import Board

    for name in re.findall(r"`cb\.(\w+)\(", README):
        assert hasattr(cb, name), name
    for name in re.findall(r"`board\.(\w+)\(", README):
        assert hasattr(Board, name), name
