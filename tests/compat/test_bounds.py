"""The bounds of pyproject.toml are those that were tried: the lowest environment has them, the newest is no older than CI."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [
    Requirement(line)
    for line in [
        *PROJECT["dependencies"],
        *(line for extra in ("smollm2", "vis", "plot") for line in PROJECT["optional-dependencies"][extra]),
    ]
]


def pins(path: Path) -> dict[str, Version]:
    lines = re.findall(r"^([\w.-]+)==(\S+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in lines}


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_the_lowest_version_that_is_allowed_was_tried(asked):
    (lowest,) = (Version(one.version) for one in asked.specifier if one.operator == ">=")
    assert pins(HERE / "lowest.txt")[canonicalize_name(asked.name)].release[:2] == (*lowest.release, 0)[:2]


def test_ci_runs_what_was_tried_as_the_newest():
    newest = pins(HERE / "newest.txt")
    locked = pins(ROOT / "constraints.txt")
    older = {name for name, version in locked.items() if name in newest and version < newest[name]}
    # No build of torch without CUDA is as new.
    assert older <= {"torch"}
