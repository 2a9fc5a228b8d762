"""The board: one model, one set of prompts, edits that can be undone, and numbers that follow."""

from circuitboard.board.board import Board
from circuitboard.board.checks.self_test import SelfTest
from circuitboard.board.checks.verification import Verification
from circuitboard.board.history import History, Node
from circuitboard.board.outcome import Baselines, EngineStatus, Outcome, Shown
from circuitboard.board.state import Base, BoardState, Edit

__all__ = [
    "Base",
    "Baselines",
    "Board",
    "BoardState",
    "Edit",
    "EngineStatus",
    "History",
    "Node",
    "Outcome",
    "SelfTest",
    "Shown",
    "Verification",
]
