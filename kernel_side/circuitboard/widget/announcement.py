"""The kernel's side of the list of live boards: a file for each board, rewritten after steps, gone when it is closed.

Outside a kernel that a Jupyter server started nothing is written.
"""

from __future__ import annotations

import atexit
import math
import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from circuitboard.board.kernel import kernel_app
from circuitboard.files.later import Later
from circuitboard.protocol.board_file import LONGEST, BoardFile, BoardSummary, folder_of, kernel_of

if TYPE_CHECKING:
    from circuitboard.board import Board

QUIET_S, AT_MOST_S = 0.3, 1.0
"""How long after a step the file follows, and how long it may lag in a burst."""


class Announcements:
    """The files of one kernel process.

    Parameters
    ----------
    connection_file
        The kernel's; the folder is beside it.
    kernel
        The kernel's id.
    """

    def __init__(self, connection_file: Path, kernel: str) -> None:
        import psutil

        self._connections = connection_file.parent
        self._folder = folder_of(self._connections, kernel)
        self._pid = os.getpid()
        self._started = psutil.Process(self._pid).create_time()
        self._lock = threading.RLock()
        self._numbers: weakref.WeakKeyDictionary[Board, int] = weakref.WeakKeyDictionary()
        self._cells: dict[int, str | None] = {}
        self._waiting: weakref.WeakSet[Board] = weakref.WeakSet()
        self._count = 0
        self._later = Later(self._write, quiet_s=QUIET_S, at_most_s=AT_MOST_S, name="circuitboard-announcements")
        self._sweep()

    def add(self, board: Board) -> None:
        """List a board until it is closed or collected; one that is listed already stays as it is."""
        if os.getpid() != self._pid:
            return  # a process forked from the kernel is none itself
        with self._lock:
            if board in self._numbers:
                return
            self._count += 1
            number = self._numbers[board] = self._count
            self._cells[number] = _cell()
        here = weakref.ref(board)
        board.desk.on_move(lambda: self._ask(here()))
        board.desk.on_close(lambda: self._remove(number, here()))
        weakref.finalize(board, self._remove, number).atexit = False
        self._ask(board)

    def board(self, number: int) -> Board | None:
        """The board that is listed under this number, if it still exists."""
        with self._lock:
            return next((board for board, own in self._numbers.items() if own == number), None)

    def flush(self) -> None:
        """Write now what is waiting."""
        self._later.flush()

    def end(self) -> None:
        """Take the folder away."""
        if os.getpid() != self._pid:
            return
        self._later.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, board: Board | None) -> None:
        if board is not None:
            with self._lock:
                self._waiting.add(board)
            self._later.ask()

    def _remove(self, number: int, board: Board | None = None) -> None:
        with self._lock:
            self._cells.pop(number, None)
            if board is not None:
                self._waiting.discard(board)
            self._path(number).unlink(missing_ok=True)

    def _write(self) -> None:
        with self._lock:
            boards = list(self._waiting)
            self._waiting.clear()
        for board in boards:
            number = self._numbers[board]
            with self._lock:
                if number in self._cells:
                    file = BoardFile(
                        "circuitboard.live", 1, self._pid, self._started, _summary(board, number, self._cells[number])
                    )
                    self._replace(self._path(number), msgspec.json.encode(file))

    def _replace(self, path: Path, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _sweep(self) -> None:
        """Take away what a process before this one left here, and what kernels that are gone left beside it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._folder.parent.is_dir():
            for other in self._folder.parent.iterdir():
                if not (self._connections / f"kernel-{other.name}.json").exists():
                    shutil.rmtree(other, ignore_errors=True)


_here: list[Announcements | None] = []
"""This process's announcements once it is known whether it is a kernel."""


def announce(board: Board) -> None:
    """List a board for the server that started this kernel, if one did."""
    if not _here:
        _here.append(_of_this_kernel())
    if _here[0] is not None:
        _here[0].add(board)


def announced(number: int) -> Board | None:
    """The board that the server lists under this number for this kernel, if it still exists."""
    return _here[0].board(number) if _here and _here[0] is not None else None


def _of_this_kernel() -> Announcements | None:
    app = kernel_app()
    if app is None:
        return None
    connection_file = Path(app.abs_connection_file)
    kernel = kernel_of(connection_file)
    if kernel is None:
        return None
    found = Announcements(connection_file, kernel)
    atexit.register(found.end)
    return found


def _cell() -> str | None:
    """The id of the cell that runs, as JupyterLab names it in its request."""
    app = kernel_app()
    parent = app.kernel.get_parent() if app is not None else {}
    found = parent.get("metadata", {}).get("cellId") if isinstance(parent, dict) else None
    return _short(found) if isinstance(found, str) else None


def _summary(board: Board, number: int, cell: str | None) -> BoardSummary:
    shown, lab = board.desk.shown, board.desk.lab
    value = float(shown.outcome.value)
    return BoardSummary(
        board=number,
        model=_short(lab.adapter.name),
        prompts=board.prompts.n,
        base=shown.history.state.base,
        edits=len(shown.history.state.edits),
        metric=_short(lab.metric.name),
        unit=_short(lab.metric.unit),
        value=value if math.isfinite(value) else None,
        engine=lab.choice.tier,
        cell=cell,
    )


def _short(text: str) -> str:
    """Text that is short and can be encoded: a name may be anything."""
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode("utf-8")[:LONGEST]
