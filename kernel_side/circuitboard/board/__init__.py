"""The board: one model, one set of prompts, edits that can be undone, and numbers that follow."""

from circuitboard.board.board import Board
from circuitboard.desk.checks.self_test import SelfTest
from circuitboard.desk.checks.verification import Verification
from circuitboard.desk.outcome import Baselines, EngineStatus, Outcome, Shown
from circuitboard.steps import Base, BoardState, Edit, History, Node

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
