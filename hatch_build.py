"""Puts the built front end and the example notebooks into the wheel, and builds the former if need be.

A source distribution and a checkout that ran `npm run build` already hold the two bundles, so Node is
only needed when they are missing. An editable installation carries no copy of the JupyterLab
extension, which would go stale at the next build: `make setup` links the built folder instead.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WIDGET = "kernel_side/circuitboard/widget/static/widget.js"
LABEXTENSION = "kernel_side/circuitboard/labextension"
INSTALLED = "share/jupyter/labextensions/circuitboard"


class FrontEndHook(BuildHookInterface):
    """Build the widget and the JupyterLab extension if they are missing, then map them into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        needed = [root / WIDGET, root / LABEXTENSION / "package.json"]
        if not all(path.is_file() for path in needed):
            self._build(root)
        missing = [str(path.relative_to(root)) for path in needed if not path.is_file()]
        if missing:
            message = f"`npm run build` ran but left no {' and no '.join(missing)}."
            raise RuntimeError(message)
        if self.target_name == "wheel" and version == "standard":
            build_data["shared_data"].update(
                {
                    LABEXTENSION: INSTALLED,
                    "extension/src/lab/install.json": f"{INSTALLED}/install.json",
                }
            )
            build_data["force_include"].update(
                {str(path): f"circuitboard/examples/{path.name}" for path in (root / "examples").glob("*.ipynb")}
            )

    def _build(self, root: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            message = (
                "The front end has not been built and npm was not found. Install Node 20 or newer, or install "
                "Circuitboard from a wheel or a source distribution, which carry the built front end."
            )
            raise RuntimeError(message)
        if not (root / "node_modules").is_dir():
            subprocess.run([npm, "ci"], cwd=root, check=True)
        subprocess.run([npm, "run", "build"], cwd=root, check=True)
