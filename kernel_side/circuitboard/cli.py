"""The command line: `circuitboard demo`, `circuitboard doctor` and `circuitboard run`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGE = Path(__file__).parent
FIRST_EXAMPLE = "01_first_click.ipynb"
COPIES = "circuitboard-examples"
"""The folder, in the current one, that an installed package's examples are copied to."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv
        The words after `circuitboard`; those of this process if left out.
    """
    parser = argparse.ArgumentParser(
        prog="circuitboard", description="Click a component of a transformer in a notebook, watch what it says change."
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="open JupyterLab on the first example",
        description=(
            "Open JupyterLab on the first example. An installed package's examples are copied to "
            f"./{COPIES} first, where a file that is already there is left as it is; in a source checkout the "
            "checkout's own examples are opened. Any other option is passed on to JupyterLab."
        ),
    )
    demo.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    doctor = commands.add_parser("doctor", help="say what is installed, what is missing, and how to get it")
    doctor.add_argument("--json", action="store_true", help="print the report as JSON")
    doctor.add_argument(
        "--model", metavar="NAME", help="try every site, intervention and metric on this model and print the table"
    )
    run = commands.add_parser(
        "run",
        help="compute a saved board again and compare",
        description=(
            "Compute a saved board again and compare its metrics with those in the file. Exits with 0 if they hold, "
            "with 1 if they do not, with 2 if the board cannot be computed here."
        ),
    )
    run.add_argument("file", help="what board.save() wrote")
    arguments, passed_on = parser.parse_known_args(argv)
    if passed_on and arguments.command != "demo":
        parser.error(f"unknown arguments: {' '.join(passed_on)}")
    if arguments.version:
        from importlib.metadata import version

        print(f"circuitboard {version('circuitboard')}")
        return 0
    if arguments.command == "demo":
        return run_demo([*(["--no-browser"] if arguments.no_browser else []), *passed_on])
    if arguments.command == "doctor":
        from circuitboard.doctor import run_doctor, run_support

        if arguments.model is not None:
            return run_support(arguments.model, as_json=arguments.json)
        return run_doctor(as_json=arguments.json)
    if arguments.command == "run":
        return run_saved(Path(arguments.file))
    parser.print_help()
    return 2


def run_saved(path: Path) -> int:
    """Compute a saved board again, say how its numbers compare, and return 0 if they hold, else 1 (2 for an error)."""
    from circuitboard.board import Board
    from circuitboard.errors import CircuitboardError
    from circuitboard.files.storage import reopen

    try:
        reopened = reopen(Board, path, None)
    except CircuitboardError as error:
        print(f"{error.message} [{error.code}]", file=sys.stderr)
        return 2
    print(repr(reopened.board))
    print(f"{'metric':<16}{'saved':>12}{'now':>12}{'max |Δ|':>12}{'allowed':>12}")
    for metric in reopened.metrics:
        verdict = "holds" if metric.ok else "DOES NOT HOLD"
        print(
            f"{metric.metric:<16}{metric.saved:>+12.4f}{metric.found:>+12.4f}{metric.error:>12.2g}{metric.allowed:>12.2g}  {verdict}"
        )
    for difference in reopened.differences:
        print(f"manifest: {difference}")
    reopened.board.close()
    return 0 if reopened.ok else 1


def run_demo(lab_arguments: Sequence[str]) -> int:
    """Open JupyterLab on the first example, and return its exit status when it ends.

    On POSIX systems this process becomes JupyterLab, so that signals reach it and this does not return.
    """
    folder = examples_folder(Path.cwd())
    command = lab_command(folder, lab_arguments)
    print(f"Opening {folder / FIRST_EXAMPLE}", flush=True)
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606 -- the interpreter that runs this, no shell
    return subprocess.call(command)  # noqa: S603 -- the same


def lab_command(folder: Path, lab_arguments: Sequence[str]) -> list[str]:
    """The command that serves `folder` with the first example open; `lab_arguments` come last and so win."""
    command = [
        sys.executable, "-m", "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST_EXAMPLE}",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Containers run as root, where JupyterLab refuses to start unless it is told that this is meant.
        command.append("--allow-root")
    return [*command, *lab_arguments]


def examples_folder(where: Path) -> Path:
    """The folder to open: a checkout's own examples, or copies of the package's under `where`.

    A checkout's are opened in place because whoever works in one expects to change them; an installed
    package is never written to.
    """
    checkout = PACKAGE.parents[1]
    if (checkout / "pyproject.toml").is_file() and (checkout / "examples" / FIRST_EXAMPLE).is_file():
        return checkout / "examples"
    return copied_examples(PACKAGE / "examples", where / COPIES)


def copied_examples(source: Path, target: Path) -> Path:
    """Copy each notebook of `source` to `target` unless one of that name is there already; returns `target`."""
    target.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        if not (target / notebook.name).exists():
            shutil.copyfile(notebook, target / notebook.name)
    return target


if __name__ == "__main__":
    sys.exit(main())
