"""`circuitboard` on the command line: what it prints, what it opens, what it leaves alone."""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from circuitboard import cli, doctor

ROOT = Path(__file__).parents[2]
VERSION = json.loads((ROOT / "package.json").read_text())["version"]


def run(*words, **options):
    env = os.environ | {"PYTHONPATH": str(ROOT / "kernel_side")}
    command = [sys.executable, "-m", "circuitboard.cli", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, **options)


class TestWords:
    def test_version_is_that_of_the_installed_package(self, capsys, monkeypatch):
        monkeypatch.setattr("importlib.metadata.version", lambda name: VERSION if name == "circuitboard" else None)
        assert cli.main(["--version"]) == 0
        assert capsys.readouterr().out == f"circuitboard {VERSION}\n"

    def test_nothing_prints_the_help_and_is_a_mistake(self):
        done = run()
        assert done.returncode == 2
        assert "demo" in done.stdout
        assert "doctor" in done.stdout

    def test_unknown_options_are_refused_where_nobody_takes_them(self):
        done = run("doctor", "--colour")
        assert done.returncode == 2
        assert "--colour" in done.stderr

    def test_asking_for_help_is_quick(self):
        """No torch, no JupyterLab: only what the words need."""
        code = (
            "import sys, circuitboard.cli as cli\n"
            "try: cli.main(['demo', '--help'])\n"
            "except SystemExit: pass\n"
            "print(sorted({'torch', 'transformer_lens', 'jupyterlab', 'pandas'} & set(sys.modules)))"
        )
        env = os.environ | {"PYTHONPATH": str(ROOT / "kernel_side")}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


class TestDemo:
    def test_a_checkout_opens_its_own_examples(self, tmp_path, monkeypatch):
        package = tmp_path / "kernel_side/circuitboard"
        package.mkdir(parents=True)
        (tmp_path / "pyproject.toml").touch()
        (tmp_path / "examples").mkdir()
        (tmp_path / "examples" / cli.FIRST_EXAMPLE).touch()
        monkeypatch.setattr(cli, "PACKAGE", package)
        assert cli.examples_folder(tmp_path / "elsewhere") == tmp_path / "examples"
        assert not (tmp_path / "elsewhere").exists()

    def test_an_installed_package_is_copied_from_and_never_written_to(self, tmp_path, monkeypatch):
        package = tmp_path / "site-packages/circuitboard"
        (package / "examples").mkdir(parents=True)
        (package / "examples" / cli.FIRST_EXAMPLE).write_text("shipped")
        monkeypatch.setattr(cli, "PACKAGE", package)
        folder = cli.examples_folder(tmp_path)
        assert folder == tmp_path / "circuitboard-examples"
        assert (folder / cli.FIRST_EXAMPLE).read_text() == "shipped"

    def test_a_copy_that_the_user_has_changed_is_kept(self, tmp_path):
        source, target = tmp_path / "source", tmp_path / "target"
        source.mkdir()
        target.mkdir()
        (source / "a.ipynb").write_text("shipped")
        (source / "b.ipynb").write_text("shipped")
        (target / "a.ipynb").write_text("mine")
        cli.copied_examples(source, target)
        assert (target / "a.ipynb").read_text() == "mine"
        assert (target / "b.ipynb").read_text() == "shipped"

    def test_the_users_own_options_come_last_and_so_win(self, tmp_path):
        command = cli.lab_command(tmp_path, ["--no-browser", "--port=9999"])
        assert command[:3] == [sys.executable, "-m", "jupyterlab"]
        assert f"--ServerApp.root_dir={tmp_path}" in command
        assert f"--LabApp.default_url=/lab/tree/{cli.FIRST_EXAMPLE}" in command
        assert command[-2:] == ["--no-browser", "--port=9999"]

    def test_options_reach_jupyterlab(self, monkeypatch):
        passed = []
        monkeypatch.setattr(cli, "run_demo", lambda words: passed.append(list(words)) or 0)
        assert cli.main(["demo", "--no-browser", "--port", "9999"]) == 0
        assert passed == [["--no-browser", "--port", "9999"]]

    def test_jupyterlab_takes_the_command_and_names_the_example(self, tmp_path):
        """The real JupyterLab, up to the address that it prints."""
        (tmp_path / cli.FIRST_EXAMPLE).write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
        env = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "c"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "r")}
        command = cli.lab_command(tmp_path, ["--no-browser", "--port=0"])
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as lab:
            try:
                assert any(f"/lab/tree/{cli.FIRST_EXAMPLE}?token=" in line for line in lab.stdout)
            finally:
                lab.terminate()


class TestDoctor:
    def test_a_missing_package_is_named_with_the_command_that_brings_it(self, monkeypatch):
        def version(name):
            if name == "anywidget":
                raise PackageNotFoundError(name)
            return "1.0"

        monkeypatch.setattr(doctor, "version", version)
        monkeypatch.setattr(doctor, "_engine", lambda: doctor.Finding("a board", "not tried"))
        (finding,) = [finding for finding in doctor.examine() if finding.what == "anywidget"]
        assert finding.fix == "pip install anywidget"
        assert finding.needed

    def test_the_exit_status_tells_whether_a_board_can_run(self, monkeypatch, capsys):
        optional = doctor.Finding("smollm2-135m", "not installed (optional)", "pip install …")
        monkeypatch.setattr(doctor, "examine", lambda: iter([optional]))
        assert doctor.run_doctor() == 0
        assert "A board can run here." in capsys.readouterr().out
        needed = doctor.Finding("torch", "not installed", "pip install torch", needed=True)
        monkeypatch.setattr(doctor, "examine", lambda: iter([optional, needed]))
        assert doctor.run_doctor() == 1
        printed = capsys.readouterr().out
        assert "pip install torch" in printed
        assert "cannot run" in printed

    def test_json_says_the_same(self, monkeypatch, capsys):
        monkeypatch.setattr(doctor, "examine", lambda: iter([doctor.Finding("torch", "2.13")]))
        assert doctor.run_doctor(as_json=True) == 0
        report = json.loads(capsys.readouterr().out)
        assert report == {"works": True, "findings": [{"what": "torch", "found": "2.13", "fix": "", "needed": False}]}

    def test_a_disabled_labextension_is_told_from_a_missing_one(self, tmp_path, monkeypatch):
        folder = tmp_path / "share/jupyter/labextensions/circuitboard"
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(
            json.dumps({"name": "circuitboard", "version": "9", "jupyterlab": {"_build": {"load": "static/x.js"}}})
        )
        monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *_: [str(folder.parent)])
        settings = tmp_path / "config/labconfig"
        settings.mkdir(parents=True)
        (settings / "page_config.json").write_text('{"disabledExtensions": {"circuitboard": true, "anywidget": false}}')
        monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(settings.parent))
        ours, anywidget, *_ = doctor._labextensions()
        assert "jupyter labextension enable circuitboard" in ours.fix
        assert "not installed" in anywidget.found

    @pytest.mark.timeout(300)
    def test_here_it_reports_an_engine_tier_and_succeeds(self):
        done = run("doctor", "--json", timeout=280)
        report = json.loads(done.stdout)
        board = report["findings"][-1]
        assert done.returncode == 0, report
        assert board["found"].startswith("engine tier ")
