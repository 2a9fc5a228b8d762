"""The same sources give the same files, byte for byte, and the source distribution gives the same wheel."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ("kernel_side/circuitboard/widget/static", "kernel_side/circuitboard/labextension")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what the repository holds and of what was built, so that nobody edits it meanwhile."""
    if not all((ROOT / built).is_dir() for built in BUILT):
        pytest.skip("the front end is not built: npm run build")
    copy = tmp_path_factory.mktemp("sources")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for built in BUILT:
        shutil.copytree(ROOT / built, copy / built)
    shutil.copy(ROOT / ".gitignore", copy)
    return copy


def build(sources, target, kind):
    """Build a wheel or an sdist offline, with no Node to be found."""
    target.mkdir()
    code = f"from hatchling.build import build_{kind}; print(build_{kind}({str(target)!r}))"
    subprocess.run(
        [sys.executable, "-c", code], cwd=sources, env=os.environ | {"PATH": str(target)}, check=True,
        capture_output=True,
    )  # fmt: skip
    (path,) = target.iterdir()
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    return build(sources, tmp_path_factory.mktemp("first") / "dist", "wheel")


@pytest.fixture(scope="module")
def sdist(sources, tmp_path_factory):
    return build(sources, tmp_path_factory.mktemp("first") / "dist", "sdist")


def test_two_builds_are_equal(sources, wheel, sdist, tmp_path):
    for path in sources.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert digest(build(sources, tmp_path / "wheel", "wheel")) == digest(wheel)
    assert digest(build(sources, tmp_path / "sdist", "sdist")) == digest(sdist)


def test_the_source_distribution_gives_the_same_wheel_without_node(wheel, sdist, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    again = build(unpacked, tmp_path / "wheel", "wheel")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert first.namelist() == second.namelist()
        assert [name for name in first.namelist() if first.read(name) != second.read(name)] == []
    assert digest(again) == digest(wheel)


def test_the_source_distribution_holds_what_a_build_needs_and_nothing_installed(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "package.json", "package-lock.json", "hatch_build.py", "LICENSE", "README.md"} <= names
    assert {"extension/build.mjs", "extension/licences.mjs", "extension/vscode/build.mjs"} <= names
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name or name.startswith(".venv")]


def test_two_builds_of_the_panel_are_equal(tmp_path):
    if not (ROOT / "node_modules").is_dir() or shutil.which("node") is None:
        pytest.skip("Node and its packages are only needed to build the front end: npm ci")
    for number in ("one", "two"):
        subprocess.run(
            ["node", ROOT / "extension/build.mjs", f"--outdir={tmp_path / number}"], check=True, capture_output=True
        )
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["THIRD_PARTY_LICENCES.txt", "widget.css", "widget.js"]
    assert [name for name in names if digest(tmp_path / "one" / name) != digest(tmp_path / "two" / name)] == []
