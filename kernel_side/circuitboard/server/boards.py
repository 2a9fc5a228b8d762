"""The server's side of the list of live boards: reads what the kernels wrote, and trusts none of it."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from circuitboard.protocol.board_file import MAX_BOARDS, MAX_BYTES, BoardFile, folder_of
from circuitboard.protocol.boards import Boards, KernelBoards

_FILE = re.compile(r"[1-9]\d{0,8}\.json")


def boards_of(kernels: Iterable[str], connections: Path, log: logging.Logger | logging.LoggerAdapter[Any]) -> Boards:
    """Read the boards of these kernels.

    Parameters
    ----------
    kernels
        Ids of the server's running kernels.
    connections
        Where their connection files lie.
    log
        Told of files that cannot be read.
    """
    found = []
    for kernel in kernels:
        boards, unreadable, lost = [], 0, 0
        for path in _paths(folder_of(connections, kernel)):
            try:
                file = msgspec.json.decode(_read(path), type=BoardFile)
            except FileNotFoundError:
                continue  # closed in this moment
            except (OSError, ValueError) as error:
                unreadable += 1
                log.warning("circuitboard: %s is skipped, it is no live board: %s", path, error)
                continue
            if _lives(file):
                boards.append(file.summary)
            else:
                lost += 1
        if boards or unreadable or lost:
            found.append(KernelBoards(kernel, sorted(boards, key=lambda one: one.board), unreadable, lost))
    return Boards(found)


def _paths(folder: Path) -> Iterator[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return
    paths = sorted((path for path in folder.iterdir() if _FILE.fullmatch(path.name)), key=lambda path: int(path.stem))
    yield from paths[-MAX_BOARDS:]


def _read(path: Path) -> bytes:
    """A regular file's bytes.

    Raises
    ------
    OSError
        If it cannot be opened; a symbolic link cannot.
    ValueError
        If it is no regular file, or larger than a board's.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return data


def _lives(file: BoardFile) -> bool:
    """Whether the very process that wrote the file still runs; a kernel that was killed takes nothing away.

    One that was killed stays in the list of processes until the server looks after it, which may take seconds.
    """
    import psutil

    try:
        process = psutil.Process(file.pid)
        return abs(process.create_time() - file.started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
