"""What the name of a kept board's file says: whose it is, and whether the process that wrote it still lives."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import time
from dataclasses import dataclass
from functools import cache

SUFFIX = ".board.json"

_NAMED = re.compile(rf"(.*)-\d{{8}}-\d{{6}}-(\d+)(?:\.(\d+)\.([0-9a-f]{{8}}))?-\d+{re.escape(SUFFIX)}", re.DOTALL)
"""Notebook, time, process with its start in hundredths of a second and its machine, number of the board."""

_SAME_START_S = 2.0
"""Clocks that are set while a process lives move its start a little."""


@dataclass(frozen=True)
class KeptName:
    """A file's name, read.

    Parameters
    ----------
    notebook
        Of which notebook; all of the name where it is none of ours.
    pid, started, machine
        The process that wrote it: when it began, in seconds, and where it ran. None where the name does not say.
    """

    notebook: str
    pid: int | None = None
    started: float | None = None
    machine: str | None = None

    @classmethod
    def of(cls, name: str) -> KeptName:
        found = _NAMED.fullmatch(name)
        if found is None:
            return cls(name)
        notebook, pid, started, machine = found.groups()
        return cls(notebook, int(pid), None if started is None else int(started) / 100, machine)

    @property
    def ours(self) -> bool:
        """Whether this process wrote it."""
        if self.started is None or (self.pid, self.machine) != (os.getpid(), _machine()):
            return False
        return round(self.started * 100) == _started(os.getpid())

    def lives(self, age_s: float, unknown_for_s: float) -> bool:
        """Whether the process that wrote it still runs, as far as that can be known.

        Parameters
        ----------
        age_s
            Seconds since the file was written.
        unknown_for_s
            A process of another machine, which shares this folder, counts as alive for so long after it wrote.
        """
        if self.pid is None or self.started is None:
            return False
        if self.machine != _machine():
            return age_s < unknown_for_s
        return self._began(self.pid)

    def _began(self, pid: int) -> bool:
        import psutil

        try:
            process = psutil.Process(pid)
            same = self.started is not None and abs(process.create_time() - self.started) < _SAME_START_S
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, OverflowError):
            return False
        except psutil.AccessDenied:
            return True  # somebody's process of this number; whether it is this one cannot be known


def new_name(notebook: str, number: int) -> str:
    """A name that no other board has."""
    started = _started(os.getpid())
    when = time.strftime("%Y%m%d-%H%M%S")
    return f"{notebook}-{when}-{os.getpid()}.{started}.{_machine()}-{number}{SUFFIX}"


@cache
def _started(pid: int) -> int:
    """When a process of ours began, in hundredths of a second; once told, clocks that are set do not change it."""
    import psutil

    return round(psutil.Process(pid).create_time() * 100)


@cache
def _machine() -> str:
    return hashlib.blake2b(platform.node().encode("utf-8", "replace"), digest_size=4).hexdigest()
