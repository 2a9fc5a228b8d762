"""What the server's one route answers: the live boards of its kernels."""

from __future__ import annotations

import msgspec

from circuitboard.protocol.board_file import BoardSummary

BOARDS_PATH = "circuitboard/api/boards"
"""The route, below the server's base address."""


class KernelBoards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The live boards of one kernel.

    `unreadable` counts files that were skipped because they are no boards, `lost` boards whose process ended without
    closing them: the kernel was killed, and has made no board since.
    """

    kernel: str
    boards: list[BoardSummary]
    unreadable: int
    lost: int


class Boards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The live boards of this server's kernels; a kernel that has none and lost none is left out."""

    kernels: list[KernelBoards]
