"""`circuitboard doctor` names each part that can be missing, and what brings it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from circuitboard import doctor


def versions(monkeypatch, **known):
    def version(name):
        found = known.get(name.replace("-", "_"), "9.9")
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(doctor, "version", version)


def test_a_package_that_is_too_old_is_named_with_the_version_asked_for(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: ["anywidget>=0.9.18", "msgspec>=0.19"])
    versions(monkeypatch, anywidget="0.9.1")
    (finding,) = doctor._requirements()
    assert finding.what == "anywidget"
    assert finding.found == "0.9.1, and >=0.9.18 is asked for"
    assert finding.fix == "pip install 'anywidget>=0.9.18'"


def test_a_missing_package_that_the_list_does_not_show_is_named_all_the_same(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: ["msgspec>=0.19", 'gguf>=0.17; extra == "smollm2"'])
    versions(monkeypatch, msgspec=None, gguf=None)
    (finding,) = doctor._requirements()
    assert (finding.what, finding.needed) == ("msgspec", True)


def test_all_that_this_package_asks_for_is_here():
    assert list(doctor._requirements()) == []


@pytest.mark.parametrize("missing", ["widget.js", "widget.css"])
def test_a_panel_that_is_not_whole_is_needed(monkeypatch, tmp_path, missing):
    for name in {"widget.js", "widget.css"} - {missing}:
        (tmp_path / name).touch()
    monkeypatch.setattr(doctor, "STATIC", tmp_path)
    finding = doctor._widget_bundle()
    assert "not been built" in finding.found
    assert finding.needed


def test_a_labextension_of_another_version_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "share/jupyter/labextensions/circuitboard"
    folder.mkdir(parents=True)
    package = {"name": "circuitboard", "version": "0.0.9", "jupyterlab": {"_build": {"load": "static/x.js"}}}
    (folder / "package.json").write_text(json.dumps(package))
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *_: [str(folder.parent)])
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    versions(monkeypatch, circuitboard="0.1.0")
    ours, *_ = doctor._labextensions()
    assert ours.found == "0.0.9, and the Python package is 0.1.0"
    assert ours.fix
    versions(monkeypatch, circuitboard="0.0.9a1")
    ours, *_ = doctor._labextensions()
    assert not ours.fix


def kernel(monkeypatch, tmp_path, program):
    folder = tmp_path / "kernels/python3"
    folder.mkdir(parents=True)
    argv = [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "P", "language": "python"}))
    # An installation in sys.prefix comes after this one.
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    (finding,) = doctor._kernel()
    return finding


def test_a_kernel_of_another_python_is_told(monkeypatch, tmp_path):
    finding = kernel(monkeypatch, tmp_path, "/somewhere/else/bin/python")
    assert "/somewhere/else/bin/python" in finding.found
    assert sys.executable in finding.fix


@pytest.mark.parametrize("program", ["python", sys.executable])
def test_a_kernel_of_this_python_is_well(monkeypatch, tmp_path, program):
    assert not kernel(monkeypatch, tmp_path, program).fix


def test_a_missing_server_extension_is_a_note_and_no_obstacle(monkeypatch, tmp_path):
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path)])
    finding = doctor._server_extension()
    assert "not installed" in finding.found
    assert finding.fix
    assert not finding.needed


def test_importing_the_package_loads_nothing_heavy():
    """What takes long is loaded when it is first used; the figure itself is measured by `make release-check`."""
    heavy = {"torch", "transformer_lens", "transformers", "numpy", "pandas", "anywidget", "IPython", "jupyterlab"}
    code = f"import sys, circuitboard, circuitboard.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path("/"))
    assert done.stdout.strip() == "[]"
