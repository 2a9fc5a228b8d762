"""The VS Code extension's package: small, of this version, with nothing in it that was not meant to be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = json.loads((ROOT / "package.json").read_text())["version"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two packages of the same sources."""
    if not (ROOT / "node_modules/.bin/vsce").exists() or shutil.which("node") is None:
        pytest.skip("Node and its packages are only needed to build the front end: npm ci")
    target = tmp_path_factory.mktemp("vsix")
    made = []
    for number in ("one", "two"):
        stage, package = target / number, target / f"{number}.vsix"
        subprocess.run(["node", ROOT / "extension/vscode/build.mjs", f"--outdir={stage}"], cwd=ROOT, check=True)
        subprocess.run(
            [
                ROOT / "node_modules/.bin/vsce", "package", "--no-dependencies", "--allow-missing-repository",
                "--out", package,
            ],
            cwd=stage, env=os.environ | {"SOURCE_DATE_EPOCH": "1580601600"}, check=True, capture_output=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        made.append(package)
    return made


@pytest.fixture(scope="module")
def vsix(packages):
    with zipfile.ZipFile(packages[0]) as archive:
        yield archive


def test_it_holds_what_it_needs_and_no_more(vsix):
    names = {name.removeprefix("extension/") for name in vsix.namelist() if name.startswith("extension/")}
    assert {
        "dist/extension.js", "dist/webview.js", "media/example.ipynb", "media/icon.png", "media/keys.md",
        "package.json", "LICENSE.txt", "THIRD_PARTY_LICENCES.txt",
    } <= names  # fmt: skip
    assert all(re.match(r"(dist|media)/|[^/]+\.(json|txt|md)$", name) for name in names), names


def test_it_is_small_and_of_this_version(packages, vsix):
    assert packages[0].stat().st_size < 1_000_000
    manifest = json.loads(vsix.read("extension/package.json"))
    assert manifest["version"] == VERSION
    assert manifest["main"] == "./dist/extension.js"


def test_its_page_of_keys_is_the_panels_own(vsix):
    page = vsix.read("extension/media/keys.md").decode()
    assert "| Ctrl-Z | undo |" in page
    assert "<!--" not in page


def test_its_code_runs_no_text_and_opens_nothing(vsix):
    forbidden = re.compile(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|XMLHttpRequest|\bfetch\(|https?://")
    for name in ("extension/dist/extension.js", "extension/dist/webview.js"):
        assert forbidden.search(vsix.read(name).decode()) is None
    # A process or a file of its own would be a surprise in an extension that only speaks to a kernel.
    required = set(re.findall(r'require\("([^"]+)"\)', vsix.read("extension/dist/extension.js").decode()))
    assert required == {"vscode", "node:crypto"}


def test_two_packages_of_the_same_sources_are_equal(packages):
    with zipfile.ZipFile(packages[0]) as first, zipfile.ZipFile(packages[1]) as second:
        assert first.namelist() == second.namelist()
        assert [name for name in first.namelist() if first.read(name) != second.read(name)] == []
    assert packages[0].read_bytes() == packages[1].read_bytes()
