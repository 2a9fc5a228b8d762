"""Putting a file in its place, whole or not at all, so that not even a power cut leaves a half."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from circuitboard.errors import SessionFileError
from circuitboard.files.plain import shown_path, why

_LONGEST_NAME = 200
"""Bytes of a file's name that the name of its unfinished self repeats; file systems allow 255."""


def write(path: Path, text: bytes, *, overwrite: bool = True) -> None:
    """Put a file in its place, whole or not at all.

    Raises
    ------
    SessionFileError
        `cannot_write`; `file_exists` where another is there and must not be replaced.
    """
    require_place(path, overwrite=overwrite)
    try:
        # Not by tempfile, whose files nobody else may read: this one is as readable as any that the user writes.
        # A name may be as long as the file system allows, and then there is no room in it for more.
        name = os.fsdecode(os.fsencode(path.name)[:_LONGEST_NAME])
        temporary = path.parent / f".{name}.{secrets.token_hex(6)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise SessionFileError(f"{shown_path(path)} cannot be written: {why(error)}.", code="cannot_write") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            # On the disk before it takes the old one's name: a machine that fails in between leaves one of the two.
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            _appear(temporary, path)
        _settle(path.parent)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise SessionFileError(f"{shown_path(path)} cannot be written: {why(error)}.", code="cannot_write") from error
    finally:
        with suppress(OSError):  # a folder that went away, or may not be written any more, has said so already
            temporary.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Have a folder's names on the disk too, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (
            errno.EINVAL,
            errno.ENOTSUP,
            errno.EROFS,
        ):  # file systems that keep folders their own way
            raise
    finally:
        os.close(handle)


def require_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where no file can be put, before anything is computed for it.

    Raises
    ------
    SessionFileError
        `cannot_write` without its folder, or for a folder; `file_exists` unless it may be replaced.
    """
    try:
        is_folder, exists, has_folder = path.is_dir(), path.exists() or path.is_symlink(), path.parent.is_dir()
        is_other = path.exists() and not is_folder and not path.is_file()
    except (OSError, ValueError) as error:  # a name that is too long, with a NUL in it, or that no file system can say
        raise SessionFileError(
            f"{shown_path(path)} is no name of a file: {why(error)}.", code="cannot_write"
        ) from error
    if is_folder:
        raise SessionFileError(f"{shown_path(path)} is a folder; name a file in it.", code="cannot_write")
    if is_other:
        raise SessionFileError(
            f"{shown_path(path)} is no regular file but a device or a pipe, which a file would take the place of; choose another name.",
            code="cannot_write",
        )
    if not has_folder:
        raise SessionFileError(
            f"{shown_path(path)} cannot be written: there is no folder {shown_path(path.parent.absolute())}; make it, or choose another.",
            code="cannot_write",
        )
    if exists and not overwrite:
        raise _exists(path)


def _exists(path: Path) -> SessionFileError:
    return SessionFileError(
        f"{shown_path(path)} exists already and was left as it is; choose another name, or say overwrite=True.",
        code="file_exists",
    )


def _appear(temporary: Path, path: Path) -> None:
    """Give a file its name unless the name is taken, even by somebody in this very moment.

    Raises
    ------
    FileExistsError
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        temporary.replace(path)
