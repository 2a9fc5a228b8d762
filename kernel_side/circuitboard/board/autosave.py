"""The board's state kept on disk as it moves, so that a kernel that dies takes no work with it.

In a notebook's kernel each board that was stepped is written a second after the last step, off the thread that answers
clicks, to the user's state folder (on Linux ~/.local/state/circuitboard/autosave): one small file a board, the newest
20 files kept. Outside a kernel nothing is written unless it is asked for with `Board(autosave=True)`.
`Board(autosave=False)` or the environment variable CIRCUITBOARD_AUTOSAVE=0 switches it off.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import re
import sys
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from circuitboard.board import storage
from circuitboard.board.later import Later
from circuitboard.engine.turns import short_turns
from circuitboard.errors import SessionFileError
from circuitboard.models.fingerprint import Fingerprint, fingerprint

if TYPE_CHECKING:
    from circuitboard.board.board import Board

ENVIRONMENT = "CIRCUITBOARD_AUTOSAVE"

QUIET_S, AT_MOST_S = 1.0, 5.0
"""How long after a step the file follows, and how long it may lag in a burst."""

FILES = 20
"""Files kept, of all notebooks together; the oldest go first."""

STATES = 100
"""States of the way to the current one that are kept, so that undo goes on after the kernel died."""

MAX_BYTES = 8 * 2**20
"""A larger board is kept as its current state alone; one that is larger even so is not kept."""

_STALE_S = 3600.0
"""Half-written files of processes that were killed go after an hour."""

_SUFFIX = ".board.json"

_NAMED = re.compile(rf"-\d{{8}}-\d{{6}}-\d+-\d+{re.escape(_SUFFIX)}$")
"""What follows the notebook's name in a file's name."""

_log = logging.getLogger(__name__)
_count = itertools.count(1)


class Autosave:
    """Keeps one board on disk.

    Parameters
    ----------
    board
        Held weakly: a board that nobody uses is collected, and its last state stays in its file.
    """

    def __init__(self, board: Board) -> None:
        here = weakref.ref(board)
        self._board = here
        self._marks: Fingerprint | None = None
        self._path = _new_path()
        self._problem: str | None = None
        self._closing = False
        self._later = Later(self._write, quiet_s=QUIET_S, at_most_s=AT_MOST_S, name="circuitboard-autosave")
        board.subscribe(lambda _shown: self._later.ask())
        board.on_close(self.close)
        weakref.finalize(board, self._later.stop).atexit = False
        _open.add(self)

    @property
    def path(self) -> Path:
        """The board's file; it is there once the board was stepped."""
        return self._path

    @property
    def problem(self) -> str | None:
        """Why the last step is not in the file; None if it is, or soon will be."""
        return self._problem

    def of(self, board: Board) -> bool:
        """Whether it keeps this board."""
        return self._board() is board

    def flush(self) -> None:
        """Write now what is waiting."""
        self._later.flush()

    def close(self) -> None:
        """Write what is waiting, and no more; the file stays."""
        self._closing = True
        self._later.flush()
        self._later.end()

    def _write(self) -> None:
        board = self._board()
        if board is None:
            return
        shown = board.shown
        with short_turns():
            if self._marks is None and not self._closing:
                # A second a gigabyte, so once: the board's numbers are those of the weights it was made with.
                self._marks = fingerprint(board.model)
            try:
                data = _encoded(board, self._marks)
                if board.shown is not shown:
                    self._later.ask()  # stepped meanwhile: numbers and edits may not belong together
                    return
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                storage.write(self._path, data)
                _prune(self._path.parent)
            except (SessionFileError, OSError) as error:
                self._tell(str(error))
            else:
                self._problem = None

    def _tell(self, problem: str) -> None:
        """Warn of a problem once; the next step tries again."""
        if self._problem != problem:
            _log.warning("The board is not kept on disk: %s", problem)
        self._problem = problem


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
    if os.environ.get(ENVIRONMENT, "").strip().lower() in ("0", "false", "off", "no"):
        return False
    return _in_a_kernel() if asked is None else asked


def folder() -> Path:
    """Where boards are kept."""
    import platformdirs

    return platformdirs.user_state_path("circuitboard") / "autosave"


def saved_boards() -> list[Path]:
    """The boards that are kept, newest first."""
    return sorted(_files(folder()), key=_age, reverse=True)


def of_this_notebook(path: Path) -> bool:
    """Whether a kept board is of the notebook that this kernel belongs to, by its name."""
    return _NAMED.sub("", path.name) == _notebook()


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


def file_of(board: Board) -> Path | None:
    """Where this board is kept, once it is stepped; None if it is not kept."""
    return next((autosave.path for autosave in tuple(_open) if autosave.of(board)), None)


def _encoded(board: Board, marks: Fingerprint | None) -> bytes:
    data = storage.encoded(board, marks, states=STATES)
    if len(data) > MAX_BYTES:
        data = storage.encoded(board, marks, states=1)
    if len(data) > MAX_BYTES:
        raise SessionFileError(
            f"its state takes {len(data)} bytes, more than the {MAX_BYTES} that are kept; save it with board.save(path).",
            code="file_too_large",
        )
    return data


def _new_path() -> Path:
    """A name that no other board has: notebook, time, process, number."""
    return folder() / f"{_notebook()}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{next(_count)}{_SUFFIX}"


def _notebook() -> str:
    """The notebook's name as part of a file name; Jupyter's server tells it to the kernels that it starts."""
    name = Path(os.environ.get("JPY_SESSION_NAME", "")).name.removesuffix(".ipynb")
    return re.sub(r"[^\w.-]", "_", name)[:60].lstrip(".") or "board"


def _files(where: Path) -> list[Path]:
    return [path for path in where.glob(f"*{_SUFFIX}") if path.is_file() and not path.is_symlink()]


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another kernel took it away in this moment
        return 0.0


def _prune(where: Path) -> None:
    """Keep the newest files, and no halves of killed processes."""
    for path in sorted(_files(where), key=_age, reverse=True)[FILES:]:
        path.unlink(missing_ok=True)
    for path in where.glob(f".*{_SUFFIX}.*"):
        if time.time() - _age(path) > _STALE_S:
            path.unlink(missing_ok=True)


def _in_a_kernel() -> bool:
    module = sys.modules.get("ipykernel.kernelapp")
    return module is not None and module.IPKernelApp.initialized()
