"""The notebook kernel that this process is, if it is one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

_RUNS_ALONE = re.compile(r"(jupyter-)?(nbconvert|nbclient|execute|book)|papermill|sphinx-build|quarto")
"""Programs that run a notebook for its outputs, with nobody there to click."""


def kernel_app() -> Any:
    """The application of the kernel that this process is, or None."""
    module = sys.modules.get("ipykernel.kernelapp")
    if module is None or not module.IPKernelApp.initialized():
        return None
    return module.IPKernelApp.instance()


def runs_alone() -> bool:
    """Whether the kernel was started by a program that runs notebooks for their outputs, such as nbconvert.

    Such programs keep the state of widgets, and their pages then show the widget alone, which needs a network and a
    kernel that is gone.
    """
    import psutil

    if kernel_app() is None:
        return False
    try:
        words = psutil.Process(os.getppid()).cmdline()
    except (psutil.Error, OSError):
        return False
    # The interpreter, and the program as a script or by `-m`; what follows are files and options of the user's.
    return any(_RUNS_ALONE.fullmatch(Path(word).name) for word in words[:3])


def namespace() -> dict[str, Any]:
    """The names of the user's own, empty outside a kernel."""
    app = kernel_app()
    if app is None or app.kernel.shell is None:
        return {}
    names: dict[str, Any] = app.kernel.shell.user_ns
    return names
