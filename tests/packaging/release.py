"""What `make release-check` does with the built wheel: install it in an empty environment and use it there.

    python -m tests.packaging.release dist

Nothing of this checkout and no Node is on the path of that environment. Each step prints how long it took; the first
one that fails ends the run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.metadata import Metadata
from playwright.sync_api import sync_playwright

from tests.browser.lab import CHROMIUM_ARGUMENTS, Lab, LabNotebook

ROOT = Path(__file__).parents[2]
CELLS = (
    "import torch\ntorch.set_num_threads(1)\nimport circuitboard as cb\nmodel = cb.load('demo')",
    "board = cb.Board(model, cb.tasks.ioi(8, model=model))\nboard",
)
HEAD = '[data-cb="head"][data-layer="3"][data-head="0"]'
LONGEST_IMPORT_S = 1.0


class InstalledLab(Lab):
    """JupyterLab of an environment, on nothing but what is installed there.

    Parameters
    ----------
    folder
        What it serves.
    environment
        Of the environment's programs.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        super().__init__(folder)
        self._installed = environment

    def _program(self) -> tuple[list[str], dict[str, str]]:
        return ["jupyter", "lab"], self._installed


@contextmanager
def step(name: str) -> Iterator[None]:
    begun = time.monotonic()
    print(f"{name} …", end=" ", flush=True)
    yield
    print(f"{time.monotonic() - begun:.1f} s", flush=True)


def check_metadata(wheel: Path) -> str:
    """Parse the metadata strictly, as an index would, and return the version."""
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Metadata.from_email(archive.read(name), validate=True)
    version = json.loads((ROOT / "package.json").read_text())["version"]
    assert str(metadata.version) == version
    assert metadata.description
    assert metadata.description_content_type == "text/markdown"
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## .*({re.escape(version)}|Unreleased)", changes, re.MULTILINE), "no section in CHANGELOG.md"
    return version


def run(environment: dict[str, str], *command: str) -> str:
    """Run a program of the environment; what it prints is shown if it fails."""
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        raise RuntimeError(message)
    return re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)


def listed(environment: dict[str, str]) -> str:
    """What JupyterLab and the server say they have."""
    return run(environment, "jupyter", "labextension", "list") + run(
        environment, "jupyter", "server", "extension", "list"
    )


def remains(prefix: Path) -> list[str]:
    """Files of ours in the environment."""
    return [str(path.relative_to(prefix)) for path in prefix.rglob("*") if "circuitboard" in path.name.lower()]


def click_a_head(environment: dict[str, str], folder: Path) -> None:
    """The smoke test: a notebook in JupyterLab, the panel in it, one click that is a run of the model."""
    with InstalledLab(folder, environment) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1500, "height": 1200})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        notebook: LabNotebook = lab.open(page, lab.write_notebook("smoke.ipynb", CELLS))
        notebook.run_all()
        head, metric = notebook.board.locator(HEAD), notebook.board.locator("[data-cb=metric]")
        head.wait_for(timeout=60_000)
        before = metric.get_attribute("data-value")
        head.click()
        page.wait_for_function(
            "before => document.querySelector('[data-cb=metric]').dataset.value !== before", arg=before
        )
        value = float(metric.get_attribute("data-value") or "nan")
        assert abs(value - notebook.python("board.value")) < 1e-9
        assert notebook.python("__import__('circuitboard').__file__").startswith(environment["VIRTUAL_ENV"])
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        browser.close()
        assert errors == []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dist", type=Path)
    dist: Path = parser.parse_args().dist
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    (vsix,) = dist.glob("*.vsix")
    for path, most in ((wheel, 5_000_000), (sdist, 10_000_000), (vsix, 1_000_000)):
        size = path.stat().st_size
        print(f"{path.name}: {size / 1000:.0f} kB")
        assert size <= most, f"more than {most / 1000:.0f} kB"
    with step("metadata"):
        version = check_metadata(wheel)
    assert version in vsix.name
    with tempfile.TemporaryDirectory(prefix="cb-release-") as temporary:
        home, prefix = Path(temporary, "home"), Path(temporary, "env")
        home.mkdir()
        with step("an empty environment"):
            venv.create(prefix, with_pip=True)
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG", "LC_"))}
        environment = kept | {
            "HOME": str(home), "PATH": str(prefix / "bin"), "VIRTUAL_ENV": str(prefix), "OMP_NUM_THREADS": "1",
            "IPYTHONDIR": str(home / "ipython"), "HF_HUB_OFFLINE": "1",
        }  # fmt: skip
        before = set(remains(prefix))
        with step("pip install the wheel and all that it asks for"):
            run(environment, "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), str(wheel.resolve()))
        with step("pip check"):
            run(environment, "pip", "check")
        assert version in run(environment, "circuitboard", "--version")
        with step("circuitboard doctor"):
            report = json.loads(run(environment, "circuitboard", "doctor", "--json"))
            assert report["works"], report
        with step("extensions listed and enabled"):
            lists = listed(environment)
            assert re.search(rf"circuitboard v{re.escape(version)} enabled OK", lists), lists
            assert re.search(r"circuitboard\.server enabled", lists), lists
        code = "import time; t = time.perf_counter(); import circuitboard; print(time.perf_counter() - t)"
        taken = min(float(run(environment, "python", "-c", code)) for _ in range(3))
        print(f"import circuitboard: {1000 * taken:.0f} ms")
        assert taken < LONGEST_IMPORT_S
        with step("a board in JupyterLab, clicked"):
            click_a_head(environment, home)
        with step("pip uninstall, and nothing is left"):
            run(environment, "pip", "uninstall", "--quiet", "-y", "circuitboard")
            lists = listed(environment)
            assert "circuitboard" not in lists, lists
            assert set(remains(prefix)) == before
    print("The release holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
