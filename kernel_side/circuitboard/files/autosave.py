"""The board's history kept on disk as it moves, so that a kernel that dies takes no work with it.

In a notebook's kernel each board that was stepped is written a second after the last step, off the thread that answers
clicks, to the user's state folder (on Linux ~/.local/state/circuitboard/autosave): one file a board. No file of a
process that lives is taken away; of those that are gone the newest of each notebook are kept (see `files.quota`).
Outside a kernel nothing is written unless it is asked for with `Board(autosave=True)`.
`Board(autosave=False)` or the environment variable CIRCUITBOARD_AUTOSAVE=0 switches it off.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import re
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from circuitboard.address import truth
from circuitboard.boundary import public
from circuitboard.engine.turns import short_turns
from circuitboard.errors import CircuitboardError, EngineError, SessionFileError
from circuitboard.files import KeptName, age, files, new_name, prune, storage, write
from circuitboard.files.later import Later

if TYPE_CHECKING:
    from collections.abc import Callable

    from circuitboard.desk.desk import Desk
    from circuitboard.desk.lab import Lab
    from circuitboard.models.account.fingerprint import Fingerprint

ENVIRONMENT = "CIRCUITBOARD_AUTOSAVE"

QUIET_S, AT_MOST_S = 1.0, 5.0
"""How long after a step the file follows, and how long it may lag in a burst."""

RETRY_S = 30.0
"""How long after a problem the file is tried again where no step has tried it before."""

MAX_BYTES = 8 * 2**20
"""Of a larger history the states that fit are kept: the line of the current one, named ones, then the newest."""

_log = logging.getLogger(__name__)
_count = itertools.count(1)


@public
class Autosave:
    """Keeps one board on disk.

    Parameters
    ----------
    desk
        Held weakly: a board that nobody uses is collected, and its last state stays in its file.
    """

    def __init__(self, desk: Desk) -> None:
        here = weakref.ref(desk)
        self._board = here
        self._path = folder() / new_name(_notebook(), next(_count))
        self._problem: str | None = None
        self._listeners: list[Callable[[], None]] = []
        self._closing = False
        self._pruned = False
        self._later = Later(self._write, quiet_s=QUIET_S, at_most_s=AT_MOST_S, name="circuitboard-autosave")
        desk.on_move(self._later.ask)
        desk.on_close(self.close)
        weakref.finalize(desk, self._later.stop).atexit = False
        _open.add(self)

    @property
    def path(self) -> Path:
        """The board's file; it is there once the board was stepped."""
        return self._path

    @property
    def problem(self) -> str | None:
        """Why the file does not hold all of the board; None if it does, or soon will."""
        return self._problem

    @property
    def open(self) -> bool:
        """Whether its board is there and goes on."""
        return not self._closing and self._board() is not None

    def of(self, desk: Desk) -> bool:
        """Whether it keeps this board."""
        return self._board() is desk

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever `problem` is another one; the value returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def flush(self) -> None:
        """Write now what is waiting."""
        self._later.flush()

    def close(self) -> None:
        """Write what is waiting, and no more; the file stays."""
        self._closing = True
        self._later.flush()
        self._later.end()

    def __repr__(self) -> str:
        return f"Autosave({str(self._path)!r}{'' if self._problem is None else f', problem={self._problem!r}'})"

    def _write(self) -> None:
        desk = self._board()
        if desk is None:
            return
        try:
            with short_turns():
                left_out = self._put(desk)
        except Exception as error:  # noqa: BLE001  whatever it is: the board goes on, and the user is told
            self._tell(error.message if isinstance(error, CircuitboardError) else f"{type(error).__name__}: {error}")
            # A disk is emptied and a folder comes back without any step.
            self._later.ask(RETRY_S)
            return
        self._tell(
            None
            if not left_out
            else f"its history is larger than the {MAX_BYTES:,} bytes that are kept, so {left_out:,} older states are left out; save all of it with board.save(path)."
        )

    def _put(self, desk: Desk) -> int:
        """Write the file; how many states it has no room for."""
        found = storage.encoded(desk, self._marks, most_bytes=MAX_BYTES)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(self._path, found.data)
        if not self._pruned:
            self._pruned = True
            prune(self._path.parent, {other.path for other in tuple(_open) if other.open})
        return found.left_out

    def _marks(self, lab: Lab) -> Fingerprint | None:
        """Which weights the numbers come from, unless that takes too long or cannot be known any more."""
        if self._closing:  # a second a gigabyte
            return lab.marks
        try:
            return lab.fingerprint()
        except EngineError as error:
            if error.code != "model_changed":
                raise
            return None

    def _tell(self, problem: str | None) -> None:
        """Warn of a problem once, and have those told who show it."""
        if self._problem == problem:
            return
        self._problem = problem
        if problem is not None:
            _log.warning("The board is not kept on disk: %s", problem)
        for listener in tuple(self._listeners):
            listener()


_open: weakref.WeakSet[Autosave] = weakref.WeakSet()
_process = os.getpid()


@atexit.register
def _flush_all() -> None:
    """A kernel that is shut down keeps its last steps; a process forked from it has neither its threads nor its boards."""
    if os.getpid() != _process:
        return
    for autosave in tuple(_open):
        autosave.close()


def wanted(*, asked: bool | None) -> bool:
    """Whether a board is kept: as asked, by default in a kernel; never where the environment says 0."""
    if asked is not None and truth(asked) is None:
        raise SessionFileError(f"autosave is True, False or None, not {asked!r:.60}.", code="bad_option")
    if os.environ.get(ENVIRONMENT, "").strip().lower() in ("0", "false", "off", "no"):
        return False
    return _in_a_kernel() if asked is None else bool(truth(asked))


def folder() -> Path:
    """Where boards are kept."""
    import platformdirs

    return platformdirs.user_state_path("circuitboard") / "autosave"


def saved_boards() -> list[Path]:
    """The boards that are kept, newest first."""
    return sorted(files(folder()), key=age, reverse=True)


def of_this_notebook(path: Path) -> bool:
    """Whether a kept board is of the notebook that this kernel belongs to, by its name."""
    return KeptName.of(path.name).notebook == _notebook()


def last_saved() -> Path:
    """The board that was kept last: of this notebook if it has one, else of any.

    Raises
    ------
    SessionFileError
        `no_such_file` if none is kept.
    """
    found = saved_boards()
    mine = [path for path in found if of_this_notebook(path)]
    if not found:
        raise SessionFileError(
            f"No board is kept in {folder()}: boards are kept a second after their first step, in notebooks.",
            code="no_such_file",
        )
    return (mine or found)[0]


def file_of(desk: Desk) -> Path | None:
    """Where this board is kept, once it is stepped; None if it is not kept."""
    return next((autosave.path for autosave in tuple(_open) if autosave.of(desk)), None)


def _notebook() -> str:
    """The notebook's name as part of a file name; Jupyter's server tells it to the kernels that it starts."""
    name = Path(os.environ.get("JPY_SESSION_NAME", "")).name.removesuffix(".ipynb")
    # By bytes, of which a file system allows some 255, all in all.
    short = re.sub(r"[^\w.-]", "_", name)[:60].encode()[:120].decode(errors="ignore")
    return short.lstrip(".") or "board"


def _in_a_kernel() -> bool:
    module = sys.modules.get("ipykernel.kernelapp")
    return module is not None and module.IPKernelApp.initialized()
